"""How many photos of each species there are at each site, from a table that `noisystudent predict` wrote.

    python counts.py labels.csv season/

A site is the first folder on the way from `season/` to a photo. A photo that the network left open counts as "(open)".
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path


def counts(table: Path, season: Path) -> dict[str, Counter[str]]:
    """Photos of each species, by site."""
    found: dict[str, Counter[str]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            site = Path(row["path"]).relative_to(season.resolve()).parts[0]
            found.setdefault(site, Counter())[row["label"] or "(open)"] += 1
    return found


def main() -> None:
    found = counts(Path(sys.argv[1]), Path(sys.argv[2]))
    species = sorted({name for site in found.values() for name in site})
    out = csv.writer(sys.stdout)
    out.writerow(["site", *species])
    out.writerows([site, *(found[site][name] for name in species)] for site in sorted(found))


if __name__ == "__main__":
    main()
