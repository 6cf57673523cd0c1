"""A step's batch in pieces: several processes have one each at a time, and where memory is short a process does several in turn."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from noisystudent import processes
from noisystudent.config import Execution
from noisystudent.errors import UserError


class Piece(NamedTuple):
    """One of so many: each `of`-th image of a batch, from place `number` on, so that it has as much of both kinds as the others."""

    number: int
    of: int

    def places(self, begin: int, images: int) -> np.ndarray:
        """Which of some images that begin at a place of the batch are the piece's, int64 [n].

        Example:
            >>> Piece(1, 3).places(0, 4).tolist(), Piece(1, 3).places(4, 4).tolist()
            ([1], [0, 3])
        """
        return np.arange((self.number - begin) % self.of, images, self.of)


WHOLE = Piece(0, 1)


def own_pieces(images: int, execution: Execution) -> list[Piece]:
    """The pieces of a batch of so many images that this process does, one after another.

    Raises:
        UserError: there are more processes than images.

    Example:
        >>> own_pieces(64, Execution())
        [Piece(number=0, of=1)]
        >>> len(own_pieces(64, Execution(images_at_a_time=20)))
        4
    """
    several = processes.count()
    if images < several:
        raise UserError(
            f"{several} processes cannot share a batch of {images} images: start fewer, or raise batch_size or unlabeled_ratio"
        )
    here = math.ceil(images / several)
    turns = min(math.ceil(here / execution.images_at_a_time), images // several) if execution.images_at_a_time else 1
    return [Piece(turn * several + processes.number(), turns * several) for turn in range(turns)]
