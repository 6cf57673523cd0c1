"""Is higher better? The archive does not say, so it is found out, and each metric says how: by its name, else by the order of rows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple


class Direction(NamedTuple):
    """`higher_is_better` is None where nothing says; `origin` is one of the words that the schema allows."""

    higher_is_better: bool | None
    origin: str


UNKNOWN = Direction(None, "unknown")

_TABLE = tomllib.loads((files("noisystudent.board.catalogue") / "known_metrics.toml").read_text(encoding="utf-8"))


def _said(table: str, higher: str, lower: str) -> dict[str, bool]:
    return dict.fromkeys(_TABLE[table][higher], True) | dict.fromkeys(_TABLE[table][lower], False)


NAMES: dict[str, bool | None] = {**_said("names", "higher", "lower"), **dict.fromkeys(_TABLE["names"]["neither"])}
WORDS = _said("words", "higher", "lower")
VAGUE = _said("words", "vague_higher", "vague_lower")
TELLING = VAGUE | WORDS
_STEMS: dict[str, str] = {
    letters + word: word for word in _TABLE["words"]["varied"] for letters in _TABLE["words"]["before"]
}
COSTS = frozenset(_TABLE["costs"]["words"])
SHARES = frozenset(_TABLE["shares"]["words"]), frozenset(_TABLE["shares"]["but"])
LONGEST_PHRASE = 4  # words

_WORD = re.compile(r"[^\W\d_]+|\d+")
_IN_BRACKETS = re.compile(r"\([^()]*\)?+|\[[^\[\]]*\]?+|\{[^{}]*\}?+")
# What follows says under which circumstances: precision at a recall of 90 %, accuracy on a set.
_CIRCUMSTANCES = re.compile(r"@|[<>=:]|\b(?:at|below|by|for|from|in|of|on|per|to|under|using|vs|with)\b", re.IGNORECASE)

_ARROW = re.compile(r"(?P<higher>[↑⬆]|\bhigher(?: is|,)? better\b)|[↓⬇]|\blower(?: is|,)? better\b", re.IGNORECASE)

LEAST_ROWS = 5  # fewer say nothing about an order
LEAST_CORRELATION = 0.8
# Newer results are the better ones. On 440 tables of the old site whose metric's name is plain, what dates say at this correlation is
# wrong on 5; at 0.3 it would be on 16 of 630.
LEAST_CORRELATION_WITH_DATES = 0.6


@lru_cache(maxsize=4096)
def by_name(name: str) -> Direction:
    """What a metric's name says: one judgement wherever it stands, by a table of known names, else by the words in it.

    Names are cut into words at `_`, digits and signs. What stands in brackets, or behind "@", "on" and the like, tells circumstances: it
    counts only where nothing else says anything.

    Example:
        >>> by_name("Percentage error"), by_name("word_acc").higher_is_better, by_name("mIoU (ms+flip)").higher_is_better
        (Direction(higher_is_better=False, origin='known name'), True, True)
        >>> by_name("AUC (horizon error)").higher_is_better, by_name("Restaurant (Acc)").higher_is_better, by_name("Vibes")
        (True, True, Direction(higher_is_better=None, origin='unknown'))
    """
    if arrow := _ARROW.search(name):
        return Direction(arrow["higher"] is not None, "pattern of name")
    whole = _whole_name(name)
    if whole is not None:
        known = NAMES[whole]
        return UNKNOWN if known is None else Direction(known, "known name")
    word = _telling_word(name)
    return UNKNOWN if word is None else Direction(TELLING[word], "pattern of name")


def by_order(values: Sequence[float | None]) -> bool | None:
    """Whether the best come first with the highest numbers; None when the order says nothing.

    Args:
        values: of the rows in the order of the source, which is that of the leaderboard; None where there is no number.

    Example:
        >>> by_order([9.1, 8.0, 7.9, 7.7, 5.0]), by_order([5.0, 9.0])
        (True, None)
    """
    numbers = [value for value in values if value is not None]
    correlation = _correlation(range(len(numbers)), numbers)
    return correlation < 0 if abs(correlation) >= LEAST_CORRELATION else None


def by_dates(days: Sequence[str | None], values: Sequence[float | None]) -> bool | None:
    """Whether numbers rise as the years pass; None when they do neither that nor fall.

    Args:
        days: of the results (2026-11-25), None where it is not known.
        values: their numbers.

    Example:
        >>> by_dates(["2015-01-01", "2016-01-01", "2017-01-01", "2018-01-01", "2019-01-01"], [70.1, 71.0, 74.2, 73.9, 80.0])
        True
    """
    dated = [(day, value) for day, value in zip(days, values, strict=True) if day and value is not None]
    order = {day: place for place, day in enumerate(sorted({day for day, _ in dated}))}
    if len(order) < LEAST_ROWS:
        return None
    correlation = _correlation([order[day] for day, _ in dated], [value for _, value in dated])
    return correlation > 0 if abs(correlation) >= LEAST_CORRELATION_WITH_DATES else None


def has_none(name: str) -> bool:
    """Whether a column of that name tells how a result came about, such as its backbone, so that no number of it is better.

    Example:
        >>> has_none("Backbone"), has_none("Vibes")
        (True, False)
    """
    whole = _whole_name(name)
    return whole is not None and NAMES[whole] is None


def is_cost(name: str) -> bool:
    """Whether a metric of that name says what a model costs (parameters, operations, time, memory) and not how good it is.

    Example:
        >>> is_cost("Number of params"), is_cost("Inference time (ms)"), is_cost("Top 1 (400M params)"), is_cost("Time error")
        (True, True, False, False)
    """
    return (_whole_name(name) or _telling_word(name)) in COSTS


def ranking_first(names: Sequence[str]) -> int:
    """The place of the metric that ranks a leaderboard: the first one, or, where that is a cost, the first that says how good a model is.

    Args:
        names: of its metrics in their order; at least one.

    Example:
        >>> ranking_first(["Top 1", "Params"]), ranking_first(["Params", "Backbone", "Top 1"]), ranking_first(["Params", "Backbone"])
        (0, 2, 0)
    """
    if not is_cost(names[0]):
        return 0
    return next((place for place, name in enumerate(names) if not is_cost(name) and not has_none(name)), 0)


def says_any_of(name: str, words: Collection[str], *, whole: bool = False) -> bool:
    """Whether any of some words or phrases stands in a metric's name, apart from its brackets and circumstances if it is not `whole`.

    Example:
        >>> says_any_of("mIoU (val)", {"iou"}), says_any_of("Loss at an accuracy of 90 %", {"accuracy"})
        (True, False)
    """
    said = _letters(_WORD.findall((name if whole else _texts(name)[-1]).casefold()))
    phrases = (phrase for end in range(1, len(said) + 1) for phrase in _ending(said[:end]))
    return any(phrase in words or _STEMS.get(phrase) in words for phrase in phrases)


def agreed(opinions: Iterable[bool | None]) -> bool | None:
    """What all say who say anything; None where they differ, or nobody does.

    Example:
        >>> agreed([True, None, True]), agreed([True, False]), agreed([])
        (True, None, None)
    """
    said = {opinion for opinion in opinions if opinion is not None}
    return said.pop() if len(said) == 1 else None


def _texts(name: str) -> tuple[str, str, str]:
    """A name, without what stands in brackets, and without circumstances, too."""
    bare = _IN_BRACKETS.sub(" ", name)
    return name, bare, _CIRCUMSTANCES.split(bare, maxsplit=1)[0]


def _whole_name(name: str) -> str | None:
    """The name under which it stands in the table of whole names."""
    return next((whole for whole in _whole_names(name) if whole in NAMES), None)


def _telling_word(name: str) -> str | None:
    """The word or phrase by which a name that is not in the table says a direction."""
    for text in reversed(_texts(name)):
        words = _letters(_WORD.findall(text.casefold()))
        for said in (WORDS, VAGUE):
            found = _last_said(words, said)
            if found is not None:
                return found
    return None


def _whole_names(name: str) -> Iterator[str]:
    """The names under which it may stand in the table."""
    for text in _texts(name):
        words = _WORD.findall(text.casefold())
        yield " ".join(words)
        yield " ".join(_letters(words))


def _correlation(places: Sequence[int], numbers: Sequence[float]) -> float:
    """Spearman's, 0 where there are too few numbers or all are the same."""
    if len(numbers) < LEAST_ROWS or min(numbers) == max(numbers):
        return 0.0
    from scipy import stats  # half a second, which no page and few commands need

    return float(stats.spearmanr(places, numbers).statistic)


def _letters(words: Iterable[str]) -> list[str]:
    """Without numbers, and without the k of a thousand behind one."""
    found: list[str] = []
    number = False
    for word in words:
        if not word.isdigit() and not (number and word == "k"):
            found.append(word)
        number = word.isdigit()
    return found


def _last_said(words: Sequence[str], said: dict[str, bool]) -> str | None:
    """The last word or phrase that says anything, the longest that ends there."""
    for end in range(len(words), 0, -1):
        for phrase in _ending(words[:end]):
            if phrase in said:
                return phrase
        if said is WORDS and words[end - 1] in _STEMS:
            return _STEMS[words[end - 1]]
    return None


def _ending(words: Sequence[str]) -> Iterator[str]:
    """The phrases that end with the last word, the longest first."""
    for length in range(min(LONGEST_PHRASE, len(words)), 0, -1):
        yield " ".join(words[-length:])
