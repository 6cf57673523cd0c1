"""A step's batch in micro-batches: several processes have one each at a time, and where memory is short a process does several in turn."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from noisystudent import processes
from noisystudent.config import Execution
from noisystudent.errors import UserError


class MicroBatch(NamedTuple):
    """One of so many: each `of`-th image of a batch, from place `number` on, so that it has as much of both kinds as the others."""

    number: int
    of: int

    def places(self, begin: int, images: int) -> np.ndarray:
        """Which of some images that begin at a place of the batch are the micro-batch's, int64 [n].

        Example:
            >>> MicroBatch(1, 3).places(0, 4).tolist(), MicroBatch(1, 3).places(4, 4).tolist()
            ([1], [0, 3])
        """
        return np.arange((self.number - begin) % self.of, images, self.of)


WHOLE = MicroBatch(0, 1)


def own_micro_batches(images: int, execution: Execution) -> list[MicroBatch]:
    """The micro-batches of a batch of so many images that this process does, one after another.

    Raises:
        UserError: there are more processes than images.

    Example:
        >>> own_micro_batches(64, Execution())
        [MicroBatch(number=0, of=1)]
        >>> len(own_micro_batches(64, Execution(images_at_a_time=20)))
        4
    """
    several = processes.count()
    if images < several:
        raise UserError(
            f"{several} processes cannot share a batch of {images} images: start fewer, or raise batch_size or unlabeled_ratio"
        )
    here = math.ceil(images / several)
    turns = min(math.ceil(here / execution.images_at_a_time), images // several) if execution.images_at_a_time else 1
    return [MicroBatch(turn * several + processes.number(), turns * several) for turn in range(turns)]
