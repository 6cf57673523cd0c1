"""Reading what was submitted: the fields of its kind (`catalogue/fields.py`), or everything that is wrong with it, in words.

In a change of an entry, a field that is not given stays as it is, an empty text or list clears it, and a list takes the place of the
whole list that was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from noisystudent.board.catalogue.fields import KINDS, Fields
from noisystudent.board.catalogue.texts import Comment
from noisystudent.errors import UserError

MOST_SHOWN = 10  # mistakes of one field


class Mistakes(UserError):
    """What is wrong with a payload, by field.

    Args:
        fields: of each field what is wrong with it; "" for what no single field is to blame for.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = dict(fields)
        super().__init__([f"{name}: {text}" if name else text for name, texts in fields.items() for text in texts])


def read(kind: str, payload: Mapping[str, Any]) -> Fields:
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


def unsure(doubts: Sequence[str]) -> Mistakes:
    """What is odd about the values of a payload that does not say that it is sure of them."""
    more = [f"and {len(doubts) - MOST_SHOWN} more"] if len(doubts) > MOST_SHOWN else []
    return Mistakes({"sure": [*doubts[:MOST_SHOWN], *more, "say yes here where the source has it so"]})


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
