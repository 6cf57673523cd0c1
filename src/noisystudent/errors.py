"""What went wrong, told in one message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

SHOWN = 5  # of many names


class UserError(ValueError):
    """A mistake that the user can mend: the command line shows it without a traceback and exits with 2.

    Args:
        problems: one sentence or several; each names where the mistake stands and what to do about it.

    Example:
        >>> str(UserError("cats.csv has no column 'path'"))
        "cats.csv has no column 'path'"
        >>> print(UserError(["a is missing", "b is empty"]))
        2 problems:
          - a is missing
          - b is empty
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: list[str] = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(self.problems)  # as it is made again from a pickle

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.problems[0]
        return "\n".join([f"{len(self.problems)} problems:", *(f"  - {problem}" for problem in self.problems)])


class RunError(RuntimeError):
    """A run that cannot go on although its input was right: told without a traceback, exit status 1."""


def some(names: Iterable[str]) -> str:
    """The first few of many names, for a message."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else ""
    return ", ".join(repr(name) for name in listed[:SHOWN]) + more


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that is most like an unknown one, for a message; "" where none is like it.

    Example:
        >>> meant("labelled", ["labeled", "test"]), meant("cats", ["labeled"])
        (" (did you mean 'labeled'?)", '')
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f" (did you mean {close[0]!r}?)" if close else ""


def changed_since(name: str, reason: str) -> str:
    """What to tell of an image, or a file of images, that could be read when the run began, and cannot now."""
    return f"{name!r} disappeared or changed since the run began ({reason}): put it back"
