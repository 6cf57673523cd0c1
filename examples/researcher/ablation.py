"""What is each part worth? The recipe, and the recipe with one setting changed, over several seeds, as a table.

    python ablation.py --recipe digits --labeled labeled/ --unlabeled unlabeled/ --test test/ --seeds 3 --change student.pseudo_labels=hard

A run that is finished is not done again. Differences are paired by seed; their interval is Student's, from three seeds on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import noisystudent as ns
from noisystudent.evaluation.intervals import mean_interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for source in ("labeled", "unlabeled", "test"):
        parser.add_argument(f"--{source}", required=True)
    parser.add_argument("--recipe", default="photos-fast")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--change", action="append", default=[], metavar="KEY=VALUE", help="an ablation; several times")
    options = parser.parse_args()
    accuracy = {change: accuracies(options, change) for change in ("", *options.change)}
    rows = [row(change or options.recipe, values, accuracy[""]) for change, values in accuracy.items()]
    Path("ablation.md").write_text(markdown(rows), encoding="utf-8")
    Path("ablation.tex").write_text(latex(rows), encoding="utf-8")
    print(markdown(rows))


def accuracies(options: argparse.Namespace, change: str) -> np.ndarray:
    """The last student's top-1 accuracy with each seed, [seeds]."""
    found = []
    for seed in range(options.seeds):
        sources = {name: getattr(options, name) for name in ("labeled", "unlabeled", "test")}
        settings = [f"seed={seed}", "baseline=false", *([change] if change else [])]
        results = ns.run(
            ns.configure(options.recipe, **sources, settings=settings), Path("runs") / f"{change or 'recipe'}-{seed}"
        )
        students = [one for one in results["rows"] if one["name"].startswith("student")]
        found.append(students[-1]["metrics"]["top1"])
    return np.array(found)


def row(name: str, values: np.ndarray, reference: np.ndarray) -> tuple[str, str, str, str]:
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    differences = values - reference
    interval = mean_interval(list(differences))
    shown = "" if interval is None or values is reference else f"{interval[0]:+.1f} to {interval[1]:+.1f}"
    difference = "" if values is reference else f"{differences.mean():+.1f}"
    return name, f"{values.mean():.1f} ± {spread:.1f}", difference, shown


HEAD = ("setting", "top-1 %", "difference", "95 % interval")


def markdown(rows: list[tuple[str, str, str, str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEAD, *rows)]
    return "\n".join([lines[0], "|---" * len(HEAD) + "|", *lines[1:]]) + "\n"


def latex(rows: list[tuple[str, str, str, str]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        escaped = (cell.replace("_", r"\_").replace("%", r"\%").replace("±", r"$\pm$") for cell in cells)
        return " & ".join(escaped) + r" \\"

    body = [line(HEAD), r"\midrule", *(line(cells) for cells in rows)]
    return "\n".join([r"\begin{tabular}{lrrr}", r"\toprule", *body, r"\bottomrule", r"\end{tabular}"]) + "\n"


if __name__ == "__main__":
    main()
