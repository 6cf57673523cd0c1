"""The documentation as a site: it builds, every page is in it, and every link and anchor leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_the_site_builds_and_every_link_leads_somewhere(site: Path) -> None:
    """MkDocs looks at links between pages; here all that is written is looked at, pictures and styles too."""
    lost = []
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r'(?:href|src)="([^"#?]+)', text):
            if re.match(r"[a-z]+:|//", target) or page.name == "404.html":
                continue
            if not (page.parent / target).exists():
                lost.append(f"{page.relative_to(site)}: {target}")
    assert lost == []


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert sorted(page for page in pages if f": {page}\n" not in navigation) == []


def test_lists_are_lists(site: Path) -> None:
    """Python-Markdown wants an empty line before a list; without it the dashes stand in the text."""
    found = [page.name for page in site.rglob("*.html") if re.search(r"<p>[^<]*\n- ", page.read_text(encoding="utf-8"))]
    assert found == []


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    import noisystudent as ns

    reference = (site / "api.html").read_text(encoding="utf-8")
    assert [name for name in ns.__all__ if f'id="noisystudent.{name}"' not in reference] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', text), page.name
