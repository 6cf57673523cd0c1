"""The dump of methods, and the methods that papers name."""

from __future__ import annotations

from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.completing import complete, put
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.introduced_entries import introducing_paper, slug_and_name
from noisystudent.board.importing.parts import Part

KEYS = [
    "url",
    "name",
    "full_name",
    "description",
    "paper",
    "introduced_year",
    "source_url",
    "source_title",
    "code_snippet_url",
    "num_papers",
    "collections",
]

EMBEDDED_KEYS = {
    "methods": [
        "name",
        "full_name",
        "description",
        "introduced_year",
        "source_title",
        "source_url",
        "code_snippet_url",
        "main_collection",
    ],
    "methods.main_collection": ["name", "area"],
}


class Loader:
    """The methods dump: objects with `url`, `name`, `full_name`, `description`, `paper`, `collections` and where they come from."""

    def __init__(self) -> None:
        self.known = KnownKeys({"": KEYS})
        self.seen: set[str] = set()  # slugs

    def load(self, change: Change, part: Part) -> None:
        for fields in part.items:
            known_as = slug_and_name(fields, "method")
            if known_as is None:
                continue
            slug, _ = known_as
            self.known.check(fields)
            columns = _columns(fields) | introducing_paper(change, fields) | {"num_papers": fields.whole("num_papers")}
            if slug in self.seen:
                part.report.lost("method", fields.where, f"{slug} was in the file before")
                continue
            method = _the_one(change, slug, columns, self.seen)
            method = put(change, "method", method, slug, columns, part.report)
            self.seen.add(slug)
            for collection in fields.parts("collections"):
                said = (collection.line(key) for key in ("collection", "area", "area_id"))
                _collect(change, method, *said)


class EmbeddedMethods:
    """The methods that papers name, without an address: found by name, made where there is none."""

    def __init__(self, change: Change, known: KnownKeys) -> None:
        self.change = change
        self._known = known
        self._numbers: dict[tuple[str, str, str], int] = {}

    def number(self, fields: Fields) -> int | None:
        """The method that an object stands for; None where it has no name."""
        key = (fields.line("name"), fields.line("full_name"), fields.text("description"))
        if not key[0]:
            fields.report.lost("method", fields.where, "a method without a name")
            return None
        if key not in self._numbers:
            self._numbers[key] = self._found_or_made(fields, *key)
        return self._numbers[key]

    def _found_or_made(self, fields: Fields, name: str, full_name: str, description: str) -> int:
        """Of several methods of that name, the one of that full name and description, as far as there is one."""
        self._known.check(fields, "methods")
        columns = _columns(fields)
        found = self.change.connection.execute(
            "SELECT id FROM method WHERE name = ? AND (full_name = ? OR full_name = '' OR ? = '') "
            "ORDER BY full_name <> ?, description <> ?, id LIMIT 1",
            (name, full_name, full_name, full_name, description),
        ).fetchone()
        if found:
            complete(self.change, "method", found["id"], columns, replaces=False)
            return int(found["id"])
        made = self.change.insert(
            "method", slug=self.change.free_slug("method", name), source_id=self.change.source, **columns
        )
        collection = fields.part("main_collection")
        if collection:
            self._known.check(collection, "methods.main_collection")
            _collect(self.change, made, collection.line("name"), collection.line("area"), "")
        return made


def _columns(fields: Fields) -> dict[str, Any]:
    """What both forms of a method say."""
    return {
        "name": fields.line("name"),
        "full_name": fields.line("full_name"),
        "description": fields.text("description"),
        "introduced_year": fields.whole("introduced_year"),
        "source_title": fields.line("source_title") or None,
        "source_url": address(fields, "source_url") or None,
        "code_snippet_url": address(fields, "code_snippet_url") or None,
    }


def _the_one(change: Change, slug: str, columns: dict[str, Any], seen: set[str]) -> int | None:
    """The method that a dump's object is: of that slug and name; else of that name, if only papers have named it; else of that slug."""
    of_slug = change.connection.execute("SELECT id, name, num_papers FROM method WHERE slug = ?", (slug,)).fetchone()
    if of_slug and of_slug["name"] == columns["name"]:
        return int(of_slug["id"])
    named = change.connection.execute(
        "SELECT id, slug FROM method WHERE name = ? AND (full_name = ? OR full_name = '') AND num_papers IS NULL "
        "ORDER BY full_name = '', id",
        (columns["name"], columns["full_name"]),
    ).fetchall()
    for row in named:
        if row["slug"] not in seen:
            return int(row["id"])
    return int(of_slug["id"]) if of_slug and of_slug["num_papers"] is not None else None


def _collect(change: Change, method: int, name: str, area: str, area_slug: str) -> None:
    """Put a method into a collection, which is made where there is none; an area without its slug has the one of its name."""
    if not name:
        return
    area_slug = area_slug or (slugify(area) if area else "")
    found = change.connection.execute(
        "SELECT id FROM collection WHERE name = ? AND area = ? AND area_slug = ?", (name, area, area_slug)
    ).fetchone()
    collection = (
        found["id"]
        if found
        else change.insert(
            "collection", slug=change.free_slug("collection", name), name=name, area=area, area_slug=area_slug
        )
    )
    cursor = change.connection.execute(
        "INSERT OR IGNORE INTO method_collection (method_id, collection_id) VALUES (?, ?)", (method, collection)
    )
    change.counts["method_collection"] = change.counts.get("method_collection", 0) + cursor.rowcount
