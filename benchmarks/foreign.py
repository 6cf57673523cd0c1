"""Half of the images without labels are of no class at all: what do filter and balance make of them?

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/foreign.py --seeds 3

CIFAR-10 from random weights: 4,000 labels, 4,800 images without, and as many Imagenette photos at CIFAR's size. English springers and
garbage trucks are left out of these, since CIFAR-10 has dogs and trucks. Flowers on a pretrained network's features (the recipe
`photos-instant`): 50 labels, 1,500 photos without, and as many of all ten kinds of Imagenette, which that network knows.

One teacher a draw labels the clean images and the mixed ones; a student a selection learns from its pseudo-labels. CIFAR-10's networks are
the recipe's teacher, trained for 800 of its 9,600 steps, and its equals as students, for 600: these say what differs, not what is reached.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageOps
from seeded_runs import (
    Results,
    accuracy_table,
    arguments,
    data_folder,
    difference_line,
    difference_table,
    publish,
    top1,
)

import noisystudent
from noisystudent import Config, Selection, configure, progress
from noisystudent.data.parts import read_parts

SELECTIONS = {
    "all": Selection(threshold=0.0),
    "filter": Selection(threshold=0.7),
    "balance": Selection(threshold=0.0, per_class="mean"),
    "filter and balance": Selection(threshold=0.7, per_class="mean"),
    "surest half": Selection(threshold=0.0, per_class=0.5),
}
TRIED = [("clean", "all"), *(("mixed", name) for name in SELECTIONS)]
THRESHOLDS = (0.0, 0.3, 0.5, 0.7, 0.9, 0.95)
KNOWN_TO_CIFAR = ("English springer", "garbage truck")
SHORT = ["teacher.steps=800", "teacher.warmup_steps=80", "student.steps=600", "student.warmup_steps=60"]
EQUAL = ["student.model=whitened_48_96", *SHORT]


class Images(NamedTuple):
    """Encoded pictures and the class of each."""

    pictures: pa.ChunkedArray
    labels: np.ndarray

    def take(self, rows: np.ndarray) -> Images:
        return Images(self.pictures.take(pa.array(rows)), self.labels[rows])


class Case(NamedTuple):
    """A data set, what is foreign to it, how many images are taken (as many foreign as own), and how networks learn from a draw."""

    folder: str
    foreign: Callable[[], Images]
    labels_per_class: int
    unlabeled: int
    learn: Callable[[Path, int, list[str]], dict[str, Any]]


def main() -> None:
    options = arguments(__doc__, seeds=3, work="foreign")
    progress.configure(quiet=False)
    results: Results = {}
    for name, case in CASES.items():
        results[name] = []
        for seed in range(options.seeds):
            folder = options.work / f"{case.folder}-{seed}"
            write_draw(case, folder, seed)
            results[name].append(case.learn(folder, seed, options.set))
    tables = [accuracy_table(results), difference_table(differences(results)), survival_table(results)]
    publish("foreign", options.command, tables, results)


def write_draw(case: Case, folder: Path, seed: int) -> None:
    """labeled.parquet, clean.parquet and mixed.parquet of a draw; an id says what the image is."""
    if (folder / "mixed.parquet").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    images, foreign, draw = training_images(case.folder), case.foreign(), np.random.default_rng(seed)
    order = draw.permutation(len(images.labels))
    classes = np.unique(images.labels)
    labeled = np.concatenate([order[images.labels[order] == c][: case.labels_per_class] for c in classes])
    clean = images.take(order[~np.isin(order, labeled)][: case.unlabeled])
    strange = foreign.take(draw.permutation(len(foreign.labels))[: case.unlabeled])
    chosen = images.take(labeled)
    pq.write_table(pa.table({"image": chosen.pictures, "label": chosen.labels}), folder / "labeled.parquet")
    ids = [f"own-{label}-{number}" for number, label in enumerate(clean.labels)]
    pq.write_table(pa.table({"image": clean.pictures, "id": ids}), folder / "clean.parquet")
    ids += [f"foreign-{number}" for number in range(len(strange.labels))]
    both = pa.chunked_array([*clean.pictures.chunks, *strange.pictures.chunks])
    pq.write_table(pa.table({"image": both, "id": ids}), folder / "mixed.parquet")


def training_images(folder: str) -> Images:
    table = pa.concat_tables(pq.read_table(shard) for shard in sorted(data_folder(folder).glob("train-*.parquet")))
    return Images(table["image"].cast(pa.binary()), table["label"].to_numpy())


def imagenette() -> Images:
    return training_images("imagenette128")


def imagenette_at_32_pixels() -> Images:
    """Those that are of no class of CIFAR-10's, and of each the middle."""
    names = json.loads((data_folder("imagenette128") / "labels.json").read_text())
    known = [row["label"] for row in names if row["name"] in KNOWN_TO_CIFAR]
    images = imagenette()
    strange = images.take(np.flatnonzero(~np.isin(images.labels, known)))
    small = pa.array([_small(picture) for picture in strange.pictures.to_pylist()], pa.binary())
    return strange._replace(pictures=pa.chunked_array([small]))


def _small(picture: bytes) -> bytes:
    file = io.BytesIO()
    ImageOps.fit(Image.open(io.BytesIO(picture)).convert("RGB"), (32, 32)).save(file, "PNG")
    return file.getvalue()


def configured(recipe: str, folder: Path, data: str, unlabeled: str, seed: int, settings: Sequence[str]) -> Config:
    """A recipe on a draw's images, without a baseline; accuracy is that on the test images."""
    return configure(
        recipe,
        labeled=folder / "labeled.parquet",
        unlabeled=folder / f"{unlabeled}.parquet",
        test=data_folder(data) / "test-00000-of-00001.parquet",
        settings=[f"seed={seed}", "data.val_fraction=0.0", "baseline=false", *settings],
    )


def trained(folder: Path, seed: int, settings: list[str]) -> dict[str, Any]:
    """CIFAR-10: the teacher labels once; each student is trained from random weights, by the stages' own commands."""

    def config(unlabeled: str) -> Config:
        return configured("cifar10", folder, "cifar10", unlabeled, seed, [*EQUAL, *settings])

    rows = noisystudent.train(config("clean"), folder / "teacher")["rows"]
    for unlabeled in ("clean", "mixed"):
        noisystudent.label(folder / "teacher" / "gen-0", folder / f"{unlabeled}.parquet", labeled_by(folder, unlabeled))
    for unlabeled, name in TRIED:
        selection, out = folder / f"selection-{unlabeled}-{name}", folder / f"student-{unlabeled}-{name}"
        noisystudent.select(labeled_by(folder, unlabeled), selection, SELECTIONS[name], seed=seed)
        rows += named(noisystudent.student(config(unlabeled), selection, out)["rows"], unlabeled, [name])
    return with_survival(rows, labeled_by(folder, "mixed"))


def labeled_by(folder: Path, unlabeled: str) -> Path:
    return folder / f"predictions-{unlabeled}"


def fitted(folder: Path, seed: int, settings: list[str]) -> dict[str, Any]:
    """Flowers: a run embeds images once; each generation is a linear classifier on its selection of the frozen teacher's labels."""
    rows: list[dict[str, Any]] = []
    for unlabeled in ("clean", "mixed"):
        names = [name for pool, name in TRIED if pool == unlabeled]
        config = configured("photos-instant", folder, "flowers", unlabeled, seed, settings)
        one = config.generations[0]
        generations = [one.model_copy(update={"teachers": ("frozen",), "select": SELECTIONS[name]}) for name in names]
        found = noisystudent.run(config.model_copy(update={"generations": tuple(generations)}), folder / unlabeled)
        rows += [*(found["rows"][:1] if not rows else []), *named(found["rows"][1:], unlabeled, names)]
    return with_survival(rows, folder / "mixed" / "gen-1" / "predictions")


def named(rows: list[dict[str, Any]], unlabeled: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of students, called after what they learned from."""
    students = [row for row in rows if row["name"].startswith("student")]
    return [{**row, "name": f"{unlabeled}, {name}"} for row, name in zip(students, names, strict=True)]


def with_survival(rows: list[dict[str, Any]], predictions: Path) -> dict[str, Any]:
    """What `publish` keeps of a draw, `survival` with the teacher that labeled. It has no cost: one teacher serves many students."""
    teacher = {**rows[0], "metrics": {**rows[0]["metrics"], "survival": survival(predictions)}}
    return {"rows": [teacher, *rows[1:]], "cost": None}


def survival(predictions: Path) -> dict[str, list[float]]:
    """Of each threshold, in percent: own images that pass, foreign ones that do, these among all, and right own pseudo-labels."""
    table = read_parts(predictions, ["id", "label", "confidence"])
    kinds = [id.split("-") for id in table["id"].to_pylist()]
    own = np.array([kind[0] == "own" for kind in kinds])
    truth = np.array([int(kind[1]) if kind[0] == "own" else -1 for kind in kinds])
    right, confidence = truth == table["label"].to_numpy(), table["confidence"].to_numpy()
    found = {}
    for threshold in THRESHOLDS:
        kept = confidence >= threshold
        found[f"{threshold:g}"] = [
            100 * float(share)
            for share in (kept[own].mean(), kept[~own].mean(), (~own[kept]).mean(), right[own & kept].mean())
        ]
    return found


def survival_table(results: Results) -> str:
    lines = [
        "| data | threshold | own images kept % | foreign kept % | foreign among the kept % | own pseudo-labels right % | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in results.items():
        for threshold in THRESHOLDS:
            shares = np.mean([run["rows"][0]["metrics"]["survival"][f"{threshold:g}"] for run in runs], axis=0)
            lines.append(f"| {name} | {threshold:g} | {' | '.join(f'{share:.1f}' for share in shares)} | {len(runs)} |")
    return "\n".join(lines)


def differences(results: Results) -> list[str]:
    """What foreign images cost, what each selection gives back, and what a student of clean images gains on its teacher."""
    lines = []
    for name, runs in results.items():
        teacher = runs[0]["rows"][0]["name"]
        pairs = [("clean, all", teacher), ("mixed, all", "clean, all")]
        pairs += [(f"mixed, {selection}", "mixed, all") for selection in list(SELECTIONS)[1:]]
        lines += [
            difference_line(f"{name}: {first} - {second}", top1(runs, first), top1(runs, second))
            for first, second in pairs
        ]
    return lines


CASES = {
    "flowers": Case("flowers", imagenette, 10, 1500, fitted),
    "CIFAR-10": Case("cifar10", imagenette_at_32_pixels, 400, 4800, trained),
}


if __name__ == "__main__":
    main()
