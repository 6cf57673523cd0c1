"""Papers: listing them by a choice, and everything that a paper's page says."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from noisystudent.board.catalogue.change import today
from noisystudent.board.catalogue.names import meant, name_of, slug_meant, slug_of
from noisystudent.board.catalogue.ranking import RANKING_FIRST
from noisystudent.board.queries.search import query_papers

# So many papers with the words of a text are picked out and put in order. Of more, the newest are looked through until enough have them;
# but where half a word stands for many, those that were added last must do: looking for it in one paper takes as long as in all.
FEW = 20_000
FIRST_AUTHORS, FIRST_TASKS = 4, 5  # in an entry of a list
EXCERPT = 280  # characters of an abstract
RELATED_OF_TASK, RELATED_TASKS, RELATED = 50, 20, 8


@dataclass(frozen=True)
class PaperChoice:
    """Which papers to list; every part that is given narrows it.

    Args:
        text: words of the title or the abstract.
        task, venue: numbers.
        code: only those with code.
        official: only those with code of their authors.
        year: of publication.
    """

    text: str = ""
    task: int | None = None
    venue: int | None = None
    code: bool = False
    official: bool = False
    year: int | None = None

    def where(self) -> tuple[list[str], list[Any]]:
        """Conditions in SQL on a paper `p` that are cheap to check, with their parameters."""
        conditions, parameters = ["p.published <= ?"], list[Any]([today()])
        if self.year is not None:
            conditions.append("p.published BETWEEN ? AND ?")
            parameters += [f"{self.year:04d}", f"{self.year:04d}~"]  # "~" is behind every digit and dash
        if self.venue is not None:
            conditions.append("p.proceeding_id IN (SELECT id FROM proceeding WHERE venue_id = ?)")
            parameters.append(self.venue)
        if self.code or self.official:
            official = " AND pr.is_official" if self.official else ""
            conditions.append(f"EXISTS (SELECT 1 FROM paper_repository pr WHERE pr.paper_id = p.id{official})")
        return conditions, parameters


def listed(connection: sqlite3.Connection, choice: PaperChoice, *, limit: int, offset: int = 0) -> list[int]:
    """The numbers of the papers of a choice, the newest first. Undated ones are left out, and those that are dated after today."""
    conditions, parameters = choice.where()
    tables, order = "paper p", "p.published DESC, p.id DESC"
    if choice.task is not None:
        tables, order = (
            "paper_task pt CROSS JOIN paper p ON p.id = pt.paper_id",
            "pt.published DESC, pt.paper_id DESC",
        )
        conditions += ["pt.task_id = ?", "pt.published <= ?"]
        parameters += [choice.task, today()]
    if choice.text.strip():
        query, ids = query_papers(connection, choice.text, most=FEW + 1)
        if len(ids) <= FEW or query.prefix:
            conditions.append("p.id IN (SELECT value FROM json_each(?))")
            parameters.append(json.dumps(ids))
        else:
            conditions.append(
                "EXISTS (SELECT 1 FROM paper_search WHERE paper_search MATCH ? AND paper_search.rowid = p.id)"
            )
            parameters.append(query.expression)
    rows = connection.execute(
        f"SELECT p.id FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )
    return [row["id"] for row in rows]


def entries(connection: sqlite3.Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """What a list says about papers, in the order of their numbers: title, date, venue, first authors and tasks, excerpt, code."""
    numbers = json.dumps(list(ids))
    rows = connection.execute(
        "SELECT p.id, p.slug, p.title, p.published, substr(coalesce(nullif(p.short_abstract, ''), p.abstract), 1, ?) AS excerpt, "
        "proceeding.name AS venue, venue.slug AS venue_slug, "
        "(SELECT count(*) FROM paper_author pa WHERE pa.paper_id = p.id) AS author_count, "
        "(SELECT count(*) FROM paper_repository pr WHERE pr.paper_id = p.id) AS repository_count, "
        "EXISTS (SELECT 1 FROM paper_repository pr WHERE pr.paper_id = p.id AND pr.is_official) AS has_official_code "
        "FROM json_each(?) wanted JOIN paper p ON p.id = wanted.value LEFT JOIN proceeding ON proceeding.id = p.proceeding_id "
        "LEFT JOIN venue ON venue.id = proceeding.venue_id ORDER BY wanted.key",
        (EXCERPT + 1, numbers),
    ).fetchall()
    found = []
    for row in rows:
        entry = dict(row)
        paper = entry.pop("id")
        entry["excerpt"] = entry["excerpt"] if len(entry["excerpt"]) <= EXCERPT else entry["excerpt"][:EXCERPT] + "…"
        entry["has_official_code"] = bool(entry["has_official_code"])
        entry["authors"] = authors_of(connection, paper, FIRST_AUTHORS)
        entry["tasks"] = tasks_of(connection, paper, FIRST_TASKS)
        found.append(entry)
    return found


def find(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    """The paper of that slug with its venue and source."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT p.*, proceeding.name AS proceeding, proceeding.year AS proceeding_year, proceeding.month AS proceeding_month, "
        "venue.name AS venue, venue.slug AS venue_slug, "
        "s.name AS source, s.licence AS source_licence, s.url AS source_address FROM paper p "
        "LEFT JOIN proceeding ON proceeding.id = p.proceeding_id LEFT JOIN venue ON venue.id = proceeding.venue_id "
        "LEFT JOIN source s ON s.id = p.source_id WHERE p.slug = ?",
        (slug,),
    ).fetchone()
    return row


def authors_of(connection: sqlite3.Connection, paper: int, limit: int) -> list[dict[str, Any]]:
    """The first authors of a paper."""
    return _rows(
        connection,
        "SELECT a.slug, a.name FROM paper_author pa JOIN author a ON a.id = pa.author_id WHERE pa.paper_id = ? "
        "ORDER BY pa.position LIMIT ?",
        (paper, limit),
    )


def tasks_of(connection: sqlite3.Connection, paper: int, limit: int) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT t.slug, t.name FROM paper_task pt JOIN task t ON t.id = pt.task_id WHERE pt.paper_id = ? ORDER BY t.id LIMIT ?",
        (paper, limit),
    )


def methods_of(connection: sqlite3.Connection, paper: int, limit: int) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT m.slug, m.name, m.full_name FROM paper_method pm JOIN method m ON m.id = pm.method_id WHERE pm.paper_id = ? "
        "ORDER BY m.id LIMIT ?",
        (paper, limit),
    )


def datasets_of(connection: sqlite3.Connection, paper: int, role: str, limit: int) -> list[dict[str, Any]]:
    """The datasets that a paper introduced, or used."""
    return _rows(
        connection,
        "SELECT d.slug, d.name FROM paper_dataset pd JOIN dataset d ON d.id = pd.dataset_id WHERE pd.paper_id = ? AND pd.role = ? "
        "ORDER BY d.id LIMIT ?",
        (paper, role, limit),
    )


def repositories_of(connection: sqlite3.Connection, paper: int, limit: int) -> list[dict[str, Any]]:
    """The code of a paper: official repositories first, then those with most stars."""
    return _rows(
        connection,
        "SELECT r.url, r.owner, r.name, r.stars, pr.framework, pr.is_official, pr.mentioned_in_paper, pr.mentioned_in_github "
        "FROM paper_repository pr JOIN repository r ON r.id = pr.repository_id WHERE pr.paper_id = ? "
        "ORDER BY pr.is_official DESC, r.stars DESC, r.id LIMIT ?",
        (paper, limit),
    )


def count_of(connection: sqlite3.Connection, paper: int) -> dict[str, int]:
    """How many authors, tasks, methods, datasets, repositories a paper has, and values of results that stand."""
    counts = {
        kind: int(connection.execute(f"SELECT count(*) FROM paper_{kind} WHERE paper_id = ?", (paper,)).fetchone()[0])
        for kind in ("author", "task", "method", "repository")
    }
    for role in ("introduced", "used"):
        sql = "SELECT count(*) FROM paper_dataset WHERE paper_id = ? AND role = ?"
        counts[role] = int(connection.execute(sql, (paper, role)).fetchone()[0])
    counts["value"] = int(
        connection.execute(
            f"SELECT count(*) FROM result r JOIN value v ON v.result_id = r.id WHERE {_STANDING}", (paper,)
        ).fetchone()[0]
    )
    return counts


_STANDING = "r.paper_id = ? AND r.kind = 'claim' AND r.retired_by IS NULL"


def results_of(connection: sqlite3.Connection, paper: int, limit: int) -> list[dict[str, Any]]:
    """What a paper claims, a row for each value: task, dataset, model, metric (and whether it `ranks` the leaderboard), value as given,
    and its rank among all claims of today.
    """
    return _rows(
        connection,
        "SELECT l.task, l.task_slug, l.dataset, l.dataset_slug, l.slug AS leaderboard, l.shown, "
        "model.name AS model, m.name AS metric, m.higher_is_better, v.raw AS value, v.rank, "
        "m.id IS l.ranked_by AS ranks, r.id AS result, "
        "nullif(r.verified_by, '') AS verified_by, nullif(r.verified_where, '') AS verified_where "
        "FROM leaderboard_shown l JOIN result r ON r.leaderboard_id = l.id JOIN model ON model.id = r.model_id "
        f"JOIN value v ON v.result_id = r.id JOIN metric m ON m.id = v.metric_id WHERE {_STANDING} "
        f"ORDER BY l.task, l.dataset, l.id, r.position, r.id, {RANKING_FIRST} LIMIT ?",
        (paper, limit),
    )


def related(connection: sqlite3.Connection, paper: int) -> list[dict[str, Any]]:
    """At most eight papers that share tasks with one, as `related_to` has them."""
    return _named(connection, related_to(connection, paper, RELATED))


def related_to(connection: sqlite3.Connection, paper: int, limit: int) -> list[int]:
    """Papers that share tasks with one, of the newest fifty of each task: most tasks in common first, then the newest."""
    shared: Counter[tuple[str, int]] = Counter()
    tasks = connection.execute(
        "SELECT task_id FROM paper_task WHERE paper_id = ? ORDER BY task_id LIMIT ?", (paper, RELATED_TASKS)
    ).fetchall()
    for row in tasks:
        newest = connection.execute(
            "SELECT published, paper_id FROM paper_task WHERE task_id = ? AND published <= ? AND paper_id <> ? "
            "ORDER BY published DESC, paper_id DESC LIMIT ?",
            (row["task_id"], today(), paper, RELATED_OF_TASK),
        )
        shared.update((other["published"], other["paper_id"]) for other in newest)
    best = sorted(shared, reverse=True)
    best.sort(key=lambda other: -shared[other])
    return [number for _, number in best[:limit]]


def reproduces(connection: sqlite3.Connection, reference: str | None) -> dict[str, Any] | None:
    """The paper that a report on its reproduction names, if it is here."""
    number = meant(connection, "paper", reference)
    if number is None:
        return None
    return {"slug": slug_of(connection, "paper", number), "title": name_of(connection, "paper", number)}


def reproduced_by(connection: sqlite3.Connection, slug: str) -> list[dict[str, Any]]:
    """The reports on reproducing a paper, which name it by the old site's address or by slug; the newest first."""
    names = (slug, f"https://paperswithcode.com/paper/{slug}", f"https://paperswithcode.com/paper/{slug}/")
    rows = connection.execute(
        "SELECT slug, title FROM paper WHERE reproduces_paper IN (?, ?, ?) ORDER BY published DESC, id LIMIT 20", names
    )
    return [dict(row) for row in rows]


def of_text(connection: sqlite3.Connection, text: str) -> str | None:
    """The slug of the paper that a text names; None where it names none. A single word names none: somebody looks for what has it."""
    return None if text.strip().isalpha() else slug_meant(connection, "paper", text)


def _named(connection: sqlite3.Connection, ids: Iterable[int]) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT p.slug, p.title, p.published FROM json_each(?) wanted JOIN paper p ON p.id = wanted.value ORDER BY wanted.key",
        (json.dumps(list(ids)),),
    )


def _rows(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, parameters)]
