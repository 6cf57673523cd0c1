"""Which network of a run is handed on: the last student, unless another is better beyond doubt on validation images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from noisystudent.evaluation.paired import paired_difference

DOUBT = 0.05  # the highest p that is beyond doubt, after the correction for several comparisons


def choose(generations: Mapping[str, Path], *, seed: int = 0) -> dict[str, Any]:
    """The generation that `best` names. Test images take no part.

    Each generation is compared with the last one on the same validation images by McNemar's exact test, and the p-values are corrected
    for their number (Holm). The highest accuracy of a few validation images is often luck, and later students are expected to be better.

    Args:
        generations: the folder of each, by name, in order.
        seed: of the run.

    Returns:
        `network`, `folder`, `why` in a sentence; `n` and `split` of the images compared, and `p`, corrected, of the strongest rival that
        had the higher accuracy: each None where there was none.
    """
    last = list(generations)[-1]
    paths = {name: folder / "evaluation" / "val.parquet" for name, folder in generations.items()}
    if len(generations) == 1 or not all(path.exists() for path in paths.values()):
        alone = (
            "the only generation"
            if len(generations) == 1
            else f"{_the(last)}; there were no validation images to compare networks on"
        )
        return _choice(last, generations, alone)
    tables = {name: pq.read_table(path) for name, path in paths.items()}
    rivals = {name: paired_difference(table, tables[last], seed=seed) for name, table in tables.items() if name != last}
    n = tables[last].num_rows
    corrected = _holm({name: found["p"] for name, found in rivals.items()})
    ahead = {name: p for name, p in corrected.items() if rivals[name]["points"] > 0}
    beyond_doubt = [name for name, p in ahead.items() if p < DOUBT]
    if not beyond_doubt:
        why = f"{_the(last)}; no other network was better beyond doubt on {n:,} validation images"
        return _choice(last, generations, why, n=n, p=min(ahead.values(), default=None))
    best = max(reversed(beyond_doubt), key=lambda name: rivals[name]["points"])
    why = (
        f"better than {last} beyond doubt: {rivals[best]['points']:+.1f} points on {n:,} validation images "
        f"(McNemar's exact test, p = {ahead[best]:.2g} corrected for {len(rivals)} comparisons)"
    )
    return _choice(best, generations, why, n=n, p=ahead[best])


def _choice(
    name: str, generations: Mapping[str, Path], why: str, *, n: int | None = None, p: float | None = None
) -> dict[str, Any]:
    split = None if n is None else "val"
    return {"network": name, "folder": generations[name].name, "why": why, "n": n, "p": p, "split": split}


def _the(last: str) -> str:
    return "the last student" if last.startswith("student") else f"the {last}"


def _holm(p: Mapping[str, float]) -> dict[str, float]:
    """P-values corrected for their number: the smallest times as many as there are, the next times one less, and so on."""
    corrected: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p, key=lambda name: p[name])):
        highest = max(highest, min((len(p) - rank) * p[name], 1.0))
        corrected[name] = highest
    return corrected
