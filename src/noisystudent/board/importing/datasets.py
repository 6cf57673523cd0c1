"""The dump of datasets."""

from __future__ import annotations

import json
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slug_of_address
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.bulk import insert_missing
from noisystudent.board.importing.completing import give_slug, put
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.introduced_entries import introducing_paper, slug_and_name
from noisystudent.board.importing.names import is_name
from noisystudent.board.importing.parts import Part

KEYS = [
    "url",
    "name",
    "full_name",
    "homepage",
    "description",
    "short_description",
    "parent_dataset",
    "image",
    "paper",
    "introduced_date",
    "warning",
    "modalities",
    "tasks",
    "languages",
    "variants",
    "num_papers",
    "data_loaders",
    "license_name",
    "license_url",
]


class Loader:
    """The datasets dump. A dataset is known by the slug in its `url`, else by its name if a results table made it."""

    def __init__(self) -> None:
        self.known = KnownKeys({"": KEYS, "data_loaders": ["url", "repo", "frameworks"]})
        self.seen: set[str] = set()  # slugs
        self.tasks: set[int] = set()  # numbers of those that have got their slug
        self.task_slugs: set[str] = set()

    def load(self, change: Change, part: Part) -> None:
        for fields in part.items:
            known_as = slug_and_name(fields, "dataset")
            if known_as is None:
                continue
            slug, name = known_as
            self.known.check(fields)
            for loader in fields.parts("data_loaders"):
                self.known.check(loader, "data_loaders")
            columns = _columns(fields) | introducing_paper(change, fields)
            if slug in self.seen:
                part.report.lost("dataset", fields.where, f"{slug} was in the file before")
                continue
            dataset = _the_one(change, slug, name, self.seen)
            columns["name"] = _free_name(change, name, slug, dataset, fields)
            dataset = put(change, "dataset", dataset, slug, columns, part.report)
            self.seen.add(slug)
            tasks = (self._task(change, task) for task in fields.parts("tasks"))
            of_tasks = [(dataset, task) for task in tasks if task is not None]
            insert_missing(change, "dataset_task", ("dataset_id", "task_id"), of_tasks)
            if columns["paper_id"] is not None:
                _introduced(change, dataset, columns["paper_id"])

    def _task(self, change: Change, fields: Fields) -> int | None:
        """The task of an object {task, url}, with the slug that its address has; of two with one slug, the first has it."""
        name, slug = fields.line("task") or fields.line("name"), slug_of_address(fields.line("url"), "task")
        if not name or not is_name(name, "task", fields):
            return None
        number = change.task(name)
        if number not in self.tasks:
            self.tasks.add(number)
            if slug and slug not in self.task_slugs:
                self.task_slugs.add(slug)
                give_slug(change, "task", number, slug)
        return number


def _columns(fields: Fields) -> dict[str, Any]:
    def optional(key: str) -> str | None:
        return fields.line(key) or None

    loaders = [
        {"url": address(part, "url"), "repo": address(part, "repo"), "frameworks": part.lines("frameworks")}
        for part in fields.parts("data_loaders")
    ]
    lists = {key: fields.lines(key) for key in ("modalities", "languages", "variants")}
    return {
        "full_name": fields.line("full_name"),
        "homepage": address(fields, "homepage"),
        "description": fields.text("description"),
        "short_description": fields.text("short_description"),
        "parent_dataset": optional("parent_dataset"),
        "image": address(fields, "image") or None,
        "introduced_date": fields.date("introduced_date"),
        "warning": fields.text("warning") or None,
        "licence_name": optional("license_name"),
        "licence_url": address(fields, "license_url") or None,
        "num_papers": fields.whole("num_papers"),
        "data_loaders": json.dumps(loaders, ensure_ascii=False),
        **{key: json.dumps(lines, ensure_ascii=False) for key, lines in lists.items()},
    }


def _the_one(change: Change, slug: str, name: str, seen: set[str]) -> int | None:
    """The dataset of that slug and name; else one of that name of which only a results table has told; else the one of that slug."""
    of_slug = change.connection.execute(
        "SELECT id, name FROM dataset WHERE slug = ? AND parent_id IS NULL", (slug,)
    ).fetchone()
    if of_slug and of_slug["name"] == name:
        return int(of_slug["id"])
    named = change.connection.execute(
        "SELECT id, slug FROM dataset WHERE name = ? AND parent_id IS NULL AND homepage = '' AND num_papers IS NULL",
        (name,),
    ).fetchone()
    if named and named["slug"] not in seen:
        return int(named["id"])
    return int(of_slug["id"]) if of_slug else None


def _free_name(change: Change, name: str, slug: str, dataset: int | None, fields: Fields) -> str:
    """The name, with the slug behind it if another dataset has that name already: names tell datasets apart in results tables."""
    other = change.connection.execute(
        "SELECT id FROM dataset WHERE name = ? AND parent_id IS NULL AND id IS NOT ?", (name, dataset)
    ).fetchone()
    if not other:
        return name
    fields.report.lost("name", fields.where, f"another dataset has the name {name!r}: this one is {name} ({slug}) here")
    return f"{name} ({slug})"


def _introduced(change: Change, dataset: int, paper: int) -> None:
    """Say that a paper introduced a dataset, be it known by now as one that uses it."""
    change.connection.execute(
        "DELETE FROM paper_dataset WHERE paper_id = ? AND dataset_id = ? AND role = 'used'", (paper, dataset)
    )
    insert_missing(change, "paper_dataset", ("paper_id", "dataset_id", "role"), [(paper, dataset, "introduced")])
