"""How many planted wrong labels, and how many foreign pictures, does `review` find?

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/reviewing.py --seeds 3

Digits: 200 labels of which 20 are wrong, 1,000 images without, one student in place of the recipe's chain; there is no network that
has not learned from the labels, and pixels take its place. Flowers: 250 labels of which 25 are wrong, 500 photos without, among them 100 of
Imagenette; the recipe `photos-instant`, whose pretrained network has not learned from the labels. At most 200 images are asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from seeded_runs import RESULTS, arguments, data_folder
from sklearn.datasets import load_digits

import noisystudent
from noisystudent import configure
from noisystudent.review.commands import review

WRONG, FOREIGN, CLASSES_OF_FLOWERS = 0.1, 100, 5


def main() -> None:
    options = arguments(__doc__, seeds=3, work="reviewing")
    found = {name: [of(options.work, seed) for seed in range(options.seeds)] for name, of in DATA.items()}
    lines = [
        "| data | wrong labels planted | found of them, % | of those said to be wrong, % are | of the first 10, % are | "
        "foreign pictures | found of them, % | of those said to be of no class, % are | n |",
        "|---|---|---|---|---|---|---|---|---|",
        *(line(name, rows) for name, rows in found.items()),
    ]
    text = f"`{options.command}`; means over draws of the labels, lowest to highest\n\n" + "\n".join(lines) + "\n"
    print(text)
    (RESULTS / "reviewing.md").write_text(text, encoding="utf-8")


def line(name: str, rows: Sequence[dict[str, float]]) -> str:
    """A row of the table."""

    def said(key: str) -> str:
        values = [row[key] for row in rows if key in row]
        return f"{np.mean(values):.0f} ({min(values):.0f} to {max(values):.0f})" if values else "-"

    counts = (f"{rows[0][key]:.0f}" if key in rows[0] else "-" for key in ("planted", "foreign"))
    planted, foreign = counts
    return (
        f"| {name} | {planted} | {said('recall')} | {said('precision')} | {said('first')} | {foreign} | {said('foreign recall')} | "
        f"{said('foreign precision')} | {len(rows)} |"
    )


def digits(work: Path, seed: int) -> dict[str, float]:
    """scikit-learn's digits."""
    images, labels = load_digits(return_X_y=True)
    pictures = [_png(pixels.reshape(8, 8)) for pixels in images]
    order = np.random.default_rng(seed).permutation(len(labels))
    folder = work / f"digits-{seed}"
    planted = write_labeled(folder, [pictures[i] for i in order[:200]], labels[order[:200]], classes=10, seed=seed)
    write(folder / "unlabeled.parquet", [pictures[i] for i in order[200:1200]], [f"u{i}" for i in order[200:1200]])
    config = configure("digits", labeled=folder / "labeled.parquet", unlabeled=folder / "unlabeled.parquet")
    config = config.model_copy(update={"generations": config.generations[-1:], "baseline": False, "seed": seed})
    return reviewed(config, folder, planted)


def flowers(work: Path, seed: int) -> dict[str, float]:
    """Photos of five kinds of flowers, and foreign ones."""
    table = pq.read_table(data_folder("flowers") / "train-00000-of-00001.parquet", columns=["image", "label"])
    order = np.random.default_rng(seed).permutation(len(table))
    labels = table["label"].to_numpy()
    chosen = np.concatenate([order[labels[order] == label][:50] for label in range(CLASSES_OF_FLOWERS)])
    others = np.setdiff1d(order, chosen, assume_unique=True)[: 500 - FOREIGN]
    folder = work / f"flowers-{seed}"
    pictures = table["image"].take(pa.array(chosen)).to_pylist()
    planted = write_labeled(folder, pictures, labels[chosen], classes=CLASSES_OF_FLOWERS, seed=seed)
    foreign = pq.read_table(data_folder("imagenette128") / "val-00000-of-00001.parquet", columns=["image"])["image"]
    foreign = foreign.take(pa.array(np.random.default_rng(seed).permutation(len(foreign))[:FOREIGN])).to_pylist()
    unlabeled = table["image"].take(pa.array(others)).to_pylist() + foreign
    ids = [f"u{i}" for i in others] + [f"foreign{i}" for i in range(FOREIGN)]
    write(folder / "unlabeled.parquet", unlabeled, ids)
    given = {"labeled": folder / "labeled.parquet", "unlabeled": folder / "unlabeled.parquet"}
    return reviewed(configure("photos-instant", settings=[f"seed={seed}"], **given), folder, planted)


DATA = {"digits": digits, "flowers": flowers}


def write_labeled(folder: Path, pictures: list[bytes], labels: np.ndarray, *, classes: int, seed: int) -> set[str]:
    """Write the labeled images, a tenth of them with a wrong label; the ids of these."""
    rng = np.random.default_rng((seed, 1))
    planted = rng.permutation(len(labels))[: round(WRONG * len(labels))]
    given = labels.copy()
    given[planted] = (labels[planted] + rng.integers(1, classes, len(planted))) % classes
    write(folder / "labeled.parquet", pictures, [f"l{i}" for i in range(len(labels))], label=given)
    return {f"l{i}" for i in planted}


def write(path: Path, pictures: list[bytes], ids: list[str], **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": pa.array(pictures, pa.binary()), "id": ids, **columns}), path)


def reviewed(config: noisystudent.Config, folder: Path, planted: set[str]) -> dict[str, float]:
    """What a review of the run finds, in percent."""
    noisystudent.run(config, folder / "run")
    (folder / "review.csv").unlink(missing_ok=True)
    (folder / "review.html").unlink(missing_ok=True)
    review(folder / "run", folder / "review.csv")
    with (folder / "review.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ranked = [row["id"] for row in rows if "by the other labels it is" in row["why"]]
    wrong = set(ranked)
    result = {"planted": len(planted), **_shares(wrong, planted, ""), "first": 10 * len(planted & set(ranked[:10]))}
    if any(row["id"].startswith("foreign") for row in rows):
        strange = {row["id"] for row in rows if "perhaps of no class" in row["why"]}
        result |= {"foreign": FOREIGN, **_shares(strange, {f"foreign{i}" for i in range(FOREIGN)}, "foreign ")}
    return result


def _shares(found: set[str], there: set[str], name: str) -> dict[str, float]:
    hits = len(found & there)
    return {f"{name}recall": 100 * hits / len(there), f"{name}precision": 100 * hits / max(len(found), 1)}


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray((pixels * 15.9).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
