"""A leaderboard as a table for a spreadsheet: its claims by rank, then runs; a column for each metric, values as their sources wrote them.

A run of several seeds is one row: mean and standard deviation over the seeds, which stand behind it.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from typing import BinaryIO

from noisystudent.board.catalogue.values import parse_value
from noisystudent.errors import UserError

BEHIND = (
    *("extra_training_data", "paper", "paper_url", "date", "code"),
    *("kind", "seeds", "images", "task", "dataset", "part"),
    *("verified_by", "verified_where"),
)


def write(connection: sqlite3.Connection, stream: BinaryIO, *, of: int | None) -> None:
    """Write the leaderboard of that number.

    Raises:
        UserError: none is given, or there is none of that number.
    """
    metrics = connection.execute(
        "SELECT id, name, unit, higher_is_better FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (of,)
    ).fetchall()
    board = connection.execute("SELECT ranked_by FROM leaderboard WHERE id = ?", (of,)).fetchone()
    if board is None:
        raise UserError(f"there is no leaderboard {of}" if of else "csv: name the leaderboard that is to be written")
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text)
    names = [metric["name"] for metric in metrics]
    table.writerow(["rank", "model", *map(_cell, names), *BEHIND])
    place = _place(connection, of)
    for row in _rows(connection, of, board["ranked_by"]):
        values = {value["metric_id"]: value["raw"] for value in _values(connection, row["id"])}
        table.writerow(
            [
                "" if row["rank"] is None else row["rank"],
                _cell(row["model"]),
                *(_cell(values.get(metric["id"], "")) for metric in metrics),
                {None: "", 0: "no", 1: "yes"}[row["extra_data"]],
                _cell(row["paper"] or ""),
                _cell(row["paper_address"] or ""),
                row["day"] or "",
                _cell(" ".join(link["url"] for link in json.loads(row["code_links"]))),
                row["kind"],
                " ".join(map(str, json.loads(row["seeds"] or "[]"))),
                "" if row["images"] is None else row["images"],
                *place,
                *(_cell(row[name]) for name in ("verified_by", "verified_where")),
            ]
        )
    text.detach()  # the stream stays open


def _place(connection: sqlite3.Connection, of: int | None) -> list[str]:
    """Task, data set and, where the leaderboard is of a part of one, that."""
    row = connection.execute(
        "SELECT l.task, d.name, d.whole_name FROM leaderboard_shown l JOIN dataset_shown d ON d.id = l.dataset_id WHERE l.id = ?",
        (of,),
    ).fetchone()
    return [
        _cell(row["task"]),
        _cell(row["whole_name"] or row["name"]),
        _cell(row["name"] if row["whole_name"] else ""),
    ]


def _rows(connection: sqlite3.Connection, leaderboard: int | None, metric: int | None) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT r.id, r.kind, r.extra_data, r.code_links, m.name AS model, v.rank, r.paper, r.paper_address, r.day, "
        "r.verified_by, r.verified_where, run.seeds, run.images "
        "FROM result_shown r JOIN model m ON m.id = r.model_id LEFT JOIN run ON run.result_id = r.id "
        "LEFT JOIN value v ON v.result_id = r.id AND v.metric_id = ? "
        "WHERE r.leaderboard_id = ? AND r.retired_by IS NULL ORDER BY r.kind, v.rank IS NULL, v.rank, r.position, r.id",
        (metric, leaderboard),
    ).fetchall()


def _values(connection: sqlite3.Connection, result: int) -> list[sqlite3.Row]:
    return connection.execute("SELECT metric_id, raw FROM value WHERE result_id = ?", (result,)).fetchall()


def _cell(text: str) -> str:
    """Text that a spreadsheet takes for a formula is marked as text; numbers with a sign are none."""
    formula = text.startswith(("=", "+", "-", "@")) and parse_value(text).number is None
    return f"'{text}" if formula else text
