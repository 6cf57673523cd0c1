"""The configuration of a run: everything that decides it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import Field, field_validator, model_validator

from noisystudent.config.execution import Execution
from noisystudent.config.generation import FROZEN_TEACHER, PREVIOUS, Generation, KnownClasses, Selection
from noisystudent.config.images import Data, View
from noisystudent.config.reading import none_as_false, parse_toml, validate
from noisystudent.config.section import Section
from noisystudent.config.training import Training
from noisystudent.errors import UserError


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
        None,
        description="false: networks are always trained; else: where frozen features are right often enough, only linear classifiers are "
        "fitted, and settings of generations, students and selections are not used",
    )
    robustness: tuple[Literal["c", "p", "adversarial", "calibration"], ...] = Field(
        (),
        description="what the last student and the baseline meet at the end, on the test images, else on the validation images: "
        "corruptions, perturbation sequences, attacks, calibration (docs/robustness.md)",
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
        return tomli_w.dumps(none_as_false(self.model_dump(mode="json")))

    @classmethod
    def from_toml(cls, text: str, *, where: str = "the configuration") -> Config:
        """Read what `to_toml` wrote.

        Raises:
            UserError: naming every unknown key and every value that does not fit.
        """
        return validate(parse_toml(text, where=where), cls, where=where)

    def differences(self, other: Config) -> list[str]:
        """Each setting in which two configurations differ, as `key: mine, not theirs`, but for those that change no network."""
        aside = {"execution", "robustness"}
        mine, theirs = (dict(_leaves(c.model_dump(mode="json", exclude=aside))) for c in (self, other))
        return [
            f"{key}: {mine.get(key, 'absent')!r}, not {theirs.get(key, 'absent')!r}"
            for key in [*mine, *(key for key in theirs if key not in mine)]
            if mine.get(key, "absent") != theirs.get(key, "absent")
        ]


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
