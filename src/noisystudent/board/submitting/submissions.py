"""Submissions: what somebody proposes waits until a curator approves or rejects it, or until it is withdrawn.

Only an approval changes the catalogue, and only it has an event: the queue is a record of its own, of which no row is ever removed. (Pages
are kept until the next event, so that a flood of submissions slows no reader.)
"""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from noisystudent.board.catalogue import entries, history, names
from noisystudent.board.catalogue.change import Change, now
from noisystudent.board.catalogue.fields import DirectionFields, Fields, ObjectionFields, ResultFields
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.submitting import placement
from noisystudent.board.submitting.differences import Difference, difference_of, given_fields
from noisystudent.board.submitting.payloads import Mistakes, read, unsure
from noisystudent.board.submitting.tokens import Token, hashed
from noisystudent.errors import UserError

LICENCE = "CC BY-SA 4.0"  # as on the old site; the form says so
PAGE = 50


class Conflict(UserError):
    """What was asked for does not fit to how things stand now, perhaps since somebody else was quicker."""


class QueueFull(UserError):
    """Too much is waiting already."""


@dataclass(frozen=True)
class QueueLimits:
    """How many submissions may wait, of one submitter and in all."""

    of_one: int = 50
    in_all: int = 10_000


@dataclass(frozen=True)
class Submission:
    """A submission as it is kept. `status` is one of pending, approved, rejected, withdrawn; `event` is that of the approval."""

    id: int
    at: str
    submitter: str
    kind: str
    payload: Mapping[str, Any]
    status: str
    decided_at: str | None
    decided_by: str | None
    reason: str
    event: int | None


def submit(
    store: Store,
    kind: str,
    payload: Mapping[str, Any],
    *,
    submitter: str,
    token: Token | None = None,
    receipt: str | None = None,
    limits: QueueLimits = QueueLimits(),
) -> tuple[int, str]:
    """Put a submission into the queue.

    Args:
        kind: "result", "paper", "task", "dataset", "method", "direction" or "objection".
        payload: the fields of that kind; see `payloads`.
        submitter: who sends it: the name of a token, or what tells one visitor from another.
        token: that it was sent with.
        receipt: a secret of the caller's, so that the same form or request, sent twice, is one submission.

    Returns:
        The submission's number, and the receipt with which it can be withdrawn; only its hash is kept.

    Raises:
        Mistakes: everything that is wrong with the payload, by field; or its values are odd, and it does not say that it is sure of them.
        Conflict: the receipt was used before.
        QueueFull: too much is waiting.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> number, receipt = submit(store, "task", {"name": "Image Classification"}, submitter="anna")
        >>> event = approve(store, number, actor="bert")
        >>> with store.reading() as connection:
        ...     get(connection, number).status, connection.execute("SELECT slug FROM task").fetchone()["slug"]
        ('approved', 'image-classification')
    """
    checked = read(kind, payload)
    receipt = receipt or secrets.token_urlsafe(24)
    with store.noting() as connection:
        found = difference_of(connection, kind, checked)
        if found.problems:
            raise Mistakes(found.problems)
        if found.doubts and not getattr(checked, "sure", False):
            raise unsure(found.doubts)
        if connection.execute("SELECT 1 FROM submission WHERE receipt = ?", (hashed(receipt),)).fetchone():
            raise Conflict("this was submitted already: it waits for the curators, once")
        _check_room(connection, submitter, limits)
        cursor = connection.execute(
            "INSERT INTO submission (at, submitter, token_id, kind, payload, receipt) VALUES (?, ?, ?, ?, ?, ?)",
            (now(), submitter, token.id if token else None, kind, _as_json(checked), hashed(receipt)),
        )
        return int(cursor.lastrowid or 0), receipt


def get(connection: sqlite3.Connection, number: int) -> Submission | None:
    """A submission by its number."""
    row = connection.execute("SELECT * FROM submission WHERE id = ?", (number,)).fetchone()
    return _submission(row) if row else None


def of_receipt(connection: sqlite3.Connection, receipt: str) -> Submission | None:
    """The submission that a receipt was given for."""
    row = connection.execute("SELECT * FROM submission WHERE receipt = ?", (hashed(receipt),)).fetchone()
    return _submission(row) if row else None


def waiting(connection: sqlite3.Connection, page: int = 1) -> tuple[list[Submission], int]:
    """A page of the queue, the oldest first, and how many wait in all."""
    rows = connection.execute(
        "SELECT * FROM submission WHERE status = 'pending' ORDER BY id LIMIT ? OFFSET ?", (PAGE, (page - 1) * PAGE)
    )
    count = connection.execute("SELECT count(*) FROM submission WHERE status = 'pending'").fetchone()[0]
    return [_submission(row) for row in rows], int(count)


def difference(connection: sqlite3.Connection, number: int) -> Difference:
    """What a submission would change if it were approved now.

    Raises:
        UserError: there is no such submission.
    """
    submission = _known(connection, number)
    try:
        return difference_of(connection, submission.kind, read(submission.kind, submission.payload))
    except Mistakes as mistakes:  # the rules are stricter now than when it came
        return Difference(f"a {submission.kind}", problems=mistakes.fields)


def preview(connection: sqlite3.Connection, kind: str, payload: Mapping[str, Any]) -> Difference:
    """What a payload would change if it were submitted and approved now; nothing is kept of it.

    Raises:
        Mistakes: everything that is wrong with the payload, by field.
    """
    found = difference_of(connection, kind, read(kind, payload))
    if found.problems:
        raise Mistakes(found.problems)
    return found


def approve(store: Store, number: int, *, actor: str, seen: str | None = None, note: str = "") -> int:
    """Make a waiting submission part of the catalogue: all of it or nothing.

    Args:
        number: of the submission.
        actor: who approves.
        seen: fingerprint of the difference that was looked at.
        note: for the history.

    Returns:
        The number of the event.

    Raises:
        Conflict: it does not wait any more, it would change something else than what was seen, or it cannot be applied now.
        UserError: there is no such submission.
    """
    about = f"submission {number}" + (f": {note}" if note else "")
    with store.changing(actor, "approve submission", about) as change:
        submission = _pending(change.connection, number)
        found = difference(change.connection, number)
        if found.problems:
            raise Conflict([f"submission {number} cannot be approved now", *Mistakes(found.problems).problems])
        if seen is not None and seen != found.fingerprint:
            raise Conflict(
                f"what submission {number} would change is not what it was when you looked: look at it again"
            )
        _apply(change, submission.kind, read(submission.kind, submission.payload))
        change.report["submission"] = number
        _decide(change.connection, number, "approved", actor, event=change.event)
        return change.event


def reject(store: Store, number: int, *, actor: str, reason: str) -> None:
    """Turn a waiting submission down. The reason is shown to the submitter.

    Raises:
        Conflict: it does not wait any more.
        UserError: there is no such submission, or no reason.
    """
    if not reason.strip():
        raise UserError("reason: say why, the submitter reads it")
    with store.noting() as connection:
        _pending(connection, number)
        _decide(connection, number, "rejected", actor, reason=reason.strip())


def withdraw(store: Store, number: int, receipt: str) -> None:
    """Take a waiting submission back, as its submitter.

    Raises:
        Conflict: it does not wait any more.
        UserError: there is no such submission, or the receipt is another's.
    """
    with store.noting() as connection:
        submission = _known(connection, number)
        kept = connection.execute("SELECT receipt FROM submission WHERE id = ?", (number,)).fetchone()["receipt"]
        if not hmac.compare_digest(kept, hashed(receipt)):
            raise UserError(f"receipt: it is not the one of submission {number}")
        _pending(connection, number)
        _decide(connection, number, "withdrawn", submission.submitter)


def restore(store: Store, number: int, *, actor: str, note: str = "") -> int:
    """Take back what an approved submission changed; it stays in the history.

    Returns:
        The number of the event that did it.

    Raises:
        Conflict: it was not approved.
        UserError: there is no such submission, or it was taken back before.
    """
    with store.reading() as connection:
        submission = _known(connection, number)
    if submission.event is None:
        raise Conflict(f"submission {number} is {submission.status}: it has changed nothing")
    return history.restore(store, submission.event, actor=actor, note=note or f"takes back submission {number}")


def told(submission: Submission, *, to_curator: bool = False) -> dict[str, Any]:
    """What may be shown of a submission. Only curators see who sent it, and the content of what was rejected or withdrawn: a queue
    that anyone can write to is no place to publish.
    """
    shown = to_curator or submission.status in ("pending", "approved")
    payload = dict(submission.payload) if shown else {}
    found = {
        "id": submission.id,
        "at": submission.at,
        "kind": submission.kind,
        "status": submission.status,
        "contributor": payload.pop("contributor", ""),
        "comment": payload.pop("comment", ""),
        "payload": payload,
        "decided_at": submission.decided_at,
        "reason": submission.reason,
        "event": submission.event,
    }
    return found | ({"submitter": submission.submitter, "decided_by": submission.decided_by} if to_curator else {})


def _apply(change: Change, kind: str, payload: Fields) -> None:
    if isinstance(payload, DirectionFields):
        leaderboard = names.meant(change.connection, "leaderboard", payload.leaderboard)
        metric = names.metric_meant(metrics_of(change.connection, leaderboard or 0), payload.metric)
        assert metric is not None  # the difference has seen to it
        change.direct(metric["id"], payload.higher_is_better, "curated")
        return
    if isinstance(payload, ObjectionFields):
        owner = {"result_id": payload.result}
        there = [{**row} for row in change.rows_of("objection", owner)]
        new = {"position": len(there), "reason": payload.reason, "source_url": payload.source_url}
        change.replace_rows("objection", owner, [*there, new])
        return
    change.layer("submissions", licence=LICENCE, attribution="Sent to this site by its readers")
    if isinstance(payload, ResultFields):
        placement.add(change, payload)
    else:
        slug = getattr(payload, kind)
        entry = names.meant(change.connection, kind, slug) if slug else None
        entries.write(change, kind, entry, given_fields(kind, payload))


def _known(connection: sqlite3.Connection, number: int) -> Submission:
    submission = get(connection, number)
    if submission is None:
        raise UserError(f"there is no submission {number}")
    return submission


def _pending(connection: sqlite3.Connection, number: int) -> Submission:
    submission = _known(connection, number)
    if submission.status != "pending":
        by = f" by {submission.decided_by} at {submission.decided_at}" if submission.decided_by else ""
        raise Conflict(f"submission {number} was {submission.status} already{by}")
    return submission


def _decide(
    connection: sqlite3.Connection, number: int, status: str, who: str, *, reason: str = "", event: int | None = None
) -> None:
    connection.execute(
        "UPDATE submission SET status = ?, decided_at = ?, decided_by = ?, reason = ?, event_id = ? WHERE id = ?",
        (status, now(), who, reason, event, number),
    )


def _check_room(connection: sqlite3.Connection, submitter: str, limits: QueueLimits) -> None:
    count = "SELECT count(*) FROM submission WHERE status = 'pending'"
    of_one = connection.execute(f"{count} AND submitter = ?", (submitter,)).fetchone()[0]
    in_all = connection.execute(count).fetchone()[0]
    if of_one >= limits.of_one:
        raise QueueFull(f"{of_one} submissions of yours are waiting: send more when some of them have been decided")
    if in_all >= limits.in_all:
        raise QueueFull(f"{in_all} submissions are waiting, more than the curators can look at: come back later")


def _as_json(payload: Fields) -> str:
    """In the order that was given: the first metric of a new leaderboard ranks it, if it is no cost."""
    return json.dumps(payload.model_dump(exclude_defaults=True), ensure_ascii=False)


def _submission(row: sqlite3.Row) -> Submission:
    return Submission(
        id=row["id"],
        at=row["at"],
        submitter=row["submitter"],
        kind=row["kind"],
        payload=json.loads(row["payload"]),
        status=row["status"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        reason=row["reason"],
        event=row["event_id"],
    )
