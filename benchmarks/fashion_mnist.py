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
from seeded_runs import arguments, on_splits, publish, run_variants, tables_of

SOURCE = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts it


def read_idx(name: str) -> np.ndarray:
    """An array in the IDX format (http://yann.lecun.com/exdb/mnist): two zero bytes, type, rank, sizes, values."""
    data = gzip.decompress((SOURCE / name).read_bytes())
    rank = data[3]
    shape = np.frombuffer(data, ">u4", count=rank, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_parquet(path: Path, split: str) -> None:
    """The images of a split as PNG, with their labels, in a table; not again when it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = []
    for image in read_idx(f"{split}-images-idx3-ubyte.gz"):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        encoded.append(buffer.getvalue())
    labels = read_idx(f"{split}-labels-idx1-ubyte.gz").astype(np.int32)
    pq.write_table(pa.table({"image": encoded, "label": labels}), path)


def main() -> None:
    options = arguments(__doc__, seeds=3, work="fashion-mnist", splits=True)
    if not SOURCE.exists():
        sys.exit(f"{SOURCE} is missing: apt-get install dataset-fashion-mnist")
    test = options.work / "test.parquet"
    write_parquet(test, "t10k")
    write_parquet(options.work / "train-all.parquet", "train")
    for labels in (200, 1000):
        of_seed = on_splits(
            "fashion-mnist",
            options.work,
            test,
            labels_per_class=labels // 10,
            work=options.work,
            held_out=options.held_out,
            settings=options.set,
        )
        work = options.work / str(labels)
        results = run_variants(of_seed, options.variants, seeds=options.seeds, work=work, jobs=options.jobs)
        tables = tables_of(results)
        publish(f"fashion_mnist_{labels}", options.command, tables, results)


if __name__ == "__main__":
    main()
