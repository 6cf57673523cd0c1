"""A run folder, and a reader of the page made of it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from run_writer import RunWriter

from noisystudent.report.html import write_report

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """A page's text, tables, links and elements; a page whose tags do not match fails.

    Attributes:
        text: all text that a reader sees, white space squeezed.
        tables: by the first words of the caption, the rows as lists of cell texts.
        elements: (tag, attributes) of every element.
        sections: the text of each section, by its heading.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.sections: dict[str, str] = {}
        self._open: list[str] = []
        self._pieces: list[str] = []
        self._caption = ""
        self._starts: list[int] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = self._since(0)

    def values(self, *names: str) -> list[str]:
        """The values of some attributes, wherever they stand."""
        return [value or "" for _, attributes in self.elements for name, value in attributes.items() if name in names]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self._open.append(tag)
        if tag in ("caption", "td", "th", "section", "h2"):
            self._starts.append(len(self._pieces))
        if tag == "tr":
            self.tables[self._caption].append([])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag not in ("caption", "td", "th", "section", "h2"):
            return
        text = self._since(self._starts.pop())
        if tag == "caption":
            self._caption = text
            self.tables[text] = []
        elif tag in ("td", "th"):
            self.tables[self._caption][-1].append(text)
        elif tag == "h2":
            self._heading = text
        else:
            self.sections[self._heading] = text

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self._pieces.append(data)

    def _since(self, start: int) -> str:
        return " ".join(" ".join(self._pieces[start:]).split())

    def table(self, caption: str) -> list[list[str]]:
        """The table whose caption begins so."""
        return next(rows for text, rows in self.tables.items() if text.startswith(caption))


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., RunWriter]:
    """Makes the writer of a run folder; `new_run(known=False).write()` writes one."""
    return lambda **fields: RunWriter(tmp_path / "run", **fields)


@pytest.fixture
def read_page() -> Callable[[Path], Page]:
    return lambda path: Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report, made once: to look at, not to change."""
    run = RunWriter(tmp_path_factory.mktemp("finished") / "run", splits=("val", "test")).write()
    write_report(run)
    return run


@pytest.fixture(scope="session")
def page(finished: Path) -> Page:
    """The report of `finished`."""
    return Page((finished / "report.html").read_text(encoding="utf-8"))
