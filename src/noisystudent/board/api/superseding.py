"""A result as a request wants it, beside the one that is there: the same, or one that takes its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import replace

from fastapi import HTTPException
from pydantic import TypeAdapter, ValidationError

from noisystudent.board.api.evaluation_models import ResultCreateRequest, ResultSyncRequest, ResultUpdateRequest
from noisystudent.board.catalogue import names
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.doubts import Doubtful, doubtful
from noisystudent.board.catalogue.slugs import arxiv_id
from noisystudent.board.catalogue.texts import GivenUrl
from noisystudent.board.queries.leaderboards import metrics_of
from noisystudent.board.queries.results import whole_result
from noisystudent.board.submitting.payloads import unsure

MOST_CODE = 10  # repositories of a paper that a row links
_URL = TypeAdapter(GivenUrl)
Body = ResultCreateRequest | ResultUpdateRequest | ResultSyncRequest


def as_wanted(change: Change, result: Result, body: Body) -> Result:
    """A result with what a request says about it. What the request leaves out, or gives as null, stays.

    Raises:
        HTTPException: 422, there is no such metric or paper.
    """
    if body.paper is not None:
        result = _with_paper(change, result, body.paper)
    if body.metrics is not None:
        result = replace(result, values=_values(change, result.leaderboard, body.metrics))
    if body.methodology is not None:
        result = replace(result, model=body.methodology)
    if body.uses_additional_data is not None:
        result = replace(result, extra_data=body.uses_additional_data)
    if body.evaluated_on is not None:
        result = replace(result, evaluated_on=body.evaluated_on or None)
    if body.external_source_url is not None:
        result = replace(result, source_url=body.external_source_url or None)
    return result


def put(change: Change, wanted: Result, old: int | None) -> int:
    """The number of the row that is as wanted: the old one, if it is that already, or one that takes its place.

    Raises:
        HTTPException: 409, the old one is a run, which is measured and not told.
    """
    if old is not None:
        is_now = whole_result(change.connection, old)
        if is_now == wanted:
            return old
        if is_now.kind == "run":
            raise HTTPException(409, f"result {old} is a measured run, which cannot be changed: submit another run")
    return change.add_result(wanted, supersedes=old)


def question(change: Change, results: Collection[int]) -> None:
    """Refuse odd values that this change brings, of results of which no request says that it is sure.

    Raises:
        Mistakes: what is odd, and that `sure` insists on it, as of a submission.
    """
    odd = [one for one in doubtful(change.connection, results) if _is_new(change, one)]
    if odd:
        raise unsure([f"{one.model}: {one.said}" for one in odd])


def _is_new(change: Change, value: Doubtful) -> bool:
    """Whether a value is of this change, and not what the row said before."""
    row = change.connection.execute(
        "SELECT r.added_by, v.raw IS (SELECT o.raw FROM value o WHERE o.result_id = r.supersedes AND o.metric_id = v.metric_id) AS stays "
        "FROM result r JOIN value v ON v.result_id = r.id WHERE r.id = ? AND v.metric_id = ?",
        (value.result, value.metric),
    ).fetchone()
    return row["added_by"] == change.event and not row["stays"]


def _values(change: Change, leaderboard: int, given: Mapping[str, str | None]) -> dict[str, str]:
    metrics = metrics_of(change.connection, leaderboard)
    called = {name: names.metric_meant(metrics, name) for name in given}
    unknown = [name for name, metric in called.items() if metric is None]
    if unknown:
        has = ", ".join(repr(row["name"]) for row in metrics) or "none yet"
        raise HTTPException(
            422, f"metrics: the table has no {', '.join(map(repr, unknown))}; it has {has}: add it first"
        )
    if len({metric["id"] for metric in called.values() if metric is not None}) < len(given):
        raise HTTPException(422, "metrics: two of them are the same metric of this table")
    values = {
        metric["name"]: value
        for metric, value in zip(called.values(), given.values(), strict=True)
        if metric is not None and value is not None
    }
    if not values:
        raise HTTPException(422, "metrics: a row needs a value of one metric at least")
    return values


def _with_paper(change: Change, result: Result, text: str) -> Result:
    """The same result as of another paper: an id, an arXiv number, an address; an address that is not known is kept as such."""
    number, url = _paper_meant(change.connection, text) if text else (None, "")
    if number == result.paper and (number is not None or url == result.paper_url):
        return result
    if number is None:
        return replace(result, paper=None, paper_title="", paper_url=url, paper_date=None, code_links=[])
    paper = change.connection.execute("SELECT title, url_abs, published FROM paper WHERE id = ?", (number,)).fetchone()
    return replace(
        result,
        paper=number,
        paper_title=paper["title"],
        paper_url=paper["url_abs"] or url,
        paper_date=paper["published"],
        code_links=_code(change.connection, number),
    )


def _paper_meant(connection: sqlite3.Connection, text: str) -> tuple[int | None, str]:
    number = names.meant(connection, "paper", text)
    arxiv = arxiv_id(text) or arxiv_id(f"arxiv:{text}")
    if number is not None or arxiv:
        return number, f"https://arxiv.org/abs/{arxiv}" if arxiv else ""
    try:
        return None, _URL.validate_python(text)
    except ValidationError:
        raise HTTPException(422, f"paper: there is none with the id {text!r}, and it is no address") from None


def _code(connection: sqlite3.Connection, paper: int) -> list[dict[str, str]]:
    rows = connection.execute(
        "SELECT r.url, r.owner, r.name FROM paper_repository l JOIN repository r ON r.id = l.repository_id "
        "WHERE l.paper_id = ? ORDER BY l.is_official DESC, r.stars DESC, r.id LIMIT ?",
        (paper, MOST_CODE),
    )
    return [{"title": f"{row['owner']}/{row['name']}".strip("/"), "url": row["url"]} for row in rows]
