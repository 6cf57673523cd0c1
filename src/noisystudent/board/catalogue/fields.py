"""Every field of an entry, a result and a direction, declared once: what may stand in it, where it is kept, how people are asked for it.

Payloads are checked by these classes, forms and differences are drawn from them, entries are read and written by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from noisystudent.board.catalogue.names import NAMES
from noisystudent.board.catalogue.texts import (
    Address,
    Comment,
    Day,
    Flag,
    Line,
    Name,
    Names,
    Raw,
    Reason,
    Tags,
    Text,
    Url,
    Urls,
)


@dataclass(frozen=True)
class Column:
    """A column of the entry's own row, under the field's name; where it is empty it holds "" or, if `nullable`, NULL."""

    nullable: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Link:
    """Names of other entries: the table of the links, its column, and what it points to. A name that is unknown may make one."""

    table: str
    column: str
    target: str
    makes: bool = False


@dataclass(frozen=True)
class Reference:
    """Another entry of that kind, whose number is a column of the entry's own row."""

    target: str

    @property
    def column(self) -> str:
        return f"{self.target}_id"


KEPT, OPTIONAL, AS_JSON = Column(), Column(nullable=True), Column(as_json=True)
ONE_A_LINE = "One on each line."
AS_NAMED = f"As their pages name them. {ONE_A_LINE}"
ADDRESSES = f"Addresses. {ONE_A_LINE}"
_CONFIG = ConfigDict(extra="forbid", frozen=True)


def _asked(label: str, hint: str = "") -> Any:
    """What stands before a field of a form, and what to write there."""
    return Field(title=label, description=hint or None)


Contributor = Annotated[Line, _asked("Your name", "Shown with what you submit. May stay empty.")]
Note = Annotated[Comment, _asked("Note for the curators", "Shown with what you submit.")]
IntroducedBy = Annotated[
    Address | None, _asked("Paper that introduces it", "Its address here or elsewhere."), Reference("paper")
]


class PaperFields(BaseModel):
    """A new paper, or a change of the one whose slug is `paper`."""

    model_config = _CONFIG
    paper: Line | None = None
    title: Annotated[Name | None, _asked("Title"), KEPT] = None
    authors: Annotated[
        Annotated[list[Name], Field(max_length=5_000)] | None,
        _asked("Authors", f"In their order. {ONE_A_LINE}"),
        Link("paper_author", "author_id", "author", makes=True),
    ] = None
    abstract: Annotated[Text | None, _asked("Abstract"), KEPT] = None
    published: Annotated[Day | None, _asked("First published"), OPTIONAL] = None
    url_abs: Annotated[Url | None, _asked("Address of the abstract"), OPTIONAL] = None
    url_pdf: Annotated[Url | None, _asked("Address of the PDF"), OPTIONAL] = None
    conference: Annotated[Line | None, _asked("Venue"), OPTIONAL] = None
    tasks: Annotated[Names | None, _asked("Tasks", AS_NAMED), Link("paper_task", "task_id", "task")] = None
    methods: Annotated[Names | None, _asked("Methods", AS_NAMED), Link("paper_method", "method_id", "method")] = None
    datasets: Annotated[
        Names | None, _asked("Datasets used", AS_NAMED), Link("paper_dataset", "dataset_id", "dataset")
    ] = None
    official_code: Annotated[Urls | None, _asked("Code by the authors", ADDRESSES)] = None
    code: Annotated[Urls | None, _asked("Code by others", ADDRESSES)] = None
    contributor: Contributor = ""
    comment: Note = ""

    @model_validator(mode="after")
    def _code_is_official_or_not(self) -> PaperFields:
        if set(self.official_code or ()) & set(self.code or ()):
            raise ValueError("code: has an address that is in official_code, too")
        return self


class TaskFields(BaseModel):
    """A new task, or a change of the one whose slug is `task`."""

    model_config = _CONFIG
    task: Line | None = None
    name: Annotated[Name | None, _asked("Name"), KEPT] = None
    description: Annotated[Text | None, _asked("Description", "Markdown."), KEPT] = None
    areas: Annotated[
        Names | None,
        _asked("Areas", f"Such as Computer Vision. {ONE_A_LINE}"),
        Link("task_area", "area_id", "area", makes=True),
    ] = None
    parents: Annotated[
        Names | None, _asked("Tasks that it is a part of", AS_NAMED), Link("task_parent", "parent_id", "task")
    ] = None
    synonyms: Annotated[Names | None, _asked("Other names", ONE_A_LINE)] = None
    contributor: Contributor = ""
    comment: Note = ""


class DatasetFields(BaseModel):
    """A new dataset, or a change of the one whose slug is `dataset`. `paper` is the slug or the address of the one that introduces it."""

    model_config = _CONFIG
    dataset: Line | None = None
    name: Annotated[Name | None, _asked("Name"), KEPT] = None
    full_name: Annotated[Line | None, _asked("Full name"), KEPT] = None
    homepage: Annotated[Url | None, _asked("Homepage"), KEPT] = None
    description: Annotated[Text | None, _asked("Description", "Markdown."), KEPT] = None
    introduced_date: Annotated[Day | None, _asked("Introduced"), OPTIONAL] = None
    licence_name: Annotated[Line | None, _asked("Licence"), OPTIONAL] = None
    licence_url: Annotated[Url | None, _asked("Address of the licence"), OPTIONAL] = None
    modalities: Annotated[Names | None, _asked("Modalities", f"Such as Images. {ONE_A_LINE}"), AS_JSON] = None
    languages: Annotated[Names | None, _asked("Languages", ONE_A_LINE), AS_JSON] = None
    tasks: Annotated[Names | None, _asked("Tasks", AS_NAMED), Link("dataset_task", "task_id", "task")] = None
    paper: IntroducedBy = None
    contributor: Contributor = ""
    comment: Note = ""


class MethodFields(BaseModel):
    """A new method, or a change of the one whose slug is `method`. `paper` is the slug or the address of the one that introduces it."""

    model_config = _CONFIG
    method: Line | None = None
    name: Annotated[Name | None, _asked("Name"), KEPT] = None
    full_name: Annotated[Line | None, _asked("Full name"), KEPT] = None
    description: Annotated[Text | None, _asked("Description", "Markdown."), KEPT] = None
    introduced_year: Annotated[
        Annotated[int, Field(ge=1900, le=2100, strict=True)] | None, _asked("Year"), OPTIONAL
    ] = None
    collections: Annotated[
        Names | None,
        _asked("Collections", ONE_A_LINE),
        Link("method_collection", "collection_id", "collection", makes=True),
    ] = None
    paper: IntroducedBy = None
    source_title: Annotated[Line | None, _asked("Title of another source"), OPTIONAL] = None
    source_url: Annotated[Url | None, _asked("Address of that source"), OPTIONAL] = None
    code_snippet_url: Annotated[Url | None, _asked("Address of an implementation"), OPTIONAL] = None
    contributor: Contributor = ""
    comment: Note = ""


class ResultFields(BaseModel):
    """A model's values on a leaderboard: of that slug, or of a task on a dataset, which may be new.

    Where the leaderboard has a row of the same model and paper, with the same extra data, or where `corrects` names a row, that row is
    superseded: values and fields that are not given are taken over from it.
    """

    model_config = _CONFIG
    leaderboard: Annotated[
        Line, _asked("Leaderboard", "The last part of its address. Leave it empty for a new one.")
    ] = ""
    task: Annotated[Line, _asked("Task of a new leaderboard", "As its page names it; a new name makes a new task.")] = (
        ""
    )
    dataset: Annotated[
        Line, _asked("Dataset of a new leaderboard", "As its page names it; a new name makes a new dataset.")
    ] = ""
    model: Annotated[Name, _asked("Model", "As the paper names it, with its variant.")]
    metrics: Annotated[
        dict[Name, Raw],
        Field(min_length=1, max_length=30),
        _asked("Values", "As they are printed, with their unit or spread: 88.4%, 95.2 ± 0.3."),
    ]
    higher_is_better: Annotated[dict[Name, Flag], Field(max_length=30)] = {}
    paper: Annotated[Address, _asked("Paper", "Its address here, on arXiv or elsewhere.")] = ""
    paper_title: Annotated[Line, _asked("Title of the paper", "Where the paper is not here yet.")] = ""
    paper_date: Annotated[Day, _asked("Date of the paper", "Where the paper is not here yet.")] = ""
    extra_data: Annotated[Flag | None, _asked("Trained on more data than the task's own")] = None
    evaluated_on: Annotated[Day, _asked("Day of the evaluation")] = ""
    source_url: Annotated[Url, _asked("Address where the values stand", "Where that is not in the paper.")] = ""
    locator: Annotated[Line, _asked("Where the values stand", "For example: Table 2, last row.")] = ""
    code_links: Annotated[Urls, Field(max_length=10), _asked("Code", ADDRESSES)] = []
    tags: Annotated[Tags, _asked("Tags", ONE_A_LINE)] = []
    corrects: Annotated[
        Annotated[int, Field(ge=1, le=2**53, strict=True)] | None,
        _asked("Number of the result that this corrects", "Only where the row has another model or paper."),
    ] = None
    sure: Annotated[Flag, _asked("The values are right, odd as they look", "The source has them so.")] = False
    contributor: Contributor = ""
    comment: Note = ""

    @model_validator(mode="after")
    def _names_a_leaderboard(self) -> ResultFields:
        if bool(self.leaderboard) == bool(self.task or self.dataset) or bool(self.task) != bool(self.dataset):
            raise ValueError("leaderboard: name a leaderboard, or a task and a dataset")
        for name in self.higher_is_better:
            if name not in self.metrics:
                raise ValueError(f"higher_is_better: {name!r} is not among the metrics")
        return self


class DirectionFields(BaseModel):
    """Which direction of a leaderboard's metric is better."""

    model_config = _CONFIG
    leaderboard: Annotated[Name, _asked("Leaderboard", "The last part of its address.")]
    metric: Annotated[Name, _asked("Metric", "As the leaderboard names it.")]
    higher_is_better: Annotated[Flag, _asked("Which is better")]
    contributor: Contributor = ""
    comment: Note = ""


class ObjectionFields(BaseModel):
    """What speaks against a run of ours that stands beside a claim, or against its verdict; shown beside it where a curator approves."""

    model_config = _CONFIG
    result: Annotated[
        Annotated[int, Field(ge=1, le=2**53, strict=True)],
        _asked("Number of the run", "What stands behind #r in its address."),
    ]
    reason: Annotated[Reason, _asked("What speaks against it", "It is shown beside the verdict.")]
    source_url: Annotated[Url, _asked("Address of a proof")] = ""
    contributor: Contributor = ""
    comment: Note = ""


Fields = PaperFields | TaskFields | DatasetFields | MethodFields | ResultFields | DirectionFields | ObjectionFields
KINDS: dict[str, type[Fields]] = {
    "result": ResultFields,
    "paper": PaperFields,
    "task": TaskFields,
    "dataset": DatasetFields,
    "method": MethodFields,
    "direction": DirectionFields,
    "objection": ObjectionFields,
}
ENTRIES = [
    kind for kind, fields in KINDS.items() if kind in fields.model_fields
]  # what a page and a slug of its own has


def kept(kind: str, how: type[Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an entry that are kept as `Column`, `Link` or `Reference`, each with how exactly.

    Example:
        >>> dict(kept("task", Link))["areas"]
        Link(table='task_area', column='area_id', target='area', makes=True)
    """
    for name, field in KINDS[kind].model_fields.items():
        yield from ((name, mark) for mark in field.metadata if isinstance(mark, how))


def title_of(kind: str) -> str:
    """The field that an entry is called by."""
    return NAMES.get(kind) or "name"


def label(kind: str, name: str) -> str:
    """What people call a field; of one that no form asks for, its name in words.

    Example:
        >>> label("dataset", "licence_url"), label("dataset", "metric mAP")
        ('Address of the licence', 'metric mAP')
    """
    field = KINDS[kind].model_fields.get(name)
    return (field and field.title) or name.replace("_", " ")
