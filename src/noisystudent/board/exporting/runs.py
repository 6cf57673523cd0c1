"""The layer of runs: what was measured, which the archive's five dumps have no place for, with the claim that it stands beside.

A run of several seeds is one object: of each metric its value as the leaderboard has it, and what that says over the seeds. It goes with
the dumps, and is imported behind them: a claim is known by its leaderboard, model, paper and values.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, BinaryIO

from noisystudent.board.exporting.objects import SITE, picked, write_objects
from noisystudent.board.queries.over_seeds import over_seeds
from noisystudent.board.queries.verdicts import PAIRS, objections_to

RUNS = f"""
{PAIRS.format(where="1")}
SELECT r.*, m.name AS model, p.slug, p.title, t.name AS task, l.dataset_id, run.*, (
  SELECT min(c.id) FROM pair JOIN result c ON c.id = pair.claim_id AND c.retired_by IS NULL AND c.leaderboard_id = r.leaderboard_id
  WHERE pair.run_id = r.id
) AS claim
FROM result r JOIN run ON run.result_id = r.id JOIN model m ON m.id = r.model_id LEFT JOIN paper p ON p.id = r.paper_id
JOIN leaderboard l ON l.id = r.leaderboard_id JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id
WHERE r.retired_by IS NULL AND r.kind = 'run' ORDER BY t.name, d.name, l.id, r.position, r.id
"""
CLAIM = (
    "SELECT r.id, m.name AS model, p.slug, p.title FROM result r JOIN model m ON m.id = r.model_id LEFT JOIN paper p ON p.id = r.paper_id "
    "WHERE r.id = ?"
)
PLACE = (
    "WITH RECURSIVE above (depth, name, parent_id) AS (SELECT 0, name, parent_id FROM dataset WHERE id = ? "
    "UNION ALL SELECT a.depth + 1, d.name, d.parent_id FROM above a JOIN dataset d ON d.id = a.parent_id) "
    "SELECT name FROM above ORDER BY depth DESC"
)
VALUES = (
    "SELECT m.name, v.raw, v.number, v.spread FROM value v JOIN metric m ON m.id = v.metric_id WHERE v.result_id = ? "
    "ORDER BY m.position, m.id"
)


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write every run that stands, by task and data set."""
    runs = list(connection.execute(RUNS))
    places = {row["dataset_id"]: _place(connection, row["dataset_id"]) for row in runs}
    # Parts of one name are told apart by their wholes.
    runs.sort(key=lambda row: (row["task"], places[row["dataset_id"]]))
    write_objects((_run(connection, row, places[row["dataset_id"]]) for row in runs), stream)


def _run(connection: sqlite3.Connection, row: sqlite3.Row, place: list[str]) -> dict[str, Any]:
    values = connection.execute(VALUES, (row["id"],)).fetchall()
    claim = connection.execute(CLAIM, (row["claim"],)).fetchone()
    return {
        "task": row["task"],
        "dataset": place[0],
        "subdatasets": place[1:],
        **_model(row),
        "metrics": {value["name"]: value["raw"] for value in values},
        "seeds": json.loads(row["seeds"]),
        "over_seeds": {value["name"]: said._asdict() for value in values if (said := over_seeds(row, value))},
        "images": row["images"],
        "claim": {**_model(claim), "metrics": _texts(connection, claim["id"])} if claim else None,
        "objections": objections_to(connection, [row["id"]]).get(row["id"], []),
        **picked(row, "evaluated_on", "extra_data", "source_url", "locator", "external_id"),
        **{name: json.loads(row[name]) for name in ("code_links", "model_links", "tags")},
        **picked(row, "folder", "command", "git_commit", "config"),
        **{name: json.loads(row[name]) for name in ("environment", "intervals")},
    }


def _model(row: sqlite3.Row) -> dict[str, Any]:
    url = f"{SITE}/paper/{row['slug']}" if row["slug"] else None
    return {"model_name": row["model"], "paper_title": row["title"], "paper_url": url}


def _texts(connection: sqlite3.Connection, result: int) -> dict[str, str]:
    return {value["name"]: value["raw"] for value in connection.execute(VALUES, (result,))}


def _place(connection: sqlite3.Connection, dataset: int) -> list[str]:
    """The name of a data set; of a part of another, those of all that it is a part of before it."""
    return [row["name"] for row in connection.execute(PLACE, (dataset,))]
