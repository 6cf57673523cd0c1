"""Changing the catalogue: everything that is written goes through a `Change`, which keeps the event log.

Names are found before they are made: a task, a dataset of a parent, a leaderboard of a task and a dataset, a metric of a leaderboard
exist once. A result is added or retired; to correct one, the new takes the place of the old.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from noisystudent.board.catalogue.names import named
from noisystudent.board.catalogue.ranking import refresh
from noisystudent.board.catalogue.slugs import arxiv_id, arxiv_month, slug_of_address, slugify
from noisystudent.board.catalogue.values import parse_value

ENTRIES = ("task", "dataset", "paper", "method", "leaderboard")
MOST_MADE = (
    100  # entries that an event names one by one; one with more is an import, whose entries stay when it is taken back
)

Link = dict[str, str]  # {"title": ..., "url": ...}


@dataclass(frozen=True)
class Result:
    """A result to add: a model's values on a leaderboard, and where they come from.

    Args:
        leaderboard: its number.
        model: the model's name.
        values: of each metric, by name, the text that the source gave.
        paper: number of the paper that claims it, if known.
        kind: "claim", what a paper says, or "run", what was measured.
        extra_data: whether other training data than the task's was used; None when nobody says.
        where: how a reader finds it in the file that it comes from, for reports; it is not kept.
        verified: of a file of ours, by which author, and where that can be seen; importers see to it (`verifying.take_over`).
    """

    leaderboard: int
    model: str
    values: Mapping[str, str]
    paper: int | None = None
    kind: str = "claim"
    position: int | None = None  # None: after the others
    in_order: bool = False  # its table's rows stand in the order of their ranks, as in the archive's form
    extra_data: bool | None = None
    evaluated_on: str | None = None
    paper_title: str = ""
    paper_url: str = ""
    paper_date: str | None = None
    source_url: str | None = None
    locator: str = ""
    code_links: Sequence[Link] = ()
    model_links: Sequence[Link] = ()
    tags: Sequence[str] = ()
    external_id: str | None = None
    where: str = field(default="", compare=False)
    verified: tuple[str, str] = field(default=("", ""), compare=False)


@dataclass
class Change:
    """One change of the catalogue under way, in a transaction that `Store.changing` opened; see there for an example.

    What it does to rows other than results is kept in `changed`, and to lists of rows in `replaced`, with what was there before, so that
    it can be undone; `counts` and `report` go into the event as they are.
    """

    connection: sqlite3.Connection
    source: int | None = None
    counts: dict[str, int] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    changed: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[dict[str, Any]] = field(default_factory=list)
    made: list[tuple[str, int]] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._last_before = self._last()
        self.event: int = self.connection.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()[0]

    def finish(self, actor: str, action: str, note: str) -> None:
        """Rank the leaderboards that were touched, and write the event."""
        refresh(self.connection, self.touched)
        detail = {
            "counts": self.counts,
            "report": self.report,
            "changed": self.changed,
            "replaced": self.replaced,
            "made": self.made if len(self.made) <= MOST_MADE else [],
            "ranges": {
                table: [self._last_before.get(table, 0) + 1, last]
                for table, last in self._last().items()
                if last > self._last_before.get(table, 0)
            },
        }
        last = self.connection.execute("SELECT coalesce(max(at), '') FROM event").fetchone()[0]
        at = max(now(), last)  # a clock that was put back does not bring events out of their order
        self.connection.execute(
            "INSERT INTO event (id, at, actor, action, note, detail) VALUES (?, ?, ?, ?, ?, ?)",
            (self.event, at, actor, action, note, json.dumps(detail, ensure_ascii=False, sort_keys=True)),
        )

    def _last(self) -> dict[str, int]:
        """The last number that each table of entries has given; none is given again."""
        return {row["name"]: row["seq"] for row in self.connection.execute("SELECT name, seq FROM sqlite_sequence")}

    # Layers

    def layer(self, name: str, *, licence: str = "", attribution: str = "", url: str = "") -> int:
        """The source that what follows comes from, under its licence; made where there is none of that name."""
        self.source = self._found("source", name=name) or self.insert(
            "source", name=name, licence=licence, attribution=attribution, url=url
        )
        return self.source

    # Tasks, datasets, leaderboards, metrics

    def area(self, name: str) -> int:
        return self._found("area", name=name) or self.insert("area", slug=self.free_slug("area", name), name=name)

    def task(self, name: str) -> int:
        """The task of that name, in whatever capitals, made where there is none."""
        return self._named("task", name) or self.insert(
            "task", slug=self.free_slug("task", name), name=name, source_id=self.source
        )

    def dataset(self, name: str, parent: int | None = None) -> int:
        """The dataset of that name, in whatever capitals (of a parent's, where it is a part of another), made where there is none."""
        found = self._named("dataset", name, "AND coalesce(parent_id, 0) = coalesce(?, 0)", parent)
        if found:
            return found
        above = (
            ""
            if parent is None
            else self.connection.execute("SELECT slug FROM dataset WHERE id = ?", (parent,)).fetchone()["slug"] + " "
        )
        return self.insert(
            "dataset", slug=self.free_slug("dataset", above + name), name=name, parent_id=parent, source_id=self.source
        )

    def leaderboard(self, task: int, dataset: int) -> int:
        """The leaderboard of a task on a dataset, made where there is none."""
        found = self._found("leaderboard", task_id=task, dataset_id=dataset)
        if found:
            return found
        names = [
            self.connection.execute(f"SELECT slug FROM {table} WHERE id = ?", (key,)).fetchone()["slug"]
            for table, key in (("task", task), ("dataset", dataset))
        ]
        made = self.insert(
            "leaderboard",
            slug=self.free_slug("leaderboard", "-on-".join(names)),
            task_id=task,
            dataset_id=dataset,
            source_id=self.source,
        )
        self.touched.add(made)
        return made

    def metric(
        self, leaderboard: int, name: str, *, higher_is_better: bool | None = None, origin: str = "given"
    ) -> int:
        """The metric of that name on a leaderboard, made after the others where there is none.

        Args:
            higher_is_better: where the source says it; without it the direction is found out.
            origin: who says it: "given" by the source, or "curated".
        """
        self.touched.add(leaderboard)
        found = self._found("metric", leaderboard_id=leaderboard, name=name)
        if not found:
            place = self.connection.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM metric WHERE leaderboard_id = ?", (leaderboard,)
            ).fetchone()[0]
            found = self.insert("metric", leaderboard_id=leaderboard, name=name, position=place)
        if higher_is_better is not None:
            self.direct(found, higher_is_better, origin)
        return found

    def direct(self, metric: int, higher_is_better: bool, origin: str = "curated") -> None:
        """Say which direction of a metric is better. What a curator said is not undone by a source."""
        row = self.connection.execute("SELECT * FROM metric WHERE id = ?", (metric,)).fetchone()
        if row["direction_origin"] == "curated" and origin != "curated":
            return
        self.edit("metric", metric, higher_is_better=int(higher_is_better), direction_origin=origin)
        self.touched.add(row["leaderboard_id"])

    # Papers

    def find_paper(self, *, url: str = "", title: str = "") -> int | None:
        """The paper at an address (the old site's, arXiv's or its own), or of that very title if the address is unknown."""
        slug, number = slug_of_address(url, "paper"), arxiv_id(url)
        for column, value in (("slug", slug), ("arxiv_id", number), ("url_abs", url)):
            if value and (found := self._found("paper", **{column: value})):
                return found
        if slug and (
            alias := self.connection.execute(
                "SELECT id FROM alias WHERE kind = 'paper' AND old = ?", (slug,)
            ).fetchone()
        ):
            return int(alias["id"])
        if url and (became := self._became("paper", url)):
            return int(became["id"])
        if not title or number:
            return None
        return named(self.connection, "paper", title)

    def paper(self, *, title: str, url: str = "", published: str | None = None) -> int | None:
        """The paper at an address or of a title; where there is none, one of which no more is known yet.

        An address alone is a paper's where it is arXiv's, whose number says the month, or the old site's. What else it may lead to, a
        home page or a repository, is no paper: None.
        """
        found = self.find_paper(url=url, title=title)
        if found:
            return found
        slug, number = slug_of_address(url, "paper"), arxiv_id(url)
        if not title and not slug and not number:
            return None
        of_arxiv = f"https://arxiv.org/abs/{number}" if number else None
        return self.insert(
            "paper",
            slug=slug or self.free_slug("paper", title or f"arxiv-{number}".replace(".", "-")),
            title=title or slug or f"arXiv:{number}",
            arxiv_id=number,
            url_abs=None if slug else of_arxiv or url or None,  # the old site's page is not the paper
            url_pdf=f"https://arxiv.org/pdf/{number}" if number else None,
            published=published or (arxiv_month(number) if number else None),
            source_id=self.source,
        )

    def author(self, name: str) -> int:
        """The author of that very name, or who another of that name has become, made where there is none."""
        found = self._found("author", name=name)
        if not found and (became := self._became("author", name)):
            return int(became["id"])
        return found or self.insert("author", slug=self.free_slug("author", name), name=name)

    def repository(self, url: str) -> int:
        """The repository at an address; owner and name are its last two parts."""
        parts = url.rstrip("/").removesuffix(".git").split("/")
        owner, name = (parts[-2], parts[-1]) if len(parts) >= 5 else ("", parts[-1])
        return self._found("repository", url=url) or self.insert("repository", url=url, owner=owner, name=name)

    def model(self, name: str, paper: int | None) -> int:
        row = self.connection.execute(
            "SELECT id FROM model WHERE name = ? AND coalesce(paper_id, 0) = coalesce(?, 0)", (name, paper)
        ).fetchone()
        return int(row["id"]) if row else self.insert("model", name=name, paper_id=paper)

    # Results

    def add_result(self, result: Result, *, supersedes: int | None = None) -> int:
        """Add a result; of one that it supersedes, the old one is retired."""
        if supersedes is not None:
            self.retire_result(supersedes)
        position = result.position
        if position is None:
            position = self.connection.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM result WHERE leaderboard_id = ?", (result.leaderboard,)
            ).fetchone()[0]
        made = self.insert(
            "result",
            leaderboard_id=result.leaderboard,
            model_id=self.model(result.model, result.paper),
            paper_id=result.paper,
            kind=result.kind,
            position=position,
            in_order=int(result.in_order),
            extra_data=None if result.extra_data is None else int(result.extra_data),
            evaluated_on=result.evaluated_on,
            paper_title=result.paper_title,
            paper_url=result.paper_url,
            paper_date=result.paper_date,
            source_url=result.source_url,
            locator=result.locator,
            code_links=_json(result.code_links),
            model_links=_json(result.model_links),
            tags=_json(result.tags),
            external_id=result.external_id,
            source_id=self.source,
            supersedes=supersedes,
            added_by=self.event,
        )
        for name, raw in result.values.items():
            value = parse_value(raw)
            self.insert(
                "value",
                result_id=made,
                metric_id=self.metric(result.leaderboard, name),
                raw=raw,
                number=value.number,
                unit=value.unit,
                spread=value.spread,
            )
        self.touched.add(result.leaderboard)
        return made

    def retire_result(self, result: int) -> None:
        """Take a result off its leaderboard; it stays in the history."""
        row = self.connection.execute(
            "SELECT leaderboard_id, retired_by FROM result WHERE id = ?", (result,)
        ).fetchone()
        if row["retired_by"] is None:
            self.connection.execute("UPDATE result SET retired_by = ? WHERE id = ?", (self.event, result))
            self.touched.add(row["leaderboard_id"])

    # Rows

    def insert(self, table: str, **columns: Any) -> int:
        """A new row, counted in the event; `table` and the names of columns are ours, never a user's."""
        names = ", ".join(columns)
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", tuple(columns.values())
        )
        self.counts[table] = self.counts.get(table, 0) + 1
        if table in ENTRIES:
            self.made.append((table, int(cursor.lastrowid or 0)))
        return int(cursor.lastrowid or 0)

    def edit(self, table: str, row: int, **columns: Any) -> None:
        """Change columns of a row that is no result; what was there stays in the event."""
        before = dict(
            self.connection.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?", (row,)).fetchone()
        )
        if before == columns:
            return
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.connection.execute(f"UPDATE {table} SET {changes} WHERE id = ?", (*columns.values(), row))
        self.changed.append({"table": table, "id": row, "before": before, "after": columns})

    def replace_rows(self, table: str, owner: Mapping[str, int], rows: Iterable[Mapping[str, Any]]) -> None:
        """Put others in the place of a table's rows that belong to one owner, such as a paper's authors; the old stay in the event."""
        before = self.rows_of(table, owner)
        where = " AND ".join(f"{name} = ?" for name in owner)
        self.connection.execute(f"DELETE FROM {table} WHERE {where}", tuple(owner.values()))
        for row in rows:
            columns = {**row, **owner}
            self.connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                tuple(columns.values()),
            )
        after = self.rows_of(table, owner)
        if after != before:
            self.replaced.append({"table": table, "owner": dict(owner), "before": before, "after": after})

    def rows_of(self, table: str, owner: Mapping[str, int]) -> list[dict[str, Any]]:
        """A table's rows that belong to one owner, in the order of its key."""
        where = " AND ".join(f"{name} = ?" for name in owner)
        return [
            dict(row) for row in self.connection.execute(f"SELECT * FROM {table} WHERE {where}", (*owner.values(),))
        ]

    def free_slug(self, table: str, name: str) -> str:
        """The slug of a name, with a number behind it where another row has it already."""
        slug = slugify(name)
        taken = {row["slug"] for row in self._of_slug(table, slug, "slug")}
        numbered = (f"{slug}-{number}" for number in itertools.count(1))
        return next(free for free in itertools.chain([slug], numbered) if free not in taken)

    def _of_slug(self, table: str, slug: str, columns: str) -> list[sqlite3.Row]:
        """The rows that have a slug, or that slug with a number behind it; the one without comes first."""
        return self.connection.execute(
            f"SELECT {columns} FROM {table} WHERE slug = ? OR (slug >= ? AND slug < ?) ORDER BY slug",
            (slug, f"{slug}-0", f"{slug}-:"),  # a colon comes after the nine
        ).fetchall()

    def _named(self, table: str, name: str, condition: str = "", *values: Any) -> int | None:
        """The entry of that very name, else of one in other capitals, else one that another of that name has become."""
        row = self.connection.execute(
            f"SELECT id FROM {table} WHERE name = ? COLLATE NOCASE {condition} ORDER BY name <> ?, id LIMIT 1",
            (name, *values, name),
        ).fetchone()
        if row is None and not any(values):
            row = self._became(table, name)
        return int(row["id"]) if row else None

    def _became(self, kind: str, name: str) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.connection.execute(
            "SELECT id FROM other_name WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return found

    def _found(self, table: str, **columns: Any) -> int | None:
        where = " AND ".join(f"{name} = ?" for name in columns)
        row = self.connection.execute(
            f"SELECT id FROM {table} WHERE {where} ORDER BY id LIMIT 1", tuple(columns.values())
        ).fetchone()
        return int(row["id"]) if row else None


def now() -> str:
    """The time in UTC, to the microsecond, so that texts sort as times do."""
    return time_text(datetime.now(UTC))


def time_text(time: datetime) -> str:
    """A time in UTC as the catalogue writes it."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def today() -> str:
    """The day in UTC, as papers are dated. What is dated later has not appeared."""
    return datetime.now(UTC).date().isoformat()


def _json(value: Any) -> str:
    return json.dumps(list(value), ensure_ascii=False, sort_keys=True)
