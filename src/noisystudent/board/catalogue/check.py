"""Is the catalogue whole, and is there anything that a curator should see to?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Literal

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.directions import Direction, agreed, by_name, has_none
from noisystudent.board.catalogue.doubts import doubtful
from noisystudent.board.catalogue.failures import PUT_BACK
from noisystudent.board.catalogue.judging import FIRST_OF_TABLE, judgement, opinions_of
from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.catalogue.store import Store
from noisystudent.board.catalogue.twins import twins

Severity = Literal["error", "warning"]
EXAMPLES = 20  # of each kind are named, the rest is counted
INDEXES = ("paper_search", "task_search", "dataset_search", "method_search", "author_search", "model_search")
ALIASED = ("task", "dataset", "paper", "method", "leaderboard", "author")


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Args:
        severity: "error" is damage to the file; "warning" is for a curator to judge, such as a number that a source has wrong.
        kind: in a word or two.
        where: the row, as a reader would look for it.
        message: what is the matter.
        remedy: what to do.
    """

    severity: Severity
    kind: str
    where: str
    message: str
    remedy: str


def check(store: Store) -> dict[str, Any]:
    """Look at everything. Nothing is changed.

    Returns:
        `ok` (no error), `counts` of findings by kind, and `findings`, of each kind the first 20.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> check(Store(Path(tempfile.mkdtemp()) / "board.db", create=True))
        {'ok': True, 'counts': {}, 'findings': []}
    """
    counts: dict[str, int] = {}
    kept: list[Finding] = []
    errors = False
    with closing(store.connect()) as connection:
        for finding in _findings(connection):
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
            errors |= finding.severity == "error"
            if counts[finding.kind] <= EXAMPLES:
                kept.append(finding)
    return {"ok": not errors, "counts": counts, "findings": [asdict(finding) for finding in kept]}


def _findings(connection: sqlite3.Connection) -> Iterator[Finding]:
    damaged = False
    for finding in _damage(connection):
        damaged = True
        yield finding
    if not damaged:  # else what follows would stumble over it
        for look in LOOKS:
            yield from look(connection)


def _damage(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Pages, indexes and references of the file."""
    remedy = PUT_BACK
    try:
        for row in connection.execute("PRAGMA integrity_check(100)"):
            if row[0] != "ok":
                yield Finding("error", "damaged file", "the file", row[0], remedy)
        for row in connection.execute("PRAGMA foreign_key_check"):
            where = f"{row['table']} {row['rowid'] if row['rowid'] is not None else '(without number)'}"
            yield Finding(
                "error", "lost reference", where, f"it refers to a row of {row['parent']} that is not there", remedy
            )
    except sqlite3.DatabaseError as error:
        yield Finding("error", "damaged file", "the file", str(error), remedy)
        return
    for index in INDEXES:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            rebuild = f"INSERT INTO {index} ({index}) VALUES ('rebuild'), with the program sqlite3, makes it anew"
            yield Finding("error", "damaged search index", index, str(error), rebuild)
        finally:
            connection.execute("ROLLBACK")


def _orphans(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows whose reference no rule of the schema holds, and results without what makes a result."""
    for row in connection.execute(
        f"SELECT DISTINCT kind FROM alias WHERE kind NOT IN ({', '.join('?' * len(ALIASED))})", ALIASED
    ):
        yield Finding(
            "error", "lost reference", f"old addresses of kind {row['kind']}", "there is no such kind", "remove them"
        )
    for kind in ALIASED:
        for row in connection.execute(
            f"SELECT old FROM alias WHERE kind = ? AND id NOT IN (SELECT id FROM {kind}) ORDER BY old", (kind,)
        ):
            message = f"it leads to a {kind} that is not there"
            yield Finding(
                "error", "lost reference", f"old address {row['old']}", message, "remove it, or say where it leads"
            )
    for row in connection.execute(
        "SELECT slug FROM leaderboard WHERE best_result_id IS NOT NULL "
        "AND best_result_id NOT IN (SELECT id FROM result WHERE retired_by IS NULL) ORDER BY slug"
    ):
        remedy = "any change of the leaderboard ranks it anew: say the direction of the metric that ranks it"
        yield Finding("error", "lost reference", f"/sota/{row['slug']}", "who leads is not on it any more", remedy)
    for row in connection.execute(
        f"{_RESULTS} WHERE r.retired_by IS NULL AND NOT EXISTS (SELECT 1 FROM value v WHERE v.result_id = r.id) ORDER BY r.id"
    ):
        yield Finding(
            "warning", "result without a value", _where(row), "it has no value", "take it back, or submit its values"
        )
    for row in connection.execute(
        f"{_RESULTS} WHERE (r.kind = 'run') <> (EXISTS (SELECT 1 FROM run WHERE run.result_id = r.id)) ORDER BY r.id"
    ):
        message = "it is a run without its provenance, or a claim with one"
        yield Finding("error", "lost reference", _where(row), message, "take the event back that added it")


def _impossible(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Numbers that cannot be what their column says, and fractions among percents."""
    remedy = "look it up in its source and submit it anew"
    for one in doubtful(connection):
        where = f"/sota/{one.leaderboard}, result {one.result}, {one.model[:100]}"
        yield Finding("warning", "impossible value", where, one.said, remedy)


def _mixed_units(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Columns whose values cannot all be compared: some have a rank and others not."""
    for row in connection.execute(
        "SELECT l.slug, m.name AS metric, m.unit, count(*) AS odd, min(v.raw) AS example FROM value v "
        "JOIN metric m ON m.id = v.metric_id JOIN result r ON r.id = v.result_id JOIN leaderboard l ON l.id = r.leaderboard_id "
        "WHERE r.retired_by IS NULL AND r.kind = 'claim' AND v.number IS NOT NULL AND v.rank IS NULL "
        "AND m.higher_is_better IS NOT NULL GROUP BY m.id ORDER BY l.slug, m.position"
    ):
        message = f"{row['odd']} values are not in the column's unit ({row['unit'] or 'none'}) and have no rank, such as {row['example']}"
        where = f"/sota/{row['slug']}, {row['metric']}"
        yield Finding("warning", "mixed units", where, message, "submit them in the column's unit")


def _duplicates(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The same thing twice."""
    for row in connection.execute(
        "SELECT slug, model, count(*) AS times FROM ("
        "  SELECT l.slug, lower(mo.name) AS model, r.id, group_concat(v.metric_id || '=' || coalesce(v.number, v.raw)) AS numbers "
        "  FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model mo ON mo.id = r.model_id "
        "  JOIN value v ON v.result_id = r.id WHERE r.retired_by IS NULL AND r.kind = 'claim' GROUP BY r.id"
        ") GROUP BY slug, model, numbers HAVING count(*) > 1 ORDER BY slug, model"
    ):
        message = f"the same model with the same values, {row['times']} times"
        yield Finding("warning", "duplicate", f"/sota/{row['slug']}, {row['model']}", message, "take back all but one")


def _twins(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Entries that look like one."""
    for pair in twins(connection):
        where = f"/{pair.kind}/{pair.gone} and /{pair.kind}/{pair.kept}"
        message = f"{pair.names[0]!r} and {pair.names[1]!r} may be one {pair.kind}: {pair.why}"
        remedy = f"noisystudent board merge {pair.kind} {pair.gone} {pair.kept}, if they are"
        yield Finding("warning", "twins", where, message, remedy)


def _directions(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Metrics of which nobody knows what is better, and directions that what they were not found from contradicts."""
    judged: dict[str, Direction] = {}
    for row in connection.execute(
        "SELECT m.id, m.name, m.higher_is_better, m.direction_origin AS origin, l.slug, "
        f"{FIRST_OF_TABLE} AS is_first, m.id IS l.ranked_by AS ranks_table FROM metric m "
        f"JOIN leaderboard l ON l.id = m.leaderboard_id WHERE {FILLED} AND m.direction_origin <> 'curated' "
        "ORDER BY l.result_count DESC, l.slug, m.position, m.id"
    ).fetchall():
        where = f"/sota/{row['slug']}"
        remedy = f"noisystudent board direction {row['slug']} {row['name']!r} higher|lower"
        name = row["name"]
        judged[name] = judged.get(name) or judgement(connection, name)
        if row["origin"] != "given" and judged[name] != (_better(row), row["origin"]):
            message = f"{name} was judged by older rules: it is {_said(judged[name].higher_is_better)} now"
            yield Finding("warning", "direction out of date", where, message, "noisystudent board init ranks all anew")
        elif row["higher_is_better"] is None:
            if row["ranks_table"]:
                why = "it tells how a result came about" if has_none(name) else "nobody knows whether higher is better"
                yield Finding("warning", "direction unknown", where, f"{name}: {why}, and nothing is ranked", remedy)
        elif doubt := _doubted(connection, row):
            message = f"{_said(_better(row))} {name} counts as better ({row['origin']}), but {doubt}"
            yield Finding("warning", "direction doubtful", where, message, remedy)


def _doubted(connection: sqlite3.Connection, metric: sqlite3.Row) -> str:
    """What a direction was not found from and says the opposite, if nothing else of that kind says the same; "" where nothing does."""
    opinions: dict[str, bool | None] = {}
    if metric["origin"] == "given":
        opinions["its name says"] = by_name(metric["name"]).higher_is_better
    if metric["is_first"]:
        order, dates = opinions_of(connection, metric["id"])
        if metric["origin"] != "order of rows":
            opinions["the order of the rows says"] = order
        opinions["the dates of the results say"] = dates
    if agreed(opinions.values()) is not (not metric["higher_is_better"]):
        return ""
    return " and ".join(words for words, opinion in opinions.items() if opinion is not None) + " otherwise"


def _better(metric: sqlite3.Row) -> bool | None:
    return None if metric["higher_is_better"] is None else bool(metric["higher_is_better"])


def _said(higher_is_better: bool | None) -> str:
    return {None: "unknown", True: "higher", False: "lower"}[higher_is_better]


def _future(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Dates that have not come."""
    for row in connection.execute(
        "SELECT slug, published FROM paper WHERE published > ? ORDER BY slug", (f"{today()}~",)
    ):
        message = f"it was published on {row['published']}, which has not come"
        yield Finding(
            "warning",
            "date in the future",
            f"/paper/{row['slug']}",
            message,
            "lists of the newest leave it out; put it right",
        )


_RESULTS = (
    "SELECT r.id, l.slug, mo.name AS model FROM result r "
    "JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model mo ON mo.id = r.model_id"
)
LOOKS: tuple[Callable[[sqlite3.Connection], Iterator[Finding]], ...] = (
    _orphans,
    _impossible,
    _mixed_units,
    _duplicates,
    _twins,
    _directions,
    _future,
)


def _where(row: sqlite3.Row) -> str:
    return f"/sota/{row['slug']}, result {row['id']}, {row['model'][:100]}"
