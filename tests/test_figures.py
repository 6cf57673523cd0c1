"""The figures of the documentation are what their script draws from what was measured."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

DOCS = Path(__file__).parent.parent / "docs"
SCRIPT = runpy.run_path(str(DOCS / "make_figures.py"))
PIXELS = re.compile(r'base64,[^"]*"')


@pytest.mark.parametrize("name", SCRIPT["FIGURES"])
def test_each_figure_is_what_its_script_draws(name: str) -> None:
    """But for the pixels of pictures, which may round otherwise on another processor."""
    kept = (DOCS / "figures" / f"{name}.svg").read_text()
    assert PIXELS.sub("", kept) == PIXELS.sub("", SCRIPT["svg"](name)), "run python docs/make_figures.py"
    assert bool(PIXELS.search(kept)) == (name == "noise")


def test_each_figure_is_on_a_page_with_words_for_who_cannot_see_it() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
    assert [
        name for name in SCRIPT["FIGURES"] if not re.search(rf"!\[[^\]]{{40,}}\]\(figures/{name}\.svg\)", pages)
    ] == []


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/report.md"])
def test_a_report_is_shown_small_and_with_words_for_who_cannot_see_it(page: str) -> None:
    file = DOCS.parent / page
    [(words, target)] = re.findall(r"!\[([^\]]+)\]\(([^)]+report\.png)\)", file.read_text())
    assert len(words) > 40
    picture = file.parent / target
    assert picture.stat().st_size < 150_000
    assert Image.open(picture).width == 1400
