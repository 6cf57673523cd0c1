"""A run's report in a real browser: at three widths, light and dark, with a screen reader, on paper, and as the README's picture."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

WIDTHS = (360, 900, 1400)
DOCS = Path(__file__).parents[2] / "docs"


def report(browser: Browser, finished: Any, **how: Any) -> Page:
    page = browser.new_context(offline=True, **how).new_page()
    page.goto((finished.folder / "report.html").as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_read_at_every_width_and_by_a_screen_reader(browser: Browser, finished: Any, scheme: Any) -> None:
    page = report(browser, finished, color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_charts_stand_side_by_side_and_tables_are_whole_where_there_is_room(browser: Browser, finished: Any) -> None:
    page = report(browser, finished, viewport={"width": 900, "height": 800})
    pairs = "[...document.querySelectorAll('.charts')].map(row => [...row.children]).filter(row => row.length == 2)"
    tops = page.evaluate(f"{pairs}.map(row => row.map(chart => chart.getBoundingClientRect().top))")
    assert len(tops) >= 2
    assert all(left == right for left, right in tops)
    page.set_viewport_size({"width": 1400, "height": 800})
    cut = "[...document.querySelectorAll('.scroll')].filter(place => place.scrollWidth > place.clientWidth)"
    assert page.evaluate(f"{cut}.map(place => place.innerText)") == []


def test_paper_is_white_has_every_table_whole_and_no_settings(browser: Browser, finished: Any) -> None:
    page = report(browser, finished, color_scheme="dark", viewport={"width": 703, "height": 1000})  # A4 within margins
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "[...document.querySelectorAll('details')].filter(d => !d.lastElementChild.checkVisibility({contentVisibilityAuto: true}))"
    assert set(page.evaluate(f"{hidden}.map(d => d.lastElementChild.tagName)")) == {"PRE"}
    edges = "[...document.querySelectorAll('table')].map(table => table.getBoundingClientRect().right)"
    assert max(page.evaluate(edges)) <= 703
    assert page.locator("nav").first.is_hidden()


def test_the_picture_of_the_readme_is_taken_of_any_report(browser: Browser, finished: Any) -> None:
    picture = runpy.run_path(str(DOCS / "make_report_picture.py"))["taken"](finished.folder / "report.html", browser)
    assert picture.width == 1400
    assert 700 < picture.height < 2500
    assert len(picture.getcolors()) > 50  # charts, and not a white page
