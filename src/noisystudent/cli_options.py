"""The options that several commands of the command line have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

SRC = "class folders, a folder of images, image files, .csv, .parquet, shards/{000..099}.tar, or hf:owner/name[:split]"
MODEL = "a run, a generation, a model folder, a timm name, or hf-hub:owner/name"

Labeled = Annotated[str, typer.Option(help=f"Labeled images: {SRC}.")]
Unlabeled = Annotated[str, typer.Option(help=f"Images without labels: {SRC}.")]
Val = Annotated[str, typer.Option(help="Validation images; without them a part of the labeled ones is split off.")]
Test = Annotated[str, typer.Option(help="Test images: measured at the end, they choose nothing.")]
Out = Annotated[Path, typer.Option(help="A new folder, an empty one, or one to go on with.")]
Recipe = Annotated[str, typer.Option(help="A name that `noisystudent recipes` lists.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="A configuration to start from in place of a recipe.")
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights",
        help="Pretrained weights, where there is no model hub: a model folder, whose network takes the recipe's place, or a file for it.",
    ),
]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated.")]
Model = Annotated[str, typer.Option(help=f"{MODEL}.")]
Images = Annotated[str, typer.Option(help=f"Images: {SRC}.")]
Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SRC]...",
        help="The images, as --images takes them, one source or several in this order; - for the paths that standard input lists.",
    ),
]
RowFile = Annotated[
    str, typer.Option(help="A new .csv, .jsonl or .parquet file; without it the rows go to standard output.")
]
RowFormat = Annotated[
    Literal["csv", "jsonl"] | None, typer.Option(help="Of what goes to standard output; csv without it.")
]

Device = Annotated[
    str, typer.Option(help="Where to compute: cpu, cuda, cuda:1 or mps; auto takes a GPU where there is one.")
]
Precision = Annotated[
    Literal["auto", "bf16", "fp32"],
    typer.Option(help="In which the network computes; auto: bf16 where the GPU or processor has it, else fp32."),
]
TableMemory = Annotated[float, typer.Option(min=0.1, help="GiB that tables may take before the disk is used.")]
SpillFolder = Annotated[
    Path | None, typer.Option(help="Where on the disk; without it the system's folder for temporary files.")
]
