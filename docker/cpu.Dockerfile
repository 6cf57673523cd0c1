# noisystudent on a processor.
# Build in the checkout:  docker build -t noisystudent -f docker/cpu.Dockerfile .
# A run:                  docker run --rm --user "$(id -u):$(id -g)" -v "$PWD":/work noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/
# A board:                docker run --rm --user "$(id -u):$(id -g)" -v "$PWD":/work -p 127.0.0.1:8000:8000 noisystudent board serve --host 0.0.0.0
# /work is the folder that it sees and writes to. A board for the public has an image of its own, without PyTorch: docs/board/Containerfile.

FROM docker.io/library/python:3.13-slim

# PyTorch first: it is the largest part, and stays as it is when the code changes.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "torch>=2.9" "torchvision>=0.24"

COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
RUN pip install --no-cache-dir "/src[train,board,export,heic,hf,review,robustness]" && rm -r /src
RUN noisystudent doctor

# Whoever it runs as, what is downloaded once stays in /work, and what is only for now goes elsewhere.
ENV HOME=/work MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["noisystudent"]
CMD ["--help"]
