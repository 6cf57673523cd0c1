"""The evaluation tables in the archive's nesting. Tasks and datasets are sorted by name, rows stand in the order of their leaderboard.

Four things are added to the archive's form: the directions of metrics that somebody said (`metric_directions`), null for extra training
data where nobody said whether it was used, of a row that has them its day, where it stands, and its tags, and who of the authors
verified it (`verified`). Runs have a layer of their own (`runs.py`): a row is what a paper claims.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from typing import Any, BinaryIO

from noisystudent.board.catalogue.slugs import arxiv_id, slug_of_address
from noisystudent.board.exporting.objects import SITE, picked

SAID = ("curated", "given")
MOST_PLACES = (
    100  # a task that stands in more places is given by its name alone there, or circles of parents' parents multiply
)


def write(connection: sqlite3.Connection, stream: BinaryIO) -> None:
    """Write the list of tasks that stand under no other, with all that stands under them."""
    tables = _Tables(connection)
    separator = "[\n"
    for task in tables.children[None]:
        text = json.dumps(tables.task(task), ensure_ascii=False, indent=1)
        stream.write((separator + text).encode())
        separator = ",\n"
    stream.write(b"\n]\n" if tables.children[None] else b"[]\n")


class _Tables:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.places: Counter[int] = Counter()
        self.children: dict[int | None, list[int]] = defaultdict(list)
        for row in connection.execute(
            "SELECT t.id, p.parent_id FROM task t LEFT JOIN task_parent p ON p.task_id = t.id ORDER BY t.name"
        ):
            self.children[row["parent_id"]].append(row["id"])

    def task(self, number: int) -> dict[str, Any]:
        row = self.connection.execute("SELECT * FROM task WHERE id = ?", (number,)).fetchone()
        self.places[number] += 1
        if self.places[number] > MOST_PLACES:
            return {"task": row["name"]}
        has_link = row["link_title"] or row["link_url"]
        return {
            "task": row["name"],
            "description": row["description"],
            "categories": self._names(
                "SELECT a.name FROM task_area t JOIN area a ON a.id = t.area_id WHERE t.task_id = ? ORDER BY a.name",
                number,
            ),
            "synonyms": self._names("SELECT name FROM task_synonym WHERE task_id = ? ORDER BY name", number),
            "source_link": {"title": row["link_title"], "url": row["link_url"]} if has_link else None,
            "subtasks": [self.task(child) for child in self.children[number]],
            "datasets": self.datasets(number),
        }

    def datasets(self, task: int) -> list[dict[str, Any]]:
        """The datasets of a task, each with its parts. One that has no leaderboard of the task, but a part that has, is there, too."""
        of_task = {
            row["dataset_id"]: row
            for row in self.connection.execute("SELECT * FROM leaderboard WHERE task_id = ?", (task,))
        }
        rows = self.connection.execute(
            "WITH RECURSIVE needed (id) AS (SELECT dataset_id FROM leaderboard WHERE task_id = ? "
            "UNION SELECT d.parent_id FROM dataset d JOIN needed n ON n.id = d.id WHERE d.parent_id IS NOT NULL) "
            "SELECT d.id, d.name, d.parent_id FROM dataset d JOIN needed n ON n.id = d.id ORDER BY d.name",
            (task,),
        )
        parts: dict[int | None, list[sqlite3.Row]] = defaultdict(list)
        for row in rows:
            parts[row["parent_id"]].append(row)

        def dataset(row: sqlite3.Row) -> dict[str, Any]:
            return {
                "dataset" if row["parent_id"] is None else "subdataset": row["name"],
                **self.leaderboard(of_task.get(row["id"])),
                "subdatasets": [dataset(part) for part in parts[row["id"]]],
            }

        return [dataset(row) for row in parts[None]]

    def leaderboard(self, row: sqlite3.Row | None) -> dict[str, Any]:
        return {
            "description": row["description"] if row else "",
            "dataset_links": json.loads(row["links"]) if row else [],
            "dataset_citations": json.loads(row["citations"]) if row else [],
            "sota": self.table(row["id"]) if row else {"metrics": [], "rows": []},
        }

    def table(self, leaderboard: int) -> dict[str, Any]:
        metrics = self.connection.execute(
            "SELECT * FROM metric WHERE leaderboard_id = ? ORDER BY position, id", (leaderboard,)
        ).fetchall()
        directions = {
            metric["name"]: "higher" if metric["higher_is_better"] else "lower"
            for metric in metrics
            if metric["direction_origin"] in SAID
        }
        return {
            "metrics": [metric["name"] for metric in metrics],
            **({"metric_directions": directions} if directions else {}),
            "rows": self.rows(leaderboard),
        }

    def rows(self, leaderboard: int) -> list[dict[str, Any]]:
        standing = "r.leaderboard_id = ? AND r.retired_by IS NULL AND r.kind = 'claim'"
        values: dict[int, dict[str, str]] = defaultdict(dict)
        for row in self.connection.execute(
            "SELECT v.result_id, m.name, v.raw FROM result r JOIN value v ON v.result_id = r.id JOIN metric m ON m.id = v.metric_id "
            f"WHERE {standing} ORDER BY m.position, m.id",
            (leaderboard,),
        ):
            values[row["result_id"]][row["name"]] = row["raw"]
        return [
            {
                "model_name": row["model"],
                **_paper(row),
                "code_links": json.loads(row["code_links"]),
                "model_links": json.loads(row["model_links"]),
                "metrics": values[row["id"]],
                "uses_additional_data": None if row["extra_data"] is None else bool(row["extra_data"]),
                **{name: row[name] for name in ("evaluated_on", "source_url", "locator") if row[name]},
                **({"tags": tags} if (tags := json.loads(row["tags"])) else {}),
                **(
                    {"verified": {"by": row["verified_by"], "where": row["verified_where"]}}
                    if row["verified_by"]
                    else {}
                ),
            }
            for row in self.connection.execute(
                "SELECT r.*, m.name AS model, p.title, p.slug, p.arxiv_id, p.url_abs FROM result r JOIN model m ON m.id = r.model_id "
                f"LEFT JOIN paper p ON p.id = r.paper_id WHERE {standing} ORDER BY r.position, r.id",
                (leaderboard,),
            )
        ]

    def _names(self, query: str, task: int) -> list[str]:
        return [row["name"] for row in self.connection.execute(query, (task,))]


def _paper(row: sqlite3.Row) -> dict[str, Any]:
    """The paper of a row as its source named it. One that came by a form, or has become another, goes by its title and address here."""
    said = picked(row, "paper_title", "paper_url", "paper_date")
    if row["slug"] is None or _leads_there(row):
        return said
    return {**said, "paper_title": row["title"], "paper_url": f"{SITE}/paper/{row['slug']}"}


def _leads_there(row: sqlite3.Row) -> bool:
    """Whether what the row says of its paper finds it again."""
    url = row["paper_url"]
    slug, number = slug_of_address(url, "paper"), arxiv_id(url)
    return bool(
        (slug and slug == row["slug"])
        or (number and number == row["arxiv_id"])
        or (url and url == row["url_abs"])
        or (row["paper_title"] and row["paper_title"] == row["title"])
    )
