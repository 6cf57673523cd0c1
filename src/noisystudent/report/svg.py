"""A Matplotlib figure as an SVG element inside the page: its text stays text, and its colors follow the page's theme."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

# Matplotlib needs colors of its own; these stand for the page's variables and are replaced by them.
INK, MUTED, GRID, SURFACE = "#010101", "#020202", "#030303", "#040404"
GOOD, BAD = "#050505", "#060606"
TEACHER, BASELINE = "#070707", "#080808"
STUDENTS = ("#110101", "#110202", "#110303", "#110404", "#110505", "#110606")
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SURFACE: "--surface",
    GOOD: "--good",
    BAD: "--bad",
    TEACHER: "--teacher",
    BASELINE: "--baseline",
    **{color: f"--student-{index}" for index, color in enumerate(STUDENTS, start=1)},
}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text, not outlines
    "svg.hashsalt": "noisystudent",  # the same ids each time
    "text.parse_math": False,  # a $ in a class name is a $
    "font.size": 9.5,
    "axes.unicode_minus": True,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "none",
    "legend.frameon": False,
}
NAMESPACE = re.compile(r"^\{[^}]*\}")


@contextmanager
def theme() -> Iterator[None]:
    """Draw and save figures inside this block: settings that make them fit the page."""
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        # Matplotlib measures with its own font; the browser draws with the reader's, which has the glyph.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def inline_svg(figure: Figure, *, name: str, title: str) -> Markup:
    """The figure as an `<svg>` element.

    Args:
        figure: drawn inside `theme()`, which must still hold.
        name: unique in the page; every id in the figure begins with it.
        title: what the figure shows, for those who do not see it.

    Example:
        >>> with theme():
        ...     markup = inline_svg(Figure(figsize=(1, 1)), name="empty", title="Nothing")
        >>> markup.startswith("<svg")
        True
    """
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if NAMESPACE.sub("", child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = NAMESPACE.sub("", element.tag)
        element.attrib = {NAMESPACE.sub("", key): _local(key, value, name) for key, value in element.attrib.items()}
    width = float(root.attrib.pop("width").removesuffix("pt"))
    del root.attrib["height"]
    root.attrib |= {"role": "img", "aria-label": title, "class": "chart", "style": f"max-width: {width / 11.5:.1f}rem"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _local(key: str, value: str, name: str) -> str:
    """An attribute's value with ids of this figure alone and with the page's colors."""
    match NAMESPACE.sub("", key):
        case "id":
            return f"{name}-{value}"
        case "href":
            return value.replace("#", f"#{name}-", 1)
        case "clip-path":
            return value.replace("url(#", f"url(#{name}-", 1)
        case "style":
            value = re.sub(r"font-family:[^;]*;?", "", value)
            return re.sub(r"#[0-9a-f]{6}", lambda found: _variable(found.group()), value)
        case _:
            return value


def _variable(color: str) -> str:
    return f"var({VARIABLES[color]})" if color in VARIABLES else color
