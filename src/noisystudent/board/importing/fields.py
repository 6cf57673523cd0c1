"""An object of a dump, read field by field: text is cleaned, what has another type than it should is reported, nothing is guessed."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from noisystudent.board.catalogue.characters import UNFIT
from noisystudent.board.importing.loss import Loss

_SPACE = re.compile(r"\s")
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


class Fields:
    """The fields of one object; `where` is how a reader finds it in the file.

    Example:
        >>> fields = Fields({"name": "Mix\\x00up ", "flag": "True", "year": 2018.0}, "item 1", Loss())
        >>> fields.line("name"), fields.flag("flag"), fields.whole("year"), fields.line("url")
        ('Mix up', True, 2018, '')
    """

    def __init__(self, item: dict[str, Any], where: str, report: Loss) -> None:
        self.item = item
        self.where = where
        self.report = report

    def text(self, key: str) -> str:
        """Text of any number of lines; "" where there is none. Characters that no text may hold are blanks."""
        value = self.item.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            value = self._number_as_text(key, value)
        return UNFIT.sub(" ", value).strip()

    def line(self, key: str) -> str:
        """Text on one line. Two names that differ in a blank are two names, as they were on the old site."""
        return _SPACE.sub(" ", self.text(key))

    def lines(self, key: str) -> list[str]:
        """A list of lines, without empty ones."""
        found = []
        for value in self._list(key):
            if isinstance(value, str):
                found.append(_SPACE.sub(" ", UNFIT.sub(" ", value).strip()))
            elif value is not None:
                self._wrong(key, value, "text")
        return [line for line in found if line]

    def date(self, key: str) -> str | None:
        """A date as it is given, be it 1951 or 2222; the time of day is left out."""
        value = self.line(key)
        if not value:
            return None
        found = _DATE.match(value)
        if not found or (len(value) > found.end() and value[found.end()] not in "T "):
            self._wrong(key, value, "a date (2026-11-25)")
            return None
        return found.group()

    def whole(self, key: str) -> int | None:
        """A whole number, also as text; None where there is none."""
        value = self.item.get(key)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return None
        try:
            number = float(value)
            if not isinstance(value, bool) and number.is_integer() and abs(number) < 2**53:
                return int(number)
        except (TypeError, ValueError, OverflowError):
            pass
        self._wrong(key, value, "a whole number")
        return None

    def flag(self, key: str) -> bool:
        """Yes or no, also as text ("False"); no where nothing is said."""
        value = self.item.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        said = _FLAGS.get(str(value).strip().lower())
        if said is None:
            self._wrong(key, value, "true or false")
        return bool(said)

    def part(self, key: str) -> Fields | None:
        """An object within this one."""
        value = self.item.get(key)
        if isinstance(value, dict):
            return Fields(value, self.where, self.report)
        if value:
            self._wrong(key, value, "an object")
        return None

    def parts(self, key: str) -> list[Fields]:
        """A list of objects within this one."""
        found = []
        for value in self._list(key):
            if isinstance(value, dict):
                found.append(Fields(value, self.where, self.report))
            elif value is not None:
                self._wrong(key, value, "an object")
        return found

    def _list(self, key: str) -> list[Any]:
        value = self.item.get(key)
        if isinstance(value, list):
            return value
        if value:
            self._wrong(key, value, "a list")
        return []

    def _number_as_text(self, key: str, value: Any) -> str:
        if isinstance(value, float) and math.isnan(value):  # how a table of floats writes that there is nothing
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self._wrong(key, value, "text")
        return ""

    def _wrong(self, key: str, value: Any, expected: str) -> None:
        self.report.lost(key, self.where, f"{str(value)[:60]!r} is not {expected}")


class KnownKeys:
    """The keys that an importer reads; each other one is reported once, where it first holds something.

    Args:
        known: of an object itself (""), and of those that stand in it, by what they are called in the report.
    """

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        self._known = {of: frozenset(keys) for of, keys in known.items()}
        self._told: dict[str, set[str]] = defaultdict(set)

    def check(self, fields: Fields, of: str = "") -> None:
        for key in sorted(fields.item.keys() - self._known[of] - self._told[of], key=str):
            if fields.item[key] not in (None, "", [], {}):
                self._told[of].add(key)
                name = f"{of}.{key}" if of else key
                fields.report.lost("unknown key", fields.where, f"{name} has no place in the catalogue")
