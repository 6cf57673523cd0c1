"""Areas and tasks: the tree with several parents, and what stands under a task."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from noisystudent.board.catalogue.ranking import FILLED
from noisystudent.board.queries.leaderboards import Choice, listed

DEEPEST = 6  # levels of a tree that are shown
COUNTS = (
    f"(SELECT count(*) FROM leaderboard l WHERE l.task_id = t.id AND {FILLED}) AS leaderboards, "
    "(SELECT count(*) FROM paper_task pt WHERE pt.task_id = t.id) AS papers"
)
# Of each task how many stand above it on the shortest way; those of a circle that nothing leads into are missing.
LEVELS = (
    "(WITH RECURSIVE stands (id, level) AS (SELECT t.id, 0 FROM task t "
    "WHERE NOT EXISTS (SELECT 1 FROM task_parent up WHERE up.task_id = t.id) "
    "UNION SELECT down.task_id, stands.level + 1 FROM stands JOIN task_parent down ON down.parent_id = stands.id "
    f"WHERE stands.level < {DEEPEST}) SELECT id, min(level) AS level FROM stands GROUP BY id)"
)
PAPERS = "p.id, p.slug, p.title, p.published, substr(p.abstract, 1, 400) AS abstract"
A_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


def areas(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """All areas with how many tasks and leaderboards they have, the largest first."""
    rows = connection.execute(
        "SELECT a.id, a.slug, a.name, count(DISTINCT ta.task_id) AS tasks, count(l.id) AS leaderboards FROM area a "
        f"LEFT JOIN task_area ta ON ta.area_id = a.id LEFT JOIN leaderboard l ON l.task_id = ta.task_id AND {FILLED} "
        "GROUP BY a.id ORDER BY leaderboards DESC, tasks DESC, a.name"
    )
    return [dict(row) for row in rows]


def area(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM area WHERE slug = ?", (slug,)).fetchone()
    return row


def tasks_of_area(connection: sqlite3.Connection, area: int | None) -> list[dict[str, Any]]:
    """The tasks of an area (None: of no area) with how many leaderboards and papers they have, the busiest first."""
    condition = (
        "NOT EXISTS (SELECT 1 FROM task_area ta WHERE ta.task_id = t.id)"
        if area is None
        else "t.id IN (SELECT task_id FROM task_area WHERE area_id = ?)"
    )
    rows = connection.execute(
        f"SELECT t.id, t.slug, t.name, {COUNTS} FROM task t WHERE {condition} ORDER BY leaderboards DESC, papers DESC, t.name",
        () if area is None else (area,),
    )
    return [dict(row) for row in rows]


@dataclass(frozen=True)
class Tree:
    """Tasks with their subtasks. A task of two parents stands under both; where the parents run in a circle, it is cut.

    Args:
        tasks: by number, in the order to show them.
        children: of each task, the numbers of its subtasks.
    """

    tasks: Mapping[int, dict[str, Any]]
    children: Mapping[int, Sequence[int]]

    def roots(self) -> list[int]:
        """Tasks that have no parent here; of a circle that nothing leads into, the first one, so that no task is left out."""
        below = {child for children in self.children.values() for child in children}
        roots = [task for task in self.tasks if task not in below]
        reached: set[int] = set()
        for root in roots:
            self._reach(root, reached)
        for task in self.tasks:
            if task not in reached:
                roots.append(task)
                self._reach(task, reached)
        return roots

    def branch(self, task: int, above: tuple[int, ...] = ()) -> dict[str, Any]:
        """A task with its subtasks under `subtasks`, and theirs."""
        path = (*above, task)
        below = [child for child in self.children.get(task, ()) if child not in path] if len(path) < DEEPEST else []
        return self.tasks[task] | {"subtasks": [self.branch(child, path) for child in below]}

    def _reach(self, task: int, reached: set[int]) -> None:
        waiting = [task]
        while waiting:
            at = waiting.pop()
            if at not in reached:
                reached.add(at)
                waiting.extend(self.children.get(at, ()))


def tree_of(connection: sqlite3.Connection, tasks: Sequence[dict[str, Any]]) -> Tree:
    """The tree of some tasks, from the parents that are among them."""
    by_number = {task["id"]: task for task in tasks}
    children: dict[int, list[int]] = {}
    pairs = connection.execute("SELECT task_id, parent_id FROM task_parent").fetchall()
    places = {task: place for place, task in enumerate(by_number)}
    for row in sorted(pairs, key=lambda row: places.get(row["task_id"], 0)):
        if row["task_id"] in by_number and row["parent_id"] in by_number:
            children.setdefault(row["parent_id"], []).append(row["task_id"])
    return Tree(by_number, children)


def task(connection: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    """The task of that slug, with its number of papers and leaderboards and the licence of its source."""
    row: sqlite3.Row | None = connection.execute(
        f"SELECT t.*, {COUNTS}, s.name AS source, s.licence AS source_licence, s.url AS source_address FROM task t "
        "LEFT JOIN source s ON s.id = t.source_id WHERE t.slug = ?",
        (slug,),
    ).fetchone()
    return row


def parents_of(connection: sqlite3.Connection, task: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT t.slug, t.name FROM task_parent tp JOIN task t ON t.id = tp.parent_id WHERE tp.task_id = ? ORDER BY t.name",
        (task,),
    )
    return [dict(row) for row in rows]


def subtasks_of(connection: sqlite3.Connection, task: int) -> list[dict[str, Any]]:
    """The tasks right below one, the busiest first, each with its busiest leaderboard as `board`, None where it has none with a result."""
    rows = connection.execute(
        f"SELECT t.id, t.slug, t.name, {COUNTS} FROM task_parent tp JOIN task t ON t.id = tp.task_id WHERE tp.parent_id = ? "
        "ORDER BY leaderboards DESC, papers DESC, t.name",
        (task,),
    ).fetchall()
    busiest = [listed(connection, Choice(task=row["id"]), limit=1) if row["leaderboards"] else [] for row in rows]
    return [
        {name: row[name] for name in ("slug", "name", "leaderboards", "papers")} | {"board": next(iter(boards), None)}
        for row, boards in zip(rows, busiest, strict=True)
    ]


def around(connection: sqlite3.Connection, task: int) -> dict[str, list[int]]:
    """The numbers of a task's `parents` (the nearest first), of its `sisters` (below one of those right above it) and its `children`."""
    right_above = "SELECT parent_id FROM task_parent WHERE task_id = :task"
    queries = {
        "parents": "WITH RECURSIVE up (id, steps) AS (SELECT :task, 0 UNION SELECT tp.parent_id, up.steps + 1 FROM up "
        f"JOIN task_parent tp ON tp.task_id = up.id WHERE up.steps < {DEEPEST}) "
        "SELECT id FROM up WHERE id <> :task GROUP BY id ORDER BY min(steps), id",
        "sisters": f"SELECT DISTINCT task_id AS id FROM task_parent WHERE parent_id IN ({right_above}) AND task_id <> :task ORDER BY id",
        "children": "SELECT task_id AS id FROM task_parent WHERE parent_id = :task ORDER BY id",
    }
    return {kind: [row["id"] for row in connection.execute(query, {"task": task})] for kind, query in queries.items()}


def starred_code(connection: sqlite3.Connection, task: int, limit: int) -> list[sqlite3.Row]:
    """The repositories of a task's papers with most stars; those of which nobody knows the stars are left out."""
    return connection.execute(
        "SELECT DISTINCT r.url, r.owner, r.name, r.stars AS num_stars FROM paper_task pt "
        "JOIN paper_repository pr ON pr.paper_id = pt.paper_id JOIN repository r ON r.id = pr.repository_id "
        "WHERE pt.task_id = ? AND r.stars IS NOT NULL ORDER BY r.stars DESC, r.id LIMIT ?",
        (task, limit),
    ).fetchall()


def with_descendants(connection: sqlite3.Connection, task: int) -> list[int]:
    """The numbers of a task and of all below it."""
    rows = connection.execute(
        "WITH RECURSIVE down (id) AS (SELECT ? UNION SELECT tp.task_id FROM down JOIN task_parent tp ON tp.parent_id = down.id) "
        "SELECT id FROM down",
        (task,),
    )
    return [row["id"] for row in rows]


def areas_of(connection: sqlite3.Connection, task: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT a.slug, a.name FROM task_area ta JOIN area a ON a.id = ta.area_id WHERE ta.task_id = ? ORDER BY a.name",
        (task,),
    )
    return [dict(row) for row in rows]


def synonyms_of(connection: sqlite3.Connection, task: int) -> list[str]:
    rows = connection.execute("SELECT name FROM task_synonym WHERE task_id = ? ORDER BY name", (task,))
    return [row["name"] for row in rows]


def datasets_of(connection: sqlite3.Connection, task: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Datasets of a task, those that most papers use first, and how many there are."""
    found = "(SELECT dataset_id FROM dataset_task WHERE task_id = :task UNION SELECT dataset_id FROM leaderboard WHERE task_id = :task)"
    rows = connection.execute(
        f"SELECT d.slug, d.name, d.num_papers FROM dataset d WHERE d.id IN {found} ORDER BY coalesce(d.num_papers, 0) DESC, d.name "
        "LIMIT :limit",
        {"task": task, "limit": limit},
    ).fetchall()
    total = connection.execute(f"SELECT count(*) FROM {found}", {"task": task}).fetchone()[0]
    return [dict(row) for row in rows], int(total)


def newest_papers(connection: sqlite3.Connection, today: str, limit: int) -> list[dict[str, Any]]:
    """The newest papers of all; those that are dated after today are left out."""
    rows = connection.execute(
        f"SELECT {PAPERS} FROM paper p WHERE p.published <= ? AND p.published GLOB ? ORDER BY p.published DESC, p.id DESC LIMIT ?",
        (today, A_DAY, limit),
    )
    return _with_authors(connection, rows.fetchall())


def newest_of_task(connection: sqlite3.Connection, task: int, today: str, limit: int) -> list[dict[str, Any]]:
    """The newest papers of a task."""
    rows = connection.execute(
        f"SELECT {PAPERS} FROM paper_task pt JOIN paper p ON p.id = pt.paper_id "
        "WHERE pt.task_id = ? AND pt.published <= ? AND pt.published GLOB ? ORDER BY pt.published DESC, p.id DESC LIMIT ?",
        (task, today, A_DAY, limit),
    )
    return _with_authors(connection, rows.fetchall())


def newest_of_area(connection: sqlite3.Connection, area: int, today: str, limit: int) -> list[dict[str, Any]]:
    """The newest papers of an area: the newest of those of each of its tasks, of which an index has each list in order."""
    newest: set[tuple[str, int]] = set()
    for row in connection.execute("SELECT task_id FROM task_area WHERE area_id = ?", (area,)).fetchall():
        newest.update(
            (paper["published"], paper["paper_id"])
            for paper in connection.execute(
                "SELECT published, paper_id FROM paper_task WHERE task_id = ? AND published <= ? AND published GLOB ? "
                "ORDER BY published DESC LIMIT ?",
                (row["task_id"], today, A_DAY, limit),
            )
        )
    rows = [
        connection.execute(f"SELECT {PAPERS} FROM paper p WHERE p.id = ?", (paper,)).fetchone()
        for _, paper in nlargest(limit, newest)
    ]
    return _with_authors(connection, rows)


SHOWN_AUTHORS = 4


def _with_authors(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[dict[str, Any]]:
    """Papers with their first authors and how many there are."""
    papers = []
    for row in rows:
        authors = connection.execute(
            "SELECT a.name FROM paper_author pa JOIN author a ON a.id = pa.author_id WHERE pa.paper_id = ? ORDER BY pa.position LIMIT ?",
            (row["id"], SHOWN_AUTHORS),
        ).fetchall()
        total = connection.execute("SELECT count(*) FROM paper_author WHERE paper_id = ?", (row["id"],)).fetchone()[0]
        paper = dict(row) | {"authors": [author["name"] for author in authors], "author_count": total}
        del paper["id"]
        papers.append(paper)
    return papers
