"""What a run showed, in sentences that claim no more than the numbers do."""

from __future__ import annotations

from noisystudent.report.run_reader import Difference, Network, Run
from noisystudent.report.visible import number, points

SPLITS = {"test": "test images", "val": "validation images"}
BASELINE = "the compute-matched baseline (the same network, noise, steps and images a step, with labels only)"


def headline(run: Run) -> list[str]:
    """The sentences, the most important one first.

    Args:
        run: finished or not, with or without evaluation data.

    Example:
        >>> headline(read_run(Path("run")))[0]  # doctest: +SKIP
        'Student 3 is right on 81.0 % of the 500 test images (95 % interval 77.3 to 84.2).'
    """
    if not any(network.results for network in run.networks):
        return ["Nothing has been measured yet."]
    if run.split is None:
        return ["There are no validation or test images in this run, so that nothing could be measured."]
    last = (run.students or run.measured)[-1]
    sentences = [_accuracy(last, run.split), *_gains(run, last)]
    if run.best and run.best is not last and run.best in run.students:
        sentences.append(f"The run chose {run.best.name} as the best generation. {_accuracy(run.best, run.split)}")
        sentences += _gains(run, run.best)
    elif run.best and run.best is run.teacher and run.students:
        sentences.append("On the validation images no student was better than the teacher: the run chose the teacher.")
    return sentences + _caveats(run)


def _accuracy(network: Network, split: str) -> str:
    assert network.results is not None
    low, high = network.results["ci95"]["top1"]
    return (
        f"{_capital(network.name)} is right on {number(network.top1 or 0.0, 1)} % of the {number(network.results['n'])} "
        f"{SPLITS[split]} (95 % interval {number(low, 1)} to {number(high, 1)})."
    )


def _gains(run: Run, network: Network) -> list[str]:
    others = [(run.teacher, "the teacher"), (run.baseline, BASELINE)]
    sentences = []
    for other, words in others:
        difference = run.difference(network, other) if other and other is not network else None
        if difference:
            sentences.append(_gain(network, difference, words))
    return sentences


def _gain(network: Network, found: Difference, other: str) -> str:
    interval = f"95 % interval {points(found.low)} to {points(found.high)}, n = {number(found.n)}"
    if not found.clear:
        return (
            f"Against {other}, the difference is {points(found.points)} points, and the interval includes 0 ({interval}): "
            "these images do not show which of the two is better."
        )
    return (
        f"{_capital(network.name)} is {number(abs(found.points), 1)} points {'above' if found.points > 0 else 'below'} "
        f"{other} ({interval})."
    )


def _caveats(run: Run) -> list[str]:
    """What the intervals leave out."""
    if not run.students:
        return []
    caveats = [
        "The intervals cover the choice of the images measured, not the chance in training: that needs more seeds."
    ]
    if run.split == "val":
        caveats.append(
            "The best generation was chosen on the same validation images, which makes its figure a little high."
        )
    return caveats


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("student") else f"The {text}"
