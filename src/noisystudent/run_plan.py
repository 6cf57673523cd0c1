"""Which networks a run trains and which stages it does, in order: said once, for the loop, its progress, report and estimate."""

from __future__ import annotations

import json
import re
import zlib
from typing import Literal, NamedTuple

from noisystudent.config import FROZEN_TEACHER, PREVIOUS, Config, Training
from noisystudent.outlook import PlannedStage

FROZEN = (
    "frozen features"  # the name of a linear classifier on a pretrained network as it is, where no training follows
)


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
        ['frozen features', 'teacher', 'student 1', 'student 2', 'baseline']
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
    batch_size = student.images_a_step()
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
            by_features = teachers_by_features(config, number).values()
            stages += [_embedding_stage(network, "unlabeled", unlabeled) for network in by_features]
            teacher = before.training
            looks = looks_of_teacher(config, number)  # of teachers from elsewhere nothing is known
            pixels = float(looks * unlabeled * teacher.view[0] ** 2)
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


def looks_of_teacher(config: Config, number: int) -> int:
    """How often the network before student `number` looks at each image to label it: not at all where it does so by features.

    Example:
        >>> from noisystudent.recipes import recipe
        >>> looks_of_teacher(recipe("photos-fast"), 1), looks_of_teacher(recipe("cifar10"), 1)
        (1, 2)
    """
    generation = config.generations[number - 1]
    if PREVIOUS not in generation.teachers or config.network_before(number).frozen:
        return 0
    return 2 if generation.mirrored else 1


def teachers_by_features(config: Config, number: int) -> dict[str, Training]:
    """Those of a generation's teachers that label by features, without a look at the images: by name, whose features these are."""
    before = config.network_before(number)
    known = {PREVIOUS: before} if before.frozen else {}
    known[FROZEN_TEACHER] = config.teacher
    return {name: known[name] for name in config.generations[number - 1].teachers if name in known}


def _embedding_stage(training: Training, split: Literal["labeled", "unlabeled"], images: int) -> PlannedStage:
    which = "the labeled images" if split == "labeled" else "the images without labels"
    description = f"embedding {which} with {training.model}"
    pixels = float(images * training.image_size**2)
    return PlannedStage(embedding_stage(training, split), description, "label", training.model, pixels)


def _training_stage(name: str, description: str, training: Training) -> PlannedStage:
    if training.frozen:
        return PlannedStage(name, description.replace("training", "fitting a linear classifier:"), "fit")
    images = training.steps * training.images_a_step()
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
