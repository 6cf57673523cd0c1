"""What the owner of a run can do with it now, as lines to copy."""

from __future__ import annotations

import shlex
from pathlib import Path

from noisystudent.addresses import as_given, scheme

COPY = "import fsspec; files, path = fsspec.url_to_fs({address!r}); files.get(path, {folder!r}, recursive=True)"


def next_steps(out: str | Path, *, measured: bool, best: str) -> list[tuple[str, str]]:
    """What for, and the line: of a shell, or of Python.

    Args:
        out: the run's folder as the lines are to name it, or its address.
        measured: whether something was held out.
        best: the folder of the network that is handed on, which the link `best` leads to; a store at an address has no links.

    Example:
        >>> for what, line in next_steps("a run", measured=True, best="gen-2"):
        ...     print(f"{what}: {line}")
        Label other images: noisystudent predict --model 'a run' --images FOLDER --out labels.csv
        Open the model in Python: import noisystudent.models, timm; model = timm.create_model('local-dir:a run/best/model', pretrained=True)
    """
    steps = []
    run, model = Path(out), "best"
    if scheme(out):
        run, model = Path(as_given(out).rstrip("/").rsplit("/", 1)[-1]), best
        steps.append(("Copy it to a folder here, in Python", COPY.format(address=as_given(out), folder=str(run))))
    quoted = shlex.quote(str(run))
    steps.append(("Label other images", f"noisystudent predict --model {quoted} --images FOLDER --out labels.csv"))
    if not measured:
        what = "Measure it on labeled images that it has not seen, a folder a class"
        steps.append((what, f"noisystudent evaluate --model {quoted} --data FOLDER"))
    address = f"local-dir:{run / model / 'model'}"
    opened = f"import noisystudent.models, timm; model = timm.create_model({address!r}, pretrained=True)"
    return [*steps, ("Open the model in Python", opened)]
