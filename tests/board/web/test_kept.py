"""A cache is bounded by what it holds, not by how many things it holds."""

from __future__ import annotations

import random

from noisystudent.board.web.kept import OF_EACH, Kept


def test_the_longest_unasked_for_goes_first() -> None:
    kept = Kept[str](10 * (OF_EACH + 100))
    for name in "abcdefghij":
        kept.put(name, name.upper(), 100)
    assert kept.get("a") == "A"
    kept.put("k", "K", 100)
    assert (kept.get("a"), kept.get("b"), kept.get("k")) == ("A", None, "K")


def test_whatever_comes_it_never_holds_more() -> None:
    draw, kept, most = random.Random(1), Kept[int](1_000_000), 1_000_000
    for _ in range(5_000):
        key = draw.randrange(300)
        kept.put(key, key, draw.choice([0, 100, 10_000, 120_000]))
        assert kept.size <= most
        assert kept.get(key) in (key, None)
    assert kept.size == sum(size for _, size in kept._values.values())


def test_what_is_too_large_drives_nothing_out() -> None:
    kept = Kept[str](100_000)
    kept.put("a", "A", 10)
    kept.put("b", "B", 50_000)
    assert (kept.get("a"), kept.get("b")) == ("A", None)
