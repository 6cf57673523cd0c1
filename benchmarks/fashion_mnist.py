"""Fashion-MNIST with 200 and 1,000 labels: the `fashion-mnist` recipe against its teacher, its baseline, and itself without noise.

    apt-get install dataset-fashion-mnist
    python benchmarks/fashion_mnist.py --seeds 3

The same number of labeled images a class by seed, the rest of the 60,000 training images without labels, all 10,000 test images.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from seeded_runs import accuracy_table, arguments, publish, recipe_differences, run_variants

from noisystudent import Config, configure

SOURCE = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts it


def read_idx(name: str) -> np.ndarray:
    """An array in the IDX format (http://yann.lecun.com/exdb/mnist): two zero bytes, type, rank, sizes, values."""
    data = gzip.decompress((SOURCE / name).read_bytes())
    rank = data[3]
    shape = np.frombuffer(data, ">u4", count=rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_parquet(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    pq.write_table(pa.table({"image": encoded, "label": pa.array(labels.astype(np.int32))}), path)


def split(work: Path, labels: int, seed: int) -> Path:
    """Write labeled.parquet and unlabeled.parquet for a number of labels and a seed, and test.parquet once."""
    write_parquet(work / "test.parquet", read_idx("t10k-images-idx3-ubyte.gz"), read_idx("t10k-labels-idx1-ubyte.gz"))
    folder = work / f"images-{labels}-{seed}"
    images, truth = read_idx("train-images-idx3-ubyte.gz"), read_idx("train-labels-idx1-ubyte.gz")
    draw = np.random.default_rng(seed)
    chosen = np.concatenate([draw.permutation(np.flatnonzero(truth == c))[: labels // 10] for c in range(10)])
    rest = np.setdiff1d(np.arange(len(truth)), chosen)
    write_parquet(folder / "labeled.parquet", images[chosen], truth[chosen])
    write_parquet(folder / "unlabeled.parquet", images[rest], truth[rest])
    return folder


def main() -> None:
    options = arguments(__doc__, seeds=3, work="fashion-mnist")
    if not SOURCE.exists():
        sys.exit(f"{SOURCE} is missing: apt-get install dataset-fashion-mnist")
    for labels in (200, 1000):

        def of_seed(seed: int, labels: int = labels) -> Config:
            folder = split(options.work, labels, seed)
            return configure(
                "fashion-mnist",
                labeled=str(folder / "labeled.parquet"),
                unlabeled=str(folder / "unlabeled.parquet"),
                test=str(options.work / "test.parquet"),
                settings=[f"seed={seed}", "data.val_fraction=0.0", "data.score_pseudo_labels=true", *options.set],
            )

        results = run_variants(of_seed, options.variants, seeds=options.seeds, work=options.work / str(labels))
        publish(
            f"fashion_mnist_{labels}", options.command, [accuracy_table(results), recipe_differences(results)], results
        )


if __name__ == "__main__":
    main()
