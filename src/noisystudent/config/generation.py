"""One turn of the loop: who labels, which pseudo-labels are taken, and the student that learns from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, field_validator

from noisystudent.config.section import Section
from noisystudent.config.training import Training

# Among a generation's teachers: the network before, and the frozen features.
PREVIOUS, FROZEN_TEACHER = "previous", "frozen"


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
    mirrored: bool = Field(
        False,
        description="label by the mean of what a teacher says of an image and of its mirror image; "
        "linear classifiers on features see the image only",
    )
    calibrated: bool = Field(
        False,
        description="divide each teacher's logits by the temperature that makes it as sure as it is right, found on the validation images",
    )
    top_k: int = Field(
        0,
        ge=0,
        description="keep the probabilities of so many most probable classes of each image, and spread the rest evenly over the others, "
        "for very many images and classes; 0: keep all",
    )
    select: Selection = Field(Selection(), description="which pseudo-labels it learns from")
    noised_teacher: bool = Field(
        False, description="label under the noise that the teacher was trained with (an ablation, the paper's table 6)"
    )


class KnownClasses(Section):
    """Where the pretrained network turns out to know the classes: generations are linear classifiers on the frozen features."""

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
