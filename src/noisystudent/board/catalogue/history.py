"""The past: the catalogue as of a date, and taking a change back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.events import OF_IMPORT
from noisystudent.board.catalogue.hiding import leaderboards_of
from noisystudent.board.catalogue.purging import take_out
from noisystudent.board.catalogue.ranking import refresh
from noisystudent.board.catalogue.removal import bring_back, kept_by, remove
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError


def event_as_of(connection: sqlite3.Connection, day: str) -> int:
    """The last event of a day (2026-11-25) or before a time (2026-11-25T12:00:00Z); 0 where there was none yet.

    Raises:
        UserError: it is neither a day nor a time.

    A result was on its leaderboard then when `added_by <= event AND (retired_by IS NULL OR retired_by > event)`.
    """
    try:
        end = day if "T" in day else (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        datetime.fromisoformat(end)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{day!r} is neither a day (2026-11-25) nor a time (2026-11-25T12:00:00Z)") from error
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM event WHERE at < ?", (end,)).fetchone()[0])


def last_event(connection: sqlite3.Connection) -> int:
    """The number of the newest event, which stands for the catalogue as it is; 0 where there is none."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0])


def restore(store: Store, event: int, *, actor: str, note: str = "", whole: bool = False) -> int:
    """Take back what one change did, by another: results that it added go, those that it retired come back, edits are undone.

    Of an import in parts, any part stands for all of them.

    What later changes did to the same rows stays: a result that was retired since is left alone, a column that has another value now
    is left as it is. A new entry (a task, a paper) goes if nothing hangs on it; those of an import, which makes many, stay.

    Args:
        whole: of an import, its results and entries go for good, if nothing else hangs on them: the catalogue is as if it had never come,
            but for gaps that it filled in what was there. That cannot be taken back; the file can be imported again.

    Returns:
        The number of the event that did it.

    Raises:
        UserError: there is no such event, or it was taken back already, or took an import out whole; or it is no import and goes `whole`.
    """
    with store.changing(actor, "restore", note or f"takes back event {event}") as change:
        connection = change.connection
        events = _events_of(connection, event)
        if not events:
            raise UserError(f"there is no event {event}")
        again = taken_back_by(connection, event)
        if again is not None:
            raise UserError(
                f"event {event} was taken back already, by event {again}; take that one back to have it again"
            )
        _check_whole(connection, event, events, whole=whole)
        change.report["restores"] = event
        for detail in reversed(events.values()):
            late = detail["report"].get("edits after removals", len(detail["changed"]))
            _undo_columns(change, detail["changed"][late:])
            for gone in reversed(detail["report"].get("removed", [])):
                bring_back(change, gone["table"], gone["row"])
            _undo_lists(change, detail.get("replaced", []))
            _undo_columns(change, detail["changed"][:late])
            for result, before, after in reversed(detail["report"].get("moved values", [])):
                connection.execute(
                    "UPDATE value SET metric_id = ? WHERE result_id = ? AND metric_id = ?", (before, result, after)
                )
            for table, entry in reversed(detail.get("made", [])):
                exists = connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (entry,)).fetchone()
                if exists and not kept_by(connection, table, entry):
                    remove(change, table, entry)
        _undo_results(change, list(events))  # where they belong by now
        if whole:
            refresh(connection, change.touched)  # who leads is none of those that leave
            change.report["taken out"] = take_out(
                connection, list(events), [detail["ranges"] for detail in events.values()]
            )
            there = {row["id"] for row in connection.execute("SELECT id FROM leaderboard")}
            change.touched &= there
            unranked = "SELECT leaderboard_id FROM metric WHERE leaderboard_id IN (SELECT id FROM leaderboard WHERE ranked_by IS NULL)"
            change.touched |= {row["leaderboard_id"] for row in connection.execute(unranked)}
        return change.event


def _check_whole(connection: sqlite3.Connection, event: int, events: dict[int, dict[str, Any]], *, whole: bool) -> None:
    if any("taken out" in detail["report"] for detail in events.values()):
        raise UserError(f"event {event} took an import out whole: import the file again to have it back")
    if not whole:
        return
    action = connection.execute("SELECT action FROM event WHERE id = ?", (event,)).fetchone()["action"]
    if action != "import":
        raise UserError(f"event {event} is no import: take it back without --whole")
    if any("ranges" not in detail for detail in events.values()):
        raise UserError(f"event {event} is of an older version, which kept no list of what it made: go without --whole")


def _events_of(connection: sqlite3.Connection, event: int) -> dict[int, dict[str, Any]]:
    """What an event did, by its number; of an import in parts, what each did. Empty where there is no such event."""
    first = connection.execute(f"SELECT {OF_IMPORT} FROM event WHERE id = ?", (event,)).fetchone()
    if first is None or first[0] is None:
        rows = connection.execute("SELECT id, detail FROM event WHERE id = ?", (event,))
    else:
        parts = f"SELECT id, detail FROM event WHERE id >= ?1 AND action = 'import' AND {OF_IMPORT} = ?1 ORDER BY id"
        rows = connection.execute(parts, (first[0],))
    return {row["id"]: json.loads(row["detail"]) for row in rows}


def _undo_results(change: Change, events: Sequence[int]) -> None:
    """What some events added is retired; what they retired and had not added comes back."""
    theirs = json.dumps(list(events))
    added = "SELECT id FROM result WHERE added_by IN (SELECT value FROM json_each(?)) AND retired_by IS NULL"
    for row in change.connection.execute(added, (theirs,)).fetchall():
        change.retire_result(row["id"])
    retired = (
        "SELECT id, leaderboard_id FROM result WHERE retired_by IN (SELECT value FROM json_each(?1)) "
        "AND added_by NOT IN (SELECT value FROM json_each(?1))"
    )
    for row in change.connection.execute(retired, (theirs,)).fetchall():
        _bring_back(change.connection, row["id"], change.event)
        change.touched.add(row["leaderboard_id"])


def _undo_lists(change: Change, replaced: Sequence[dict[str, Any]]) -> None:
    """Lists of rows are as before an event, where nobody has changed them since."""
    for listed in reversed(replaced):
        if change.rows_of(listed["table"], listed["owner"]) == listed["after"]:
            change.replace_rows(listed["table"], listed["owner"], listed["before"])
            if listed["table"] == "hidden":
                change.touched |= leaderboards_of(change.connection, **listed["owner"])


def _undo_columns(change: Change, edits: Sequence[dict[str, Any]]) -> None:
    """Columns are as before an event, where nobody has changed them since."""
    for edit in reversed(edits):
        table, names = edit["table"], ", ".join(edit["after"])
        now = change.connection.execute(f"SELECT {names} FROM {table} WHERE id = ?", (edit["id"],)).fetchone()
        still = {name: edit["before"][name] for name, value in edit["after"].items() if now and now[name] == value}
        if still:
            change.edit(table, edit["id"], **still)
        if now and table in ("metric", "result"):
            board = change.connection.execute(f"SELECT leaderboard_id FROM {table} WHERE id = ?", (edit["id"],))
            change.touched.add(board.fetchone()[0])
            change.touched.update(
                said["leaderboard_id"] for said in (edit["before"], edit["after"]) if "leaderboard_id" in said
            )


def taken_back_by(connection: sqlite3.Connection, event: int) -> int | None:
    """The event that took back what `event` did, if one did and was not taken back itself; of an import in parts, any stands for all."""
    rows = connection.execute(
        "SELECT id FROM event WHERE action = 'restore' AND id > ? "
        "AND json_extract(detail, '$.report.restores') IN (SELECT value FROM json_each(?)) ORDER BY id DESC",
        (event, json.dumps(list(_events_of(connection, event)))),
    ).fetchall()
    return next((int(row["id"]) for row in rows if taken_back_by(connection, row["id"]) is None), None)


def _bring_back(connection: sqlite3.Connection, result: int, event: int) -> None:
    """A copy of a retired result with its values and its run, which supersedes it."""
    row = dict(connection.execute("SELECT * FROM result WHERE id = ?", (result,)).fetchone())
    row |= {"id": None, "supersedes": result, "added_by": event, "retired_by": None}
    made = connection.execute(
        f"INSERT INTO result ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    ).lastrowid
    connection.execute(
        "INSERT INTO value (result_id, metric_id, raw, number, unit, spread) "
        "SELECT ?, metric_id, raw, number, unit, spread FROM value WHERE result_id = ?",
        (made, result),
    )
    connection.execute(
        "INSERT INTO run SELECT ?, claim_id, folder, command, git_commit, config, environment, seeds, images, intervals "
        "FROM run WHERE result_id = ?",
        (made, result),
    )
