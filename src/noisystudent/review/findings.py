"""What makes an image worth a look, and how a bounded number of images is chosen from many such findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """An image and what was found about it.

    Attributes:
        split: labeled, val or unlabeled.
        id: of the image in its source.
        why: in words.
    """

    split: str
    id: str
    why: str


def chosen(kinds: Iterable[list[Finding]], most: int) -> dict[tuple[str, str], list[str]]:
    """The images to show, with all that was found about each: of each kind of finding the first, then of each the second, and so on.

    Args:
        kinds: the findings of each kind, the most worthwhile first.
        most: images.

    Example:
        >>> unsure = [Finding("unlabeled", "a", "unsure"), Finding("unlabeled", "b", "unsure")]
        >>> chosen([unsure, [Finding("unlabeled", "b", "changed")]], most=2)
        {('unlabeled', 'a'): ['unsure'], ('unlabeled', 'b'): ['unsure', 'changed']}
    """
    found: dict[tuple[str, str], list[str]] = {}
    kinds = list(kinds)
    for place in range(max(map(len, kinds), default=0)):
        for findings in kinds:
            if place < len(findings) and len(found) < most:
                found.setdefault(findings[place][:2], [])
    for findings in kinds:
        for split, id, why in findings:
            if (split, id) in found:
                found[split, id].append(why)
    return found
