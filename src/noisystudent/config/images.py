"""Where the images come from, and how a network is shown them."""

from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from noisystudent.config.section import Section


class View(NamedTuple):
    """How a network is shown its pictures: pixels of a side, channels, and the share of the short side that is kept."""

    image_size: int
    channels: int
    crop_pct: float


class Data(Section):
    """Where the images come from. Sources are what `noisystudent.data.sources.read_source` takes."""

    labeled: str = Field("", description="labeled images")
    unlabeled: str = Field("", description="images without labels")
    val: str = Field("", description="empty: split from the labeled images")
    test: str = Field("", description="measured at the end of each generation; chooses nothing")
    corrections: tuple[str, ...] = Field(
        (),
        description="tables with `path` and `label`, such as people fill in after `noisystudent review`: what they say of images of these "
        "sources counts; one after the other",
    )
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
