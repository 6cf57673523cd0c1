"""How a run is carried out."""

from __future__ import annotations

import os
import re
from typing import Literal

from pydantic import Field, field_validator

from noisystudent.config.section import Section

Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]


class Execution(Section):
    """How a run is carried out. Nothing here is compared when a run is resumed."""

    device: str = Field(
        "auto", description="cpu, cuda, cuda:1 (the second GPU) or mps (Apple's); auto takes a GPU when there is one"
    )
    precision: Literal["fp32", "bf16", "auto"] = Field(
        "fp32",
        description="of training; auto: bf16 where the GPU or processor computes in it, else fp32",
    )
    labeling_precision: Literal["fp32", "bf16", "auto"] = Field(
        "auto", description="of labeling and embedding; what is measured is in fp32"
    )
    workers: int = Field(0, ge=0, description="threads that decode images; 0: one a core")
    memory_gib: float = Field(
        1.0,
        ge=0.0,
        allow_inf_nan=False,
        description="GiB for each set of images that is read time and again: one that takes no more when decoded is kept in memory, of a "
        "larger one in shards so much is kept, a third of which is shuffled at a time (docs/your-photos.md); two such sets beside PyTorch "
        "leave half of a laptop of 8 GiB",
    )
    checkpoint_seconds: float = Field(60.0, ge=0.0, description="what a kill can cost a training")
    images_at_a_time: int = Field(
        0,
        ge=0,
        description="that a network is trained on at once, at most, where those of a step are too many for the memory: gradients are added "
        "up, and BatchNorm sees so many at a time; 0: all of them",
    )
    log_steps: int = Field(50, ge=1, description="steps between two lines of metrics.jsonl")
    label_batch_size: int = Field(256, ge=1, description="images at a time when labeling and evaluating, at most")
    part_rows: int = Field(50_000, ge=1, description="rows of a predictions part: what a kill can cost the label stage")
    table_memory_gib: float = Field(
        1.0,
        ge=0.1,
        description="GiB that choosing among predictions takes at most, beside the rows chosen, before it uses the disk",
    )
    spill_folder: str = Field(
        "", description="where on the disk; empty: the system's folder for temporary files (TMPDIR)"
    )
    working_folder: str = Field(
        "", description="where a run at an address such as s3://bucket/run is worked on; empty: in the user's cache"
    )
    earlier_run: str = Field(
        "",
        description="a run of which is taken over what is still valid: features, and networks whose images have not changed",
    )
    trackers: tuple[Tracker, ...] = Field(
        (),
        description="experiment trackers that the run is followed in: tensorboard, wandb, mlflow, trackio (docs/trackers.md)",
    )
    profile: bool = Field(False, description="say where the time of each stage went")
    engine: Literal["local", "ray"] = Field(
        "local",
        description="who carries out a whole run: this process, and those started with it; or workers of a Ray cluster",
    )
    ray_workers: int = Field(
        1, ge=1, description="how many, each with its share of the cores, and a GPU where there are enough"
    )
    ray_address: str = Field(
        "",
        description="of the cluster, such as 10.0.0.1:6379, or auto for the one this machine belongs to; empty: one is started here",
    )

    @field_validator("device")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:(0|[1-9]\d?))?|mps", value):
            raise ValueError("should be auto, cpu, cuda, cuda:1 and the like, or mps")
        return value

    @property
    def memory(self) -> int:
        """Bytes for a set of images."""
        return int(self.memory_gib * 2**30)

    @property
    def decoders(self) -> int:
        """How many threads decode images."""
        return self.workers or os.cpu_count() or 1
