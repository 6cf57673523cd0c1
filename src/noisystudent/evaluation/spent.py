"""What a run has cost: time, and floating-point operations, which do not depend on the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from noisystudent.outlook import PlannedStage

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
