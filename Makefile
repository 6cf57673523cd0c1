# make demo: the whole loop on real images, with a table and a report.
# make test: the tests.
# make docs: the documentation as a site, in site/index.html.
# Each sets up what it needs first; that downloads PyTorch once (about 3 GB with CUDA) and takes a few minutes.

PYTHON ?= python3.11
VENV := .venv
READY := $(VENV)/.ready

.PHONY: demo test check docs clean

demo: $(READY)
	$(VENV)/bin/noisystudent demo --out demo

test: $(READY)  # beside each other, a thread each
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses logical --dist loadfile

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "Setting up $(VENV): installing PyTorch and the other packages; this takes a few minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --progress-bar on --constraint constraints.txt --editable '.[dev]'
	@# Tests compare with these. Their own requirements name other builds and versions than ours, which they work with as well.
	$(VENV)/bin/python -m pip install --quiet --no-warn-conflicts --no-deps imagecorruptions==1.1.2 torchattacks==3.5.1
	@# The old site's published client, which our API is tested with, stands apart: it needs pydantic 1 and httpx 0.14.
	$(VENV)/bin/python -m pip install --quiet --upgrade --no-warn-conflicts --target $(VENV)/peers/paperswithcode paperswithcode-client==0.3.1
	@# Trackio asks for a Pillow older than ours, and works with it.
	$(VENV)/bin/python -m pip install --quiet --no-warn-conflicts --no-deps --upgrade --target $(VENV)/peers/trackio trackio==0.43.0 gradio_client==2.7.2 orjson==3.13.0 brotli==1.2.1
	@touch $(READY)

clean:
	rm -rf $(VENV) demo site
