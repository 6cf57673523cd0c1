"""What the owner of a run can do with it now, as lines to copy."""

from __future__ import annotations

import shlex
from pathlib import Path


def next_steps(run: Path, *, measured: bool, best: str = "best") -> list[tuple[str, str]]:
    """What for, and the line: of a shell, or of Python.

    Args:
        run: the folder, as the line is to name it.
        measured: whether something was held out.
        best: the folder of the network that is handed on.

    Example:
        >>> for what, line in next_steps(Path("a run"), measured=True):
        ...     print(f"{what}: {line}")
        Label other images: noisystudent predict --model 'a run' --images FOLDER --out labels.csv
        Open the model in Python: import noisystudent.models, timm; model = timm.create_model('local-dir:a run/best/model', pretrained=True)
    """
    quoted = shlex.quote(str(run))
    steps = [("Label other images", f"noisystudent predict --model {quoted} --images FOLDER --out labels.csv")]
    if not measured:
        what = "Measure it on labeled images that it has not seen, a folder a class"
        steps.append((what, f"noisystudent evaluate --model {quoted} --data FOLDER"))
    address = f"local-dir:{run / best / 'model'}"
    opened = f"import noisystudent.models, timm; model = timm.create_model({address!r}, pretrained=True)"
    return [*steps, ("Open the model in Python", opened)]
