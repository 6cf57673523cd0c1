"""What an empty board begins with: facts that the project gathered, out of the TOML files beside this one."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.catalogue.store import Store

ACTION = "load seed"
Facts = dict[str, Any]


def load(store: Store, *, actor: str) -> dict[str, int]:
    """Bring the seed into a catalogue. What it has already is left as it is: an abstract that an archive gave, a result taken off.

    Returns:
        How many rows of each table are new; nothing when the catalogue had this seed.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> store = Store(Path(tempfile.mkdtemp()) / "board.db", create=True)
        >>> load(store, actor="anna")["leaderboard"], load(store, actor="anna")
        (5, {})
    """
    text = (files("noisystudent.board.seed") / "noisy_student.toml").read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    with store.reading() as connection:
        last = connection.execute(
            "SELECT json_extract(detail, '$.report.sha256') FROM event WHERE action = ? ORDER BY id DESC LIMIT 1",
            (ACTION,),
        ).fetchone()
    if last and last[0] == digest:
        return {}
    facts = tomllib.loads(text.decode("utf-8"))
    with store.changing(actor, ACTION) as change:
        change.report["sha256"] = digest
        change.layer(**facts["layer"])
        for task in facts["task"]:
            _task(change, task)
        papers = {paper["key"]: _paper(change, paper) for paper in facts["paper"]}
        for method in facts["method"]:
            _method(change, method, papers)
        for dataset in facts["dataset"]:
            _dataset(change, dataset, papers)
        for paper in facts["paper"]:
            _links(change, paper, papers[paper["key"]])
        known = {paper["key"]: paper for paper in facts["paper"]}
        for leaderboard in facts["leaderboard"]:
            _leaderboard(change, leaderboard, known, papers, default_source=facts["layer"]["url"])
        return dict(change.counts)


def _task(change: Change, facts: Facts) -> None:
    task = change.task(facts["name"])
    _fill(change, "task", task, description=facts["description"])
    _fill_rows(change, "task_area", {"task_id": task}, [{"area_id": change.area(facts["area"])}])
    if "parent" in facts:
        _fill_rows(change, "task_parent", {"task_id": task}, [{"parent_id": change.task(facts["parent"])}])


def _paper(change: Change, facts: Facts) -> int:
    address = f"https://arxiv.org/abs/{facts['arxiv_id']}"
    old_address = f"https://paperswithcode.com/paper/{facts['slug']}" if "slug" in facts else ""
    paper = change.find_paper(url=old_address) or change.find_paper(url=address)
    if paper is None:
        slug = facts.get("slug") or change.free_slug("paper", facts["title"])
        paper = change.insert("paper", slug=slug, title=facts["title"], source_id=change.source)
    row = change.connection.execute("SELECT abstract FROM paper WHERE id = ?", (paper,)).fetchone()
    if row["abstract"] == facts["summary"]:  # an older seed took our words for the paper's
        change.edit("paper", paper, abstract="")
    _fill(
        change,
        "paper",
        paper,
        short_abstract=facts["summary"],
        arxiv_id=facts["arxiv_id"],
        url_abs=address,
        url_pdf=address.replace("/abs/", "/pdf/"),
        published=facts["published"],
        proceeding_id=_proceeding(change, facts["proceeding"]) if "proceeding" in facts else None,
    )
    return paper


def _proceeding(change: Change, name: str) -> int:
    """The proceeding of a name such as `CVPR 2020 6`: venue, year, month."""
    row = change.connection.execute("SELECT id FROM proceeding WHERE name = ?", (name,)).fetchone()
    if row:
        return int(row["id"])
    venue, year, month = name.rsplit(" ", 2)
    held_by = change.connection.execute("SELECT id FROM venue WHERE name = ?", (venue,)).fetchone()
    venue_id = held_by["id"] if held_by else change.insert("venue", slug=change.free_slug("venue", venue), name=venue)
    slug = change.free_slug("proceeding", name)
    return change.insert("proceeding", slug=slug, venue_id=venue_id, name=name, year=int(year), month=int(month))


def _method(change: Change, facts: Facts, papers: dict[str, int]) -> None:
    row = change.connection.execute("SELECT id FROM method WHERE slug = ?", (slugify(facts["name"]),)).fetchone()
    method = (
        int(row["id"])
        if row
        else change.insert("method", slug=slugify(facts["name"]), name=facts["name"], source_id=change.source)
    )
    columns = {
        name: facts.get(name) for name in ("full_name", "description", "introduced_year", "paper_title", "paper_url")
    }
    _fill(change, "method", method, paper_id=papers.get(facts.get("paper", "")), **columns)
    found = change.connection.execute(
        "SELECT id FROM collection WHERE name = ? AND area = ?", (facts["collection"], facts["area"])
    ).fetchone()
    collection = (
        found["id"]
        if found
        else change.insert(
            "collection",
            slug=change.free_slug("collection", facts["collection"]),
            name=facts["collection"],
            area=facts["area"],
            area_slug=slugify(facts["area"]),
        )
    )
    _fill_rows(change, "method_collection", {"method_id": method}, [{"collection_id": collection}])


def _dataset(change: Change, facts: Facts, papers: dict[str, int]) -> None:
    dataset = change.dataset(facts["name"])
    columns = {name: facts.get(name) for name in ("full_name", "homepage", "description", "introduced_date")}
    modalities = json.dumps(facts.get("modalities", []))
    _fill(change, "dataset", dataset, paper_id=papers.get(facts.get("paper", "")), modalities=modalities, **columns)
    _fill_rows(
        change, "dataset_task", {"dataset_id": dataset}, [{"task_id": change.task(name)} for name in facts["tasks"]]
    )


def _links(change: Change, facts: Facts, paper: int) -> None:
    """A paper's authors, tasks, methods, data sets and repositories, of each kind of which it has none yet."""
    owner = {"paper_id": paper}
    authors = [{"position": place, "author_id": change.author(name)} for place, name in enumerate(facts["authors"])]
    tasks = [{"task_id": change.task(name), "published": facts["published"]} for name in facts["tasks"]]
    methods = [
        {
            "method_id": change.connection.execute("SELECT id FROM method WHERE slug = ?", (slugify(name),)).fetchone()[
                "id"
            ]
        }
        for name in facts.get("methods", [])
    ]
    roles = {"introduced": facts.get("introduces", []), "used": facts.get("datasets", [])}
    datasets = [{"dataset_id": change.dataset(name), "role": role} for role, names in roles.items() for name in names]
    repositories = [
        {
            "repository_id": change.repository(repository["url"]),
            "is_official": int(repository.get("official", False)),
            "mentioned_in_paper": int(repository.get("mentioned_in_paper", False)),
            "framework": repository["framework"],
        }
        for repository in facts.get("repository", [])
    ]
    for table, rows in (
        ("paper_author", authors),
        ("paper_task", tasks),
        ("paper_method", methods),
        ("paper_dataset", datasets),
        ("paper_repository", repositories),
    ):
        _fill_rows(change, table, owner, rows)


def _leaderboard(
    change: Change, facts: Facts, known: dict[str, Facts], papers: dict[str, int], *, default_source: str
) -> None:
    leaderboard = change.leaderboard(change.task(facts["task"]), change.dataset(facts["dataset"]))
    for metric in facts["metric"]:
        made = change.metric(leaderboard, metric["name"], higher_is_better=metric["higher_is_better"])
        if "tolerance" in metric:
            _fill(change, "metric", made, tolerance=metric["tolerance"], tolerance_basis=metric["tolerance_basis"])
    for row in facts["result"]:
        paper = known.get(row.get("paper", ""), {})
        result = Result(
            leaderboard=leaderboard,
            model=row["model"],
            values=row["values"],
            paper=papers.get(row.get("paper", "")),
            extra_data=row.get("extra_data"),
            paper_title=paper.get("title", ""),
            paper_url=f"https://arxiv.org/abs/{paper['arxiv_id']}" if paper else "",
            paper_date=paper.get("published"),
            source_url=row.get("source", default_source),
            locator=row["locator"],
            code_links=[{"title": "/".join(url.split("/")[-2:]), "url": url} for url in _code(row, paper)],
            external_id=f"noisystudent:{row.get('paper', '')}:{slugify(row['model'])}",
        )
        _result(change, result)
        model = change.model(result.model, result.paper)
        _fill(change, "model", model, parameters=row.get("parameters"), multiply_adds=row.get("multiply_adds"))


def _code(row: Facts, paper: Facts) -> list[str]:
    """Where a row's model is: what the row says, else its paper's official code."""
    official = [repository["url"] for repository in paper.get("repository", []) if repository.get("official")]
    return [row["code"]] if "code" in row else official


def _result(change: Change, result: Result) -> None:
    """Add a result, or put it in the place of an older seed's. One that somebody took off or put right stays so."""
    older = change.connection.execute(
        "SELECT id, retired_by, code_links FROM result WHERE leaderboard_id = ? AND external_id = ? ORDER BY id DESC LIMIT 1",
        (result.leaderboard, result.external_id),
    ).fetchone()
    if older is None:
        change.add_result(result)
    elif older["retired_by"] is None:
        values = {
            row["name"]: row["raw"]
            for row in change.connection.execute(
                "SELECT m.name, v.raw FROM value v JOIN metric m ON m.id = v.metric_id WHERE v.result_id = ?",
                (older["id"],),
            )
        }
        if values != result.values or (result.code_links and older["code_links"] == "[]"):
            change.add_result(result, supersedes=older["id"])


def _fill(change: Change, table: str, row: int, **columns: Any) -> None:
    """Set those columns in which nothing stands yet."""
    given = {name: value for name, value in columns.items() if value is not None}
    now = change.connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row,)).fetchone()
    missing = {name: value for name, value in given.items() if now[name] in (None, "", "[]")}
    if missing:
        change.edit(table, row, **missing)


def _fill_rows(change: Change, table: str, owner: dict[str, int], rows: Iterable[Facts]) -> None:
    """Give an owner rows of a kind of which it has none yet."""
    if not change.rows_of(table, owner):
        change.replace_rows(table, owner, rows)
