"""Batches of labeled and pseudo-labeled images together, in the paper's ratio, labeled ones first (spec section 3).

The batch of a step depends on the seed and the step alone. So a resumed run needs no state, and sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from noisystudent.config import Training
from noisystudent.data.ahead import ahead
from noisystudent.data.images import ImageSet, RandomCrops
from noisystudent.data.micro_batches import WHOLE, MicroBatch
from noisystudent.data.on_device import where_they_train
from noisystudent.data.random_crops import DRAWS
from noisystudent.device import moved
from noisystudent.seeds import derive_seed


@dataclass(frozen=True)
class Examples:
    """Images with what the network should say of them.

    Args:
        images: N pictures.
        targets: gives, for the numbers of some rows, float32 [n, K]: a distribution over the classes each.
        copies: int64 [N], how often each takes part in an epoch; 1 for all by default.
        weights: float [N]; when given, an epoch is as long, and each takes part in it in proportion to copies times weight.
    """

    images: ImageSet
    targets: Callable[[np.ndarray], Tensor]
    copies: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    weights: np.ndarray | None = None

    def rows(self) -> np.ndarray:
        """One epoch, unshuffled: each row as often as it has copies."""
        everything = np.arange(len(self.images))
        return np.repeat(everything, self.copies) if len(self.copies) else everything


CPU = torch.device("cpu")
Shuffle = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def evenly(rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Rows in an order of chance, any as likely as another."""
    return draw.permutation(rows)


class ShuffledStream:
    """Rows drawn epoch after epoch without replacement, each epoch in an order of its own, from any position on.

    Args:
        rows: of an epoch.
        weights: by row, float; when given, a row takes part in an epoch as often as its share of them says, rounded up or down by chance.
        seed: of all draws.
        shuffle: makes the order of an epoch.
    """

    def __init__(
        self, rows: np.ndarray, *, seed: int, weights: np.ndarray | None = None, shuffle: Shuffle = evenly
    ) -> None:
        assert len(rows), "there is nothing to draw from"
        self._shuffle = shuffle
        self._rows = rows
        self._weights = None if weights is None else weights[rows]
        self._seed = seed
        self._epoch = -1
        self._order = rows

    def take(self, start: int, count: int) -> np.ndarray:
        """The rows at positions `start` to `start + count` of the endless stream."""
        parts = []
        while count:
            epoch, offset = divmod(start, len(self._rows))
            if epoch != self._epoch:
                draw = np.random.default_rng(derive_seed(self._seed, "epoch", epoch))
                rows = self._rows if self._weights is None else self._rows[in_proportion(self._weights, draw)]
                self._order, self._epoch = self._shuffle(rows, draw), epoch
            part = self._order[offset : offset + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return np.concatenate(parts)


def in_proportion(weights: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """As many positions as there are weights, each as often as its weight's share says, rounded up or down: systematic sampling.

    Example:
        >>> in_proportion(np.array([2.0, 1.0, 1.0, 0.0]), np.random.default_rng(0)).tolist()
        [0, 0, 1, 2]
    """
    ends = np.cumsum(weights, dtype=np.float64)
    ends *= len(weights) / ends[-1]
    positions = np.searchsorted(ends, draw.random() + np.arange(len(weights)), side="right")
    found: np.ndarray = np.minimum(positions, len(weights) - 1)  # where the sum's last digit is lost
    return found


class Batch(NamedTuple):
    """The images of a step, labeled ones first, or a micro-batch of them.

    Args:
        images: uint8 [n, C, S, S].
        targets: float32 [n, K].
        labeled: how many of them are labeled.
        total: how many images all micro-batches have together.
        here: int64 [n], the places of these among all; None: they are all.
    """

    images: Tensor
    targets: Tensor
    labeled: int
    total: int
    here: Tensor | None = None


def joint_batches(
    training: Training,
    labeled: Examples,
    pseudo: Examples | None,
    *,
    seed: int,
    start: int = 0,
    micro_batches: Sequence[MicroBatch] = (WHOLE,),
    device: torch.device = CPU,
) -> Iterator[Batch]:
    """Batches of B + U images from step `start` to the last; of each, one micro-batch after another.

    Args:
        training: gives B = `batch_size`, U = `unlabeled_batch_size`, the number of steps and the kind of crop.
        labeled: where the B come from.
        pseudo: where the U come from; None for a teacher or a baseline (U = 0).
        seed: of the order and of the random crops.
        start: first step.
        micro_batches: of a batch, in their order.
        device: where the batches are to be; sets that are kept in memory are kept there.

    When `training.joint` is off, the same number of images of each kind comes one kind after the other, in batches as large.
    """
    sources = {"labeled": labeled} | ({} if pseudo is None else {"pseudo": pseudo})
    streams = {
        name: ShuffledStream(
            examples.rows(),
            seed=derive_seed(seed, name),
            weights=examples.weights,
            shuffle=examples.images.shuffled,
        )
        for name, examples in sources.items()
    }
    pictures = {name: where_they_train(examples.images, device) for name, examples in sources.items()}
    noise = training.noise

    def batch(step: int, micro_batch: MicroBatch) -> Batch:
        images, targets, places, known, total = [], [], [], 0, 0
        for name, begin, count in _parts(training, step, with_pseudo=pseudo is not None):
            examples, own = sources[name], micro_batch.places(total, count)
            if len(own):
                rows = streams[name].take(begin, count)[own]
                crop_seed = derive_seed(seed, name, "crop", step)
                crops = RandomCrops(crop_seed, noise.crop_scale, DRAWS[noise.crop], own) if noise.shows_parts else None
                images.append(moved(pictures[name].fetch(rows, crops=crops), device))
                targets.append(moved(examples.targets(rows), device))
            places.append(own + total)
            known += len(own) if name == "labeled" else 0
            total += count
        here = None if micro_batch.of == 1 else torch.from_numpy(np.concatenate(places))
        return Batch(torch.cat(images), torch.cat(targets), known, total, here)

    coming = ((step, micro_batch) for step in range(start, training.steps) for micro_batch in micro_batches)
    for _, ready in ahead(coming, lambda which: batch(*which), device):
        yield ready


def _parts(training: Training, step: int, *, with_pseudo: bool) -> list[tuple[str, int, int]]:
    """What the batch of a step is made of: kind of image, position in its stream, how many."""
    labeled, pseudo = training.batch_size, training.unlabeled_batch_size if with_pseudo else 0
    if training.joint or not with_pseudo:
        parts = [("labeled", step * labeled, labeled), ("pseudo", step * pseudo, pseudo)]
        return parts if with_pseudo else parts[:1]
    both = labeled + pseudo
    pretraining = round(training.steps * pseudo / both)
    if step < pretraining:
        return [("pseudo", step * both, both)]
    return [("labeled", (step - pretraining) * both, both)]
