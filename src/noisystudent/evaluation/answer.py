"""What a run answers: did the unlabeled images help, by how much, how sure; and what its owner might do next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from noisystudent.evaluation.paired import paired_difference
from noisystudent.pseudo.selections import read_summary
from noisystudent.run_plan import FROZEN

Row = dict[str, Any]
SPLITS = {"test": "test images", "val": "validation images"}
LABELS_ONLY = (FROZEN, "teacher", "baseline")
SURE = 0.05  # the highest p of a difference that is taken for one
FEW = 30  # images below which an interval says more than is known, and p is given in its place
ENOUGH = 200  # held-out images from which differences of a few points can be seen
UNEVEN = 3  # classes whose largest has more than so many times the images of the smallest


def answer(folders: Mapping[str, Path], choice: Row, *, unlabeled: int | None, seed: int = 0, start: str = "") -> Row:
    """The answer of a run, finished or not, as its `results.json` has it.

    Args:
        folders: of the networks that have results, by name, in order.
        choice: which generation is handed on (`noisystudent.evaluation.choice`).
        unlabeled: how many images without labels there were; None: not known.
        seed: of the run.
        start: why networks were trained, or linear classifiers alone, where that was decided.

    Returns:
        `verdict` ("yes", "not clearly", "no" or "not measured"), `sentence`, `more` (further sentences) and `advice`;
        `measured`: the images, in words; `balanced`: whether balanced accuracy says another thing than top-1; `network`, `than`,
        `split`, `n`, `unlabeled`, `before`, `after`, `points`, `ci95` and `p`: what the sentence says, None where there is nothing to say.
    """
    networks = {
        name: {**json.loads((folder / "results.json").read_text(encoding="utf-8")), "folder": folder}
        for name, folder in folders.items()
    }
    handed_on = networks[choice["network"]]
    split = handed_on["split"]
    students = [name for name in networks if name.startswith("student")]
    student = choice["network"] if choice["network"] in students else students[-1] if students else None
    others = [name for name in LABELS_ONLY if name in networks]
    found: Row = dict.fromkeys(("network", "than", "before", "after", "points", "ci95", "p"))
    found |= {"split": split, "n": handed_on["n"] if split else 0, "unlabeled": unlabeled}
    found["measured"] = images_measured(handed_on) if split else None
    others = [name for name in others if _predictions(networks[name]).exists()]
    if split and student and others and _predictions(networks[student]).exists():
        than = max(others, key=lambda name: networks[name]["metrics"]["top1"])
        pair = [pq.read_table(_predictions(networks[name])) for name in (student, than)]
        found |= paired_difference(*pair, seed=seed)
        found |= {"network": student, "than": than}
        found |= {"before": networks[than]["metrics"]["top1"], "after": networks[student]["metrics"]["top1"]}
    found["verdict"] = _verdict(found, choice)
    return {
        **found,
        "sentence": _sentence(found, networks, students),
        "more": [*_more(found, networks, choice, others), *filter(None, [start])],
        "balanced": names_both(handed_on),
        "advice": _advice(found, networks, choice),
    }


def is_clear(points: float, ci95: tuple[float, float], p: float) -> bool:
    """Whether a paired difference is more than chance: a handful of images may have an interval without width."""
    return p < SURE and (ci95[0] > 0 or ci95[1] < 0)


def _verdict(found: Row, choice: Row) -> str:
    if found["points"] is None:
        return "not measured"
    clear = is_clear(found["points"], found["ci95"], found["p"])
    if choice["network"] in LABELS_ONLY:
        return "no"
    return "not clearly" if not clear else "yes" if found["points"] > 0 else "no"


def _sentence(found: Row, networks: Mapping[str, Row], students: list[str]) -> str:
    unlabeled = (
        "the images without labels"
        if found["unlabeled"] is None
        else f"the {found['unlabeled']:,} images without labels"
    )
    if found["verdict"] == "not measured":
        if not students:
            unmeasured = ", and nothing was held out to measure it on" if found["split"] is None else ""
            return f"No images without labels took part: the network learned from labels alone{unmeasured}."
        if found["split"] is None:
            return (
                f"It was not measured whether {unlabeled} helped: nothing was held out. "
                "Give --test a folder of labeled images that the run does not learn from."
            )
        return (
            f"It was not measured whether {unlabeled} helped: there is no network that saw labels only to compare with."
        )
    change = f"from {found['before']:.1f} % to {found['after']:.1f} %"
    measured = f"{_difference(found)}, {images_measured(networks[found['network']])}"
    balanced = _balanced_change(found, networks)
    if found["verdict"] == "yes":
        return f"Yes: {unlabeled} raised accuracy {change} ({measured}){balanced}."
    if found["points"] == 0:
        return f"Not clearly: with {unlabeled} accuracy stayed at {found['after']:.1f} % ({measured}){balanced}."
    if found["verdict"] == "no":
        return f"No: with {unlabeled} accuracy went {change} ({measured}){balanced}."
    return f"Not clearly: with {unlabeled} accuracy went {change}, which may be chance ({measured}){balanced}."


def _difference(found: Row) -> str:
    low, high = found["ci95"]
    sure = f"95 % interval {low:+.1f} to {high:+.1f}" if found["n"] >= FEW else f"p = {found['p']:.2g}"
    return f"{found['points']:+.1f} points, {sure}"


def images_measured(results: Row) -> str:
    """On how many images a network was measured, and of how many classes, when some have none.

    Example:
        >>> per_class = [{"name": "daisy", "n": 40, "recall": 100.0}, {"name": "rose", "n": 0, "recall": None}]
        >>> images_measured({"split": "test", "n": 40, "test": {"per_class": per_class}})
        '40 test images of 1 of the 2 classes'
    """
    classes = per_class(results)
    there = sum(row["n"] > 0 for row in classes)
    some = f" of {there} of the {len(classes)} classes" if there < len(classes) else ""
    return f"{results['n']:,} {SPLITS[results['split']]}{some}"


def per_class(results: Row) -> list[Row]:
    """The recall of each class on the images that the figures are of; [] where an earlier version measured."""
    rows: list[Row] = results.get(results["split"] or "", {}).get("per_class", [])
    return rows


def names_both(results: Row) -> bool:
    """Whether balanced accuracy says another thing than top-1: classes of very different size, or figures further apart than noise."""
    balanced = results["metrics"].get("balanced_accuracy")
    sizes = [row["n"] for row in per_class(results) if row["n"]]
    if balanced is None or len(sizes) < 2:
        return False
    low, high = results["ci95"]["top1"]
    return max(sizes) > UNEVEN * min(sizes) or not low <= balanced <= high


def _balanced_change(found: Row, networks: Mapping[str, Row]) -> str:
    pair = [networks[found["than"]], networks[found["network"]]]
    if not any(names_both(results) for results in pair):
        return ""
    before, after = (f"{results['metrics']['balanced_accuracy']:.1f} %" for results in pair)
    if before == after:
        return f"; with every class counted alike, it stayed at {after}"
    return f"; with every class counted alike, it went from {before} to {after}"


def _more(found: Row, networks: Mapping[str, Row], choice: Row, others: list[str]) -> list[str]:
    name = choice["network"]
    handed_on = f"{_capital(name)} is the model that is handed on: {choice['why']}."
    if found["split"] is None:
        return [handed_on]
    results = networks[name]
    low, high = results["ci95"]["top1"]
    interval = f"95 % interval {low:.1f} to {high:.1f}"
    accuracy = f"{_capital(name)} is right on {results['metrics']['top1']:.1f} % of the {images_measured(results)} ({interval})"
    if names_both(results):
        low, high = results["ci95"]["balanced_accuracy"]
        accuracy += f"; with every class counted alike, on {results['metrics']['balanced_accuracy']:.1f} % ({low:.1f} to {high:.1f})"
    sentences = [f"{accuracy}.", handed_on]
    if found["points"] is not None:
        sentences.append(_against(found, others))
        counted = "The interval" if found["n"] >= FEW else "The p"
        sentences.append(
            f"{counted} takes in chance in the images measured, not chance in training: that needs runs with more seeds."
        )
    if found["split"] == "val" and choice["n"]:
        sentences.append(
            "The network was chosen on these same validation images, which can make its figure a little high."
        )
    return sentences


def _against(found: Row, others: list[str]) -> str:
    if len(others) == 1:
        return f"The difference is that of {found['network']} over the {others[0]}, which saw labels only, on the same images."
    which = "better of the two" if len(others) == 2 else f"best of the {len(others)}"
    return (
        f"The difference is that of {found['network']} over the {which} networks that saw labels only (the {found['than']}), "
        "on the same images. The baseline matches the computation of the last student, not that of the whole chain."
    )


def _advice(found: Row, networks: Mapping[str, Row], choice: Row) -> list[str]:
    """What is worth trying, each for a reason that was seen."""
    results = networks[choice["network"]]
    advice = [*_of_held_out(found, results), *_of_teacher(networks), *_of_pseudo_labels(networks)]
    if found["before"] == 100:
        advice.append("Labels alone are right on every held-out image: only more or harder ones could show a gain.")
    elif found["verdict"] in ("not clearly", "no"):
        advice.append(
            "The students are level with what labels alone reach. First to try: more images without labels, of the same classes and "
            "taken in the same way, or more labeled images of each class."
        )
    return advice + _of_confusion(results)


def _of_held_out(found: Row, results: Row) -> list[str]:
    if found["split"] is None:
        return []  # the next steps say how to measure
    advice = []
    if found["n"] < ENOUGH:
        advice.append(
            f"Only {found['n']} images were held out, too few to see a difference of a few points: "
            f"give --test a folder of {ENOUGH} or more labeled images that the run does not learn from."
        )
    absent = [row["name"] for row in per_class(results) if not row["n"]]
    if absent:
        named = ", ".join(repr(name) for name in absent[:5]) + (
            f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        )
        advice.append(
            f"No held-out image shows {named}: how well these are recognized is not known. Give --test images of them."
        )
    return advice


def _of_teacher(networks: Mapping[str, Row]) -> list[str]:
    first = next(
        (network for name, network in networks.items() if name != "baseline" and network["folder"].name == "gen-0"),
        None,
    )
    top1 = first["metrics"].get("top1") if first else None
    if top1 is None or top1 >= 50:
        return []
    return [
        f"The teacher is right on {top1:.1f} % only, and the students learn from what it says: "
        "a few more labeled images of each class help most."
    ]


def _of_pseudo_labels(networks: Mapping[str, Row]) -> list[str]:
    students = [results["folder"] for name, results in networks.items() if name.startswith("student")]
    summary = read_summary(students[-1] / "selection") if students else None
    if summary is None:
        return []
    classes = summary["classes"]
    candidates, above, rows = (sum(row[key] for row in classes) for key in ("candidates", "above_threshold", "rows"))
    advice = []
    if above < candidates / 10 and "reassigned_from" not in summary:
        advice.append(
            f"Only {above:,} of {candidates:,} images without labels reached the threshold {summary['threshold']:g}: "
            f"lower it (--set select.threshold={summary['threshold'] / 2:g}, with another --out)."
        )
    most = max(classes, key=lambda row: row["rows"])
    if len(classes) > 2 and most["rows"] > rows / 2:
        advice.append(
            f"{100 * most['rows'] / rows:.0f} % of the pseudo-labels are {most['name']!r}: label some images that look like it and are not."
        )
    return advice


def _of_confusion(results: Row) -> list[str]:
    names = [row["name"] for row in per_class(results)]
    path = _predictions(results)
    if not names or not path.exists():
        return []
    table = pq.read_table(path, columns=["label", "predicted"])
    truth, predicted = (table[column].to_numpy().astype(np.int64) for column in ("label", "predicted"))
    wrong = truth != predicted
    pairs, counts = np.unique(truth[wrong] * len(names) + predicted[wrong], return_counts=True)
    if not len(pairs):
        return []
    first, second = divmod(int(pairs[counts.argmax()]), len(names))
    mistakes, images = int(counts.max()), int((truth == first).sum())
    if mistakes < 3 or mistakes < images / 10:
        return []
    return [
        f"{names[first]!r} is taken for {names[second]!r} most often ({mistakes} of {images} images): label more images of both."
    ]


def _predictions(results: Row) -> Path:
    folder: Path = results["folder"]
    return folder / "evaluation" / f"{results['split']}.parquet"


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:] if name.startswith("student") else f"The {name}"
