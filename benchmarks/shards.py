"""What it costs to read images out of shards: in turn, in the order of training, and in an even order of chance, beside a bare read.

    python benchmarks/shards.py

Every way reads all of one set of JPEG files once, in one thread, and is quoted in milliseconds of processor time an image; of the even
order a sample is read. Bare is a loop over row groups, or over the members of an opened tar file. All ways take turns; medians. The set is
eight times as large as what may be kept of it in memory. The files' pages are dropped from the system's cache before each turn, and the
time on the clock is given beside.

A second table says what a start costs: to list the images of tar files with a member .cls each, at first and with an index kept.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from seeded_runs import RESULTS

from noisystudent.data.decoding import decode, eval_view, read_bytes
from noisystudent.data.images import ImageSet
from noisystudent.data.shards import ShardCache
from noisystudent.data.sources import read_source
from noisystudent.trial_reading import make_pictures

SHARDS = 4
SIZE, AT = 256, 224  # pixels of a side: of the pictures, and as a network sees them
SAMPLE = 150  # images of the even order


class Ways(NamedTuple):
    """The ways to read a set, each an iterator over the encoded images it reads."""

    bare: Callable[[], Iterator[bytes]]
    in_turn: Callable[[], Iterator[bytes]]
    shuffled: Callable[[], Iterator[bytes]]
    even: Callable[[], Iterator[bytes]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    pictures = jpegs()
    command = f"python benchmarks/shards.py --images {options.images} --repeats {options.repeats}"
    head = [
        f"`{command}`; {options.images:,} JPEG files of {SIZE} pixels in {SHARDS} shards; milliseconds of processor time an image"
        f" (and on the clock) to read it, median; to decode one to {AT} pixels takes {decoding(pictures):.2f} ms",
        "",
        "| shards | bare | in turn | order of training | even order | in turn to bare | training to bare | even to training |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines = []
    print("\n".join(head))
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("Parquet, 1,000 rows a group", 1000), ("Parquet, 100 rows a group", 100), ("tar", 0)):
            kind = Path(folder) / str(rows)
            kind.mkdir()
            ways = (
                parquet_ways(kind, pictures, options.images, rows) if rows else tar_ways(kind, pictures, options.images)
            )
            lines.append(line(name, ways, kind, options.repeats))
            print(lines[-1], flush=True)
        lines += listing(Path(folder) / "listed", options.images, options.repeats)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "shards.md").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    print("\n".join(lines[-6:]))


def jpegs() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(Path(folder), 500, (SIZE, SIZE))
        return [path.read_bytes() for path in sorted(Path(folder).iterdir())]


def decoding(pictures: list[bytes]) -> float:
    """Milliseconds of processor time to decode one."""
    start = time.process_time()
    for data in pictures:
        eval_view(decode(data, channels=3, at_least=AT), size=AT, crop_pct=1.0)
    return 1000 * (time.process_time() - start) / len(pictures)


def parquet_ways(folder: Path, pictures: list[bytes], count: int, rows: int) -> Ways:
    paths = [folder / f"{shard}.parquet" for shard in range(SHARDS)]
    for numbers, path in zip(np.array_split(np.arange(count), SHARDS), paths, strict=True):
        table = pa.table({"image": [pictures[number % len(pictures)] for number in numbers]})
        pq.write_table(table, path, row_group_size=rows, use_dictionary=False)

    def bare() -> Iterator[bytes]:
        for path in paths:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    for cell in file.read_row_group(group, columns=["image"], use_threads=False)["image"]:
                        yield cell.as_py()

    return ours(folder, count, bare)


def tar_ways(folder: Path, pictures: list[bytes], count: int) -> Ways:
    for shard, numbers in enumerate(np.array_split(np.arange(count), SHARDS)):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for number in numbers:
                member = tarfile.TarInfo(f"{number:06d}.jpg")
                member.size = len(pictures[number % len(pictures)])
                tar.addfile(member, io.BytesIO(pictures[number % len(pictures)]))
    places = []
    for shard in range(SHARDS):
        with tarfile.open(folder / f"{shard}.tar") as tar:
            places.append([(member.offset_data, member.size) for member in tar])

    def bare() -> Iterator[bytes]:
        for shard, members in enumerate(places):
            with open(folder / f"{shard}.tar", "rb") as file:
                for offset, size in members:
                    file.seek(offset)
                    yield file.read(size)

    def even() -> Iterator[bytes]:
        members = [(shard, *member) for shard, there in enumerate(places) for member in there]
        for number in np.random.default_rng(0).permutation(count)[:SAMPLE]:
            shard, offset, size = members[number]
            with open(folder / f"{shard}.tar", "rb") as file:
                file.seek(offset)
                yield file.read(size)

    return ours(folder, count, bare)._replace(even=even)


def ours(folder: Path, count: int, bare: Callable[[], Iterator[bytes]]) -> Ways:
    paths = list(folder.iterdir())
    memory = sum(path.stat().st_size for path in paths) // 8
    source = f"{folder}/{{0..{SHARDS - 1}}}{paths[0].suffix}"
    manifest = read_source(source, split="unlabeled", labels="ignored")
    images = ImageSet(manifest, size=AT, channels=3, workers=1, in_memory=False, memory=memory)
    uris = manifest.table["uri"].to_pylist()

    def read(rows: np.ndarray, limit: int) -> Iterator[bytes]:
        cache = ShardCache(limit)
        for row in rows:
            yield read_bytes(uris[row], cache)

    return Ways(
        bare,
        lambda: read(np.arange(count), ShardCache().limit),
        lambda: read(images.shuffled(np.arange(count), np.random.default_rng(0)), memory),
        lambda: read(np.random.default_rng(0).permutation(count)[:SAMPLE], memory),
    )


def line(name: str, ways: Ways, folder: Path, repeats: int) -> str:
    """Measure all ways in turns; the line of the table."""
    spent: dict[str, list[tuple[float, float]]] = {way: [] for way in ways._fields}
    for _ in range(repeats):
        for way, read in ways._asdict().items():
            drop_pages(folder)
            processor, clock = time.process_time(), time.perf_counter()
            count = sum(1 for _ in read())
            spent[way].append(
                (1000 * (time.process_time() - processor) / count, 1000 * (time.perf_counter() - clock) / count)
            )
    cost = {way: statistics.median(cpu for cpu, _ in turns) for way, turns in spent.items()}
    clock_of = {way: statistics.median(wall for _, wall in turns) for way, turns in spent.items()}
    cells = [f"{cost[way]:.3f} ({clock_of[way]:.3f})" for way in ways._fields]
    pairs = [("in_turn", "bare"), ("shuffled", "bare"), ("even", "shuffled")]
    return f"| {' | '.join([name, *cells, *(f'{cost[one] / cost[other]:.1f}' for one, other in pairs)])} |"


def listing(folder: Path, count: int, repeats: int) -> list[str]:
    """The table of what listing costs, by the median."""
    folder.mkdir()
    for shard, numbers in enumerate(np.array_split(np.arange(count), SHARDS)):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for number in numbers:
                for ending, data in (("jpg", bytes(1000)), ("cls", b"7")):
                    member = tarfile.TarInfo(f"{number:06d}.{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))

    def headers() -> None:
        for path in sorted(folder.glob("*.tar")):
            with tarfile.open(path) as tar:
                for _ in tar:
                    pass

    def listed(index: Path | None) -> None:
        read_source(f"{folder}/*.tar", split="unlabeled", labels="optional", index=index)

    works = {
        "Python's tarfile, headers alone": headers,
        "at first": lambda: listed(None),
        "with the index": lambda: listed(folder / "index"),
    }
    listed(folder / "index")
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.process_time()
            work()
            spent[name].append(1e6 * (time.process_time() - start) / count)
    rows = [f"| {name} | {statistics.median(times):.1f} |" for name, times in spent.items()]
    return ["", "| listing tar files | microseconds of processor time an image |", "|---|---|", *rows]


def drop_pages(folder: Path) -> None:
    """Have the system forget the files, where it can."""
    for path in folder.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    main()
