import json
import re
from html.parser import HTMLParser
from pathlib import Path

from hostile_review import HOSTILE, hostile_review

from noisystudent.review.page import render


class Read(HTMLParser):
    """Elements and their attributes, and the text of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts[-1] += data


def test_foreign_names_are_text(tmp_path: Path) -> None:
    page = render(hostile_review(tmp_path / "pictures"), download='"><script>.csv')
    read = Read(page)
    assert [tag for tag, _ in read.tags].count("script") == 2
    assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)
    assert {a["src"].split(":")[0] for tag, a in read.tags if tag == "img" and a["src"]} == {"data"}
    given = json.loads(read.scripts[0])
    assert given["classes"] == list(HOSTILE)
    assert [row["id"] for row in given["rows"]] == [
        row["id"] for row in hostile_review(tmp_path / "again").rows.to_pylist()
    ]


def test_it_needs_no_network(tmp_path: Path) -> None:
    page = render(hostile_review(tmp_path / "pictures"), download="review.csv")
    assert re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*", page) == []
    assert "default-src 'none'" in page


def test_few_classes_have_a_key_each_and_of_many_the_likely_ones(tmp_path: Path) -> None:
    def choices(classes: int) -> list[list[str | None]]:
        page = Read(render(hostile_review(tmp_path / str(classes), images=2, classes=classes), download="r.csv"))
        cards: list[list[str | None]] = []
        for tag, attributes in page.tags:
            if tag == "fieldset":
                cards.append([])
            elif tag == "input" and "data-key" in attributes:
                cards[-1].append(attributes["value"])
        return cards

    assert choices(4) == [[*HOSTILE, "(none)"]] * 2
    assert choices(40) == [[HOSTILE[0], HOSTILE[1], "(none)"], [HOSTILE[1], HOSTILE[2], "(none)"]]


def test_a_picture_that_cannot_be_shown_says_so(tmp_path: Path) -> None:
    page = render(hostile_review(tmp_path / "pictures"), download="review.csv")
    assert page.count('class="absent"') == 1


def test_the_page_grows_by_a_bounded_picture_an_image(tmp_path: Path) -> None:
    small, large = (len(render(hostile_review(tmp_path / str(n), images=n), download="r.csv")) for n in (2, 12))
    assert (large - small) / 10 < 30_000
