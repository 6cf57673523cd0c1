"""Draw docs/figures/*.svg from what the benchmarks measured, and from the code itself: `python docs/make_figures.py`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from noisystudent.noise.input_noise import add_input_noise
from noisystudent.recipes import recipe

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "noisystudent",  # the same ids each time
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
}
STUDENT, OTHER, ALONE = "#3f51b5", "#e57c23", "#757575"


def chain() -> Figure:
    """Accuracy, generation by generation, with and without noise, beside labels alone (`benchmarks/digits.py`)."""
    results = json.loads((RESULTS / "digits.json").read_text())
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    for run, color, label in (("recipe", STUDENT, "with noise"), ("without noise", OTHER, "without noise")):
        names = [row["name"] for row in results[run][0]["rows"] if row["name"] != "baseline"]
        values = np.array([[top1(draw, name) for name in names] for draw in results[run]])
        places = np.arange(len(names))
        deviation = values.std(axis=0, ddof=1)
        axes.fill_between(places, values.mean(0) - deviation, values.mean(0) + deviation, color=color, alpha=0.15, lw=0)
        axes.plot(places, values.mean(0), "o-", color=color, label=f"students {label}")
        axes.set_xticks(places, names)
    baseline = np.mean([top1(draw, "baseline") for draw in results["recipe"]])
    axes.axhline(baseline, color=ALONE, ls="--", label="labels alone, as long (baseline)")
    axes.set_ylabel("right on test pictures, %")
    axes.legend(frameon=False, loc="lower right")
    return figure


def top1(run: dict[str, Any], name: str) -> float:
    return float(next(row["metrics"]["top1"] for row in run["rows"] if row["name"] == name))


def surest() -> Figure:
    """How often pseudo-labels are right among the surest (`benchmarks/pseudo_labels.py`)."""
    draws = json.loads((RESULTS / "pseudo_labels.json").read_text())
    right = np.array([draw["right"] for draw in draws]).mean(axis=0)  # [students, shares]
    shares = np.arange(1, right.shape[1] + 1) * 10
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    for number, values in enumerate(right, start=1):
        axes.plot(
            shares,
            values,
            "o-",
            ms=4,
            color=STUDENT,
            alpha=0.3 + 0.7 * number / len(right),
            label=f"for student {number}",
        )
    axes.set_xlabel("surest % of the pseudo-labels")
    axes.set_ylabel("right, %")
    axes.legend(frameon=False, loc="lower left")
    return figure


def noise() -> Figure:
    """What the students of the digits see: one picture of each of four digits, clean and five times noised."""
    pictures = torch.from_numpy(np.rint(load_digits().images[[0, 2, 4, 7]] * (255 / 16)).astype(np.uint8))[:, None]
    training = recipe("digits").generations[-1].student
    assert training.noise
    shown = [pictures, *(add_input_noise(pictures, training.noise, seed=seed) for seed in range(5))]
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    for column, images in enumerate(shown):
        for row, image in enumerate(images):
            axes = figure.add_subplot(len(pictures), len(shown), row * len(shown) + column + 1)
            axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axes.set_axis_off()
            if row == 0:
                axes.set_title("clean" if column == 0 else f"step {column}", fontsize=10)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {"chain": chain, "noise": noise, "surest": surest}


def svg(name: str) -> str:
    with matplotlib.rc_context(STYLE):
        out = io.StringIO()
        FIGURES[name]().savefig(out, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


if __name__ == "__main__":
    folder = Path(__file__).with_name("figures")
    folder.mkdir(exist_ok=True)
    for figure_name in FIGURES:
        (folder / f"{figure_name}.svg").write_text(svg(figure_name), encoding="utf-8")
