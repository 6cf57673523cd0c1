"""A file that was made of a network beside the network, on the same pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Probabilities = Callable[[Tensor], np.ndarray]  # uint8 [N, C, S, S] -> float32 [N, K]
AT_A_TIME = 32
TURNS = 10  # of one image, of which the fastest counts


@dataclass(frozen=True)
class Comparison:
    """How a file's answers differ from the network's.

    Attributes:
        images: how many both were asked about.
        largest_difference: of a probability.
        agreement: percent of the images to which both give the same class.
        labeled: how many of the images have a label.
        network_top1, file_top1: percent of these that each gets right; None where there are none.
        milliseconds: what one image takes, one at a time, on this processor.
    """

    images: int
    largest_difference: float
    agreement: float
    labeled: int
    network_top1: float | None
    file_top1: float | None
    milliseconds: float


def compared(network: Probabilities, file: Probabilities, images: Tensor, labels: np.ndarray) -> Comparison:
    """Ask both.

    Args:
        network: what the file was made of.
        file: what it answers.
        images: uint8 [n, C, S, S], n > 0.
        labels: int [n], below 0 where there is none.

    Example:
        >>> answers = torch.tensor([[0.9, 0.1], [0.4, 0.6]])
        >>> found = compared(lambda i: answers[: len(i)].numpy(), lambda i: 1 - answers[: len(i)].numpy(), answers, np.array([0, -1]))
        >>> found.agreement, found.network_top1, found.file_top1
        (0.0, 100.0, 0.0)
    """
    ours, theirs = (np.concatenate([ask(part) for part in torch.split(images, AT_A_TIME)]) for ask in (network, file))
    known = labels >= 0
    chosen = [answers.argmax(axis=1) for answers in (ours, theirs)]
    top1 = [_percent(classes[known] == labels[known]) if known.any() else None for classes in chosen]
    return Comparison(
        images=len(images),
        largest_difference=float(np.abs(ours - theirs).max()),
        agreement=_percent(chosen[0] == chosen[1]),
        labeled=int(known.sum()),
        network_top1=top1[0],
        file_top1=top1[1],
        milliseconds=min(_milliseconds(file, images[:1]) for _ in range(TURNS)),
    )


def of_network(network: torch.nn.Module) -> Probabilities:
    """What a network answers, on the processor."""

    @torch.inference_mode()
    def probabilities(images: Tensor) -> np.ndarray:
        found: Tensor = network(images)
        return found.numpy()

    return probabilities


def _percent(right: np.ndarray) -> float:
    return round(100 * float(right.mean()), 2)


def _milliseconds(ask: Probabilities, image: Tensor) -> float:
    began = time.perf_counter()
    ask(image)
    return 1000 * (time.perf_counter() - began)
