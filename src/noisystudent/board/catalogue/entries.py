"""Papers, tasks, datasets and methods as the fields that a submission names: what stands in them, and changing it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.slugs import arxiv_id

# Fields that are a column of the entry's own row, under its name.
COLUMNS: dict[str, tuple[str, ...]] = {
    "paper": ("title", "abstract", "published", "url_abs", "url_pdf", "conference"),
    "task": ("name", "description"),
    "dataset": ("name", "full_name", "homepage", "description", "introduced_date", "licence_name", "licence_url"),
    "method": ("name", "full_name", "description", "introduced_year", "source_title", "source_url", "code_snippet_url"),
}
JSON_COLUMNS: dict[str, tuple[str, ...]] = {"dataset": ("modalities", "languages")}
NULLABLE = {
    *("published", "url_abs", "url_pdf", "conference", "introduced_date", "licence_name", "licence_url"),
    *("introduced_year", "source_title", "source_url", "code_snippet_url"),
}
# Fields that are a list of names of other entries: the table of the links, its column, and what it points to.
LINKS: dict[str, dict[str, tuple[str, str, str]]] = {
    "paper": {
        "authors": ("paper_author", "author_id", "author"),
        "tasks": ("paper_task", "task_id", "task"),
        "methods": ("paper_method", "method_id", "method"),
        "datasets": ("paper_dataset", "dataset_id", "dataset"),
    },
    "task": {"areas": ("task_area", "area_id", "area"), "parents": ("task_parent", "parent_id", "task")},
    "dataset": {"tasks": ("dataset_task", "task_id", "task")},
    "method": {"collections": ("method_collection", "collection_id", "collection")},
}
MADE = ("author", "area", "collection")  # a name of these that is unknown is made; of the others it is a mistake


def fields(connection: sqlite3.Connection, kind: str, entry: int) -> dict[str, Any]:
    """What stands in each field of an entry, in the form in which a submission gives it: an empty text where there is nothing."""
    row = connection.execute(f"SELECT * FROM {kind} WHERE id = ?", (entry,)).fetchone()
    found: dict[str, Any] = {name: "" if row[name] is None else row[name] for name in COLUMNS[kind]}
    found |= {name: json.loads(row[name]) for name in JSON_COLUMNS.get(kind, ())}
    found |= {name: _linked(connection, kind, entry, name) for name in LINKS[kind]}
    if kind == "task":
        found["synonyms"] = _texts(
            connection, "SELECT name FROM task_synonym WHERE task_id = ? ORDER BY name", (entry,)
        )
    if kind in ("dataset", "method"):
        found["paper"] = _text(connection, "SELECT slug FROM paper WHERE id = ?", (row["paper_id"],))
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
    """Of each field of links, the names that mean no entry."""
    found = {}
    for name, (_, _, target) in LINKS[kind].items():
        if target not in MADE and name in given:
            missing = [text for text in given[name] if meant(connection, target, text) is None]
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
    columns: dict[str, Any] = {
        name: None if name in NULLABLE and given[name] == "" else given[name] for name in COLUMNS[kind] if name in given
    }
    columns |= {
        name: json.dumps(given[name], ensure_ascii=False) for name in JSON_COLUMNS.get(kind, ()) if name in given
    }
    if kind in ("dataset", "method") and "paper" in given:
        columns["paper_id"] = meant(change.connection, "paper", given["paper"])
    if kind == "paper" and (number := arxiv_id(given.get("url_abs"))):
        columns["arxiv_id"] = number
    if entry is None:
        title = columns["title" if kind == "paper" else "name"]
        entry = change.insert(kind, slug=change.free_slug(kind, title), source_id=change.source, **columns)
    elif columns:
        change.edit(kind, entry, **columns)
    for name in LINKS[kind]:
        if name in given:
            _LINKERS.get(f"{kind} {name}", _link)(change, kind, entry, name, given[name])
    if kind == "task" and "synonyms" in given:
        change.replace_rows("task_synonym", {"task_id": entry}, [{"name": name} for name in given["synonyms"]])
    if kind == "paper" and {"code", "official_code"} & given.keys():
        _link_code(change, entry, given)
    if kind == "paper" and "published" in given and "tasks" not in given:
        _link_tasks(change, kind, entry, "tasks", _linked(change.connection, "paper", entry, "tasks"))
    return entry


def _linked(connection: sqlite3.Connection, kind: str, entry: int, name: str) -> list[str]:
    table, column, target = LINKS[kind][name]
    order = "l.position" if name == "authors" else "t.name"
    which = " AND l.role = 'used'" if name == "datasets" else ""
    return _texts(
        connection,
        f"SELECT t.name FROM {table} l JOIN {target} t ON t.id = l.{column} WHERE l.{kind}_id = ?{which} ORDER BY {order}",
        (entry,),
    )


def _link(change: Change, kind: str, entry: int, name: str, given: Sequence[str]) -> None:
    table, column, target = LINKS[kind][name]
    numbers = {_number_or_new(change, target, text): None for text in given}  # once each, in their order
    change.replace_rows(table, {f"{kind}_id": entry}, [{column: number} for number in numbers])


def _link_authors(change: Change, kind: str, entry: int, name: str, given: Sequence[str]) -> None:
    rows = [{"position": place, "author_id": change.author(author)} for place, author in enumerate(given)]
    change.replace_rows("paper_author", {"paper_id": entry}, rows)


def _link_tasks(change: Change, kind: str, entry: int, name: str, given: Sequence[str]) -> None:
    published = change.connection.execute("SELECT published FROM paper WHERE id = ?", (entry,)).fetchone()[0]
    numbers = {_number_or_new(change, "task", text): None for text in given}
    change.replace_rows(
        "paper_task", {"paper_id": entry}, [{"task_id": number, "published": published} for number in numbers]
    )


def _link_datasets(change: Change, kind: str, entry: int, name: str, given: Sequence[str]) -> None:
    """Those that a paper uses; those that it introduces stay as they are."""
    rows = change.rows_of("paper_dataset", {"paper_id": entry})
    introduced = {row["dataset_id"]: "introduced" for row in rows if row["role"] == "introduced"}
    roles = {_number_or_new(change, "dataset", text): "used" for text in given} | introduced
    change.replace_rows(
        "paper_dataset", {"paper_id": entry}, [{"dataset_id": number, "role": role} for number, role in roles.items()]
    )


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


_LINKERS: dict[str, Callable[[Change, str, int, str, Sequence[str]], None]] = {
    "paper authors": _link_authors,
    "paper tasks": _link_tasks,
    "paper datasets": _link_datasets,
}


def _number_or_new(change: Change, table: str, name: str) -> int:
    if table not in MADE:
        return meant(change.connection, table, name) or 0  # `unknown_names` has seen to it
    row = change.connection.execute(f"SELECT id FROM {table} WHERE name = ? ORDER BY id LIMIT 1", (name,)).fetchone()
    return int(row["id"]) if row else change.insert(table, slug=change.free_slug(table, name), name=name)


def _texts(connection: sqlite3.Connection, query: str, parameters: tuple[Any, ...]) -> list[str]:
    return [row[0] for row in connection.execute(query, parameters)]


def _text(connection: sqlite3.Connection, query: str, parameters: tuple[Any, ...]) -> str:
    row = connection.execute(query, parameters).fetchone()
    return str(row[0]) if row else ""
