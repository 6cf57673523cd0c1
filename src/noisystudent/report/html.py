"""Write the report of a run: `report.html`, one file that needs no network and no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from noisystudent import atomic
from noisystudent.addresses import as_given
from noisystudent.evaluation.answer import per_class
from noisystudent.evaluation.next_steps import next_steps
from noisystudent.evaluation.spent import whole_cost
from noisystudent.report import gallery, plots, robustness_plots, svg
from noisystudent.report.confusion import Confusion, read_confusion
from noisystudent.report.pseudo_labels import SHOWN, PseudoLabels, read_pseudo_labels
from noisystudent.report.robustness import PUBLISHED, Robustness, read_robustness
from noisystudent.report.run_reader import Difference, Network, Run, read_run
from noisystudent.report.visible import number, points, short, visible
from noisystudent.stage_profile import recorded, worth_saying

MOST_ROWS = 50  # of the lists of skipped images and leaks
MOST_RECALL = 20  # classes, the worst, in the table of recall


def write_report(run: str | Path, *, out: str | Path | None = None) -> Path:
    """Write `report.html` into a run folder, finished or not. The same folder gives the same bytes.

    Args:
        run: the run folder.
        out: where its reader finds the run: the folder itself, unless it is the copy of one at an address.

    Returns:
        The path of the report.

    Raises:
        UserError: the folder is not a run.

    Example:
        >>> write_report("run")  # doctest: +SKIP
        PosixPath('run/report.html')
    """
    run = Path(run)
    path = run / "report.html"
    atomic.write_text(path, render(read_run(run), out=run.resolve() if out is None else as_given(out)))
    return path


def render(run: Run, *, out: str | Path) -> str:
    """The page of a run, which its reader finds there."""
    pseudo, robustness = read_pseudo_labels(run), read_robustness(run)
    with svg.theme():
        charts = _charts(run, pseudo, robustness)
    return _template().render(
        run=run,
        out=out,
        title=Path(out).name,
        answer=run.answer,
        next_steps=_next_steps(run, out),
        recall=_recall(run),
        most_recall=MOST_RECALL,
        against_baseline=_against_baseline(run),
        pseudo={labels.generation: labels for labels in pseudo},
        charts=charts,
        cost=whole_cost(run.cost) if run.cost else "",
        profile=worth_saying(recorded(run.records)),
        robustness=robustness,
        published=PUBLISHED,
        confusion=_confusion(run),
        gallery=gallery.read_gallery(run),
        config_text=run.text("config.toml"),
        environment_text=run.text("environment.json"),
        most_rows=MOST_ROWS,
        most_classes=SHOWN,
    )


def _next_steps(run: Run, out: str | Path) -> list[tuple[str, str]]:
    if run.best is None or not run.finished:
        return []
    return next_steps(out, measured=run.split is not None, best=run.best.folder.name)


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("noisystudent.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "short": short, "number": number, "points": points}
    return environment.get_template("template.html.jinja")


def _charts(run: Run, pseudo: list[PseudoLabels], robustness: Robustness | None) -> dict[str, Markup | None]:
    """All charts by name; None where there is nothing to draw."""
    charts = {
        "accuracy": plots.accuracy_chart(run.measured, name="accuracy") if run.measured else None,
        "cost": plots.cost_chart(run.measured, run.costs, name="cost"),
        "loss": plots.curve_chart(run.networks, "loss", label="training loss", name="loss"),
        "validation": plots.curve_chart(run.networks, "val_top1", label="validation top-1, %", name="validation"),
    }
    if robustness:
        charts["corruptions"] = robustness_plots.corruption_chart(robustness, name="corruptions")
        charts["severities"] = robustness_plots.severity_chart(robustness, name="severities")
        charts["reliability"] = robustness_plots.reliability_chart(robustness, name="reliability")
    for labels in pseudo:
        confidence, classes = f"confidence-{labels.generation}", f"classes-{labels.generation}"
        charts[confidence] = plots.confidence_histogram(labels, name=confidence)
        charts[classes] = plots.class_chart(labels.shown, name=classes)
    return charts


def _against_baseline(run: Run) -> dict[str, Difference]:
    """By network, its paired difference to the baseline."""
    if run.baseline is None:
        return {}
    others = [network for network in run.measured if network is not run.baseline]
    found = {network.name: run.difference(network, run.baseline) for network in others}
    return {name: difference for name, difference in found.items() if difference}


def _recall(run: Run) -> list[dict[str, Any]]:
    """How often the network that is handed on recognizes each class, those without images first, then the worst."""
    rows = per_class(run.best.results) if run.best and run.best.results else []
    return sorted(rows, key=lambda row: (row["n"] > 0, row["recall"] or 0.0, -row["n"]))


def _confusion(run: Run) -> tuple[Network, Confusion] | None:
    """The confusion of the network that is handed on."""
    if run.best is None or run.split is None or not run.class_names:
        return None
    found = read_confusion(run.best.predictions(run.split), run.class_names)
    return (run.best, found) if found else None
