"""Pack a folder of images into tar shards, as WebDataset has them.

    python write_shards.py labeled/ shards/labeled --of 1000

Class folders give each image a member `.cls` with its class; images that lie in no folder get none. Images are dealt in an order of
chance, so that each shard has some of every class.
"""

from __future__ import annotations

import argparse
import io
import random
import tarfile
from pathlib import Path

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def write_shards(folder: Path, prefix: Path, of: int, seed: int = 0) -> list[Path]:
    """Write `prefix-000000.tar` and on, of so many images each; the files written."""
    images = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    random.Random(seed).shuffle(images)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for number, start in enumerate(range(0, len(images), of)):
        shard = prefix.with_name(f"{prefix.name}-{number:06d}.tar")
        with tarfile.open(shard, "x") as tar:
            for position, image in enumerate(images[start : start + of]):
                key = f"{start + position:09d}"
                tar.add(image, arcname=key + image.suffix.lower())
                if image.parent != folder:
                    add(tar, f"{key}.cls", image.relative_to(folder).parts[0].encode())
        written.append(shard)
    return written


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--of", type=int, default=1000, help="images a shard")
    options = parser.parse_args()
    print(f"{len(write_shards(options.folder, options.prefix, options.of))} shards: {options.prefix}-*.tar")


if __name__ == "__main__":
    main()
