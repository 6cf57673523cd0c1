"""Input noise: what happens to an image before a network sees it in training."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from noisystudent.config.section import Section


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
