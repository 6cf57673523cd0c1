"""Write the tables of results/*.md anew from the figures in results/*.json, without running anything.

python benchmarks/tables.py
"""

from __future__ import annotations

import json

from digits import peer_tables
from seeded_runs import RESULTS, kept_results, tables_of

NAMES = (
    "digits",
    "cifar10",
    "fashion_mnist_200",
    "fashion_mnist_1000",
    "imagenette_scratch",
    "imagenette_pretrained",
    "flowers_10",
    "flowers_50",
)


def tables(name: str) -> list[str]:
    """Markdown: what the benchmark of this name prints, but for its first line, which says how it was run."""
    results = kept_results(name)
    peers = json.loads((RESULTS / "digits_peers.json").read_text(encoding="utf-8")) if name == "digits" else None
    return [*tables_of(results), *(peer_tables(results["recipe"], peers) if peers else [])]


def page(name: str) -> str:
    """The results file of this name as it is to be: its first line, and the tables."""
    about = (RESULTS / f"{name}.md").read_text(encoding="utf-8").split("\n\n", 1)[0]
    return "\n\n".join([about, *tables(name)]) + "\n"


def main() -> None:
    for name in NAMES:
        (RESULTS / f"{name}.md").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
