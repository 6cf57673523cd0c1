"""Draw docs/figures/report.png, the README's picture of a report: its answer and its networks, as a browser shows them.

    noisystudent demo --out demo
    python docs/make_report_picture.py demo/run-0

It needs Playwright with a Chromium, which the extra `dev` names; CHROMIUM says where one lies that Playwright did not install.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

PICTURE = Path(__file__).parent / "figures" / "report.png"
WIDTH = 1400  # pixels; as on a laptop
LEFT_OUT = "[aria-labelledby=next], [aria-labelledby=result] p:not(.lead) { display: none }"


def taken(report: Path, browser: Browser) -> Image.Image:
    """The page from its top to the end of the networks; of the result its one sentence, and nothing of what to do next."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
    page.goto(report.resolve().as_uri())
    page.add_style_tag(content=LEFT_OUT)
    end = page.evaluate("document.querySelector('[aria-labelledby=networks]').getBoundingClientRect().bottom")
    png = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": end + 24})
    page.close()
    # An octree keeps the colors of thin lines, which the median cut gives to the greys of the text.
    return Image.open(io.BytesIO(png)).convert("RGB").quantize(method=Image.Quantize.FASTOCTREE)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        taken(Path(sys.argv[1]) / "report.html", opened).save(PICTURE, optimize=True)
