"""The board in a real browser: read, search, filter, submit and curate, by mouse and by keyboard, with scripts and without."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from board_site import IMAGENET, PROBE, make_catalogue, serving
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from user_inputs import Server

from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import tokens

SECONDS = 30  # that anything may take on a busy machine
expect.set_options(timeout=1000 * SECONDS)
PAPER = "Self-training with Noisy Student improves ImageNet classification"
NARROW, WIDE = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)
SCREENS = [NARROW, ViewportSize(width=900, height=900), ViewportSize(width=1400, height=900)]
# Tables that are wider than the page has room for, and cells that hide a part of what is in them.
CUT = """() => [
  ...[...document.querySelectorAll(".scroll")].filter(each => each.scrollWidth > each.clientWidth + 1),
  ...[...document.querySelectorAll("td, th")].filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1),
].map(each => each.outerHTML.slice(0, 120))"""
READER_PAGES = {
    "home": "/",
    "tasks": "/tasks",
    "area": "/area/computer-vision",
    "task": "/task/image-classification",
    "all leaderboards": "/sota",
    "leaderboards of an area": "/sota?area=computer-vision",
    "leaderboard": f"/sota/{IMAGENET}",
    "leaderboard against cost": f"/sota/{IMAGENET}?chart=parameters&columns=all",
    "filtered leaderboard": f"/sota/{IMAGENET}?metric=GFLOPs&extra=without&as_of=2100-01-01",
    "empty leaderboard": f"/sota/{IMAGENET}?year_from=2100",
    "history": f"/history/{IMAGENET}",
    "datasets": "/datasets",
    "dataset": "/dataset/imagenet",
    "papers": "/papers",
    "paper": "/paper/self-training-with-noisy-student-improves",
    "methods": "/methods",
    "method": "/method/noisy-student",
    "author": "/author/qizhe-xie",
    "venue": "/venue/cvpr",
    "search": "/search?q=student",
    "empty search": "/search?q=nothingofthekind",
    "submit": "/submit",
    "form": f"/submit/result?leaderboard={IMAGENET}",
    "choice of a leaderboard": "/submit/result?q=image",
    "submission": "/submission/1",
    "sign in": "/curate",
    "about": "/about",
    "api": "/api/v1/",
    "not found": "/paper/none",
}
HOSTILE_PAGES = [
    *(f"/{kind}/hostile" for kind in ("sota", "history", "task", "dataset", "paper", "method", "author")),
    f"/submit/result?leaderboard=hostile&locator={quote(PROBE)}&source_url={quote(PROBE)}",
    "/submit/dataset?dataset=hostile",
    f"/search?q={quote(PROBE)}",
    f"/sota/hostile?tag={quote(PROBE)}",
    *("/", "/papers", "/tasks", "/about", "/submission/1", "/curate", "/curate/submission/1", "/curate/event/3"),
]
CURATOR_PAGES = {"queue": "/curate", "difference": "/curate/submission/1", "event": "/curate/event/2"}

# Scripts, handlers and addresses that the browser found in the page; there are none of ours. (JSON-LD is data, and runs nowhere.)
MADE_OF_PROBE = """() => [...document.querySelectorAll("*")].filter(each =>
  each.matches("script:not([type='application/ld+json'])") || "probe" in window || [...each.attributes].some(({ name, value }) =>
    name.startsWith("on") || /^(.*:)?(href|src|action|formaction)$/.test(name) && /^\\s*javascript:/i.test(value))
).map(each => each.outerHTML)"""
# What Tab can reach, and how each of it looks. (Points of a chart are links of its table once more, and out of Tab's way.)
REMEMBER = """() => {
  const names = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  window.look = element => [element, ...element.querySelectorAll("*")].map(each => {
    const style = getComputedStyle(each);
    return [style.outlineStyle, style.outlineWidth, style.fill, style.stroke, style.strokeWidth].join(" ");
  }).join();
  window.controls = [...document.querySelectorAll(names)].filter(each => each.tabIndex >= 0 && each.checkVisibility());
  window.looks = controls.map(look);
  return controls.map(each => each.outerHTML.slice(0, 120));
}"""
# The number of what is focused, and whether it is on the screen and looks otherwise than without.
FOCUSED = """() => {
  const place = controls.indexOf(document.activeElement);
  if (place < 0) return null;
  const box = document.activeElement.getBoundingClientRect();
  const inside = box.width && box.height && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return [place, Boolean(inside) && look(document.activeElement) !== looks[place]];
}"""


@dataclass(frozen=True)
class Site:
    """A board that runs, and the token of its curator `carla`."""

    address: str
    store: Store
    token: str


@contextmanager
def running(server: Server, folder: Path) -> Iterator[Site]:
    store = make_catalogue(folder / "board.db")
    token = tokens.make(store, "carla", ["curate"])
    with serving(server, folder) as client:
        yield Site(str(client.base_url).rstrip("/"), store, token)


@pytest.fixture(scope="module")
def site(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that only read."""
    with running(server, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def own_site(server: Server, tmp_path: Path) -> Iterator[Site]:
    """For a test that writes."""
    with running(server, tmp_path) as site:
        yield site


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Somebody new, with a browser of their own, at a site; what goes wrong on a page fails the test."""
    with ExitStack() as contexts:
        troubles: list[str] = []

        def open_page(site: Site, **options: Any) -> Page:
            context: BrowserContext = browser.new_context(base_url=site.address, viewport=WIDE, **options)
            contexts.callback(context.close)
            context.set_default_timeout(1000 * SECONDS)
            page = context.new_page()
            watch(page, site.address, troubles)
            return page

        yield open_page
    assert not troubles, "\n".join(troubles)


def watch(page: Page, address: str, troubles: list[str]) -> None:
    """Note errors on the console, dialogs, and requests to other hosts. That a page itself is a refusal is no error."""

    def said(message: Any) -> None:
        refused = message.text.startswith("Failed to load resource") and message.location["url"] == page.url
        if message.type in ("error", "warning") and not refused:
            troubles.append(f"{page.url}: {message.text}")

    def asked(dialog: Any) -> None:
        troubles.append(f"{page.url}: a dialog, {dialog.message}")
        dialog.dismiss()

    def requested(request: Any) -> None:
        if urlsplit(request.url).scheme != "data" and not request.url.startswith(f"{address}/"):
            troubles.append(f"{page.url}: a request to {request.url}")

    page.on("console", said)
    page.on("dialog", asked)
    page.on("request", requested)
    page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))


def sign_in(page: Page, site: Site) -> None:
    page.goto("/curate")
    page.get_by_label("Token").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting submissions")


def rows(page: Page) -> Any:
    return page.get_by_role("region", name="Results").locator("tbody tr")


scripts = pytest.mark.parametrize("java_script_enabled", [True, False], ids=["scripts", "no scripts"])


@scripts
def test_from_home_to_a_rank_by_links(site: Site, visit: Visit, java_script_enabled: bool) -> None:
    page = visit(site, java_script_enabled=java_script_enabled)
    page.goto("/")
    page.get_by_role("link", name=PAPER).click()
    expect(page).to_have_title(f"{PAPER} | Papers With Code")
    page.get_by_role("link", name=re.compile("^Image Classification on ImageNet, rank")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Image Classification on ImageNet")
    pointed_at = page.locator("tr:target")
    expect(pointed_at).to_be_in_viewport()
    expect(pointed_at).to_contain_text(PAPER)


@scripts
def test_search(site: Site, visit: Visit, java_script_enabled: bool) -> None:
    page = visit(site, java_script_enabled=java_script_enabled)
    page.goto("/tasks")
    page.get_by_label("Search papers, tasks, datasets, methods").fill("noisy student")
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox")).to_have_value("noisy student")
    expect(page.get_by_role("main").get_by_role("link", name="Noisy Student", exact=True)).to_be_visible()
    page.get_by_role("main").get_by_role("link", name=PAPER).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PAPER)


@scripts
def test_filter_and_metric_of_a_leaderboard(site: Site, visit: Visit, java_script_enabled: bool) -> None:
    page = visit(site, java_script_enabled=java_script_enabled)
    page.goto(f"/sota/{IMAGENET}")
    every = rows(page).count()
    expect(rows(page).first).to_contain_text("88.4%")
    page.get_by_label("Extra training data").select_option("without")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("results match")).to_be_visible()
    expect(page.get_by_label("Extra training data")).to_have_value("without")
    assert 0 < rows(page).count() < every
    expect(rows(page).filter(has_text="NoisyStudent (EfficientNet-L2)")).to_have_count(0)
    page.get_by_role("navigation", name="Metric").get_by_role("link", name="Number of params").click()
    expect(page.locator("thead th").nth(2)).to_have_text("Number of params")
    expect(page.get_by_label("Extra training data")).to_have_value("without")
    sizes = [float(text.rstrip("M")) for text in page.locator("td.chosen").all_inner_texts() if text]
    assert sizes == sorted(sizes)
    page.get_by_role("link", name="Show all", exact=True).click()
    expect(rows(page)).to_have_count(every)


@scripts
def test_submit_approve_and_take_back(own_site: Site, visit: Visit, java_script_enabled: bool) -> None:
    page, curator = (visit(own_site, java_script_enabled=java_script_enabled) for _ in range(2))
    page.goto(f"/sota/{IMAGENET}")
    page.get_by_role("link", name="Submit a result").click()
    page.get_by_text("More, if you know it").click()
    page.get_by_label("Model").fill("Our network")
    page.locator("#value-1").fill("90.1%")
    page.get_by_label("Day of the evaluation").fill("soon")
    page.get_by_role("button", name="Send").click()
    mistaken = page.get_by_label("Day of the evaluation")
    expect(mistaken).to_have_attribute("aria-invalid", "true")
    assert "mistake-evaluated_on" in (mistaken.get_attribute("aria-describedby") or "")
    expect(page.locator("#mistake-evaluated_on")).to_be_visible()
    for field, kept in ((mistaken, "soon"), (page.get_by_label("Model"), "Our network")):
        expect(field).to_have_value(kept)
    expect(page.locator("#value-1")).to_have_value("90.1%")
    mistaken.fill("2024-05-01")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Before you send it")).to_contain_text("It would be the first of")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    page.get_by_role("link", name="submission 2").click()
    expect(page.get_by_role("main")).to_contain_text("It waits for a curator")
    approve(curator, own_site)
    page.goto(f"/sota/{IMAGENET}")
    ours = rows(page).filter(has_text="Our network")
    expect(ours.locator(".rank")).to_have_text("1")
    expect(ours).to_contain_text("90.1%")
    curator.goto(f"/sota/{IMAGENET}")
    take_back_the_newest(curator)
    page.reload()
    expect(ours).to_have_count(0)
    expect(rows(page).first).to_contain_text("88.4%")


def approve(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.get_by_role("link", name="2: ").click()
    expect(page.get_by_role("region", name="Changes")).to_contain_text("Our network")
    expect(page.get_by_role("region", name="Ranks").get_by_role("row").nth(1)).to_contain_text("90.1%")
    page.get_by_label("Note for the history").fill("seen in the paper")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("main")).to_contain_text("It was approved")


def take_back_the_newest(page: Page) -> None:
    page.get_by_role("link", name="History").click()
    newest = page.locator("ol.entries > li").first
    expect(newest).to_contain_text("seen in the paper")
    newest.get_by_role("link", name="change ").click()
    page.get_by_label("Note for the history").fill("a mistake")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("main")).to_contain_text("took 1 off")


def test_the_skip_link(site: Site, visit: Visit) -> None:
    page = visit(site)
    page.goto(f"/sota/{IMAGENET}")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").locator("a").first).to_be_focused()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_control_is_reached_by_tab_and_shows_it(site: Site, visit: Visit, size: ViewportSize) -> None:
    page = visit(site)
    page.set_viewport_size(size)
    page.goto(f"/sota/{IMAGENET}?year_from=2000")
    controls = page.evaluate(REMEMBER)
    reached: dict[int, bool] = {}
    for _ in range(len(controls) + 10):  # a field for a date is several steps, of which the last shows itself
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        reached.setdefault(*focused)
    assert [control for place, control in enumerate(controls) if place not in reached] == []
    assert [controls[place] for place, is_seen in reached.items() if not is_seen] == []
    assert list(reached) == sorted(reached), "in the order of the page"


@pytest.mark.parametrize("name", READER_PAGES)
def test_a_page_of_readers(site: Site, visit: Visit, name: str) -> None:
    page = visit(site)
    page.goto(READER_PAGES[name])
    check(page)


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize(
    "path", ["/", "/sota", f"/sota/{IMAGENET}", "/paper/self-training-with-noisy-student-improves"]
)
def test_no_table_is_cut(site: Site, visit: Visit, size: ViewportSize, path: str) -> None:
    """A leaderboard is whole on each screen: what has no column there is named above it."""
    page = visit(site)
    page.set_viewport_size(size)
    page.goto(path)
    assert page.evaluate(CUT) == []
    if path.endswith(IMAGENET):
        columns = {text.strip() for text in page.locator("table.results thead th:visible").all_inner_texts()}
        unseen = page.locator("p.unseen:visible").all_inner_texts()
        metrics = page.get_by_role("navigation", name="Metric").get_by_role("link").all_inner_texts()
        assert metrics[0] in columns
        assert [name for name in metrics if name not in columns and not any(name in text for text in unseen)] == []


def test_names_in_a_chart_do_not_collide(site: Site, visit: Visit) -> None:
    page = visit(site)
    page.goto(f"/sota/{IMAGENET}")
    for size in SCREENS[1:]:
        page.set_viewport_size(size)
        boxes = [name.bounding_box() for name in page.locator(".chart .who").all()]
        assert boxes
        for one, other in itertools.combinations(filter(None, boxes), 2):
            apart = any(
                one[at] + one[long] <= other[at] or other[at] + other[long] <= one[at]
                for at, long in (("x", "width"), ("y", "height"))
            )
            assert apart, (size, one, other)


def test_a_form_with_mistakes(site: Site, visit: Visit) -> None:
    page = visit(site)
    page.goto("/submit/result")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


@pytest.mark.parametrize("name", CURATOR_PAGES)
def test_a_page_of_curators(site: Site, visit: Visit, name: str) -> None:
    page = visit(site)
    sign_in(page, site)
    page.goto(CURATOR_PAGES[name])
    check(page)


def check(page: Page) -> None:
    """Nothing is wrong with the page that is open, whether light or dark, wide or narrow."""
    for scheme, size in itertools.product(("light", "dark"), (WIDE, NARROW)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        check_width(page, size)
        found = Axe().run(page)
        bad = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert bad == [], f"{page.url}, {scheme}, {size['width']} pixels: {found.generate_report()}"


def check_width(page: Page, size: ViewportSize) -> None:
    """The page has nothing to the right of the screen."""
    page.set_viewport_size(size)
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= size["width"], f"{page.url} has {width} pixels of {size['width']}"


def test_nothing_that_was_written_into_the_catalogue_runs(site: Site, visit: Visit) -> None:
    page = visit(site, bypass_csp=True)  # what is escaped needs no second lock
    sign_in(page, site)
    for address in HOSTILE_PAGES:
        page.goto(address)
        assert "Hostile" in page.get_by_role("main").inner_html(), address
        assert page.evaluate(MADE_OF_PROBE) == [], address
        for size in (WIDE, NARROW):
            check_width(page, size)
