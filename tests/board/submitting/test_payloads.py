from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from noisystudent.board.catalogue.fields import KINDS
from noisystudent.board.submitting.payloads import Mistakes, check_comment, read

RESULT: dict[str, Any] = {"leaderboard": "a-on-b", "model": "M", "metrics": {"Accuracy": "1%"}}


def mistakes(kind: str, payload: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(Mistakes) as error:
        read(kind, payload)
    return error.value.fields


def test_all_mistakes_are_told_at_once_with_their_fields() -> None:
    found = mistakes(
        "paper",
        {
            "title": "",
            "authors": ["A", "\n"],
            "url_abs": "javascript:alert(1)",
            "published": "2222-01-01",
            "tasks": ["T", "T"],
            "colour": "red",
        },
    )
    assert set(found) == {"title", "authors", "url_abs", "published", "tasks", "colour"}
    assert found["authors"] == ["entry 2: must not be empty"]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.org/",
            "//a.org",
            "a.org",
            "http://",
            "http:///x",
            "https://[::1",
        ),
        *(
            "http://user:word@a.org/",
            "http://a.org:99999/",
            "http://a.org/ b",
            "http://a.org/<b>",
            'http://a.org/"x',
            "http://a.org/\x00",
        ),
        *("http://a.org/\u202ex", "JAVASCRIPT:alert(1)", "http://a.org/" + "x" * 2_000, "http://a.org/\nx"),
    ],
)
def test_addresses_are_of_the_web(url: str) -> None:
    assert set(mistakes("dataset", {"name": "A", "homepage": url})) == {"homepage"}
    assert set(mistakes("result", RESULT | {"code_links": [url]})) == {"code_links"}


@pytest.mark.parametrize("url", ["http://a.org", "https://a.org:8080/x?y=z#w", "https://例え.jp/ä", "HTTPS://A.ORG/"])
def test_addresses_that_are(url: str) -> None:
    assert read("dataset", {"name": "A", "homepage": url}).homepage == url  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "day",
    [
        "yesterday",
        "2020-13-01",
        "20200101",
        "2020-1-1",
        "1899-12-31",
        "2020-01-01T00:00:00Z",
        "2222-01-01",
        "２０２０-01-01",
    ],
)
def test_days_are_iso_and_plausible(day: str) -> None:
    assert set(mistakes("result", RESULT | {"evaluated_on": day})) == {"evaluated_on"}


def test_a_paper_may_be_dated_ahead_as_proceedings_are() -> None:
    day = (date.today() + timedelta(days=300)).isoformat()
    assert read("paper", {"title": "A", "published": day}).published == day  # type: ignore[union-attr]


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\u2028", "\ufeff"])
def test_control_characters_are_refused_everywhere(sign: str) -> None:
    for kind, field in (("task", "name"), ("task", "description"), ("task", "comment"), ("method", "contributor")):
        assert set(mistakes(kind, {"name": "A", field: f"a{sign}b"})) == {field}
    with pytest.raises(Mistakes):
        check_comment("reason", f"a{sign}b")


def test_half_a_character_is_refused_and_the_answer_can_be_written() -> None:
    for payload in ({"name": "\ud800"}, {"\ud800": "a"}, {"name": "A", "areas": ["\udfff"]}):
        str(mistakes("task", payload)).encode()
    "; ".join(
        text for texts in mistakes("result", RESULT | {"metrics": {"\ud800" * 10_000: "1"}}).values() for text in texts
    ).encode()


def test_a_text_may_have_lines_a_name_may_not() -> None:
    found = read("task", {"name": " A ", "description": "a\r\nb\rc\td\n"})
    assert (found.name, found.description) == ("A", "a\nb\nc\td")  # type: ignore[union-attr]
    assert set(mistakes("task", {"name": "A\nB"})) == {"name"}


def test_limits_of_length_and_count() -> None:
    long = "x" * 20_001
    assert set(
        mistakes("task", {"name": long, "description": long, "comment": long[:2_001], "contributor": long[:301]})
    ) == {*("name", "description", "comment", "contributor")}
    many = [str(number) for number in range(5_001)]
    assert set(
        mistakes("paper", {"title": "A", "authors": many, "tasks": many, "code": [f"http://a/{n}" for n in many]})
    ) == {*("authors", "tasks", "code")}
    values = {str(number): "1" for number in range(31)}
    assert set(mistakes("result", RESULT | {"metrics": values, "tags": many[:21]})) == {"metrics", "tags"}
    assert all(len(texts) <= 10 for texts in mistakes("paper", {"title": "A", "authors": [""] * 4_000}).values())


def test_values_are_text_and_a_leaderboard_is_named_once() -> None:
    assert set(mistakes("result", RESULT | {"metrics": {"A": 88.4}})) == {"metrics"}
    assert set(mistakes("result", RESULT | {"metrics": {}})) == {"metrics"}
    for names in ({}, {"task": "A"}, {"leaderboard": "a", "task": "A", "dataset": "B"}):
        assert set(mistakes("result", {"model": "M", "metrics": {"A": "1"}, **names})) == {"leaderboard"}
    assert set(mistakes("result", RESULT | {"higher_is_better": {"Other": True}})) == {"higher_is_better"}
    assert set(mistakes("result", RESULT | {"extra_data": "yes", "corrects": "1"})) == {"extra_data", "corrects"}


def test_wrong_types_and_kinds() -> None:
    assert set(mistakes("edit", {})) == {"kind"}
    for kind, model in KINDS.items():
        for wrong in (None, 1, {}, [1], True):
            payload = dict.fromkeys(model.model_fields, wrong)
            if wrong is None and kind not in ("result", "direction"):
                assert {"contributor", "comment"} <= set(mistakes(kind, payload))
            else:
                assert mistakes(kind, payload)
