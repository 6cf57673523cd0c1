"""The charts of robustness."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from noisystudent.evaluation.corruption_error import EXTRA, MAIN
from noisystudent.report import svg
from noisystudent.report.plots import WIDTH, look
from noisystudent.report.robustness import Robustness
from noisystudent.report.visible import number


def corruption_chart(robustness: Robustness, *, name: str) -> Markup | None:
    """The error under each corruption, mean over the severities, a bar a network; the four extras below a line."""
    of = robustness.suite("c")
    if not of:
        return None
    corruptions = (*MAIN, *EXTRA)
    figure = Figure(figsize=(WIDTH, 6.2), layout="constrained")
    axes = figure.subplots()
    places, height = np.arange(len(corruptions)), 0.76 / len(of)
    means: dict[str, float] = {}
    for index, network in enumerate(robustness.measured_by("c")):
        errors = [np.mean(list(of[network.name]["errors"][corruption].values())) for corruption in corruptions]
        means[network.name] = float(np.mean(errors[: len(MAIN)]))
        color, _ = look(network)
        axes.barh(places - 0.38 + (index + 0.5) * height, errors, height, color=color, label=network.name)
    axes.axhline(len(MAIN) - 0.5, color=svg.MUTED, linewidth=1)
    axes.set_yticks(places, [corruption.replace("_", " ") for corruption in corruptions])
    axes.set_ylim(len(corruptions) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("error, %, mean of five severities")
    figure.legend(loc="outside upper left", ncols=2, fontsize=9, handlelength=1.2, columnspacing=1.2)
    said = ", ".join(f"{network} {number(mean, 1)} %" for network, mean in means.items())
    return svg.inline_svg(figure, name=name, title=f"Error under each corruption; mean of the fifteen: {said}")


def severity_chart(robustness: Robustness, *, name: str) -> Markup | None:
    """The mean error of the fifteen corruptions at each severity, a line a network; severity 0 is the clean images."""
    of = robustness.suite("c")
    if not of:
        return None
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    said = []
    for network in robustness.measured_by("c"):
        errors = of[network.name]["errors"]
        clean = 100 - robustness.found[network.name]["metrics"]["top1"]
        severities = sorted(int(severity) for severity in errors[MAIN[0]])
        line = [clean, *(np.mean([errors[corruption][str(s)] for corruption in MAIN]) for s in severities)]
        color, style = look(network)
        axes.plot([0, *severities], line, color=color, linestyle=style, marker="o", markersize=4, label=network.name)
        said.append(f"{network.name} from {number(clean, 1)} to {number(float(line[-1]), 1)} %")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("severity (0: clean)")
    axes.set_ylabel("error, %")
    figure.legend(loc="outside upper left", ncols=2, fontsize=9, handlelength=1.8, columnspacing=1.2)
    return svg.inline_svg(figure, name=name, title=f"Mean error by severity: {', '.join(said)}")


def reliability_chart(robustness: Robustness, *, name: str) -> Markup | None:
    """Accuracy over confidence, a line a network, beside the diagonal where both agree."""
    of = robustness.suite("calibration")
    if not of:
        return None
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=svg.MUTED, linewidth=1, linestyle=(0, (4, 3)), label="right as often as sure")
    for network in robustness.measured_by("calibration"):
        bins = of[network.name]["reliability"]
        color, style = look(network)
        x, y = ([100 * bin[key] for bin in bins] for key in ("confidence", "accuracy"))
        axes.plot(x, y, color=color, linestyle=style, marker="o", markersize=4, label=network.name)
    axes.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("accuracy, %")
    figure.legend(loc="outside upper left", ncols=2, fontsize=9, handlelength=1.8, columnspacing=1.2)
    errors = ", ".join(f"{name} {number(found['metrics']['ece'], 1)} %" for name, found in robustness.found.items())
    return svg.inline_svg(figure, name=name, title=f"Accuracy over confidence; calibration errors: {errors}")
