"""Which papers use something, a method or a data set, and how many of each year do."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from noisystudent.board.catalogue.change import today

MOST_YEARS = 30
MANY = 10_000  # papers


class Usage(NamedTuple):
    """Numbers of the newest papers, how many there are of each of the last years, and how many in all. The future is in the last alone."""

    newest: list[int]
    years: dict[int, int]
    total: int


def usage(connection: sqlite3.Connection, papers: str, parameters: Mapping[str, Any], newest: int) -> Usage:
    """Who uses something.

    Args:
        papers: a query for the numbers of the papers, none of them twice.
        parameters: of it.
        newest: how many of the newest to name.
    """
    total = int(connection.execute(f"SELECT count(*) FROM ({papers})", parameters).fetchone()[0])
    # Dates are in an index, too: to walk all of it takes less than to read many papers, of which each has an abstract.
    walk = "INDEXED BY paper_published" if total > MANY else ""
    where = f"paper p {walk} WHERE p.published <= :today AND p.id IN ({papers})"
    given = {**parameters, "today": today(), "newest": newest}
    ids = connection.execute(f"SELECT p.id FROM {where} ORDER BY p.published DESC, p.id DESC LIMIT :newest", given)
    rows = connection.execute(
        f"SELECT substr(p.published, 1, 4) AS year, count(*) AS number FROM {where} GROUP BY year", given
    )
    years = Counter({int(row["year"]): row["number"] for row in rows if re.fullmatch("[0-9]{4}", row["year"])})
    last = max(years, default=0)
    counts = {year: years[year] for year in range(max(min(years, default=1), last - MOST_YEARS + 1), last + 1)}
    return Usage([row["id"] for row in ids], counts, total)
