"""What a submission would change, found out by reading: before and after of each field, and where a result would rank."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from noisystudent.board.catalogue import entries, names
from noisystudent.board.catalogue.fields import DirectionFields, Fields, ObjectionFields, ResultFields, title_of
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.queries.verdicts import objections_to
from noisystudent.board.submitting.placement import Rank, place

NOT_FIELDS = {"contributor", "comment"}


@dataclass(frozen=True)
class FieldChange:
    """A field that would change. `before` is None where the entry is new; both are a text, a list of texts, a number or yes or no."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """What a submission would change.

    Args:
        summary: in a line.
        address: of the page that shows what would be changed, if there is one yet.
        changes: field by field.
        ranks: of a result, by metric.
        supersedes: number of the result whose place it would take.
        notes: what would be made along the way.
        doubts: what is odd about its values.
        problems: by field, why it cannot be approved as it is.
    """

    summary: str
    address: str | None = None
    changes: tuple[FieldChange, ...] = ()
    ranks: tuple[Rank, ...] = ()
    supersedes: int | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    problems: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Says whether two differences are the same: what a curator saw, and what it is now."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


def difference_of(connection: sqlite3.Connection, kind: str, payload: Fields) -> Difference:
    """What a payload of that kind would change now."""
    if isinstance(payload, ResultFields):
        return _of_result(connection, payload)
    if isinstance(payload, DirectionFields):
        return _of_direction(connection, payload)
    if isinstance(payload, ObjectionFields):
        return _of_objection(connection, payload)
    return _of_entry(connection, kind, payload)


def given_fields(kind: str, payload: Fields) -> dict[str, Any]:
    """The fields of an entry that a payload gives."""
    return payload.model_dump(exclude_none=True, exclude={kind, *NOT_FIELDS})


def _of_entry(connection: sqlite3.Connection, kind: str, payload: Fields) -> Difference:
    title = title_of(kind)
    given, slug = given_fields(kind, payload), getattr(payload, kind)
    problems = entries.unknown_names(connection, kind, given)
    if not slug:
        if title not in given:
            problems[title] = ["must be given"]
        elif taken := _taken(connection, kind, given, None):
            problems[title] = [taken]
        changes = tuple(FieldChange(name, None, value) for name, value in given.items() if value not in ("", []))
        return Difference(f"a new {kind}: {given.get(title, '')}", changes=changes, problems=problems)
    entry = names.meant(connection, kind, slug)
    if entry is None:
        return Difference(f"a change of a {kind}", problems={**problems, kind: [f"there is no {kind} {slug!r}"]})
    before = entries.fields(connection, kind, entry)
    if title in given and given[title] != before[title] and (taken := _taken(connection, kind, given, entry)):
        problems[title] = [taken]
    if kind == "task" and (name := entries.circle(connection, entry, given.get("parents", ()))):
        problems["parents"] = [f"{name!r} stands below this task, so it cannot stand above it"]
    changes = tuple(FieldChange(name, before[name], value) for name, value in given.items() if value != before[name])
    if not changes and not problems:
        problems[""] = ["nothing would change: all of it stands there already"]
    current = connection.execute(f"SELECT slug FROM {kind} WHERE id = ?", (entry,)).fetchone()["slug"]
    return Difference(
        f"a change of the {kind} {before[title]}", f"/{kind}/{current}", changes=changes, problems=problems
    )


def _taken(connection: sqlite3.Connection, kind: str, given: Mapping[str, Any], entry: int | None) -> str | None:
    """Says so where another entry is the same one, or has the name."""
    other = names.named(connection, kind, given[title_of(kind)])
    for address in (given.get("url_abs"), given.get("url_pdf")):
        other = other or (names.meant(connection, "paper", address) if address else None)
    if other is None or other == entry:
        return None
    return f"this {kind} is here already, as {names.slug_of(connection, kind, other)!r}: send a change of it"


def _of_result(connection: sqlite3.Connection, payload: ResultFields) -> Difference:
    placement = place(connection, payload)
    before, after = placement.before, placement.after
    changes = tuple(
        FieldChange(name, before.get(name) if before else None, value)
        for name, value in after.items()
        if (value != before.get(name) if before else value not in ("", [], None))
    )
    problems = dict(placement.problems)
    if before and not changes and not problems:
        problems[""] = [f"nothing would change: result {placement.superseded} says all of it already"]
    return Difference(
        f"{'a correction of a result' if before else 'a new result'}: {after['model']} on {placement.title}",
        placement.address,
        changes=changes,
        ranks=placement.ranks,
        supersedes=placement.superseded,
        notes=placement.notes,
        doubts=placement.doubts,
        problems=problems,
    )


def _of_direction(connection: sqlite3.Connection, payload: DirectionFields) -> Difference:
    summary = f"the direction of {payload.metric}"
    leaderboard = names.meant(connection, "leaderboard", payload.leaderboard)
    if leaderboard is None:
        return Difference(summary, problems={"leaderboard": [f"there is no leaderboard {payload.leaderboard!r}"]})
    board = connection.execute("SELECT slug, shown FROM leaderboard_shown WHERE id = ?", (leaderboard,)).fetchone()
    metric = names.metric_meant(metrics_of(connection, leaderboard), payload.metric)
    if metric is None:
        return Difference(summary, problems={"metric": [f"{payload.leaderboard!r} has no metric {payload.metric!r}"]})
    before, after = direction_words(metric["higher_is_better"]), direction_words(payload.higher_is_better)
    problems = {}
    if before == after and metric["direction_origin"] == "curated":
        problems[""] = [f"nothing would change: a curator has said already that {after}"]
    return Difference(
        f"{summary} of {board['shown']}",
        f"/sota/{board['slug']}",
        changes=(FieldChange("direction", f"{before} ({metric['direction_origin']})", f"{after} (curated)"),),
        problems=problems,
    )


def _of_objection(connection: sqlite3.Connection, payload: ObjectionFields) -> Difference:
    row = connection.execute(
        "SELECT m.name AS model, l.slug, l.shown FROM result r JOIN run ON run.result_id = r.id JOIN model m ON m.id = r.model_id "
        "JOIN leaderboard_shown l ON l.id = r.leaderboard_id WHERE r.id = ? AND r.retired_by IS NULL AND run.claim_id IS NOT NULL",
        (payload.result,),
    ).fetchone()
    if row is None:
        wrong = f"{payload.result} is no run that stands beside a claim"
        return Difference("an objection", problems={"result": [wrong]})
    there = [one["reason"] for one in objections_to(connection, [payload.result]).get(payload.result, [])]
    problems = {"reason": ["it is shown there already"]} if payload.reason in there else {}
    return Difference(
        f"an objection to a run: {row['model']} on {row['shown']}",
        f"/sota/{row['slug']}",
        changes=(FieldChange("reason", there or None, [*there, payload.reason]),),
        problems=problems,
    )


def direction_words(higher_is_better: Any) -> str:
    """A direction in words.

    Example:
        >>> direction_words(True), direction_words(None)
        ('higher is better', 'not known')
    """
    if higher_is_better is None:
        return "not known"
    return "higher is better" if higher_is_better else "lower is better"
