"""What may be submitted: the fields of each kind of submission, and what may stand in them.

In a change of an entry, a field that is not given stays as it is, an empty text or list clears it, and a list takes the place of the
whole list that was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from noisystudent.board.catalogue.characters import UNFIT
from noisystudent.errors import UserError

MOST_SHOWN = 10  # mistakes of one field
EARLIEST = date(1900, 1, 1)
YEAR_AHEAD = timedelta(days=366)  # proceedings are dated before they appear


class Mistakes(UserError):
    """What is wrong with a payload, by field.

    Args:
        fields: of each field what is wrong with it; "" for what no single field is to blame for.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = dict(fields)
        super().__init__([f"{name}: {text}" if name else text for name, texts in fields.items() for text in texts])


def _tidy(value: Any) -> Any:
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(value, str) else value


def _text(value: str) -> str:
    if UNFIT.search(value):
        raise ValueError("has a control character in it: take it out")
    return value


def _line(value: str) -> str:
    if "\n" in value or "\t" in value:
        raise ValueError("is one line, without tabs")
    return _text(value)


def _name(value: str) -> str:
    if not any(sign.isalnum() for sign in value):
        raise ValueError("has neither a letter nor a digit")
    return _line(value)


def _url(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole or "@" in parts.netloc or re.search(r"[\s\\<>\"`{}|^]", value):
        raise ValueError("is not an address that begins with http:// or https://")
    return _line(value)


def _day(value: str) -> str:
    if not value:
        return value
    try:
        day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError("is not a day such as 2026-11-25")
    if not EARLIEST <= day <= date.today() + YEAR_AHEAD:
        raise ValueError("is before 1900 or more than a year ahead")
    return value


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("has an entry twice")
    return values


def _yes_or_no(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


Name = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(_tidy), AfterValidator(_name)]
Line = Annotated[str, Field(max_length=300), BeforeValidator(_tidy), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=20_000), BeforeValidator(_tidy), AfterValidator(_text)]
Comment = Annotated[str, Field(max_length=2_000), BeforeValidator(_tidy), AfterValidator(_text)]
Raw = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_tidy), AfterValidator(_line)]
Url = Annotated[str, Field(max_length=2_000), BeforeValidator(_tidy), AfterValidator(_url)]
GivenUrl = Annotated[str, Field(min_length=1, max_length=2_000), BeforeValidator(_tidy), AfterValidator(_url)]
Day = Annotated[str, Field(max_length=10), BeforeValidator(_tidy), AfterValidator(_day)]
Slug = Annotated[str, Field(max_length=300), BeforeValidator(_tidy), AfterValidator(_line)]
Tag = Annotated[str, Field(min_length=1, max_length=60), BeforeValidator(_tidy), AfterValidator(_name)]
Address = Annotated[str, Field(max_length=2_000), BeforeValidator(_tidy), AfterValidator(_line)]
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
Names = Annotated[list[Name], Field(max_length=100), AfterValidator(_distinct)]
Urls = Annotated[list[GivenUrl], Field(max_length=50), AfterValidator(_distinct)]
_CONFIG = ConfigDict(extra="forbid", frozen=True)


class PaperPayload(BaseModel):
    """A new paper, or a change of the one whose slug is `paper`."""

    model_config = _CONFIG
    paper: Slug | None = None
    title: Name | None = None
    abstract: Text | None = None
    authors: Annotated[list[Name], Field(max_length=5_000)] | None = None
    published: Day | None = None
    url_abs: Url | None = None
    url_pdf: Url | None = None
    conference: Line | None = None
    tasks: Names | None = None
    methods: Names | None = None
    datasets: Names | None = None
    official_code: Urls | None = None
    code: Urls | None = None
    contributor: Line = ""
    comment: Comment = ""

    @model_validator(mode="after")
    def _code_is_official_or_not(self) -> PaperPayload:
        if set(self.official_code or ()) & set(self.code or ()):
            raise ValueError("code: has an address that is in official_code, too")
        return self


class TaskPayload(BaseModel):
    """A new task, or a change of the one whose slug is `task`."""

    model_config = _CONFIG
    task: Slug | None = None
    name: Name | None = None
    description: Text | None = None
    areas: Names | None = None
    parents: Names | None = None
    synonyms: Names | None = None
    contributor: Line = ""
    comment: Comment = ""


class DatasetPayload(BaseModel):
    """A new dataset, or a change of the one whose slug is `dataset`. `paper` is the slug or the address of the one that introduces it."""

    model_config = _CONFIG
    dataset: Slug | None = None
    name: Name | None = None
    full_name: Line | None = None
    homepage: Url | None = None
    description: Text | None = None
    introduced_date: Day | None = None
    licence_name: Line | None = None
    licence_url: Url | None = None
    modalities: Names | None = None
    languages: Names | None = None
    tasks: Names | None = None
    paper: Address | None = None
    contributor: Line = ""
    comment: Comment = ""


class MethodPayload(BaseModel):
    """A new method, or a change of the one whose slug is `method`. `paper` is the slug or the address of the one that introduces it."""

    model_config = _CONFIG
    method: Slug | None = None
    name: Name | None = None
    full_name: Line | None = None
    description: Text | None = None
    introduced_year: Annotated[int, Field(ge=1900, le=2100, strict=True)] | None = None
    collections: Names | None = None
    paper: Address | None = None
    source_title: Line | None = None
    source_url: Url | None = None
    code_snippet_url: Url | None = None
    contributor: Line = ""
    comment: Comment = ""


class ResultPayload(BaseModel):
    """A model's values on a leaderboard: of that slug, or of a task on a dataset, which may be new.

    Where the leaderboard has a row of the same model and paper, with the same extra data, or where `corrects` names a row, that row is
    superseded: values and fields that are not given are taken over from it.
    """

    model_config = _CONFIG
    leaderboard: Slug = ""
    task: Line = ""
    dataset: Line = ""
    model: Name
    metrics: Annotated[dict[Name, Raw], Field(min_length=1, max_length=30)]
    higher_is_better: Annotated[dict[Name, Flag], Field(max_length=30)] = {}
    paper: Address = ""
    paper_title: Line = ""
    paper_date: Day = ""
    extra_data: Flag | None = None
    evaluated_on: Day = ""
    source_url: Url = ""
    locator: Line = ""
    code_links: Annotated[Urls, Field(max_length=10)] = []
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []
    corrects: Annotated[int, Field(ge=1, le=2**53, strict=True)] | None = None
    contributor: Line = ""
    comment: Comment = ""

    @model_validator(mode="after")
    def _names_a_leaderboard(self) -> ResultPayload:
        if bool(self.leaderboard) == bool(self.task or self.dataset) or bool(self.task) != bool(self.dataset):
            raise ValueError("leaderboard: name a leaderboard, or a task and a dataset")
        for name in self.higher_is_better:
            if name not in self.metrics:
                raise ValueError(f"higher_is_better: {name!r} is not among the metrics")
        return self


class DirectionPayload(BaseModel):
    """Which direction of a leaderboard's metric is better."""

    model_config = _CONFIG
    leaderboard: Name
    metric: Name
    higher_is_better: Flag
    contributor: Line = ""
    comment: Comment = ""


Payload = PaperPayload | TaskPayload | DatasetPayload | MethodPayload | ResultPayload | DirectionPayload
KINDS: dict[str, type[Payload]] = {
    "result": ResultPayload,
    "paper": PaperPayload,
    "task": TaskPayload,
    "dataset": DatasetPayload,
    "method": MethodPayload,
    "direction": DirectionPayload,
}


def read(kind: str, payload: Mapping[str, Any]) -> Payload:
    """The payload of a submission, checked.

    Raises:
        Mistakes: everything that is wrong with it, by field; or there is no such kind.

    Example:
        >>> read("task", {"name": "Image Classification"}).name
        'Image Classification'
        >>> read("task", {"name": "", "colour": "red"})
        Traceback (most recent call last):
        ...
        noisystudent.board.submitting.payloads.Mistakes: 2 problems:
          - name: must not be empty
          - colour: is no field of this kind
    """
    if kind not in KINDS:
        raise Mistakes({"kind": [f"{kind!r} is unknown: give one of {', '.join(KINDS)}"]})
    try:
        return KINDS[kind].model_validate(dict(payload))
    except ValidationError as error:
        raise Mistakes(_by_field(error)) from None


def by_field(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What is wrong with each field, in the order of the first mistake of each."""
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    return found


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    pairs = []
    for mistake in error.errors(include_url=False, include_input=False):
        name, *inside = mistake["loc"] or ("",)
        text = _in_words(mistake)
        if not name:
            name, _, text = text.partition(": ")
        entry = "".join(f" {part + 1}" if isinstance(part, int) else f" {part!r}" for part in inside if part != "[key]")
        pairs.append((_sayable(name), _sayable(f"entry{entry}: {text}" if entry else text)))
    return {name: texts[:MOST_SHOWN] for name, texts in by_field(pairs).items()}


def _sayable(text: str | int) -> str:
    """A text for an answer: a name that somebody made up can be long, or half a character."""
    return str(text)[:500].encode("utf-8", "backslashreplace").decode()


def _in_words(mistake: Any) -> str:
    words = _WORDS.get(mistake["type"], "{msg}")
    return words.format(msg=mistake["msg"].removeprefix("Value error, "), **mistake.get("ctx", {}))


_WORDS = {
    "missing": "must be given",
    "extra_forbidden": "is no field of this kind",
    "string_too_short": "must not be empty",
    "string_too_long": "has more than {max_length} characters",
    "too_long": "has more than {max_length} entries",
    "too_short": "must have {min_length} entry at least",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "list_type": "must be a list",
    "dict_type": "must be an object of names and values",
}


_COMMENT: TypeAdapter[str] = TypeAdapter(Comment)


def check_comment(name: str, text: str) -> str:
    """A text that somebody wrote beside a decision, under the rules of a submission's comment.

    Raises:
        Mistakes: it is too long or has control characters.
    """
    try:
        return _COMMENT.validate_python(text)
    except ValidationError as error:
        raise Mistakes({name: [_in_words(mistake) for mistake in error.errors()]}) from None
