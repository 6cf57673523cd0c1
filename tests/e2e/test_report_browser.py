"""A run's report in a real browser: at three widths, light and dark, with a screen reader, and on paper."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

WIDTHS = (360, 900, 1400)


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


def test_paper_is_white_has_every_table_whole_and_no_settings(browser: Browser, finished: Any) -> None:
    page = report(browser, finished, color_scheme="dark", viewport={"width": 703, "height": 1000})  # A4 within margins
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = "[...document.querySelectorAll('details')].filter(d => !d.lastElementChild.checkVisibility({contentVisibilityAuto: true}))"
    assert set(page.evaluate(f"{hidden}.map(d => d.lastElementChild.tagName)")) == {"PRE"}
    edges = "[...document.querySelectorAll('table')].map(table => table.getBoundingClientRect().right)"
    assert max(page.evaluate(edges)) <= 703
    assert page.locator("nav").first.is_hidden()
