"""How one network is trained."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from noisystudent.config.noise import Noise
from noisystudent.config.section import Section


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

    def images_a_step(self, *, pseudo: bool = True) -> int:
        """Of both kinds; without pseudo-labeled ones, as a teacher sees them, labeled ones alone.

        Example:
            >>> student = Training(model="resnet18", batch_size=10, unlabeled_ratio=1.1)
            >>> student.images_a_step(), student.images_a_step(pseudo=False)
            (21, 10)
        """
        return self.batch_size + (self.unlabeled_batch_size if pseudo else 0)

    @property
    def unlabeled_batch_size(self) -> int:
        """Pseudo-labeled images a step.

        Example:
            >>> Training(model="resnet18", batch_size=10, unlabeled_ratio=1.1).unlabeled_batch_size
            11
        """
        # 10 * 1.1 is 11.000000000000002, which must not become 12.
        return math.ceil(round(self.batch_size * self.unlabeled_ratio, 6))
