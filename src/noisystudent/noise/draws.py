"""Random numbers for the images of a batch, of which a process may have some only: each gets those that it gets in the whole batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Draws:
    """Numbers are drawn for the whole batch, on the processor, and those of the images that are here are kept.

    Args:
        generator: where chance comes from.
        total: images of the whole batch.
        here: int64 [n], the places in it of the images that are here, rising; None: all.

    Example:
        >>> whole = Draws(torch.Generator().manual_seed(0), 4).integers(10)
        >>> part = Draws(torch.Generator().manual_seed(0), 4, torch.tensor([1, 3])).integers(10)
        >>> torch.equal(part, whole[[1, 3]])
        True
    """

    generator: torch.Generator
    total: int
    here: Tensor | None = None

    def integers(self, below: int) -> Tensor:
        """int64 [n], evenly from 0 to `below` - 1."""
        return self._kept(torch.randint(below, (self.total,), generator=self.generator))

    def shares(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """[n], evenly from [0, 1)."""
        return self._kept(torch.rand(self.total, generator=self.generator, dtype=dtype))

    def split(self, kinds: int) -> tuple[Tensor, list[Draws]]:
        """Draw a kind for each image: the kinds, int64 [n], and the draws of the images of each kind."""
        drawn = torch.randint(kinds, (self.total,), generator=self.generator)
        counts = drawn.bincount(minlength=kinds).tolist()
        if self.here is None:
            return drawn, [Draws(self.generator, count) for count in counts]
        is_here = torch.zeros(self.total, dtype=torch.bool).index_fill_(0, self.here, True)
        groups = torch.split(is_here[drawn.argsort(stable=True)], counts)
        return drawn[self.here], [Draws(self.generator, len(group), group.nonzero().flatten()) for group in groups]

    def _kept(self, drawn: Tensor) -> Tensor:
        return drawn if self.here is None else drawn[self.here]
