"""How a package that is missing is installed here: the project is on no index, where its extras are not found by name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from importlib import metadata
from pathlib import Path

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


def pip() -> str:
    """How pip is called for this Python: by its name where that is the one, as in an activated environment."""
    beside = Path(sys.executable).parent
    found = shutil.which("pip")
    return "pip" if found and Path(found).parent == beside else f"{shlex.quote(os.fspath(sys.executable))} -m pip"
