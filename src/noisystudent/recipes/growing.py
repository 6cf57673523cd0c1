"""What our own recipes share: generations that learn from more and more images, and bf16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from noisystudent.config import Execution, Generation, Selection, Training

# Convolutional networks learn 1.1 to 1.8 times as fast so on a processor that has it (benchmarks/precision.py).
WITH_BF16 = Execution(precision="auto")


def growing(students: Mapping[float | Literal["mean"], Training]) -> tuple[Generation, ...]:
    """A generation for each student, on so many images a class or such a share: those that its teacher is surest of.

    Each student judges better than its teacher did, and hands on more. docs/small-images.md says what that is worth.
    """
    return tuple(
        Generation(student=student, select=Selection(threshold=0.0, per_class=surest))
        for surest, student in students.items()
    )
