"""What is wanted of a model's answers. Needs no PyTorch."""

from __future__ import annotations

from typing import NamedTuple

from noisystudent.errors import UserError


class Wanted(NamedTuple):
    """What is wanted beside the most probable class.

    Args:
        top_k: the most probable classes, so many.
        probabilities: those of all classes.
        abstain_below: no class where the confidence is less.
        min_precision: the least confidence is the one that gives this precision on validation images; 0: as `abstain_below` has it.
        val: these images, where they are not the run's.
    """

    top_k: int = 0
    probabilities: bool = False
    abstain_below: float = 0.0
    min_precision: float = 0.0
    val: str = ""

    def check(self) -> None:
        """Raise UserError, naming every mistake."""
        problems = []
        if self.top_k < 0:
            problems.append(f"--top-k {self.top_k} should be 1 or more")
        if self.top_k and self.probabilities:
            problems.append("--top-k and --probabilities: give one of them")
        if not 0 <= self.abstain_below <= 1:
            problems.append(f"--abstain-below {self.abstain_below:g} should be between 0 and 1")
        if not 0 <= self.min_precision <= 1:
            problems.append(f"--min-precision {self.min_precision:g} should be between 0 and 1, such as 0.95")
        if self.min_precision and self.abstain_below:
            problems.append("--min-precision chooses what --abstain-below gives: give one of them")
        if self.val and not self.min_precision:
            problems.append("--val is for --min-precision, which is not given")
        if problems:
            raise UserError(problems)
