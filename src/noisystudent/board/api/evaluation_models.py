"""What the API says and takes about evaluation tables (leaderboards), their metrics and results."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from noisystudent.board.api.pages import Page
from noisystudent.board.catalogue.texts import Address, Day, Flag, Line, Name, Raw, Text, Url
from noisystudent.board.catalogue.values import raw_text


class EvaluationTable(BaseModel):
    """An evaluation table; its id is also that of its page, `/sota/{id}`."""

    id: str
    task: str = Field(description="Id of the task.")
    dataset: str = Field(description="Id of the dataset.")
    description: str = Field(description="Markdown.")
    mirror_url: str | None = Field(description="The table that this one mirrors.")
    result_count: int


class EvaluationTableCreateRequest(BaseModel):
    """A new table of a task on a dataset, both given by id or by name."""

    model_config = ConfigDict(json_schema_extra={"example": {"task": "image-classification", "dataset": "imagenet"}})
    task: Name
    dataset: Name
    description: Text = ""
    mirror_url: Url | None = None


class EvaluationTableUpdateRequest(BaseModel):
    """What is to change of a table; what is null stays."""

    model_config = ConfigDict(json_schema_extra={"example": {"description": "Single crop."}})
    task: Name | None = None
    dataset: Name | None = None
    description: Text | None = None
    mirror_url: Url | None = None


class Metric(BaseModel):
    """A metric of a table. The first one ranks it."""

    id: str
    name: str
    description: str
    is_loss: bool = Field(description="Whether lower is better; false where that is not known, see higher_is_better.")
    higher_is_better: bool | None = Field(description="null: not known, and then nothing is ranked by this metric.")
    direction_origin: str = Field(description="How the direction is known.")
    unit: str


class MetricCreateRequest(BaseModel):
    """A new metric, behind the others. Without `is_loss` its direction is found out, if anything says it."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Top 1 Accuracy", "is_loss": False}})
    name: Name
    description: Text = ""
    is_loss: Flag | None = None


class MetricUpdateRequest(BaseModel):
    """What is to change of a metric; what is null stays. `is_loss` is a curator's word, which no import undoes."""

    model_config = ConfigDict(json_schema_extra={"example": {"is_loss": True}})
    name: Name | None = None
    description: Text | None = None
    is_loss: Flag | None = None


class Measurement(BaseModel):
    """A metric of a run: its mean over the seeds, in the unit of its value."""

    mean: float
    trainings: int = Field(description="Of how many it is the mean.")
    deviation: float | None = Field(description="The standard deviation over them.")
    interval: tuple[float, float] | None = Field(description="95 %, over seeds and images.")


class Measured(BaseModel):
    """What is known of a run beside its values."""

    seeds: list[int]
    images: int | None = Field(description="On how many it was measured.")
    command: str
    git_commit: str
    metrics: dict[str, Measurement]


class Result(BaseModel):
    """A row of a table. It is never edited: a change makes another row, with another id, to which the old id leads."""

    id: str
    evaluation: str = Field(description="Id of the table.")
    best_rank: int | None = Field(description="The best of its ranks.")
    best_metric: str | None = Field(description="The metric of that rank.")
    rank: int | None = Field(description="By the metric that ranks the table; runs are not ranked.")
    metrics: dict[str, str] = Field(description="Of each metric the text that the source gave.")
    methodology: str = Field(description="Name of the model.")
    uses_additional_data: bool = Field(description="false where nobody says; see extra_data.")
    extra_data: bool | None = Field(description="Whether other training data was used; null: not said.")
    paper: str | None = Field(description="Id of the paper.")
    paper_url: str | None
    evaluated_on: str | None
    date: str | None = Field(description="When it was evaluated, or else when its paper appeared.")
    external_source_url: str | None
    external_id: str | None
    kind: Literal["claim", "run"] = Field(description="What a paper says, or what was measured.")
    run: Measured | None = Field(description="Of a run, its seeds and what its values say over them.")
    parameters: float | None = Field(description="How many the model has.")
    tags: list[str]
    code: list[str] = Field(description="Addresses of its code, or else of its paper's.")
    verified_by: str | None = Field(description="The author of its paper who verified it.")
    verified_where: str | None = Field(description="Where that can be seen: an address, or a note.")


class AppliedFilters(BaseModel):
    """What a list of results was narrowed by; whoever asked for more than stands here was not understood."""

    require: list[str]
    min: dict[str, float]
    max: dict[str, float]
    uses_additional_data: bool | None
    has_code: bool | None
    verified: bool | None
    sort: str | None


class FilteredResults(Page[Result]):
    """A page of results, and the filters that they passed."""

    applied_filters: AppliedFilters


def _raw(value: Any) -> Any:
    """A value as text; a number is written as JSON has it."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("is neither a text nor a number")
    return raw_text(value) if isinstance(value, int | float) else value


Value = Annotated[
    Raw | None,
    BeforeValidator(_raw),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 100}, {"type": "number"}, {"type": "null"}]}
    ),
]
Values = Annotated[dict[Name, Value], Field(max_length=100)]
Sure = Annotated[Flag, Field(description="The source has the values so, odd as they look: else such a row is refused.")]


class ResultCreateRequest(BaseModel):
    """A new row. Its metrics are those of the table; `paper` is an id, an arXiv number or an address."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "metrics": {"Top 1 Accuracy": "88.4%"},
                "methodology": "NoisyStudent (EfficientNet-L2)",
                "uses_additional_data": True,
                "paper": "1911.04252",
                "external_source_url": "https://arxiv.org/abs/1911.04252",
            }
        }
    )
    metrics: Annotated[Values, Field(min_length=1)]
    methodology: Name
    uses_additional_data: Flag | None = None
    paper: Address | None = None
    evaluated_on: Day | None = None
    external_source_url: Url | None = None
    sure: Sure = False


class ResultUpdateRequest(BaseModel):
    """What is to change of a row; what is null stays, and an empty text clears. `metrics` takes the place of all."""

    model_config = ConfigDict(json_schema_extra={"example": {"metrics": {"Top 1 Accuracy": "88.4%"}}})
    metrics: Annotated[Values, Field(min_length=1)] | None = None
    methodology: Name | None = None
    uses_additional_data: Flag | None = None
    paper: Address | None = None
    evaluated_on: Day | None = None
    external_source_url: Url | None = None
    sure: Sure = False


class ResultSyncRequest(BaseModel):
    """A row of a mirrored table. It is the row of its `external_id`, or without one that of its model and paper."""

    metrics: Annotated[Values, Field(min_length=1)]
    methodology: Name
    uses_additional_data: Flag | None = None
    paper: Address | None = None
    external_id: Line | None = ""
    evaluated_on: Day | None = None
    external_source_url: Url | None = None
    sure: Sure = False


class MetricSyncRequest(BaseModel):
    """A metric of a mirrored table. Without `is_loss` its direction is found out, if anything says it."""

    name: Name
    description: Text = ""
    is_loss: Flag | None = None


class EvaluationTableSyncRequest(BaseModel):
    """A table as it is elsewhere: it is made where there is none, and what differs is changed.

    Where `external_id` or `mirror_url` says which mirror this is, rows that it named before and names no more are retired.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "task": "image-classification",
                "dataset": "imagenet",
                "metrics": [{"name": "Top 1 Accuracy", "is_loss": False}],
                "results": [
                    {
                        "metrics": {"Top 1 Accuracy": "85"},
                        "methodology": "Our Net",
                        "external_id": "entry-4321",
                        "evaluated_on": "2020-11-20",
                        "external_source_url": "https://example.org/entries/4321",
                    }
                ],
            }
        }
    )
    task: Name
    dataset: Name
    description: Text = ""
    mirror_url: Url | None = None
    external_id: Line | None = None
    metrics: Annotated[list[MetricSyncRequest], Field(max_length=100)] = []
    results: list[ResultSyncRequest] = []

    @model_validator(mode="after")
    def _names_each_once(self) -> EvaluationTableSyncRequest:
        names = [metric.name for metric in self.metrics]
        rows = [row.external_id or (row.methodology, row.paper or "") for row in self.results]
        for what, found in (("metrics", names), ("results", rows)):
            if len(set(found)) < len(found):
                raise ValueError(f"{what}: two are the same; rows of one model and paper need an external_id each")
        return self


class ResultSyncResponse(BaseModel):
    id: str
    metrics: dict[str, str]
    methodology: str
    paper: str | None
    uses_additional_data: bool
    external_id: str | None
    evaluated_on: str | None
    external_source_url: str | None
    rank: int | None


class EvaluationTableSyncResponse(BaseModel):
    """The table as it is now: its metrics, the one that ranks it first, and the rows that the request named."""

    id: str
    task: str
    dataset: str
    description: str
    mirror_url: str | None
    external_id: str | None
    metrics: list[Metric]
    results: list[ResultSyncResponse]
