"""Folders of pictures, a quick configuration, and commands given as a user gives them."""

import hashlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from noisystudent.config import Config
from noisystudent.config.settings import apply_settings
from noisystudent.recipes import recipe

SIZE = 16
KINDS = ("bars", "disk", "ring", "stairs")


@dataclass
class Result:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def message(self) -> str:
        """stderr as one line, however the terminal's width broke it."""
        return " ".join(self.stderr.split())


@dataclass
class Server:
    """See command_server.py."""

    process: subprocess.Popen[str]
    scratch: Path
    started: dict[int, tuple[Path, Path]] = field(default_factory=dict)

    def ask(self, request: dict[str, Any]) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(
        self,
        *arguments: object,
        folder: Path,
        largest_file: int = 0,
        signal_at: dict[str, Any] | None = None,
        short_recipes: bool = False,
    ) -> int:
        """Start a command; its process id. With `short_recipes` every recipe is `quick`."""
        out, err = (self.scratch / f"{len(self.started)}.{name}" for name in ("out", "err"))
        request = {"folder": str(folder), "stdout": str(out), "stderr": str(err), "signal_at": signal_at}
        request["short_recipes"] = short_recipes
        words = [list(os.fsencode(str(argument))) for argument in arguments]
        pid = self.ask({**request, "arguments": words, "largest_file": largest_file})
        self.started[pid] = (out, err)
        return pid

    def wait(self, pid: int) -> Result:
        status = self.ask({"wait": pid})
        out, err = self.started[pid]
        return Result(status, out.read_text(), err.read_text())

    def resume(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)

    def wait_until_stopped(self, pid: int) -> bool:
        return bool(self.ask({"stopped": pid}))


def picture(kind: str, seed: int, size: int = SIZE) -> Image.Image:
    """A picture of a kind, different for every seed, and far from all others."""
    rng = np.random.default_rng((KINDS.index(kind), seed))
    y, x = np.mgrid[:size, :size] / size
    top, left = rng.uniform(0.3, 0.7, 2)
    distance = np.hypot(y - top, x - left)
    shape = {
        "bars": np.sin(20 * x + rng.uniform(0, 6)) > 0,
        "disk": distance < 0.25,
        "ring": abs(distance - 0.3) < 0.08,
        "stairs": x + y > top + left,
    }[kind]
    pixels = 40 + 150 * shape[..., None] + rng.uniform(0, 60, (size, size, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def write_pictures(folder: Path, count: int, *, first: int = 0, kinds: tuple[str, ...] = KINDS[:2]) -> Path:
    """Class folders with `count` pictures each, numbered from `first`: other numbers are other pictures."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            picture(kind, number).save(folder / kind / f"{number:03d}.png")
    return folder


def write_flat(folder: Path, count: int, *, first: int = 0, kinds: tuple[str, ...] = KINDS[:2]) -> Path:
    """One folder with `count` pictures of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in kinds:
        for number in range(first, first + count):
            picture(kind, number).save(folder / f"{kind}-{number:03d}.png")
    return folder


@dataclass
class Images:
    """The sources of a run: two classes, 10 labeled images each, 8 to test on, 12 without labels."""

    folder: Path

    @property
    def labeled(self) -> Path:
        return self.folder / "labeled"

    @property
    def unlabeled(self) -> Path:
        return self.folder / "unlabeled"

    @property
    def test(self) -> Path:
        return self.folder / "test"

    @property
    def options(self) -> list[str]:
        """As `run` and `student` take them."""
        sources = {"--labeled": self.labeled, "--unlabeled": self.unlabeled, "--test": self.test}
        return [str(word) for pair in sources.items() for word in pair]


@dataclass(frozen=True)
class Finished:
    """A run that was never broken, for tests that only look at it."""

    images: Images
    folder: Path
    result: Result
    configuration: Path

    @property
    def command(self) -> list[str]:
        """All but `--out`."""
        return ["run", *self.images.options, "--config", str(self.configuration)]


def write_images(folder: Path) -> Images:
    write_pictures(folder / "labeled", 10)
    write_flat(folder / "unlabeled", 12, first=100)
    write_pictures(folder / "test", 8, first=200)
    return Images(folder)


def quick(*settings: str, generations: int = 2) -> Config:
    """The configuration `digits` made small: four networks in a second or two."""
    config = recipe("digits")
    config = config.model_copy(update={"generations": config.generations[:generations]})
    network = [
        f"{part}.{setting}"
        for part in ("teacher", *(["student"] if generations else []))
        for setting in (
            "model=resnet9_8",
            "model_args={}",
            f"image_size={SIZE}",
            "steps=12",
            "batch_size=8",
            "warmup_steps=2",
            "ema_decay=0.5",
            "learning_rate=0.01",
        )
    ]
    common = ["data.channels=3", "data.val_fraction=0.2", "execution.device=cpu", "execution.log_steps=4"]
    students = ["student.unlabeled_ratio=1.0", "select.threshold=0.0", "select.per_class=0"] if generations else []
    return apply_settings(config, [*common, *network, *students, *settings])


def weights(run: Path) -> dict[str, str]:
    """The SHA-256 of each model of a run."""
    files = sorted(run.glob("*/model/model.safetensors"))
    return {file.parts[-3]: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.parts[-3] != "best"}


def everything_below(folder: Path) -> dict[str, bytes | str]:
    """Names and contents of all files, to see that nothing was touched."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
