"""What may stand in a field that somebody outside fills in, be it of a form, a submission or a request: its type, its length, its form.

Blanks around a text are no part of it, and each line of it ends in the same way.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from noisystudent.board.catalogue.characters import UNFIT

EARLIEST = date(1900, 1, 1)
YEAR_AHEAD = timedelta(days=366)  # proceedings are dated before they appear


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


def _of_form(form: str, most: int, *, least: int = 0) -> Any:
    """The length of a text, and its form in the JSON schema: "text" has several lines."""
    return Field(min_length=least or None, max_length=most, json_schema_extra={"format": form})


Name = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(_tidy), AfterValidator(_name)]
Line = Annotated[str, Field(max_length=300), BeforeValidator(_tidy), AfterValidator(_line)]
Text = Annotated[str, _of_form("text", 20_000), BeforeValidator(_tidy), AfterValidator(_text)]
Comment = Annotated[str, _of_form("text", 2_000), BeforeValidator(_tidy), AfterValidator(_text)]
Reason = Annotated[str, _of_form("text", 2_000, least=1), BeforeValidator(_tidy), AfterValidator(_text)]
Raw = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_tidy), AfterValidator(_line)]
Url = Annotated[str, _of_form("uri", 2_000), BeforeValidator(_tidy), AfterValidator(_url)]
GivenUrl = Annotated[str, _of_form("uri", 2_000, least=1), BeforeValidator(_tidy), AfterValidator(_url)]
Day = Annotated[str, _of_form("date", 10), BeforeValidator(_tidy), AfterValidator(_day)]
Tag = Annotated[str, Field(min_length=1, max_length=60), BeforeValidator(_tidy), AfterValidator(_name)]
Address = Annotated[str, Field(max_length=2_000), BeforeValidator(_tidy), AfterValidator(_line)]
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
Names = Annotated[list[Name], Field(max_length=100), AfterValidator(_distinct)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)]
Urls = Annotated[list[GivenUrl], Field(max_length=50), AfterValidator(_distinct)]
