"""The run folder: the layout, the record of each finished stage, what was decided on the way, the lock.

A stage reads files and writes files. When it is done, a record says so; with the record there, the stage is not done again.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from noisystudent import atomic, processes, progress
from noisystudent.addresses import as_given, scheme
from noisystudent.config import Config, load_config
from noisystudent.errors import UserError
from noisystudent.outlook import time_left
from noisystudent.progress import logger
from noisystudent.run_plan import FROZEN, embedding_stage, planned_stages
from noisystudent.stage_profile import profiled

LOCK, HOLDER, RECORDS = ".lock", ".holder.json", ".stages"  # of a folder of ours: a folder without the first is none
LINK = ".link"  # ends the name of a file that says where a link leads, where there are none
PACKAGES = ("noisystudent", "torch", "torchvision", "timm", "numpy", "pillow", "duckdb", "pyarrow")


@dataclass(frozen=True)
class RunDir:
    """A run's folder. The layout is the contract of docs/run-folder.md.

    Args:
        path: the folder.
        config: of a run all of whose stages are done in their order: each is then announced as "stage 3 of 9". None: they are not.
    """

    path: Path
    config: Config | None = None

    def generation(self, number: int) -> Path:
        """The folder of generation `number`; 0 is the teacher."""
        return self.path / f"gen-{number}"

    @property
    def baseline(self) -> Path:
        return self.path / "baseline"

    @property
    def frozen(self) -> Path:
        """The folder of the frozen features, where the teacher is a trained network."""
        return self.path / "frozen"

    @property
    def held_out(self) -> bool:
        """Whether there are images to measure on; as far as is known, before the images have been read."""
        return not self.manifest("labeled").exists() or any(self.manifest(split).exists() for split in ("val", "test"))

    def manifest(self, split: str) -> Path:
        """Where the manifest of `split` (labeled, unlabeled, val, test) is."""
        return self.path / "data" / f"{split}.parquet"

    def decided(self, config: Config) -> Config:
        """The configuration with what cross-validation on the labels decided, once it has: networks, or linear classifiers alone."""
        known, found = config.known_classes, self._cross_validated(config)
        suffice = known and found and found["accuracy"] is not None and found["accuracy"] >= known.accuracy
        return config.on_frozen_features() if suffice else config

    def how_decided(self, config: Config) -> str:
        """Why networks were trained, or linear classifiers alone, in a sentence; "" where there was nothing to decide."""
        known, found = config.known_classes, self._cross_validated(config)
        if known is None or found is None:
            return ""
        if found["accuracy"] is None:
            return (
                "Networks were trained: there are too few labeled images to find out whether frozen features suffice."
            )
        right = f"are right on {found['accuracy']:.0f} % of {found['images']:,} labeled images, each by a fit that it took no part in"
        if found["accuracy"] >= known.accuracy:
            return (
                f"Frozen features {right}: the pretrained network knows these classes, and only its last layer learned. "
                "(What `generations` are set to is for networks, which known_classes=false trains.)"
            )
        return f"Frozen features {right}, below {known.accuracy:g} %: networks were trained."

    def _cross_validated(self, config: Config) -> dict[str, Any] | None:
        """What frozen features reached on the labels, once it is known."""
        return self.record(embedding_stage(config.teacher, "labeled"))

    def record(self, stage: str) -> dict[str, Any] | None:
        """What a stage recorded; None before it is done."""
        path = self._record(stage)
        if not path.exists():
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def keep_record(self, stage: str, record: Mapping[str, Any]) -> None:
        """Record a stage that was done elsewhere, so that it is not done again."""
        atomic.write_json(self._record(stage), record)

    def done(self, stage: str) -> bool:
        """Whether a stage such as `gen-1/train` has come to its end."""
        return self._record(stage).exists()

    def _record(self, stage: str) -> Path:
        return self.path / RECORDS / f"{stage.replace('/', '.')}.json"

    def stage(self, name: str, work: Callable[[], dict[str, Any]], *, shared: bool = False) -> dict[str, Any]:
        """Do a stage unless it is done; what it returned, now or then.

        Args:
            name: such as `gen-1/label`.
            work: does the stage and returns what is worth recording, as JSON values.
            shared: all processes do it together; else the first does, and the others wait.
        """
        if (done := processes.from_first(lambda: self.record(name))) is not None:
            return done
        if not shared:
            return processes.from_first(lambda: self._do(name, work))
        record = self._do(name, work) if processes.is_first() else work()
        return processes.from_first(lambda: record)

    def _do(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        wanted = self.config is not None and self.config.execution.profile
        with self._announced(name), self._timed(name) as seconds, profiled(wanted) as profile:
            found = work()
        record = {**found, "seconds": round(seconds(), 3), **({"profile": profile} if wanted else {})}
        atomic.write_json(self._record(name), record)
        self._begun(name).unlink(missing_ok=True)
        progress.warn(record.get("warnings", ()), about=_network_of(name))
        return record

    @contextmanager
    def _timed(self, stage: str) -> Iterator[Callable[[], float]]:
        """A clock of a stage, which counts the attempts before this one that were stopped.

        Of one that was killed it counts until the last file that was written in the stage's folder.
        """
        begun, spent, start = self._begun(stage), 0.0, time.monotonic()
        if begun.exists():
            before = json.loads(begun.read_text(encoding="utf-8"))
            spent = before["seconds"]
            if before["at"] is not None:
                files = (file for file in (self.path / stage.partition("/")[0]).rglob("*") if file.is_file())
                spent += max([0.0, *(file.stat().st_mtime - before["at"] for file in files)])
        atomic.write_json(begun, {"seconds": spent, "at": time.time()})

        def seconds() -> float:
            return spent + time.monotonic() - start

        try:
            yield seconds
        except BaseException:
            with contextlib.suppress(OSError):  # a full disk, of which the error under way tells
                atomic.write_json(begun, {"seconds": seconds(), "at": None})
            raise

    def _begun(self, stage: str) -> Path:
        record = self._record(stage)
        return record.with_name(f".begun-{record.name}")

    def records(self) -> dict[str, dict[str, Any]]:
        """What each finished stage recorded, by its name, in the order of the file names; of `gen-1/label` it is `gen-1.label.json`."""
        paths = sorted(self.path.glob(f"{RECORDS}/[!.]*.json"))
        return {path.stem.replace(".", "/"): json.loads(path.read_text(encoding="utf-8")) for path in paths}

    def _announced(self, name: str) -> AbstractContextManager[None]:
        """Progress as that of a stage of the run."""
        if self.config is None:
            return contextlib.nullcontext()
        manifest = self.manifest("unlabeled")
        unlabeled = pq.read_metadata(manifest).num_rows if manifest.exists() else 0
        stages = planned_stages(self.decided(self.config), held_out=self.held_out, unlabeled=unlabeled)
        names = [stage.name for stage in stages]
        if name not in names:
            return contextlib.nullcontext()
        seconds = {stage: record["seconds"] for stage, record in self.records().items()}

        def left(whole: float, own: float) -> str:
            return time_left(stages, name, {**seconds, name: whole}, own)

        position = names.index(name)
        stage = progress.Stage(f"stage {position + 1} of {len(names)}", left)
        return progress.stage(stage, stages[position].description)


def _network_of(stage: str) -> str:
    """The network that a stage belongs to, in the user's words; "" when it is the whole run's."""
    folder, _, rest = stage.partition("/")
    if not rest or not folder.startswith(("gen-", "baseline", "frozen")):
        return ""
    number = folder.removeprefix("gen-")
    return {"0": "teacher", "baseline": "baseline", "frozen": FROZEN}.get(number, f"student {number}")


def best_folder(run: Path) -> Path:
    """Where the network is that a run hands on; in a copy of a run from a store, which has no links, a file says so."""
    said = run / f"best{LINK}"
    return run / (said.read_text(encoding="utf-8") if said.is_file() and not (run / "best").exists() else "best")


def model_folder(path: Path) -> Path:
    """Where the model is in a run folder (its best generation's), a generation's folder, or a model folder.

    Raises:
        UserError: there is none.
    """
    for candidate in (best_folder(path) / "model", path / "model", path):
        if (candidate / "config.json").is_file() and (candidate / "model.safetensors").is_file():
            return candidate
    if not path.exists():
        raise UserError(f"there is no model at {path}: the path does not exist")
    raise UserError(
        f"{path} holds no whole model (config.json and model.safetensors, here or in model/ or best/model/)"
    )


def folder_called(model: str | Path) -> Path | None:
    """The folder of a model that is given by a path, as for `model_folder`; None where it is given by a name.

    Raises:
        UserError: it looks like a path, and there is no model.
    """
    name = os.path.expanduser(model)
    if name.startswith("hf-hub:") or not (os.sep in name or os.path.exists(name)):
        return None
    return model_folder(Path(name))


def run_of(model: str | Path) -> RunDir | None:
    """The run that a model is of, which may be called by the run, by a generation of it or by a model folder; None: of none.

    Raises:
        UserError: it looks like a path, and there is no model.
    """
    folder = folder_called(model)
    run = folder.resolve().parents[1] if folder else None
    return (
        RunDir(run)
        if run and (run / "config.toml").is_file() and (run / "data" / "labeled.parquet").is_file()
        else None
    )


@contextmanager
def open_run(path: Path, config: Config, *, whole: bool = True) -> Iterator[RunDir]:
    """Take hold of a run folder, new or old, for as long as the block lasts.

    A folder in which no training was begun takes a new configuration: a failed start does not spoil it.

    Args:
        path: the folder.
        config: of the run.
        whole: whether all of the configuration's stages are done, so that they can be counted.

    Raises:
        UserError: another process holds it; it was begun with another configuration; it is a file, or a folder of something else.
    """
    with locked(path):
        several = processes.count()
        processes.from_first(lambda: _begin(path, config, several))
        yield RunDir(path, config if whole else None)


def _begin(path: Path, config: Config, several: int) -> None:
    """Write what a run begins with, its configuration and its environment, or find that it is the same."""
    recorded = path / "config.toml"
    differences = config.differences(load_config(recorded)) if recorded.exists() else []
    if differences and _training_was_begun(path):
        raise UserError(
            [
                f"{path} was begun with another configuration. Give the old settings to go on, or another --out to start anew:",
                *differences,
            ]
        )
    if recorded.exists() and not differences and any(path.glob(f"{RECORDS}/*.json")):
        said = sum(len(record.get("warnings", ())) for record in RunDir(path).records().values())
        before = f"; the {said} warnings of what is done are in its report" if said > 1 else ""
        before = "; the warning of what is done is in its report" if said == 1 else before
        logger.info("going on with the run in %s%s", path, before)
    else:
        for stage in path.glob(f"{RECORDS}/*.json"):  # of the configuration that is given up
            stage.unlink()
        atomic.write_json(path / "environment.json", environment(config.seed) | {"processes": several})
        atomic.write_text(recorded, config.to_toml())


def _training_was_begun(path: Path) -> bool:
    """Whether there is a checkpoint or a trained network, which a new configuration would be the end of."""
    return any(path.glob("*/checkpoints/last.pt")) or any(path.glob(f"{RECORDS}/*.train.json"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Create an output folder if need be and hold it: no second process writes there meanwhile, but those started with this one.

    Raises:
        UserError: it is a file, it holds files that are not ours, it cannot be written, or another process holds it (named).
    """
    held: list[FileLock] = []
    processes.from_first(lambda: held.append(_held(path)))
    try:
        yield
    finally:
        for lock in held:
            (path / HOLDER).unlink(missing_ok=True)
            lock.release()


def _held(path: Path) -> FileLock:
    """The lock of a folder, which is taken."""
    check_here(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"--out {path} is a file: give a folder that is new, empty, or a run of ours")
    if path.is_dir() and not (path / LOCK).exists() and any(path.iterdir()):
        raise UserError(f"--out {path} holds files that no run of ours wrote: give a new or an empty folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{path} is in use by {_holder(path)}: wait for it, stop it, or give another --out") from None
    except (PermissionError, NotADirectoryError) as error:
        raise UserError(f"--out {path} cannot be written: {error.strerror}") from None
    atomic.write_json(path / HOLDER, this_process())
    return lock


def check_here(path: Path) -> None:
    """Raise UserError when an output is an address: of it a folder here, such as `s3:`, would be made."""
    if scheme(path):
        raise UserError(
            f"--out {as_given(path)} is an address: give a path on this machine, and copy it there when it is done"
        )


def check_new(path: Path) -> None:
    """Raise UserError when an output, a file or a folder, is there already, or cannot be made."""
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise UserError(f"--out {path} is there already: give another name, or delete it")
    if not path.exists():
        check_output_file(path)


def check_output_file(path: Path) -> None:
    """Find out before the work is done whether a file can be written.

    Raises:
        UserError: it is a folder or an address, or its folder cannot be.
    """
    check_here(path)
    if path.is_dir():
        raise UserError(f"--out {path} is a folder: give the name of a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UserError(f"--out {path} cannot be written: {folder} is not a folder that you may write to")


def environment(seed: int) -> dict[str, Any]:
    """What a reader needs to know of where a run was made: versions, commit, command, seed, machine."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "started": _now(),
        "command": sys.argv,
        "seed": seed,
        "python": platform.python_version(),
        "packages": versions,
        "git_commit": _git_commit(),
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
    }


def _git_commit() -> str | None:
    """The commit of our own checkout; None for an installed package."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def this_process() -> dict[str, Any]:
    """Who holds a folder, when it is this process."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}


def holder_in_words(holder: Mapping[str, Any]) -> str:
    """Of what `this_process` said."""
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"


def _holder(path: Path) -> str:
    try:
        return holder_in_words(json.loads((path / HOLDER).read_text()))
    except (OSError, ValueError):
        return "another process"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
