"""What a visitor with a slow phone waits for: weight and time of the board's front page, a leaderboard and a paper, as Lighthouse measures.

    python benchmarks/board_pages.py --work FOLDER

The board is that of `board demo`. Chromium opens each page as a phone of 412 x 823 points, with a processor four times slower than this
one, 1.6 Mbit/s down, 0.75 up and 150 ms for every answer (Lighthouse's "slow 4G"), nothing kept from before; the median of the rounds
counts. Blocking time is what tasks of the page take beyond 50 ms each; shift is Chromium's sum of what moved while it loaded.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from board_archive import RESULTS, about
from board_load import served
from playwright.sync_api import Browser, CDPSession, sync_playwright

from noisystudent.board import demo
from noisystudent.board.catalogue.store import Store

PAGES = {
    "front page": "/",
    "leaderboard": "/sota/image-classification-on-imagenet",
    "paper": "/paper/self-training-with-noisy-student-improves",
}
MBIT = 1_000_000 / 8  # bytes a second
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1.6 * MBIT, "uploadThroughput": 0.75 * MBIT}
SLOWER, PHONE = 4, {"width": 412, "height": 823}
SETTLED = 1_000  # milliseconds after loading in which a page may still move
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SEEN = """() => {
  window.seen = { largest: 0, shift: 0, blocking: 0 };
  const watch = (type, see) => new PerformanceObserver(list => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch("largest-contentful-paint", entry => { window.seen.largest = entry.startTime; });
  watch("layout-shift", entry => { if (!entry.hadRecentInput) window.seen.shift += entry.value; });
  watch("longtask", entry => { window.seen.blocking += entry.duration - 50; });
}"""
PAINTED = '() => performance.getEntriesByName("first-contentful-paint")[0].startTime'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "board")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit(f"there is no Chromium: install one of {', '.join(CHROMIUM)}, or say where it is: CHROMIUM=/path")
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "board-pages.db"
    for part in options.work.glob(f"{path.name}*"):
        part.unlink()
    demo.fill(Store(path, create=True), actor="benchmark")
    with served(path, 1) as (address, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        lines = [
            "| page | kB over the network | requests | first paint, ms | largest paint, ms | shift | blocking, ms |",
            "|---|---|---|---|---|---|---|",
            *(row(name, measured(browser, address + page, options.rounds)) for name, page in PAGES.items()),
        ]
        text = "\n".join([about("python benchmarks/board_pages.py") + f", Chromium {browser.version}", "", *lines])
        browser.close()
    print(text)
    if not options.trial:
        (RESULTS / "board_pages.md").write_text(text + "\n", encoding="utf-8")


def row(name: str, found: dict[str, float]) -> str:
    return (
        f"| {name} | {found['bytes'] / 1_000:.1f} | {found['requests']:.0f} | {found['first']:.0f} | {found['largest']:.0f} | "
        f"{found['shift']:.3f} | {found['blocking']:.0f} |"
    )


def measured(browser: Browser, address: str, rounds: int) -> dict[str, float]:
    """The median of each measure."""
    found = defaultdict(list)
    for _ in range(rounds):
        for name, value in opened(browser, address).items():
            found[name].append(value)
    return {name: median(values) for name, values in found.items()}


def opened(browser: Browser, address: str) -> dict[str, float]:
    """One visit, by somebody who was never there."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=1.75, is_mobile=True, has_touch=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    loaded = counted(session)
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(f"({SEEN})()")
    answer = page.goto(address, wait_until="load")
    if answer is None or not answer.ok:
        sys.exit(f"{address} does not answer: {answer and answer.status}")
    page.wait_for_timeout(SETTLED)
    seen: dict[str, float] = page.evaluate("window.seen")
    first: float = page.evaluate(PAINTED)
    context.close()
    return {"bytes": sum(loaded), "requests": len(loaded), "first": first, **seen}


def counted(session: CDPSession) -> list[float]:
    """A list that gets the bytes of each answer of a page, headers included."""
    loaded: list[float] = []

    def add(event: dict[str, Any]) -> None:
        loaded.append(event["encodedDataLength"])

    session.on("Network.loadingFinished", add)
    session.send("Network.enable")
    return loaded


if __name__ == "__main__":
    main()
