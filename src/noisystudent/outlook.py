"""How long the rest of a run takes, from what its stages have taken so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from noisystudent.progress import duration

FORWARD = 1 / 3  # of a training step's time: the way back costs twice as much as the way there


class PlannedStage(NamedTuple):
    """A stage of a run.

    Attributes:
        name: such as `gen-1/train`.
        description: in the user's words.
        work: what is done: "train", "label", "evaluate" and so on.
        model: the network's name; stages of the same work and model take as long for the same amount.
        amount: of work: pixels seen, where a network sees them, 0 where they are not counted; otherwise 1.
    """

    name: str
    description: str
    work: str
    model: str = ""
    amount: float = 1.0


def time_left(stages: Sequence[PlannedStage], current: str, seconds: Mapping[str, float], own: float) -> str:
    """What a run has left, in words; "" before a training has told how fast it goes.

    Args:
        stages: all of the run, in order.
        current: the name of the one under way.
        seconds: what stages took in all; of the current one, what it will have taken.
        own: seconds that the current one has left.

    Example:
        >>> trainings = [PlannedStage(f"gen-{number}/train", "", "train", "net", 10.0) for number in range(3)]
        >>> time_left(trainings, "gen-0/train", {"gen-0/train": 100.0}, 50.0)
        'about 4 min of the whole run left'
    """
    if not any(stage.work == "train" and stage.name in seconds for stage in stages):
        return ""
    names = [stage.name for stage in stages]
    rest = [stage for stage in stages[names.index(current) + 1 :] if stage.name not in seconds]
    if not rest:
        return ""
    # What did no counted work tells nothing of how fast work goes.
    measured = [(stage, seconds[stage.name]) for stage in stages if stage.name in seconds and stage.amount > 0]
    trained = {stage.model for stage, _ in measured if stage.work == "train"}
    # A network that has not been trained yet may be a larger one.
    known = all(stage.model in trained for stage in rest if stage.work == "train")
    left = own + sum(_estimated(stage, measured) for stage in rest)
    return f"{'about' if known else 'at least'} {duration(left)} of the whole run left"


def _estimated(stage: PlannedStage, measured: Sequence[tuple[PlannedStage, float]]) -> float:
    """Seconds of a stage: as the same work with the same network went, else as the last one of that work did; 0 when there was none."""
    ways = [
        (1.0, [(m, s) for m, s in measured if (m.work, m.model) == (stage.work, stage.model)]),
        (1.0, [(m, s) for m, s in measured if m.work == stage.work][-1:]),
    ]
    if stage.work == "label":
        ways.append((FORWARD, [(m, s) for m, s in measured if m.work == "train"][-1:]))
    for factor, alike in ways:
        if alike:
            return factor * stage.amount * sum(s for _, s in alike) / sum(m.amount for m, _ in alike)
    return 0.0
