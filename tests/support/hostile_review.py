"""A review whose names would be code, markup or other columns, if they were not text."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from noisystudent.data.uris import file_uri, path_or_uri
from noisystudent.review.reviewing import SCHEMA, Review

HOSTILE = ("</script><script>document.title='owned'</script>", 'say "cat", or\n<b>dog</b>', "=1+1", "plain")


def hostile_review(folder: Path, *, images: int = 6, classes: int = 4) -> Review:
    """Pictures with such names and of such classes; the last one is no picture."""
    names = (*HOSTILE, *(f"class {number}" for number in range(4, classes)))
    folder.mkdir(parents=True, exist_ok=True)
    rows, uris = [], []
    for number in range(images):
        path = folder / f"{number} <img src=x onerror=alert(1)> \"{number}', \n.png"
        pixels = np.random.default_rng(number).integers(0, 256, (300, 200, 3), dtype=np.uint8) // 4 + 40 * (number % 4)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        if number == images - 1:
            path.write_bytes(b"no picture")
        uris.append(file_uri(str(path)))
        rows.append(
            {
                "path": path_or_uri(uris[-1]),
                "why": f"unsure: {names[0]} (0.40) or {names[1]} (0.35)",
                "given": names[2] if number % 2 else None,
                "says": names[number % 4],
                "confidence": 0.4,
                "second": names[(number + 1) % 4],
                "second_confidence": 0.35,
                "split": "train" if number % 2 else "unlabeled",
                "id": path.name,
                "run": str(folder),
            }
        )
    about = {"network": "student 2", "labels": f"{names[0]} of 20 labels were looked at", "images": images}
    return Review(pa.Table.from_pylist(rows, schema=SCHEMA), uris, names, 3, about)
