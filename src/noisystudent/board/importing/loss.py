"""What an import could not keep, what was there already, and what it kept but questions."""

from __future__ import annotations

from typing import Any

EXAMPLES = 20  # kept of each kind; the rest is counted
LONGEST = 200  # characters of a name or a reason that a report repeats


class Loss:
    """The report of an import: nothing that a file says is dropped without a line here.

    Example:
        >>> report = Loss()
        >>> report.lost("metric", "CIFAR-10, row 3", "its value is a list")
        >>> report.there("result")
        >>> report.as_dict()["lost"]["metric"]["count"], report.as_dict()["already there"]
        (1, {'result': 1})
    """

    def __init__(self) -> None:
        self._lost: dict[str, dict[str, Any]] = {}
        self._there: dict[str, int] = {}
        self._doubtful: dict[str, Any] = _none()
        self.places: dict[int, str] = {}  # of results, by number: where they stand in the file
        self.recognises = False

    def lost(self, kind: str, where: str, reason: str) -> None:
        """Something of a file that the catalogue does not get.

        Args:
            kind: what it is, in a word or two: those of a kind are counted together.
            where: the item, as a reader would look for it in the file.
            reason: why it is not kept.
        """
        _count(self._lost.setdefault(kind, _none()), where, reason)

    def doubtful(self, where: str, reason: str) -> None:
        """A value that the catalogue gets, odd as it looks."""
        _count(self._doubtful, where, reason)

    def there(self, kind: str, count: int = 1) -> None:
        """Something of a file that the catalogue has already."""
        self._there[kind] = self._there.get(kind, 0) + count

    def recognised(self) -> None:
        """Something of the file has a place in the catalogue, be it there already."""
        self.recognises = True

    def add(self, other: Loss) -> None:
        """What another report has, too."""
        for kind, lost in other._lost.items():
            _join(self._lost.setdefault(kind, _none()), lost)
        _join(self._doubtful, other._doubtful)
        for kind, count in other._there.items():
            self.there(kind, count)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON: what was lost, by kind, with a count and the first examples, what was there already, and odd values."""
        return {
            "lost": dict(sorted(self._lost.items())),
            "already there": dict(sorted(self._there.items())),
            "doubtful": self._doubtful,
        }


def _none() -> dict[str, Any]:
    return {"count": 0, "examples": []}


def _count(kept: dict[str, Any], where: str, reason: str) -> None:
    kept["count"] += 1
    if len(kept["examples"]) < EXAMPLES:
        kept["examples"].append({"where": _storable(where), "reason": _storable(reason)})


def _join(kept: dict[str, Any], others: dict[str, Any]) -> None:
    kept["count"] += others["count"]
    kept["examples"] = [*kept["examples"], *others["examples"]][:EXAMPLES]


def _storable(text: str) -> str:
    """A file's name may hold bytes that are no text."""
    return text[:LONGEST].encode("utf-8", "replace").decode()
