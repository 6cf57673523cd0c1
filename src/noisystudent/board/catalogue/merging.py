"""Two entries that are one thing become one. Results, links and old addresses of the one that goes belong to the one that stays.

Everything is an edit, so that the event can be taken back like any other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.names import meant, metric_meant
from noisystudent.board.catalogue.near import near_slugs
from noisystudent.board.catalogue.removal import remove
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError, some

KINDS = ("task", "dataset", "paper", "method", "author")
EMPTY = (None, "", "[]")
_OWN = ("id", "slug", "name", "title", "parent_id", "source_id")  # columns that are not filled in from the other
# Rows that join an entry of a kind to others: the table and its column of that kind.
_LINKS = {
    "task": (("task_area", "task_id"), ("task_synonym", "task_id"), ("paper_task", "task_id"), ("dataset_task", "task_id")),
    "dataset": (("dataset_task", "dataset_id"), ("paper_dataset", "dataset_id")),
    "paper": (
        *(("paper_task", "paper_id"), ("paper_method", "paper_id"), ("paper_dataset", "paper_id")),
        ("paper_repository", "paper_id"),
    ),
    "method": (("paper_method", "method_id"), ("method_collection", "method_id")),
    "author": (),
}  # fmt: skip


def merge_entries(store: Store, kind: str, gone: str, kept: str, *, actor: str, note: str = "") -> int:
    """Make one task, dataset, paper, method or author of two; the address of the one that goes leads to the one that stays.

    Args:
        kind: of both.
        gone, kept: the one that becomes the other, and the other: slug, address, name or title.
        actor: who says that they are one.
        note: why.

    Returns:
        The number of the event, which can be taken back.

    Raises:
        UserError: one of them is not there, or they cannot be one.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> with store.changing("anna", "add") as change:
        ...     _ = change.task("Pose Estimation"), change.task("Poses")
        >>> merge_entries(store, "task", "poses", "pose-estimation", actor="anna")
        2
    """
    if kind not in KINDS:
        raise UserError(f"{kind!r} cannot be merged: give one of {', '.join(KINDS)}")
    with store.changing(actor, "merge", f"{kind} {gone} into {kept}" + (f": {note}" if note else "")) as change:
        numbers = {text: meant(change.connection, kind, text) for text in (gone, kept)}
        missing = [
            f"there is no {kind} {text!r}{near_slugs(change.connection, kind, text)}"
            for text, number in numbers.items()
            if number is None
        ]
        if missing:
            raise UserError(missing)
        merge(change, kind, numbers[gone] or 0, numbers[kept] or 0)
        return change.event


def merge(change: Change, kind: str, gone: int, kept: int) -> None:
    """Make one entry of two.

    Args:
        kind: task, dataset, paper, method or author.
        gone: number of the one that becomes the other; its address goes on to lead there.
        kept: number of the one that stays, and gets what it lacks.

    Raises:
        UserError: they are one already, or one is a part of another, or two authors wrote a paper together.
    """
    rows = [_row(change.connection, kind, number) for number in (gone, kept)]
    if kind == "dataset" and rows[0]["parent_id"] != rows[1]["parent_id"]:
        raise UserError("a data set and a part of another cannot become one")
    _merge(change, kind, gone, kept)
    change.report["edits after removals"] = len(change.changed)  # they are undone before what was removed comes back
    _take_address(change, kind, rows[0]["slug"], kept)


def _merge(change: Change, kind: str, gone: int, kept: int) -> None:
    if gone == kept:
        raise UserError(f"this is one {kind} already")
    before = {number: _row(change.connection, kind, number) for number in (gone, kept)}
    missing = {
        name: value
        for name, value in before[gone].items()
        if name not in _OWN and value not in EMPTY and before[kept][name] in EMPTY
    }
    for table, column in _LINKS[kind]:
        _join(change, table, column, gone, kept)
    _MERGERS[kind](change, gone, kept)
    if missing:
        change.edit(kind, kept, **missing)
    _lead(change, kind, before[gone], kept)
    remove(change, kind, gone)


def merge_leaderboards(change: Change, gone: int, kept: int) -> None:
    """Make one leaderboard of two: columns of one name are one, results that say the same stand there once."""
    connection = change.connection
    metrics = connection.execute(
        "SELECT * FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (kept,)
    ).fetchall()
    place = max((row["position"] for row in metrics), default=-1) + 1
    columns: dict[int, int] = {}
    for metric in connection.execute(
        "SELECT * FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (gone,)
    ).fetchall():
        same = metric_meant(metrics, metric["name"])
        if same is None or same["id"] in columns.values():
            change.edit("metric", metric["id"], leaderboard_id=kept, position=place)
            place += 1
        else:
            columns[metric["id"]] = same["id"]
    there = _claims(connection, kept)
    for result in connection.execute("SELECT * FROM result WHERE leaderboard_id = ? ORDER BY id", (gone,)).fetchall():
        _give_columns(change, result["id"], columns)
        if result["external_id"] is not None and _has_external(connection, kept, result["external_id"]):
            change.retire_result(result["id"])
        change.edit("result", result["id"], leaderboard_id=kept)
    for number, said in _claims(connection, kept).items():
        if number not in there and said in there.values():
            change.retire_result(number)
    for metric in columns:
        _take_out(change, "metric", metric)
    row, stays = _row(connection, "leaderboard", gone), _row(connection, "leaderboard", kept)
    texts = ("description", "links", "citations", "external_id", "mirror_url")
    missing = {name: row[name] for name in texts if row[name] not in EMPTY and stays[name] in EMPTY}
    if missing:
        change.edit("leaderboard", kept, **missing)
    _lead(change, "leaderboard", row, kept)
    change.touched.discard(gone)
    remove(change, "leaderboard", gone)
    change.touched.add(kept)


def _task(change: Change, gone: int, kept: int) -> None:
    for column, other in (("task_id", "parent_id"), ("parent_id", "task_id")):
        rows = [row for row in change.rows_of("task_parent", {column: gone}) if row[other] != kept]
        change.replace_rows("task_parent", {column: gone}, [])
        stands = change.rows_of("task_parent", {column: kept})
        new = [row for row in rows if row[other] not in {one[other] for one in stands}]
        if new:
            change.replace_rows("task_parent", {column: kept}, [*stands, *new])
    _close_no_circle(change, kept)
    _leaderboards(change, "task_id", "dataset_id", gone, kept)


def _dataset(change: Change, gone: int, kept: int) -> None:
    connection = change.connection
    for part in connection.execute("SELECT * FROM dataset WHERE parent_id = ?", (gone,)).fetchall():
        same = connection.execute(
            "SELECT id FROM dataset WHERE parent_id = ? AND name = ? COLLATE NOCASE", (kept, part["name"])
        ).fetchone()
        if same is None:
            change.edit("dataset", part["id"], parent_id=kept)
        else:
            _merge(change, "dataset", part["id"], same["id"])
    _leaderboards(change, "dataset_id", "task_id", gone, kept)


def _leaderboards(change: Change, column: str, other: str, gone: int, kept: int) -> None:
    connection = change.connection
    for board in connection.execute(f"SELECT * FROM leaderboard WHERE {column} = ? ORDER BY id", (gone,)).fetchall():
        same = connection.execute(
            f"SELECT id FROM leaderboard WHERE {column} = ? AND {other} = ?", (kept, board[other])
        ).fetchone()
        if same is None:
            change.edit("leaderboard", board["id"], **{column: kept})
            change.touched.add(board["id"])
        else:
            merge_leaderboards(change, board["id"], same["id"])


def _paper(change: Change, gone: int, kept: int) -> None:
    connection = change.connection
    authors = change.rows_of("paper_author", {"paper_id": gone})
    change.replace_rows("paper_author", {"paper_id": gone}, [])
    if authors and not change.rows_of("paper_author", {"paper_id": kept}):
        change.replace_rows("paper_author", {"paper_id": kept}, authors)
    for model in connection.execute("SELECT * FROM model WHERE paper_id = ?", (gone,)).fetchall():
        same = connection.execute(
            "SELECT id FROM model WHERE paper_id = ? AND name = ?", (kept, model["name"])
        ).fetchone()
        if same is None:
            change.edit("model", model["id"], paper_id=kept)
            continue
        for result in connection.execute("SELECT id FROM result WHERE model_id = ?", (model["id"],)).fetchall():
            change.edit("result", result["id"], model_id=same["id"])
        _take_out(change, "model", model["id"])
    for table in ("result", "dataset", "method"):
        for row in connection.execute(f"SELECT id FROM {table} WHERE paper_id = ?", (gone,)).fetchall():
            change.edit(table, row["id"], paper_id=kept)
    _retire_twins(change, kept)


def _author(change: Change, gone: int, kept: int) -> None:
    """Papers are the other's, one by one: who wrote one is corrected now and then, and what others corrected since is not taken back."""
    if titles := papers_together(change.connection, gone, kept):
        raise UserError(f"two authors of one paper are two people: {some(titles)}; correct its authors first")
    rows = change.connection.execute("SELECT paper_id, position FROM paper_author WHERE author_id = ?", (gone,))
    for row in rows.fetchall():
        change.replace_rows("paper_author", dict(row), [{"author_id": kept}])


def papers_together(connection: sqlite3.Connection, author: int, other: int) -> list[str]:
    """The titles of the papers that two authors wrote together."""
    rows = connection.execute(
        "SELECT DISTINCT p.id, p.title FROM paper_author a JOIN paper_author b ON b.paper_id = a.paper_id AND b.author_id = ? "
        "JOIN paper p ON p.id = a.paper_id WHERE a.author_id = ? ORDER BY p.id",
        (other, author),
    )
    return [row["title"] for row in rows]


def _retire_twins(change: Change, paper: int) -> None:
    """Of claims of a paper that say the same on one leaderboard, one stays."""
    boards = change.connection.execute(
        "SELECT DISTINCT leaderboard_id FROM result WHERE paper_id = ? AND retired_by IS NULL", (paper,)
    ).fetchall()
    for board in boards:
        change.touched.add(board["leaderboard_id"])
        seen = set[Any]()
        for number, said in _claims(change.connection, board["leaderboard_id"], paper).items():
            if said in seen:
                change.retire_result(number)
            seen.add(said)


_MERGERS: dict[str, Callable[[Change, int, int], None]] = {
    "task": _task,
    "dataset": _dataset,
    "paper": _paper,
    "method": lambda change, gone, kept: None,
    "author": _author,
}


def _join(change: Change, table: str, column: str, gone: int, kept: int) -> None:
    """What joins the one to others joins the other to them, where nothing does yet."""
    rows = change.rows_of(table, {column: gone})
    if not rows:
        return
    change.replace_rows(table, {column: gone}, [])
    there = change.rows_of(table, {column: kept})
    keys = [name for name in rows[0] if name.endswith("_id") and name != column] or ["name"]
    known = {tuple(row[key] for key in keys) for row in there}
    new = [row for row in rows if tuple(row[key] for key in keys) not in known]
    if new:
        change.replace_rows(table, {column: kept}, [*there, *new])


def _close_no_circle(change: Change, task: int) -> None:
    """A task that has come under one of its own is left under none of them."""
    below = {
        row[0]
        for row in change.connection.execute(
            "WITH RECURSIVE below (id) AS (SELECT task_id FROM task_parent WHERE parent_id = ? "
            "UNION SELECT p.task_id FROM task_parent p JOIN below b ON p.parent_id = b.id) SELECT id FROM below",
            (task,),
        )
    }
    parents = change.rows_of("task_parent", {"task_id": task})
    fine = [row for row in parents if row["parent_id"] not in below]
    if len(fine) < len(parents):
        change.replace_rows("task_parent", {"task_id": task}, fine)


def _lead(change: Change, kind: str, gone: Mapping[str, Any], kept: int) -> None:
    """The old addresses and names of an entry lead to the other."""
    connection = change.connection
    old = [
        row["old"] for row in connection.execute("SELECT old FROM alias WHERE kind = ? AND id = ?", (kind, gone["id"]))
    ]
    for slug in (*old, gone["slug"]):
        _point(change, "alias", "old", kind, slug, kept)
    names = [
        row["name"]
        for row in connection.execute("SELECT name FROM other_name WHERE kind = ? AND id = ?", (kind, gone["id"]))
    ]
    if kind == "paper":
        names += [gone["title"], gone["url_abs"]]
    elif kind != "leaderboard" and not gone.get("parent_id"):
        names.append(gone["name"])
    for name in filter(None, names):
        _point(change, "other_name", "name", kind, name, kept)


def _point(change: Change, table: str, column: str, kind: str, text: str, kept: int) -> None:
    owner: dict[str, Any] = {"kind": kind, column: text}
    change.replace_rows(table, owner, [{"id": kept}])


def _take_address(change: Change, kind: str, slug: str, kept: int) -> None:
    """The address without a number behind it goes to the one that stays, and those of its leaderboards follow."""
    own = _row(change.connection, kind, kept)["slug"]
    if own.rpartition("-")[0] == slug and own.rpartition("-")[2].isdigit():
        change.replace_rows("alias", _owner(kind, slug), [])
        change.edit(kind, kept, slug=slug)
        _point(change, "alias", "old", kind, own, kept)
    if kind in ("task", "dataset"):
        _name_leaderboards(change, kind, kept)


def _name_leaderboards(change: Change, kind: str, entry: int) -> None:
    """Leaderboards whose address was made of an entry's old one get that of the new one, where it is free."""
    connection = change.connection
    for board in connection.execute(
        f"SELECT l.id, l.slug, t.slug AS task, d.slug AS dataset FROM leaderboard l JOIN task t ON t.id = l.task_id "
        f"JOIN dataset d ON d.id = l.dataset_id WHERE l.{kind}_id = ?",
        (entry,),
    ).fetchall():
        slug = f"{board['task']}-on-{board['dataset']}"
        holder = connection.execute("SELECT id FROM leaderboard WHERE slug = ?", (slug,)).fetchone()
        if slug != board["slug"] and holder is None:
            change.replace_rows("alias", _owner("leaderboard", slug), [])
            change.edit("leaderboard", board["id"], slug=slug)
            _point(change, "alias", "old", "leaderboard", board["slug"], board["id"])


def _owner(kind: str, slug: str) -> dict[str, Any]:
    return {"kind": kind, "old": slug}


def _give_columns(change: Change, result: int, columns: Mapping[int, int]) -> None:
    """Values go to the columns of the other leaderboard; the event says which, for when it is taken back."""
    for value in change.rows_of("value", {"result_id": result}):
        if value["metric_id"] in columns:
            new = columns[value["metric_id"]]
            change.connection.execute(
                "UPDATE value SET metric_id = ? WHERE result_id = ? AND metric_id = ?",
                (new, result, value["metric_id"]),
            )
            change.report.setdefault("moved values", []).append([result, value["metric_id"], new])


def _claims(connection: sqlite3.Connection, leaderboard: int, paper: int | None = None) -> dict[int, Any]:
    """What each claim of a leaderboard says: model, paper, values."""
    rows = connection.execute(
        "SELECT r.id, m.name, r.paper_id, (SELECT json_group_array(v.metric_id || '=' || v.raw) FROM "
        "(SELECT * FROM value WHERE result_id = r.id ORDER BY metric_id) v) AS said FROM result r JOIN model m ON m.id = r.model_id "
        "WHERE r.leaderboard_id = ? AND r.retired_by IS NULL AND r.kind = 'claim' AND (?2 IS NULL OR r.paper_id = ?2) ORDER BY r.id",
        (leaderboard, paper),
    )
    return {row["id"]: (row["name"], row["paper_id"], row["said"]) for row in rows}


def _has_external(connection: sqlite3.Connection, leaderboard: int, external: str) -> bool:
    query = "SELECT 1 FROM result WHERE leaderboard_id = ? AND external_id = ? AND retired_by IS NULL"
    return connection.execute(query, (leaderboard, external)).fetchone() is not None


def _take_out(change: Change, table: str, row: int) -> None:
    """Remove a row that is no entry; what stood in it stays in the event."""
    was = _row(change.connection, table, row)
    change.connection.execute(f"DELETE FROM {table} WHERE id = ?", (row,))
    change.report.setdefault("removed", []).append({"table": table, "row": was})


def _row(connection: sqlite3.Connection, table: str, number: int) -> dict[str, Any]:
    return dict(connection.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone())
