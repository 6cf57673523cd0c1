"""Papers, tasks, datasets and methods as the fields that a submission names: what stands in them, and changing it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.fields import Column, Link, Reference, kept, title_of
from noisystudent.board.catalogue.names import meant, slug_of
from noisystudent.board.catalogue.slugs import arxiv_id


def fields(connection: sqlite3.Connection, kind: str, entry: int) -> dict[str, Any]:
    """What stands in each field of an entry, in the form in which a submission gives it: an empty text where there is nothing."""
    row = connection.execute(f"SELECT * FROM {kind} WHERE id = ?", (entry,)).fetchone()
    found: dict[str, Any] = {}
    for name, column in kept(kind, Column):
        found[name] = json.loads(row[name]) if column.as_json else "" if row[name] is None else row[name]
    found |= {name: _linked(connection, kind, entry, name, link) for name, link in kept(kind, Link)}
    for name, other in kept(kind, Reference):
        found[name] = "" if row[other.column] is None else slug_of(connection, other.target, row[other.column])
    if kind == "task":
        found["synonyms"] = _texts(
            connection, "SELECT name FROM task_synonym WHERE task_id = ? ORDER BY name", (entry,)
        )
    if kind == "paper":
        for name, official in (("official_code", 1), ("code", 0)):
            found[name] = _texts(
                connection,
                "SELECT r.url FROM paper_repository pr JOIN repository r ON r.id = pr.repository_id "
                "WHERE pr.paper_id = ? AND pr.is_official = ? ORDER BY r.url",
                (entry, official),
            )
    return found


def unknown_names(connection: sqlite3.Connection, kind: str, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of each field that leads to other entries, the names that mean none."""
    found = {}
    links = [(name, link.target, given.get(name) or ()) for name, link in kept(kind, Link) if not link.makes]
    references = [(name, other.target, [given[name]]) for name, other in kept(kind, Reference) if given.get(name)]
    for name, target, texts in [*links, *references]:
        missing = [text for text in texts if meant(connection, target, text) is None]
        if missing:
            found[name] = [
                f"there is no {target} {text!r}: give its name as it stands here, or submit it first"
                for text in missing[:10]
            ]
    return found


def circle(connection: sqlite3.Connection, task: int, parents: Sequence[str]) -> str | None:
    """A name among a task's parents-to-be that stands below the task, or is it."""
    below = {
        row[0]
        for row in connection.execute(
            "WITH RECURSIVE below (id) AS (SELECT ? UNION SELECT p.task_id FROM task_parent p JOIN below b ON p.parent_id = b.id) "
            "SELECT id FROM below",
            (task,),
        )
    }
    return next((name for name in parents if meant(connection, "task", name) in below), None)


def write(change: Change, kind: str, entry: int | None, given: Mapping[str, Any]) -> int:
    """Put what was given into an entry's fields, or make an entry of it; names of links must be known (`unknown_names`).

    Returns:
        The entry's number.
    """
    columns = {name: _in_column(column, given[name]) for name, column in kept(kind, Column) if name in given}
    columns |= {
        other.column: meant(change.connection, other.target, given[name])
        for name, other in kept(kind, Reference)
        if name in given
    }
    if kind == "paper" and (number := arxiv_id(given.get("url_abs"))):
        columns["arxiv_id"] = number
    if entry is None:
        slug = change.free_slug(kind, columns[title_of(kind)])
        entry = change.insert(kind, slug=slug, source_id=change.source, **columns)
    elif columns:
        change.edit(kind, entry, **columns)
    for name, link in kept(kind, Link):
        if name in given:
            rows = _ROWS.get(link.table, _rows)(change, entry, link, given[name])
            change.replace_rows(link.table, {f"{kind}_id": entry}, rows)
    if kind == "task" and "synonyms" in given:
        change.replace_rows("task_synonym", {"task_id": entry}, [{"name": name} for name in given["synonyms"]])
    if kind == "paper" and {"code", "official_code"} & given.keys():
        _link_code(change, entry, given)
    if kind == "paper" and "published" in given and "tasks" not in given:
        dated = [row | {"published": columns["published"]} for row in change.rows_of("paper_task", {"paper_id": entry})]
        change.replace_rows("paper_task", {"paper_id": entry}, dated)
    return entry


def _in_column(column: Column, value: Any) -> Any:
    if column.as_json:
        return json.dumps(value, ensure_ascii=False)
    return None if column.nullable and value == "" else value


def _linked(connection: sqlite3.Connection, kind: str, entry: int, name: str, link: Link) -> list[str]:
    order = "l.position" if name == "authors" else "t.name"
    which = " AND l.role = 'used'" if name == "datasets" else ""
    return _texts(
        connection,
        f"SELECT t.name FROM {link.table} l JOIN {link.target} t ON t.id = l.{link.column} "
        f"WHERE l.{kind}_id = ?{which} ORDER BY {order}",
        (entry,),
    )


def _rows(change: Change, entry: int, link: Link, given: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a link: once each, in their order."""
    return [{link.column: number} for number in dict.fromkeys(_number_or_new(change, link, text) for text in given)]


def authors_of(connection: sqlite3.Connection, paper: int | None) -> list[str]:
    """The names of a paper's authors, in order."""
    query = (
        "SELECT a.name FROM paper_author l JOIN author a ON a.id = l.author_id WHERE l.paper_id = ? ORDER BY l.position"
    )
    return [row["name"] for row in connection.execute(query, (paper,))]


def _rows_of_authors(change: Change, paper: int, link: Link, given: Sequence[str]) -> list[dict[str, Any]]:
    return [{"position": place, link.column: change.author(author)} for place, author in enumerate(given)]


def _rows_of_tasks(change: Change, paper: int, link: Link, given: Sequence[str]) -> list[dict[str, Any]]:
    published = change.connection.execute("SELECT published FROM paper WHERE id = ?", (paper,)).fetchone()[0]
    return [row | {"published": published} for row in _rows(change, paper, link, given)]


def _rows_of_datasets(change: Change, paper: int, link: Link, given: Sequence[str]) -> list[dict[str, Any]]:
    """Those that a paper uses; those that it introduces stay as they are."""
    before = change.rows_of("paper_dataset", {"paper_id": paper})
    introduced = {row["dataset_id"]: "introduced" for row in before if row["role"] == "introduced"}
    roles = {row["dataset_id"]: "used" for row in _rows(change, paper, link, given)} | introduced
    return [{"dataset_id": number, "role": role} for number, role in roles.items()]


def _link_code(change: Change, paper: int, given: Mapping[str, Sequence[str]]) -> None:
    """Repositories; of one that was linked before, the framework and where it is mentioned stay."""
    before = fields(change.connection, "paper", paper)
    known = {row["repository_id"]: row for row in change.rows_of("paper_repository", {"paper_id": paper})}
    official = dict.fromkeys(given.get("official_code", before["official_code"]), 1)
    rows = []
    for url, is_official in (dict.fromkeys(given.get("code", before["code"]), 0) | official).items():
        repository = change.repository(url)
        rows.append(known.get(repository, {}) | {"repository_id": repository, "is_official": is_official})
    change.replace_rows("paper_repository", {"paper_id": paper}, rows)


_ROWS: dict[str, Callable[[Change, int, Link, Sequence[str]], list[dict[str, Any]]]] = {
    "paper_author": _rows_of_authors,
    "paper_task": _rows_of_tasks,
    "paper_dataset": _rows_of_datasets,
}


def _number_or_new(change: Change, link: Link, name: str) -> int:
    if not link.makes:
        return meant(change.connection, link.target, name) or 0  # `unknown_names` has seen to it
    query = f"SELECT id FROM {link.target} WHERE name = ? ORDER BY id LIMIT 1"
    row = change.connection.execute(query, (name,)).fetchone()
    return int(row["id"]) if row else change.insert(link.target, slug=change.free_slug(link.target, name), name=name)


def _texts(connection: sqlite3.Connection, query: str, parameters: tuple[Any, ...]) -> list[str]:
    return [row[0] for row in connection.execute(query, parameters)]
