"""Plain values and TOML into the configuration, with all mistakes told at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from noisystudent.config.section import Section
from noisystudent.errors import UserError

SectionType = TypeVar("SectionType", bound=Section)


def parse_toml(text: str, *, where: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        UserError: with the line and column that TOML's parser names.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where} is not TOML: {error}") from None


def validate(values: Mapping[str, Any], section: type[SectionType], *, where: str) -> SectionType:
    """Make a configuration, or a section of one, of plain values, or say everything that is wrong with them.

    Raises:
        UserError: a sentence for each mistake, with the nearest known key for an unknown one.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise UserError([f"{where}: {_explain(problem, section)}" for problem in error.errors()]) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that is most like it, or all of them."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(known)})"


def _explain(problem: Mapping[str, Any], section: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key}{nearest(str(problem['loc'][-1]), known_keys(section, problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] == "value_error":
        error = str(problem["ctx"]["error"])
        if isinstance(problem["input"], Mapping):  # of a whole section
            return f"{key}: {error}" if key else error
        return f"{key} = {problem['input']!r}: {error}"
    return f"{key} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def known_keys(section: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The settings of the section at `path` below another; positions in a list are passed over."""
    for part in path:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(section.model_fields)


def none_as_false(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, dict):
        return {key: False if item is None else none_as_false(item) for key, item in value.items()}
    return [none_as_false(item) for item in value] if isinstance(value, list) else value
