"""Whether `torch.compile` would pay: a forward and a step of forward + backward as we train, compiled and as they are.

    python benchmarks/compiling.py

In turns, on the same made pixels, the median of several; training in the best precision of the machine, labeling in its own. Compiling is
what the first forward and the first step take longer than the others; on a processor it wants a C++ compiler on the machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from precision import NETWORKS, backward, in_turns, made
from seeded_runs import RESULTS
from torch import Tensor, nn

from noisystudent.config import Execution
from noisystudent.device import compute_device, labeling_precision, training_precision
from noisystudent.trial import seconds_of_one

COMPILED = ("tf_efficientnet_lite0", "efficientnet_b0", "convnext_atto", "resnet8_24", "whitened_32_128_128")
AUTO = Execution(precision="auto")
Network = Callable[[Tensor], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    device = compute_device(AUTO)
    lines = [
        f"`python benchmarks/compiling.py --repeats {repeats}`; torch {torch.__version__}, {device.type}, {torch.get_num_threads()} "
        "threads; milliseconds an image, median; how many times as fast",
        "",
        "| network | px | label | compiled | train | compiled | seconds to compile |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, size, count in NETWORKS:
        if name in COMPILED:
            lines.append(f"| {name} | {size} | {row(name, size, count, device, repeats)} |")
            print(lines[-1], flush=True)
    (RESULTS / "compiling.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(name: str, size: int, count: int, device: torch.device, repeats: int) -> str:
    torch.compiler.reset()
    network, images = made(name, size, count, device)
    ways: tuple[Network, Network] = network, torch.compile(network)
    cells, compiling = [], 0.0
    for work, training in ((label, False), (train, True)):
        network.train(training)
        works = [lambda way=way, work=work: work(way, network, images) for way in ways]  # type: ignore[misc]
        first = [seconds_of_one(each, device) for each in works]
        seconds = in_turns(works, device, repeats)
        compiling += first[1] - seconds[1]
        cells += [f"{1000 * seconds[0] / count:.2f}"]
        cells += [f"{1000 * seconds[1] / count:.2f} ({seconds[0] / seconds[1]:.2f})"]
    return " | ".join([*cells, f"{compiling:.0f}"])


def label(way: Network, _: nn.Module, images: Tensor) -> None:
    with torch.inference_mode(), labeling_precision(AUTO, images.device):
        way(images)


def train(way: Network, network: nn.Module, images: Tensor) -> None:
    with training_precision(AUTO, images.device):
        logits = way(images)
    backward(network, logits)


if __name__ == "__main__":
    main()
