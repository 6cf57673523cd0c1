"""What a run has cost: time, and floating-point operations, which do not depend on the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from noisystudent.outlook import PlannedStage
from noisystudent.progress import duration

BACKWARD = 2  # the way back costs twice as much as the way there


def spent(
    stages: Sequence[PlannedStage], seconds: Mapping[str, float], multiply_adds: Mapping[str, float]
) -> dict[str, float]:
    """The cost of the stages that are done.

    Args:
        stages: of the run, with the pixels that they work on.
        seconds: what each stage that is done took.
        multiply_adds: of each network, by its name, for one pixel of an image. A multiply-add is two operations.

    Returns:
        `seconds` of all stages; `training_pflop` and `labeling_pflop`, 10^15 floating-point operations of training, and of labeling and
        embedding images without labels. Evaluation, and teachers from elsewhere, are in the seconds alone.

    Example:
        >>> stage = PlannedStage("gen-0/train", "training the teacher", "train", "net", 1e9)
        >>> spent([stage], {"gen-0/train": 60.0}, {"net": 5e4})
        {'seconds': 60.0, 'training_pflop': 0.3, 'labeling_pflop': 0.0}
    """
    done = [stage for stage in stages if stage.name in seconds]

    def pflop(work: str, passes: int) -> float:
        operations = [2 * multiply_adds.get(stage.model, 0.0) * stage.amount for stage in done if stage.work == work]
        return float(f"{passes * sum(operations) / 1e15:.4g}")

    return {
        "seconds": round(sum(seconds[stage.name] for stage in done), 1),
        "training_pflop": pflop("train", 1 + BACKWARD),
        "labeling_pflop": pflop("label", 1),
    }


def whole_cost(cost: Mapping[str, float]) -> str:
    """What a run has cost, in a sentence.

    Example:
        >>> whole_cost({"seconds": 61.0, "training_pflop": 0.0, "labeling_pflop": 0.00123})
        'The whole run took 61 s: 0 PFLOP of training, 0.0012 of labeling.'
    """
    training, labeling = (f"{cost[kind]:.2g}" for kind in ("training_pflop", "labeling_pflop"))
    return f"The whole run took {duration(cost['seconds'])}: {training} PFLOP of training, {labeling} of labeling."
