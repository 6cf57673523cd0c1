"""The run folder: the networks and stages of a run, the layout, the record of each finished stage, the lock.

A stage reads files and writes files. When it is done, a record says so; with the record there, the stage is not done again.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from noisystudent import atomic, progress
from noisystudent.config import Config, Training, load_config
from noisystudent.errors import UserError
from noisystudent.outlook import PlannedStage, time_left
from noisystudent.progress import logger

FROZEN = (
    "frozen features"  # the name of a linear classifier on a pretrained network as it is, where no training follows
)
FROZEN_TEACHER = "frozen"  # its name among `generation.teachers`
PACKAGES = ("noisystudent", "torch", "torchvision", "timm", "numpy", "pillow", "duckdb", "pyarrow")


class RunNetwork(NamedTuple):
    """A network that a run trains.

    Attributes:
        name: for the user: "frozen features", "teacher", "student 1" and so on, "baseline".
        folder: its folder's name.
        key: of its training in the configuration; "" for those that follow from another's: the frozen features from the teacher's, the
            baseline from the last student's.
        training: how it is trained.
        number: its generation; None for those that are none, and are there to be compared with.
    """

    name: str
    folder: str
    key: str
    training: Training
    number: int | None

    def before_resolution_fix(self) -> RunNetwork | None:
        """What the network was before its resolution fix, which is kept beside it; None when it has none."""
        if self.training.resolution_fix is None:
            return None
        return self._replace(
            name=f"{self.name} before the resolution fix",
            folder=f"{self.folder}/before-resolution-fix",
            training=self.training.model_copy(update={"resolution_fix": None}),
        )


def run_networks(config: Config, *, held_out: bool = True) -> list[RunNetwork]:
    """The networks that a run trains, in order: the teacher, the students, the baseline.

    Args:
        config: of the run.
        held_out: whether there are images to measure on; the baseline is there to be compared with, and without them it is not trained.

    Example:
        >>> from noisystudent.recipes import recipe
        >>> [network.name for network in run_networks(recipe("photos-fast"))]
        ['frozen features', 'teacher', 'student 1', 'student 2', 'student 3', 'baseline']
    """
    networks = []
    if config.frozen_features and config.teacher.pretrained and not config.teacher.frozen:
        networks.append(RunNetwork(FROZEN, "frozen", "", config.teacher.probe(), None))
    networks.append(RunNetwork(FROZEN if config.teacher.frozen else "teacher", "gen-0", "teacher", config.teacher, 0))
    for number, generation in enumerate(config.generations, start=1):
        key = f"generations.{number - 1}.student"
        networks.append(RunNetwork(f"student {number}", f"gen-{number}", key, generation.student, number))
    if config.with_baseline and held_out:
        networks.append(RunNetwork("baseline", "baseline", "", baseline_training(config), None))
    return networks


def baseline_training(config: Config) -> Training:
    """The last student's network, noise, steps and images a step, with labels only."""
    student = config.generations[-1].student
    batch_size = student.batch_size + student.unlabeled_batch_size
    return student.model_copy(update={"batch_size": batch_size, "unlabeled_ratio": 0.0, "warm_start": False})


def run_stages(config: Config, *, held_out: bool = True) -> list[str]:
    """The stages of a run by name, in the order in which they are done; arguments as for `run_networks`.

    Example:
        >>> from noisystudent.recipes import recipe
        >>> run_stages(recipe("photos-fast"))[:4]
        ['prepare', 'features/tf_efficientnet_lite0-160-47bdf25f/labeled', 'frozen/train', 'frozen/evaluate']
    """
    return [stage.name for stage in planned_stages(config, held_out=held_out)]


def planned_stages(config: Config, *, held_out: bool = True, unlabeled: int = 0) -> list[PlannedStage]:
    """The stages of a run, in the order in which they are done, with what they do.

    Args:
        config: of the run.
        held_out: as for `run_networks`.
        unlabeled: how many images there are to label, once that is known.
    """
    stages = [PlannedStage("prepare", "reading the images", "prepare")]
    networks = run_networks(config, held_out=held_out)
    for before, (title, folder, _, training, number) in zip([networks[0], *networks], networks, strict=False):
        name = title if number else f"the {title}"
        if number:
            stages += [
                _embedding_stage(network, "unlabeled", unlabeled) for network in embedded_to_label(config, number)
            ]
            teacher = before.training
            pixels = 0.0 if teacher.frozen else float(unlabeled * teacher.view[0] ** 2)
            stages.append(PlannedStage(f"{folder}/label", f"labeling for {name}", "label", teacher.model, pixels))
            if number == 1:  # leaks are found by the hashes that the first labeling makes
                stages.append(PlannedStage("leaks", "looking for held-out images among the unlabeled ones", "leaks"))
            stages.append(PlannedStage(f"{folder}/select", f"selecting pseudo-labels for {name}", "select"))
        if training.start == "probe":
            stages.append(_embedding_stage(training, "labeled", 0))
            stages += [_embedding_stage(training, "unlabeled", unlabeled)] if number else []
        stages.append(_training_stage(f"{folder}/train", f"training {name}", training))
        if training.resolution_fix:
            fixed = training.at_full_resolution()
            stages.append(
                _training_stage(f"{folder}/resolution-fix", f"training {name} at {fixed.image_size} pixels", fixed)
            )
        stages.append(PlannedStage(f"{folder}/evaluate", f"evaluating {name}", "evaluate"))
    if config.robustness:
        stages.append(PlannedStage(robustness_stage(config), "measuring robustness", "robustness"))
    first = {stage.name: stage for stage in reversed(stages)}  # images are embedded once, for the first that needs it
    return [stage for stage in stages if stage is first[stage.name]]


def embedded_to_label(config: Config, number: int) -> list[Training]:
    """The pretrained networks by whose features the images without labels are labeled for generation `number`."""
    before = config.teacher if number == 1 else config.generations[number - 2].student
    teachers = config.generations[number - 1].teachers
    by_features = [before] if "previous" in teachers and before.frozen else []
    return by_features + ([config.teacher] if FROZEN_TEACHER in teachers else [])


def _embedding_stage(training: Training, split: Literal["labeled", "unlabeled"], images: int) -> PlannedStage:
    which = "the labeled images" if split == "labeled" else "the images without labels"
    description = f"embedding {which} with {training.model}"
    pixels = float(images * training.image_size**2)
    return PlannedStage(embedding_stage(training, split), description, "label", training.model, pixels)


def _training_stage(name: str, description: str, training: Training) -> PlannedStage:
    if training.frozen:
        return PlannedStage(name, description.replace("training", "fitting a linear classifier:"), "fit")
    images = training.steps * (training.batch_size + training.unlabeled_batch_size)
    return PlannedStage(name, description, "train", training.model, float(images * training.image_size**2))


def features_folder(training: Training) -> str:
    """Where it is kept what a pretrained network sees in the images: the same for all trainings that begin and see alike.

    Example:
        >>> features_folder(Training(model="resnet18.a1_in1k", image_size=160, pretrained=True))
        'features/resnet18-160-5ff1e67c'
    """
    seen = [training.model, training.model_args, training.weights, training.image_size, training.crop_pct]
    name = re.sub(r"[^A-Za-z0-9_-]", "-", training.model.split("/")[-1].split(".")[0])
    return f"features/{name}-{training.image_size}-{zlib.crc32(json.dumps(seen, sort_keys=True).encode()):08x}"


def embedding_stage(training: Training, split: Literal["labeled", "unlabeled"]) -> str:
    """The stage that embeds images: the labeled ones, with those held out, or those without labels."""
    return f"{features_folder(training)}/{split}"


def first_to_embed(config: Config, training: Training) -> RunNetwork:
    """The network whose seconds take in the embedding of the labeled images: later ones find it done."""
    probes = [network for network in run_networks(config) if network.training.start == "probe"]
    return next(network for network in probes if features_folder(network.training) == features_folder(training))


def robustness_stage(config: Config) -> str:
    """The stage's name: a finished run may be asked for more."""
    return f"robustness/{'-'.join(config.robustness)}"


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
        known, record = config.known_classes, self._record(embedding_stage(config.teacher, "labeled"))
        if known is None or not record.exists():
            return config
        accuracy = json.loads(record.read_text())["accuracy"]
        return config.on_frozen_features() if accuracy is not None and accuracy >= known.accuracy else config

    def how_decided(self, config: Config) -> str:
        """Why networks were trained, or linear classifiers alone, in a sentence; "" where there was nothing to decide."""
        known, record = config.known_classes, self._record(embedding_stage(config.teacher, "labeled"))
        if known is None or not record.exists():
            return ""
        found = json.loads(record.read_text())
        if found["accuracy"] is None:
            return (
                "Networks were trained: there are too few labeled images to find out whether frozen features suffice."
            )
        right = f"are right on {found['accuracy']:.0f} % of {found['images']:,} labeled images, each by a fit that it took no part in"
        if found["accuracy"] >= known.accuracy:
            return (
                f"Frozen features {right}: the pretrained network knows these classes, and only its last layer learned."
            )
        return f"Frozen features {right}, below {known.accuracy:g} %: networks were trained."

    def done(self, stage: str) -> bool:
        """Whether a stage such as `gen-1/train` has come to its end."""
        return self._record(stage).exists()

    def _record(self, stage: str) -> Path:
        return self.path / ".stages" / f"{stage.replace('/', '.')}.json"

    def stage(self, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a stage unless it is done; what it returned, now or then.

        Args:
            name: such as `gen-1/label`.
            work: does the stage and returns what is worth recording, as JSON values.
        """
        path = self._record(name)
        if path.exists():
            record: dict[str, Any] = json.loads(path.read_text())
            return record
        start = time.monotonic()
        with self._announced(name):
            record = {**work(), "seconds": round(time.monotonic() - start, 3)}
        atomic.write_json(path, record)
        progress.warn(record.get("warnings", ()), about=_network_of(name))
        return record

    def records(self) -> dict[str, dict[str, Any]]:
        """What each finished stage recorded, by its name, in the order of the file names; of `gen-1/label` it is `gen-1.label.json`."""
        paths = sorted(self.path.glob(".stages/[!.]*.json"))
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


def model_folder(path: Path) -> Path:
    """Where the model is in a run folder (its best generation's), a generation's folder, or a model folder.

    Raises:
        UserError: there is none.
    """
    for candidate in (path / "best" / "model", path / "model", path):
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
        recorded = path / "config.toml"
        differences = config.differences(load_config(recorded)) if recorded.exists() else []
        if differences and _training_was_begun(path):
            raise UserError(
                [
                    f"{path} was begun with another configuration. Give the old settings to go on, or another --out to start anew:",
                    *differences,
                ]
            )
        if recorded.exists() and not differences and any(path.glob(".stages/*.json")):
            said = sum(len(record.get("warnings", ())) for record in RunDir(path).records().values())
            before = f"; the {said} warnings of what is done are in its report" if said > 1 else ""
            before = "; the warning of what is done is in its report" if said == 1 else before
            logger.info("going on with the run in %s%s", path, before)
        else:
            for stage in path.glob(".stages/*.json"):  # of the configuration that is given up
                stage.unlink()
            atomic.write_json(path / "environment.json", environment(config.seed))
            atomic.write_text(recorded, config.to_toml())
        yield RunDir(path, config if whole else None)


def _training_was_begun(path: Path) -> bool:
    """Whether there is a checkpoint or a trained network, which a new configuration would be the end of."""
    return any(path.glob("*/checkpoints/last.pt")) or any(path.glob(".stages/*.train.json"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Create an output folder if need be and hold it: no second process writes there meanwhile.

    Raises:
        UserError: it is a file, it holds files that are not ours, it cannot be written, or another process holds it (named).
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"--out {path} is a file: give a folder that is new, empty, or a run of ours")
    if path.is_dir() and not (path / ".lock").exists() and any(path.iterdir()):
        raise UserError(f"--out {path} holds files that no run of ours wrote: give a new or an empty folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{path} is in use by {_holder(path)}: wait for it, stop it, or give another --out") from None
    except (PermissionError, NotADirectoryError) as error:
        raise UserError(f"--out {path} cannot be written: {error.strerror}") from None
    try:
        atomic.write_json(path / ".holder.json", {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()})
        yield
    finally:
        (path / ".holder.json").unlink(missing_ok=True)
        lock.release()


def check_output_file(path: Path) -> None:
    """Find out before the work is done whether a file can be written.

    Raises:
        UserError: it is a folder, or its folder cannot be.
    """
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


def _holder(path: Path) -> str:
    try:
        holder = json.loads((path / ".holder.json").read_text())
    except (OSError, ValueError):
        return "another process"
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
