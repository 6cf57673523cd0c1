"""Corruptions in milliseconds an image: ours and those of the package `imagecorruptions`, at 224 px, one thread.

    pip install --no-deps imagecorruptions && pip install scikit-image
    python benchmarks/corruptions.py

Both corrupt the same pictures at severities 1, 3 and 5, in turns; the figure is the mean over severities of the best of several.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from noisystudent.evaluation.corruptions import CORRUPTIONS, MAIN, Corruption, as_bytes
from noisystudent.evaluation.corruptions.constants import IMAGENET_C

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "evaluation"))
from imagecorruptions_package import published_corruptions

RESULTS = Path(__file__).parent / "results"
SIDE = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    cv2.setNumThreads(1)
    theirs = published_corruptions()
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8))
    image = coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels, draw = np.asarray(image), np.random.default_rng(0)
    lines = ["| corruption | imagecorruptions, ms | noisystudent, ms | times faster |", "|---|---|---|---|"]
    sums = np.zeros(2)
    for name, ours in CORRUPTIONS.items():
        times = np.zeros(2)
        for severity in (1, 3, 5):
            turns = [
                (
                    milliseconds(getattr(theirs, name), image, severity),
                    milliseconds(corrupted, ours, pixels, draw, IMAGENET_C[name][severity - 1]),
                )
                for _ in range(repeats)
            ]
            times += np.min(turns, axis=0) / 3
        lines.append(f"| {name} | {times[0]:.1f} | {times[1]:.1f} | {times[0] / times[1]:.1f} |")
        sums += times if name in MAIN else 0
    lines.append(f"| mean of the fifteen | {sums[0] / 15:.1f} | {sums[1] / 15:.1f} | {sums[0] / sums[1]:.1f} |")
    text = (
        f"`python benchmarks/corruptions.py --repeats {repeats}`; one thread, {SIDE} px\n\n" + "\n".join(lines) + "\n"
    )
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "corruptions.md").write_text(text, encoding="utf-8")


def corrupted(
    ours: Corruption, pixels: np.ndarray, draw: np.random.Generator, strength: tuple[float, ...]
) -> np.ndarray:
    return as_bytes(ours(pixels, draw, *strength))


def milliseconds(function: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    np.uint8(function(*arguments))  # the package leaves the last step to its caller
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
