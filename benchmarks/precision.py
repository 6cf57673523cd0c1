"""How long networks take an image in fp32 and in bf16, forward and forward + backward, on this machine.

    python benchmarks/precision.py

bf16 is PyTorch's autocast; as we train, depthwise convolutions stay in fp32 within it (`device.training_precision`). In turns, on the same
made pixels; the median of several.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import timm
import torch
from seeded_runs import RESULTS
from torch import Tensor, nn

import noisystudent.models  # noqa: F401  # registers our small networks with timm
from noisystudent.config import Execution
from noisystudent.device import compute_device, computes_in_bf16, labeling_precision, training_precision
from noisystudent.trial import seconds_of_one

# Network, side of the images, how many at a time: those of our recipes, and one of each other kind.
NETWORKS = (
    ("tf_efficientnet_lite0", 160, 32),
    ("efficientnet_b0", 224, 8),
    ("mobilenetv4_conv_small", 160, 32),
    ("convnext_atto", 160, 16),
    ("regnety_004", 160, 16),
    ("resnet10t", 96, 32),
    ("resnet8_24", 32, 64),
    ("whitened_32_128_128", 32, 64),
    ("vit_tiny_patch16_224", 224, 8),
)
CLASSES = 10
FP32, BF16 = (Execution(precision=precision, labeling_precision=precision) for precision in ("fp32", "bf16"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    device = compute_device(FP32)
    lines = [
        f"`python benchmarks/precision.py --repeats {repeats}`; torch {torch.__version__}, {device.type}, "
        f"{torch.get_num_threads()} threads, bf16 instructions: {'yes' if computes_in_bf16(device) else 'no'}; "
        "milliseconds an image, median; how many times as fast as fp32",
        "",
        "| network | px | label, fp32 | bf16 | train, fp32 | bf16 throughout | as we train |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, size, count in NETWORKS:
        lines.append(f"| {name} | {size} | {row(name, size, count, device, repeats)} |")
        print(lines[-1], flush=True)
    (RESULTS / "precision.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(name: str, size: int, count: int, device: torch.device, repeats: int) -> str:
    network, images = made(name, size, count, device)

    def label(execution: Execution) -> None:
        with torch.inference_mode(), labeling_precision(execution, device):
            network(images)

    def bf16_throughout() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            logits = network(images)
        backward(network, logits)

    def train(execution: Execution) -> None:
        with training_precision(execution, device):
            logits = network(images)
        backward(network, logits)

    network.eval()
    labeling = in_turns([lambda: label(FP32), lambda: label(BF16)], device, repeats)
    network.train()
    training = in_turns([lambda: train(FP32), bf16_throughout, lambda: train(BF16)], device, repeats)
    cells = []
    for seconds in (labeling, training):
        cells.append(f"{1000 * seconds[0] / count:.2f}")
        cells += [f"{1000 * other / count:.2f} ({seconds[0] / other:.2f})" for other in seconds[1:]]
    return " | ".join(cells)


def made(name: str, size: int, count: int, device: torch.device) -> tuple[nn.Module, Tensor]:
    """A network of random weights, and images for it."""
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=CLASSES).to(device, memory_format=torch.channels_last)
    return network, torch.randn(count, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)


def backward(network: nn.Module, logits: Tensor) -> None:
    logits.float().logsumexp(dim=1).mean().backward()  # type: ignore[no-untyped-call]
    network.zero_grad()


def in_turns(works: list[Callable[[], None]], device: torch.device, repeats: int) -> list[float]:
    """Seconds of each, the median of so many times, after one that does not count."""
    found: list[list[float]] = [[] for _ in works]
    for turn in range(repeats + 1):
        for work, seconds in zip(works, found, strict=True):
            taken = seconds_of_one(work, device)
            if turn:
                seconds.append(taken)
    return [statistics.median(seconds) for seconds in found]


if __name__ == "__main__":
    main()
