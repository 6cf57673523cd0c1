"""Areas, the tree of tasks, and the page of each task."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from noisystudent.board.catalogue.change import today
from noisystudent.board.pages.origin import source_of
from noisystudent.board.queries import leaderboards, tasks
from noisystudent.board.queries.leaderboards import Choice
from noisystudent.board.queries.sizes import number_of
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.view import Viewing, page

router = APIRouter()

AREA_TASKS = 12  # of each area on the overview
PAGE_ROWS, OTHER_TASKS = 50, 100
SHOWN_BENCHMARKS, SHOWN_DATASETS, SHOWN_PAPERS = 50, 30, 20


@page(router, "/tasks")
def all_tasks(view: Viewing, page: Page = None) -> Response:
    """The busiest tasks of each area, and a page of those that are in none."""
    sections, paging = [], Paging(page or 1, OTHER_TASKS)
    for area in tasks.areas(view.connection) if not paging.offset else []:
        found = tasks.tasks_of_area(view.connection, area["id"])
        sections.append(area | {"top": found[:AREA_TASKS]})
    without = tasks.tasks_of_area(view.connection, None)
    total = number_of(view.connection, "task")
    data = {
        "areas": sections,
        "without": without[paging.offset : paging.offset + paging.size],
        "without_count": len(without),
        "page": paging.number,
        "pages": paging.pages(len(without)),
        "total": total,
    }
    return view.page(
        "tasks.html.jinja",
        data,
        title="Tasks",
        description=f"{total:,} tasks by area, with their benchmarks and papers.",
    )


@page(router, "/area/{slug}")
def area(view: Viewing, slug: str, page: Page = None) -> Response:
    row = view.entry("area", slug, tasks.area)
    found = tasks.tasks_of_area(view.connection, row["id"])
    tree = tasks.tree_of(view.connection, found)
    roots, paging = tree.roots(), Paging(page or 1, PAGE_ROWS)
    data = {
        "area": {"slug": slug, "name": row["name"]},
        "task_count": len(found),
        "page": paging.number,
        "pages": paging.pages(len(roots)),
        "tasks": [tree.branch(root) for root in roots[paging.offset : paging.offset + paging.size]],
        "leaderboards": [] if paging.offset else leaderboards.listed(view.connection, Choice(area=row["id"]), limit=6),
        "leaderboard_count": leaderboards.count(view.connection, Choice(area=row["id"])),
    }
    return view.page(
        "area.html.jinja",
        data,
        title=row["name"],
        description=f"{row['name']}: {len(found):,} tasks and {data['leaderboard_count']:,} leaderboards.",
        feed=f"/feeds/area/{slug}.atom",
    )


@page(router, "/task/{slug}")
def task(view: Viewing, slug: str) -> Response:
    row = view.entry("task", slug, tasks.task)
    datasets, dataset_count = tasks.datasets_of(view.connection, row["id"], SHOWN_DATASETS)
    data = {
        "task": {key: row[key] for key in ("slug", "name", "description", "link_title", "link_url", "papers")},
        "source": source_of(row),
        "areas": tasks.areas_of(view.connection, row["id"]),
        "parents": tasks.parents_of(view.connection, row["id"]),
        "subtasks": tasks.subtasks_of(view.connection, row["id"]),
        "synonyms": tasks.synonyms_of(view.connection, row["id"]),
        "leaderboards": leaderboards.listed(view.connection, Choice(task=row["id"]), limit=SHOWN_BENCHMARKS),
        "leaderboard_count": row["leaderboards"],
        "datasets": datasets,
        "dataset_count": dataset_count,
        "papers": tasks.newest_of_task(view.connection, row["id"], today(), SHOWN_PAPERS),
    }
    return view.page(
        "task.html.jinja",
        data,
        title=row["name"],
        description=row["description"]
        or f"{row['name']}: {row['leaderboards']:,} benchmarks and {row['papers']:,} papers.",
        feed=f"/feeds/task/{slug}.atom",
    )
