"""The charts of the report. Each function returns an `<svg>` element, which needs a name that is unique in the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from noisystudent.report import svg
from noisystudent.report.pseudo_labels import BINS, ClassCounts, PseudoLabels
from noisystudent.report.run_reader import Network
from noisystudent.report.visible import number, short

WIDTH = 4.8  # inches: narrow enough that the text stays readable on a phone
THOUSANDS = StrMethodFormatter("{x:,.0f}")


def accuracy_chart(networks: Sequence[Network], *, name: str) -> Markup:
    """A dot for each network's top-1 accuracy, with its interval, and a line where the baseline is.

    Args:
        networks: measured ones.
        name: of the chart.
    """
    figure, axes = _figure(1.0 + 0.32 * len(networks))
    for row, network in enumerate(networks):
        assert network.results is not None
        assert network.top1 is not None
        low, high = network.results["ci95"]["top1"]
        color, _ = look(network)
        axes.plot([low, high], [row, row], color=color, linewidth=2, solid_capstyle="round")
        axes.plot([network.top1], [row], "o", color=color, markersize=6)
        if network.name == "baseline":
            axes.axvline(network.top1, color=color, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.set_yticks(range(len(networks)), [network.name for network in networks])
    axes.set_ylim(len(networks) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("top-1 accuracy, % (bar: 95 % interval)")
    values = ", ".join(f"{network.name} {number(network.top1 or 0, 1)} %" for network in networks)
    return svg.inline_svg(figure, name=name, title=f"Top-1 accuracy with 95 % intervals: {values}")


def cost_chart(networks: Sequence[Network], costs: Mapping[str, Mapping[str, float]], *, name: str) -> Markup | None:
    """Accuracy over what was computed until then, generation after generation; None when no costs are known.

    Args:
        networks: measured ones.
        costs: of networks by name, `training_pflop` and `labeling_pflop`.
        name: of the chart.
    """
    found = {
        n.name: costs[n.name]["training_pflop"] + costs[n.name]["labeling_pflop"] for n in networks if n.name in costs
    }
    if not any(found.values()):
        return None
    figure, axes = _figure(2.8)
    chain = [network for network in networks if network.name in found and not network.is_baseline]
    reached = [network.top1 or 0.0 for network in chain]
    axes.plot([found[n.name] for n in chain], reached, color=svg.MUTED, linewidth=1, zorder=1)
    for network in networks:
        if network.name in found:
            color, _ = look(network)
            axes.plot([found[network.name]], [network.top1 or 0.0], "o", color=color, markersize=6, label=network.name)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_xlabel("PFLOP of training and labeling until then")
    axes.set_ylabel("top-1 accuracy, %")
    figure.legend(loc="outside upper left", ncols=3, fontsize=9, handlelength=1.0, columnspacing=1.2)
    said = ", ".join(f"{n.name} {number(n.top1 or 0, 1)} % at {found[n.name]:.2g}" for n in networks if n.name in found)
    return svg.inline_svg(figure, name=name, title=f"Accuracy against PFLOP of training and labeling: {said}")


def curve_chart(networks: Sequence[Network], key: str, *, label: str, name: str) -> Markup | None:
    """A line for each network of one value of its `metrics.jsonl`, over the steps; None when no network has it.

    Args:
        networks: those that were begun.
        key: such as `loss` or `val_top1`.
        label: what it is, in words.
        name: of the chart.
    """
    curves = [(n, [(line["step"], line[key]) for line in n.curve if key in line]) for n in networks]
    curves = [(network, curve) for network, curve in curves if curve]
    if not curves:
        return None
    figure, axes = _figure(3.0)
    for network, curve in curves:
        color, style = look(network)
        steps, values = zip(*curve, strict=True)
        marker = "o" if len(steps) <= 20 else None
        axes.plot(steps, values, color=color, linestyle=style, marker=marker, markersize=3, label=network.name)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(THOUSANDS)
    axes.set_xlabel("step")
    axes.set_ylabel(label)
    figure.legend(loc="outside upper left", ncols=3, fontsize=9, handlelength=1.8, columnspacing=1.2)
    last = ", ".join(f"{network.name} {number(curve[-1][1], 2)}" for network, curve in curves)
    return svg.inline_svg(figure, name=name, title=f"{label} over the steps of training; at the end: {last}")


def confidence_histogram(pseudo: PseudoLabels, *, name: str) -> Markup | None:
    """How sure the teacher was of all unlabeled images, with the threshold; where labels are known, right and wrong apart.

    Args:
        pseudo: of one generation.
        name: of the chart.
    """
    if pseudo.histogram is None:
        return None
    figure, axes = _figure(2.7)
    edges = np.arange(BINS) / BINS
    layers = [
        (pseudo.histogram.right, svg.GOOD, "right"),
        (pseudo.histogram.wrong, svg.BAD, "wrong"),
        (pseudo.histogram.unknown, svg.MUTED, "class not known"),
    ]
    bottom = np.zeros(BINS, dtype=np.int64)
    for counts, color, label in layers:
        if counts.any():
            axes.bar(edges, counts, 0.86 / BINS, bottom, align="edge", color=color, label=label)
            bottom += counts
    if not pseudo.reassigned:
        axes.axvline(
            pseudo.threshold,
            color=svg.INK,
            linewidth=1.2,
            linestyle=(0, (4, 2)),
            label=f"threshold {pseudo.threshold:g}",
        )
    axes.set_xlim(-0.01, 1.01)
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(THOUSANDS)
    axes.set_xlabel("confidence")
    axes.set_ylabel("images")
    figure.legend(loc="outside upper left", ncols=4, fontsize=9, handlelength=1.2, columnspacing=1.2)
    used = (
        f"the {number(pseudo.kept)} images selected before, labeled anew"
        if pseudo.reassigned
        else f"{number(pseudo.above_threshold)} of {number(pseudo.candidates)} images are used at the threshold {pseudo.threshold:g}"
    )
    return svg.inline_svg(
        figure, name=name, title=f"Confidence of the pseudo-labels for student {pseudo.generation}: {used}"
    )


def class_chart(classes: Sequence[ClassCounts], *, name: str) -> Markup:
    """For each class, the images that the teacher put in it and the rows that the student was given.

    Args:
        classes: those to show.
        name: of the chart.
    """
    figure, axes = _figure(1.2 + 0.27 * len(classes))
    places = np.arange(len(classes))
    axes.barh(places - 0.2, [row.candidates for row in classes], 0.36, color=svg.MUTED, label="before: candidates")
    axes.barh(places + 0.2, [row.rows for row in classes], 0.36, color=svg.STUDENTS[1], label="after: rows")
    axes.set_yticks(places, [short(row.name, 22) for row in classes])
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(THOUSANDS)
    axes.set_xlabel("images")
    figure.legend(loc="outside upper left", ncols=2, fontsize=9, handlelength=1.2, columnspacing=1.2)
    most = max(classes, key=lambda row: row.candidates)
    title = (
        f"Pseudo-labels per class before and after selection; most candidates: {short(most.name)}, {most.candidates}"
    )
    return svg.inline_svg(figure, name=name, title=title)


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def look(network: Network) -> tuple[str, str]:
    """Color and line style of a network, the same in all charts."""
    if network.generation is None:
        return (svg.BASELINE, "--") if network.is_baseline else (svg.TEACHER, ":")
    return svg.STUDENTS[(network.generation - 1) % len(svg.STUDENTS)], "-"
