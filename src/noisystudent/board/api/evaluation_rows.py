"""Results as rows that stand alone, with their task, dataset and paper, as clients of the old site's successor read them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from noisystudent.board.api.evaluation_models import Measured
from noisystudent.board.api.ordering import ordering
from noisystudent.board.api.pages import Selection
from noisystudent.board.api.representations import OF_GIVEN, day_of
from noisystudent.board.api.result_rows import results_of
from noisystudent.board.exporting.standing import hub_model
from noisystudent.board.queries.trending import IS_OPEN

HARNESS_OF_RUNS = "measured here"
IsOpen = Annotated[
    bool | None, Query(description="Rows of models that are open, or of others: whose weights or code are linked.")
]
_BEST = "(SELECT min(v.rank) FROM value v WHERE v.result_id = r.id)"
_BY = {
    "best_rank": f"coalesce({_BEST}, 1000000000)",
    "benchmark_popularity": "(SELECT l.result_count FROM leaderboard l WHERE l.id = r.leaderboard_id)",
}
ORDERS = {sign + name for name in _BY for sign in ("", "-")}
rows_by = ordering(**_BY)


class EvaluationRow(BaseModel):
    """A result: what a paper says of a model, or what was measured."""

    id: str
    kind: Literal["claim", "run"]
    run: Measured | None = Field(description="Of a run, its seeds and what its values say over them.")
    evaluation: str = Field(description="Id of its table.")
    task_id: str
    task_slug: str
    task_name: str
    dataset_id: str
    dataset_slug: str
    dataset_name: str
    model_name: str
    metrics: dict[str, str] = Field(description="Of each metric the text that the source gave.")
    best_metric: str | None = Field(description="The metric of the best of its ranks.")
    best_rank: int | None = Field(description="The best of its ranks; runs are not ranked beside claims.")
    num_parameters: float | None
    is_open: bool = Field(description="Whether weights or code of the model are linked, if nobody has said otherwise.")
    uses_additional_data: bool
    harness: str | None = Field(
        description="Of a run, that it was measured here: clients keep it apart from the claim by that."
    )
    evaluated_on: str | None
    paper_id: str | None
    paper_title: str | None
    paper_arxiv_id: str | None
    paper_published_date: date | None
    code_url: str | None
    hf_model_url: str | None
    result_url: str | None = Field(description="Where the number stands.")
    source_url: str | None = Field(description="The same.")
    verified_by: str | None = Field(description="The author of its paper who verified it.")


def of(condition: str, parameters: dict[str, Any], is_open: bool | None, order: str | None) -> Selection:
    """The results that stand and pass a condition on a result `r`, in an order of theirs."""
    passing = "" if is_open is None else f" AND {IS_OPEN} = {int(is_open)}"
    rows = f"result r JOIN model m ON m.id = r.model_id WHERE {condition} AND r.retired_by IS NULL{passing}"
    return Selection(rows, "r.leaderboard_id, r.position, r.id", parameters, "r.id").ordered(order)


def evaluation_rows_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[EvaluationRow]:
    """Results by their numbers, in that order."""
    about = {row["id"]: row for row in connection.execute(_ABOUT, (json.dumps(list(ids)),))}
    rows = []
    for result in results_of(connection, ids):
        row = about[int(result.id)]
        weights = [row["weights_url"] or "", *(link["url"] for link in json.loads(row["model_links"]))]
        rows.append(
            EvaluationRow(
                **result.model_dump(
                    include={"id", "kind", "run", "evaluation", "metrics", "best_metric", "best_rank", "verified_by"}
                ),
                **{key: row[key] for key in ("task_slug", "dataset_slug", "paper_title", "paper_arxiv_id")},
                task_id=row["task_slug"],
                task_name=row["task"],
                dataset_id=row["dataset_slug"],
                dataset_name=row["dataset"],
                model_name=result.methodology,
                num_parameters=result.parameters,
                is_open=bool(row["is_open"]),
                uses_additional_data=result.uses_additional_data,
                harness=HARNESS_OF_RUNS if result.kind == "run" else None,
                evaluated_on=result.evaluated_on,
                paper_id=result.paper,
                paper_published_date=day_of(row["published"]),
                code_url=next(iter(result.code), None),
                hf_model_url=next((url for url in weights if hub_model(url)), None),
                result_url=result.external_source_url or row["paper_address"],
                source_url=result.external_source_url or row["paper_address"],
            )
        )
    return rows


_ABOUT = (
    "SELECT r.id, r.model_links, r.paper AS paper_title, r.paper_address, p.arxiv_id AS paper_arxiv_id, p.published, "
    f"m.weights_url, {IS_OPEN} AS is_open, l.task, l.task_slug, l.dataset, l.dataset_slug "
    "FROM result_shown r JOIN model m ON m.id = r.model_id JOIN leaderboard_shown l ON l.id = r.leaderboard_id "
    f"LEFT JOIN paper p ON p.id = r.paper_id WHERE r.id {OF_GIVEN}"
)
