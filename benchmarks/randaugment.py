"""RandAugment in images a second: ours on batches, torchvision's and timm's on single images, and each one's operations.

    python benchmarks/randaugment.py

Two operations an image, all that each library draws from, magnitude 9, one thread. Each begins with what a decoder gives (a PIL picture
for those that work on pictures) and ends with a uint8 batch, channels first. They are run in turns; the figure is the best of several.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timm.data.auto_augment import rand_augment_transform
from torchvision.transforms import v2

from noisystudent.config import RandAugment
from noisystudent.noise.draws import Draws
from noisystudent.noise.randaugment import augment

RESULTS = Path(__file__).parent / "results"
BATCHES = ((32, 128), (224, 32))  # side, images
Work = Callable[[], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    # A process that trains has taught glibc's allocator to keep memory; a fresh one gives it back and faults it in again each time.
    for _ in range(3):
        torch.zeros(31 * 2**20, dtype=torch.uint8)
    lines = [
        f"`python benchmarks/randaugment.py --repeats {repeats}`; torch {torch.__version__}, one thread, best of {repeats} in turns\n",
        "| implementation | " + " | ".join(f"{side} px, images/s" for side, _ in BATCHES) + " |",
        "|---" * (1 + len(BATCHES)) + "|",
    ]
    speeds = [compare(implementations(pictures(side, count)), count, repeats) for side, count in BATCHES]
    lines += [f"| {name} | " + " | ".join(f"{speed[name]:,.0f}" for speed in speeds) + " |" for name in speeds[0]]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "randaugment.md").write_text(text, encoding="utf-8")


def pictures(side: int, count: int) -> list[Image.Image]:
    """Smooth random pictures."""
    draw = np.random.default_rng(0)
    coarse = [Image.fromarray(draw.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)) for _ in range(count)]
    return [picture.resize((side, side), Image.Resampling.BICUBIC) for picture in coarse]


def implementations(images: list[Image.Image]) -> dict[str, Work]:
    batch = torch.stack([v2.functional.pil_to_tensor(image) for image in images])
    draws = Draws(torch.Generator().manual_seed(0), len(batch))
    side = images[0].width
    torchvision_op = v2.RandAugment(num_ops=2, magnitude=9)
    timm_op = rand_augment_transform("rand-m9-n2-p1-inc1", {"translate_const": side // 8})

    def on_pictures(operation: Callable[[Image.Image], Image.Image]) -> Work:
        return lambda: torch.stack([v2.functional.pil_to_tensor(operation(image)) for image in images])

    def on_tensors() -> torch.Tensor:
        return torch.stack([torchvision_op(image) for image in batch])

    return {
        "noisystudent, official": lambda: augment(batch, RandAugment(magnitude=9, semantics="official"), draws),
        "noisystudent, clamped": lambda: augment(batch, RandAugment(magnitude=9), draws),
        "torchvision, PIL": on_pictures(torchvision_op),
        "torchvision, tensors": on_tensors,
        "timm, PIL": on_pictures(timm_op),
    }


def compare(works: dict[str, Work], count: int, repeats: int) -> dict[str, float]:
    """Images a second of each, the fastest of so many turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats + 1):  # the first turn warms up and counts too: it cannot be the fastest
        for name, work in works.items():
            began = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - began)
    return {name: count / seconds for name, seconds in best.items()}


if __name__ == "__main__":
    main()
