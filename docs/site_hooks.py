"""What MkDocs is told beside mkdocs.yml: a file outside docs/ that a page links is part of the site, at its place in the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

DOCS = Path(__file__).parent
ROOT = DOCS.parent
LINK = re.compile(r"(?<=\]\()([^)#\s:]+)")
FROM_NAVIGATION = ("CHANGELOG.md", "benchmarks/README.md")


def on_files(files: Files, config: Any) -> Files:
    """Add what pages link, and what those link in turn."""
    waiting = [DOCS / file.src_uri for file in files.documentation_pages()]
    waiting += [ROOT / name for name in FROM_NAVIGATION]
    for name in FROM_NAVIGATION:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    while waiting:
        page = waiting.pop()
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve()
            outside = file.is_file() and file.is_relative_to(ROOT) and not file.is_relative_to(DOCS)
            if outside and (name := place(file)) not in files.src_uris:
                files.append(File.generated(config, name, abs_src_path=str(file)))
                waiting += [file] if file.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links between pages, as they are in the repository, become those between their places in the site."""
    inside = DOCS / page.file.src_uri
    source = inside if inside.is_file() else ROOT / page.file.src_uri
    here = posixpath.dirname(page.file.src_uri)

    def moved(link: re.Match[str]) -> str:
        file = (source.parent / link[1]).resolve()
        return posixpath.relpath(place(file), here or ".") if file.is_file() and file.is_relative_to(ROOT) else link[1]

    return LINK.sub(moved, markdown)


def place(file: Path) -> str:
    """Where a file of the repository is in the site."""
    return file.relative_to(DOCS if file.is_relative_to(DOCS) else ROOT).as_posix()
