"""YAML of others: plain data and nothing else, and no text that grows into more than it shows."""

from __future__ import annotations

from typing import Any

import yaml

from noisystudent.errors import UserError

LONGEST = 16 << 20  # characters
DEEPEST = 50  # libyaml's composer calls itself for each level and ends the process where the stack ends
MOST_NODES = 1_000_000  # with each alias counted as what it stands for


def load(text: str, where: str, first_line: int = 1) -> Any:
    """The data of a YAML text.

    Args:
        where: the file, for messages.
        first_line: of the text within it.

    Raises:
        UserError: it is not YAML, asks for objects of Python, is nested too deeply or too large; with line and column.

    Example:
        >>> load("Name: tnt-small", "metafile.yml")
        {'Name': 'tnt-small'}
    """
    if len(text) > LONGEST:
        raise UserError(f"{where}: more than {LONGEST:,} characters of YAML")
    try:
        _measure(text, where, first_line)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        place = _place(where, error.problem_mark or error.context_mark, first_line)
        raise UserError(f"{place}: {error.problem or error.context or 'not YAML'}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # ValueError: 2020-99-99, which looks like a date
        raise UserError(f"{where}, line {first_line} and on: not YAML ({error})") from error


def _measure(text: str, where: str, first_line: int) -> None:
    """Refuse depth and growth while the text is only a row of events: what an alias stands for is added up, not built."""
    sizes: dict[str, int] = {}  # nodes under each anchor
    open_nodes: list[tuple[str | None, int]] = []  # anchors that have not ended, and the nodes counted before them
    nodes = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        place = _place(where, event.start_mark, first_line)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise UserError(f"{place}: *{event.anchor} stands within itself or before its anchor")
            nodes += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, nodes))
            nodes += 1
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = nodes - before
        if len(open_nodes) > DEEPEST:
            raise UserError(f"{place}: nested more than {DEEPEST} deep")
        if nodes > MOST_NODES:
            raise UserError(f"{place}: more than {MOST_NODES:,} values, its aliases counted in full")


def _place(where: str, mark: Any, first_line: int) -> str:
    return f"{where}, line {mark.line + first_line}, column {mark.column + 1}" if mark else where
