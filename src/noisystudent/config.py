"""The configuration of a run: typed, written to and read from TOML, all mistakes reported at once.

A configuration is complete in itself: `config.toml` of a run folder, given to `noisystudent run --config`, gives the same run.
Where a default comes from the paper, its section is named; "spec" is docs/spec/noisy-student.md, what the paper says
and its released code does.
"""

from __future__ import annotations

import difflib
import itertools
import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, field_validator, model_validator

from noisystudent.errors import UserError


class View(NamedTuple):
    """How a network is shown its pictures: pixels of a side, channels, and the share of the short side that is kept."""

    image_size: int
    channels: int
    crop_pct: float


class Section(BaseModel):
    """A part of the configuration: unknown keys are mistakes, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Data(Section):
    """Where the images come from. Sources are what `noisystudent.data.sources.read_source` takes."""

    labeled: str = Field("", description="labeled images")
    unlabeled: str = Field("", description="images without labels")
    val: str = Field("", description="empty: split from the labeled images")
    test: str = Field("", description="measured at the end of each generation; chooses nothing")
    val_fraction: float | Literal["auto"] = Field(
        "auto",
        description="share of the labeled images, class by class, that are held out when val is empty; auto: a tenth, but none where that "
        "is fewer than 50 images, which would cost labels and tell accuracy within 14 points only",
    )
    max_skipped: float = Field(0.01, description="share of the labeled images that may be unreadable", ge=0.0, le=1.0)
    channels: Literal[1, 3] = Field(3, description="3: color; 1: grey")
    unlabeled_fraction: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="a seeded share of the unlabeled images; a smaller one is a part of a larger one",
    )
    score_pseudo_labels: bool = Field(
        False,
        description="read the labels that an unlabeled source carries, only to report how good the pseudo-labels were",
    )

    @field_validator("labeled", "unlabeled", "val", "test", mode="before")
    @classmethod
    def _named_by_a_path(cls, value: object) -> object:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("val_fraction", mode="before")
    @classmethod
    def _share_or_auto(cls, value: Any) -> Any:
        if value == "auto" or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1):
            return value
        # One mistake, not one for each side of the union.
        raise ValueError("should be a share from 0 to below 1, or 'auto'")


class RandAugment(Section):
    """RandAugment's settings; `noisystudent.noise.randaugment` says what each operation does (paper section 3.1)."""

    magnitude: float = Field(
        9.0, ge=0.0, le=40.0, description="the level M; 10 is full strength in the clamped reading"
    )
    num_ops: int = Field(2, ge=1, description="operations an image, drawn with replacement")
    semantics: Literal["official", "clamped"] = Field("clamped", description="as released, or the sane variant")
    level: Literal["drawn", "fixed"] = Field(
        "drawn",
        description="in the clamped reading: each image's own, evenly from 0 to the magnitude, or the magnitude; as released it is fixed",
    )
    ops: tuple[str, ...] = Field((), description="the operations to draw from; empty: all")


class Noise(Section):
    """Input noise: what happens to an image before the network sees it in training."""

    crop: Literal["none", "pad", "random-resized", "official"] = Field(
        "pad", description="how the picture is moved or cut; official: a random part as the released code draws it"
    )
    crop_padding: int = Field(4, ge=0, description="pixels, for crop = pad: reflected border, then a random crop")
    crop_scale: tuple[float, float] = Field(
        (0.08, 1.0), description="share of the area, for crop = random-resized or official"
    )
    flip: bool = Field(True, description="mirror half of the images")
    randaugment: RandAugment | None = Field(RandAugment(), description="false: off")
    cutout: int = Field(0, ge=0, description="side in pixels of the grey square; 0: none")

    @property
    def shows_parts(self) -> bool:
        """Whether the network is shown random parts, which are cut from the picture at its full size."""
        return self.crop in ("random-resized", "official")

    @field_validator("randaugment", mode="before")
    @classmethod
    def _false_is_off(cls, value: Any) -> Any:
        return {} if value is True else None if value is False else value  # TOML has no null


class ResolutionFix(Section):
    """A last training at the resolution of use, on clean labeled images (paper section 3.1; spec section 1.3).

    It takes the last steps of the schedule, so that its learning rate is low from the start.
    """

    image_size: int = Field(ge=8, description="side in pixels, of this training and of all later use")
    crop_pct: float = Field(1.0, gt=0.0, le=1.0, description="share of the short side that the view keeps")
    steps: int = Field(ge=1, description="updates of the weights, on batch_size labeled images each")
    frozen: tuple[str, ...] = Field(
        (), description="modules of the network that stay as they are, BatchNorm statistics too"
    )


class Training(Section):
    """How one network is trained: a teacher, a student, or the baseline."""

    model: str = Field(description="a timm name, hf-hub:owner/name, or local-dir:folder")
    model_args: dict[str, Any] = Field(default_factory=dict, description="passed on to timm.create_model")
    pretrained: bool = Field(False, description="start from pretrained weights and keep their normalization")
    weights: str = Field(
        "",
        description="a file of such weights; empty: they are looked for in the cache, in installed packages, on the hub",
    )
    warm_start: bool = Field(False, description="for a student: start from its teacher's weights, not from random ones")
    start: Literal["zero", "probe"] = Field(
        "zero",
        description="the new last layer of a pretrained network: zero, without an opinion; probe: a linear classifier fitted on what "
        "the pretrained network sees, to the labels and, for a student, its pseudo-labels",
    )
    image_size: int = Field(32, ge=8, description="side in pixels")
    crop_pct: float = Field(1.0, gt=0.0, le=1.0, description="share of the short side that the evaluation crop keeps")
    drop_rate: float = Field(0.0, ge=0.0, lt=1.0, description="dropout before the classifier")
    drop_path_rate: float = Field(
        0.0, ge=0.0, lt=1.0, description="stochastic depth: a drop rate, linear over the blocks"
    )
    noise: Noise = Field(Noise(), description="input noise")

    steps: int = Field(
        1000,
        ge=0,
        description="updates of the weights; 0, with start = probe: none, the pretrained network stays as it is",
    )
    batch_size: int = Field(64, ge=1, description="labeled images a step")
    unlabeled_ratio: float = Field(0.0, ge=0.0, description="pseudo-labeled images for each labeled one in a batch")
    joint: bool = Field(
        True,
        description="both kinds of images in every batch; false: first all the pseudo-labeled, then all the labeled",
    )
    objective: Literal["mean", "sum"] = Field(
        "mean",
        description="over both kinds of images together, as the paper's author states it; sum: the labeled images' mean + "
        "unlabeled_ratio x the pseudo-labeled ones', as the released code has it, which is 1 + unlabeled_ratio times as much",
    )
    pseudo_labels: Literal["soft", "hard"] = Field("soft", description="the teacher's distribution, or its arg-max")
    temperature: float = Field(1.0, gt=0.0, description="below 1 sharpens soft pseudo-labels")
    sampling: Literal["even", "confidence"] = Field(
        "even",
        description="how often each pseudo-labeled image is seen: all alike, or in proportion to how sure the teacher was",
    )
    mixup: float = Field(
        0.0,
        ge=0.0,
        description="blend each image with another of the batch, labeled with pseudo-labeled ones too, by shares from "
        "Beta(mixup, mixup); 0: none",
    )
    class_balance: Literal["none", "sampling", "logits"] = Field(
        "none",
        description="for labels out of balance: labeled images of small classes are drawn more often, or logits are adjusted by the "
        "classes' shares of the labels",
    )
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0, description="on labeled images, and on hard pseudo-labels")

    optimizer: Literal["sgd", "rmsproptf", "adamw"] = Field("sgd", description="sgd is Nesterov's")
    learning_rate: float = Field(0.05, gt=0.0, description="at its highest, after the warm-up")
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="of sgd and rmsproptf")
    weight_decay: float = Field(5e-4, ge=0.0, description="of all parameters but those of normalization layers")
    schedule: Literal["linear", "cosine", "exponential", "constant"] = Field(
        "linear", description="of the learning rate after the warm-up"
    )
    warmup_steps: int = Field(0, ge=0, description="the learning rate rises linearly")
    decay_steps: float = Field(
        1000, ge=1, description="for schedule = exponential: multiply by decay_rate every so many steps"
    )
    decay_rate: float = Field(0.97, gt=0.0, le=1.0, description="for schedule = exponential")
    ema_decay: float = Field(
        0.99, ge=0.0, lt=1.0, description="of the moving average of the weights, which is the model"
    )
    resolution_fix: ResolutionFix | None = Field(
        None, description="false: none; else a last training at a larger size, on clean labeled images"
    )

    @field_validator("resolution_fix", mode="before")
    @classmethod
    def _false_is_off(cls, value: Any) -> Any:
        return None if value is False else value  # TOML has no null

    @model_validator(mode="after")
    def _a_ratio_is_at_least_an_image(self) -> Training:
        if self.unlabeled_ratio > 0 and self.unlabeled_batch_size == 0:
            raise ValueError(
                f"unlabeled_ratio is {self.unlabeled_ratio:g}, which of {self.batch_size} labeled images is none: "
                f"at {1 / self.batch_size:.3g} there is one pseudo-labeled image a step"
            )
        return self

    @model_validator(mode="after")
    def _a_probe_is_of_a_pretrained_network(self) -> Training:
        if self.steps == 0 and self.start != "probe":
            raise ValueError(
                "steps is 0, and nothing would be learned: give some, or start = probe with a pretrained network"
            )
        if self.start == "probe" and (self.warm_start or not self.pretrained):
            why = "warm_start takes the teacher's last layer" if self.warm_start else "pretrained is false"
            raise ValueError(f"start = probe fits a classifier on a pretrained network as it is, and {why}")
        return self

    @model_validator(mode="after")
    def _adjusted_logits_need_joint_batches(self) -> Training:
        if self.class_balance == "logits" and not self.joint:
            raise ValueError(
                "class_balance = logits needs joint = true: the labeled images are the first of each batch"
            )
        return self

    @model_validator(mode="after")
    def _a_fix_is_a_part_of_the_schedule(self) -> Training:
        if self.resolution_fix is not None and self.resolution_fix.steps > self.steps:
            raise ValueError(
                f"resolution_fix.steps is {self.resolution_fix.steps}, more than its {self.steps} steps: "
                "it runs with the last learning rates of the schedule"
            )
        return self

    @property
    def frozen(self) -> bool:
        """Whether it is a linear classifier on a pretrained network that stays as it is."""
        return self.steps == 0

    def probe(self) -> Training:
        """The linear classifier on this pretrained network before any training."""
        return self.model_copy(update={"start": "probe", "steps": 0, "resolution_fix": None, "warm_start": False})

    @property
    def view(self) -> tuple[int, float]:
        """Image size and crop_pct with which the network is used once it is trained."""
        used = self.resolution_fix or self
        return used.image_size, used.crop_pct

    def at_full_resolution(self) -> Training:
        """The last training that `resolution_fix` asks for, as a training of its own."""
        fix = self.resolution_fix
        assert fix is not None
        clean = Noise(crop="none", flip=False, randaugment=None)
        changed = {
            "image_size": fix.image_size,
            "crop_pct": fix.crop_pct,
            "steps": fix.steps,
            "noise": clean,
            "mixup": 0.0,
        }
        return self.model_copy(update={**changed, "unlabeled_ratio": 0.0, "resolution_fix": None})

    @property
    def unlabeled_batch_size(self) -> int:
        """Pseudo-labeled images a step.

        Example:
            >>> Training(model="resnet18", batch_size=10, unlabeled_ratio=1.1).unlabeled_batch_size
            11
        """
        # 10 * 1.1 is 11.000000000000002, which must not become 12.
        return math.ceil(round(self.batch_size * self.unlabeled_ratio, 6))


class Selection(Section):
    """Which pseudo-labels a student learns from (paper section 3.1, spec section 2)."""

    threshold: float = Field(0.3, ge=0.0, le=1.0, description="the least confidence (the paper's is 0.3)")
    per_class: NonNegativeInt | float | Literal["mean"] = Field(
        0,
        description="rows a class after balancing; 0: no cap and no fill; mean: as many rows in all as pass the threshold; "
        "a share such as 0.25: that part of mean, the surest of each class",
    )
    mode: Literal["exact", "official"] = Field("exact", description="the paper's text, or the released code's rule")
    reassign: bool = Field(
        False,
        description="from the second generation on: keep the images and copies selected before, and label them anew (as the paper does)",
    )

    @field_validator("per_class", mode="before")
    @classmethod
    def _count_or_mean(cls, value: Any) -> Any:
        if value == "mean" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        if isinstance(value, float) and 0 < value < 1:
            return value
        # One mistake, not one for each side of the union.
        raise ValueError("should be a whole number from 0 on, a share between 0 and 1, or 'mean'")


PREVIOUS, FROZEN_TEACHER = (
    "previous",
    "frozen",
)  # among a generation's teachers: the network before, and the frozen features


class Generation(Section):
    """One turn of the loop: what its student is, and which pseudo-labels it is given."""

    student: Training = Field(description="its network and training; settings as for the teacher")
    teachers: tuple[str, ...] = Field(
        (PREVIOUS,),
        min_length=1,
        description="who label for it, together: previous, the network before; frozen, the frozen features; a model folder, a timm name or "
        "hf-hub:owner/name that knows the same classes",
    )
    mean_of: Literal["probabilities", "votes"] = Field(
        "probabilities",
        description="of several teachers: the mean of their probabilities, or the share of them that say so",
    )
    calibrated: bool = Field(
        False,
        description="divide each teacher's logits by the temperature that makes it as sure as it is right, found on the validation images",
    )
    select: Selection = Field(Selection(), description="which pseudo-labels it learns from")
    noised_teacher: bool = Field(
        False, description="label under the noise that the teacher was trained with (an ablation, the paper's table 6)"
    )


class KnownClasses(Section):
    """What a run does when its pretrained network turns out to know the classes: it trains no network, and its generations are linear
    classifiers on the frozen features.
    """

    accuracy: float = Field(
        85.0,
        ge=0.0,
        le=100.0,
        description="percent of the labeled images that frozen features must get right, each by a fit that it took no part in",
    )
    generations: tuple[float | Literal["mean"], ...] = Field(
        (0.3, 0.6, 0.9, "mean"),
        description="which share of the pseudo-labels each learns from (select.per_class), the surest first",
    )


class Execution(Section):
    """How a run is carried out. Nothing here is compared when a run is resumed."""

    device: str = Field(
        "auto", description="cpu, cuda, cuda:1 (the second GPU) or mps (Apple's); auto takes a GPU when there is one"
    )
    precision: Literal["fp32", "bf16", "auto"] = Field(
        "fp32",
        description="of training and labeling; auto: bf16 where the GPU or processor computes in it, else fp32",
    )
    workers: int = Field(0, ge=0, description="threads that decode images; 0: one a core")
    checkpoint_seconds: float = Field(60.0, ge=0.0, description="what a kill can cost a training")
    log_steps: int = Field(50, ge=1, description="steps between two lines of metrics.jsonl")
    label_batch_size: int = Field(256, ge=1, description="images at a time when labeling and evaluating, at most")
    part_rows: int = Field(50_000, ge=1, description="rows of a predictions part: what a kill can cost the label stage")

    @field_validator("device")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:(0|[1-9]\d?))?|mps", value):
            raise ValueError("should be auto, cpu, cuda, cuda:1 and the like, or mps")
        return value

    @property
    def decoders(self) -> int:
        """How many threads decode images."""
        return self.workers or os.cpu_count() or 1


class Config(Section):
    """Everything that decides a run.

    Example:
        >>> config = Config(teacher=Training(model="resnet18"))
        >>> Config.from_toml(config.to_toml()) == config
        True
    """

    recipe: str = Field("", description="what this began as")
    seed: int = Field(0, ge=0, description="decides every draw of the run")
    baseline: bool = Field(True, description="train the compute-matched supervised baseline as well")
    frozen_features: bool = Field(
        True,
        description="where the teacher is pretrained, measure a linear classifier on the network as it is beside the others",
    )
    data: Data = Field(Data(), description="the images")
    teacher: Training = Field(description="generation 0, trained on labels alone")
    generations: tuple[Generation, ...] = Field((), description="one a turn of the loop")
    known_classes: KnownClasses | None = Field(
        None, description="false: networks are trained; else what is done in place of it where frozen features suffice"
    )
    robustness: tuple[Literal["c", "p", "adversarial", "calibration"], ...] = Field(
        (),
        description="what the last student and the baseline meet at the end, on the test images: corruptions, perturbation "
        "sequences, attacks, calibration (docs/robustness.md)",
    )
    execution: Execution = Field(Execution(), description="how, not what")

    @field_validator("known_classes", mode="before")
    @classmethod
    def _false_is_off(cls, value: Any) -> Any:
        return {} if value is True else None if value is False else value  # TOML has no null

    @model_validator(mode="after")
    def _frozen_features_are_there(self) -> Config:
        problems = []
        without = "the teacher is not pretrained" if not self.teacher.pretrained else "frozen_features is off"
        there = self.teacher.pretrained and (self.frozen_features or self.teacher.frozen)
        for number, generation in enumerate(self.generations):
            if FROZEN_TEACHER in generation.teachers and not there:
                others = [name for name in generation.teachers if name != FROZEN_TEACHER] or [PREVIOUS]
                problems.append(
                    f"generations.{number}.teachers: there are no frozen features, since {without}: set it to {others}"
                )
            if generation.noised_teacher and generation.teachers != (PREVIOUS,):
                problems.append(
                    f"generations.{number}.noised_teacher: only the network before can label under noise, and alone"
                )
        if self.known_classes is not None and not (self.teacher.pretrained and self.generations):
            missing = "the teacher is not pretrained" if self.generations else "there is no generation"
            problems.append(f"known_classes: {missing}: set known_classes=false")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _students_have_unlabeled_images(self) -> Config:
        for number, generation in enumerate(self.generations, start=1):
            if generation.student.unlabeled_ratio == 0:
                raise ValueError(
                    f"generations.{number - 1}.student.unlabeled_ratio is 0: student {number} would see no pseudo-label"
                )
        return self

    @model_validator(mode="after")
    def _a_noised_teacher_was_trained(self) -> Config:
        for number, generation in enumerate(self.generations):
            if generation.noised_teacher and self.network_before(number + 1).frozen:
                raise ValueError(
                    f"generations.{number}.noised_teacher: its teacher is a linear classifier on features, made without noise"
                )
        return self

    @model_validator(mode="after")
    def _what_is_kept_was_selected_before(self) -> Config:
        for number, (before, now) in enumerate(itertools.pairwise([None, *(g.select for g in self.generations)])):
            if now is None or not now.reassign:
                continue
            where = f"generations.{number}.select"
            if before is None:
                later = " and ".join(f"generations.{i}.select.reassign=true" for i in range(1, len(self.generations)))
                raise ValueError(
                    f"{where}.reassign: before the first student nothing was selected that could be kept: "
                    + (
                        f"set it for the later ones, {later}"
                        if later
                        else "it is for a second generation and later ones"
                    )
                )
            if now.model_copy(update={"reassign": before.reassign}) != before:
                raise ValueError(
                    f"{where}: with reassign the images selected before are kept, so that its threshold, per_class and mode "
                    f"must be those of generations.{number - 1}.select"
                )
        return self

    def network_before(self, number: int) -> Training:
        """The network before that of generation `number`, its teacher unless `teachers` says otherwise: 0 is the teacher's."""
        return self.teacher if number == 1 else self.generations[number - 2].student

    def on_frozen_features(self) -> Config:
        """What the run becomes where the classes are known."""
        assert self.known_classes is not None
        frozen = self.teacher.probe().model_copy(
            update={"unlabeled_ratio": self.generations[0].student.unlabeled_ratio}
        )
        generations = tuple(
            Generation(student=frozen, select=Selection(threshold=0.0, per_class=share))
            for share in self.known_classes.generations
        )
        return self.model_copy(update={"teacher": frozen, "generations": generations})

    @property
    def with_baseline(self) -> bool:
        """Whether the baseline is trained, if there is something to measure on: that of frozen features is the first network."""
        return self.baseline and bool(self.generations) and not self.generations[-1].student.frozen

    def view(self, training: Training) -> View:
        """How a network of the run is shown its pictures once it is trained."""
        size, crop_pct = training.view
        return View(size, self.data.channels, crop_pct)

    def to_toml(self) -> str:
        """The whole configuration as TOML; an absent optional section is written as `false`."""
        return tomli_w.dumps(_none_as_false(self.model_dump(mode="json")))

    @classmethod
    def from_toml(cls, text: str, *, where: str = "the configuration") -> Config:
        """Read what `to_toml` wrote.

        Raises:
            UserError: naming every unknown key and every value that does not fit.
        """
        return validate(parse_toml(text, where=where), where=where)

    def differences(self, other: Config) -> list[str]:
        """Each setting in which two configurations differ, as `key: mine, not theirs`, but for those that change no network."""
        aside = {"execution", "robustness"}
        mine, theirs = (dict(_leaves(c.model_dump(mode="json", exclude=aside))) for c in (self, other))
        return [
            f"{key}: {mine.get(key, 'absent')!r}, not {theirs.get(key, 'absent')!r}"
            for key in [*mine, *(key for key in theirs if key not in mine)]
            if mine.get(key, "absent") != theirs.get(key, "absent")
        ]


def parse_toml(text: str, *, where: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        UserError: with the line and column that TOML's parser names.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where} is not TOML: {error}") from None


SectionType = TypeVar("SectionType", bound=Section)


def validate(values: Mapping[str, Any], *, where: str, section: type[SectionType] = Config) -> SectionType:  # type: ignore[assignment]
    """Make a configuration, or a section of one, of plain values, or say everything that is wrong with them.

    Raises:
        UserError: a sentence for each mistake, with the nearest known key for an unknown one.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise UserError([f"{where}: {_explain(problem)}" for problem in error.errors()]) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that is most like it, or all of them."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(known)})"


def _explain(problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}{nearest(str(problem['loc'][-1]), known_keys(problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] == "value_error":
        error = str(problem["ctx"]["error"])
        if isinstance(problem["input"], Mapping):  # of a whole section
            return f"{key}: {error}" if key else error
        return f"{key} = {problem['input']!r}: {error}"
    return f"{key} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def known_keys(path: Sequence[str | int]) -> list[str]:
    """The settings of the section at `path`; positions in a list are passed over."""
    section: type[BaseModel] = Config
    for part in path:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(section.model_fields)


def _none_as_false(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: False if item is None else _none_as_false(item) for key, item in value.items()}
    return [_none_as_false(item) for item in value] if isinstance(value, list) else value


def _leaves(value: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = enumerate(value)
    else:
        yield prefix, value
        return
    for key, item in items:
        yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        UserError: when it cannot be read, is not TOML, or says something unknown.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--config {path}: cannot be read: {error}") from None
    return Config.from_toml(text, where=str(path))
