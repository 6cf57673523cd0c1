"""The page of a review: pictures and choices in one file, which needs no network and writes the answers as the table to fill in."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from noisystudent import atomic
from noisystudent.data.corrections import NO_CLASS
from noisystudent.report.gallery import thumbnail
from noisystudent.report.visible import number, short, visible
from noisystudent.review.reviewing import Review

SIDE = 224  # pixels of a picture's longer side: enough to tell what it is; 10 to 20 kB each
KEYS = 9  # choices that have a key of their own


def write_page(review: Review, out: Path) -> None:
    """Write the page of a review. Its answers come as a download, named as the table beside it."""
    atomic.write_text(out, render(review, download=out.with_suffix(".csv").name))


def render(review: Review, *, download: str) -> str:
    """The page.

    Args:
        review: what is asked.
        download: name of the file with the answers.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("noisystudent.review", ""), PackageLoader("noisystudent.report", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "short": short, "number": number}
    rows = review.rows.to_pylist()
    script = resources.files("noisystudent.review").joinpath("page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(
        rows=rows,
        cards=[_card(review, uri, row) for uri, row in zip(review.uris, rows, strict=True)],
        about=review.about,
        class_names=review.class_names,
        many=len(review.class_names) > KEYS,
        no_class=NO_CLASS,
        columns=review.rows.column_names,
        download=download,
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _card(review: Review, uri: str, row: dict[str, Any]) -> dict[str, Any]:
    """A picture, and the classes that have a key: all of few, of many those that are likely."""
    likely = [name for name in dict.fromkeys([row["says"], row["second"], row["given"]]) if name is not None]
    names = review.class_names if len(review.class_names) <= KEYS else likely
    return {"row": row, "thumbnail": thumbnail(uri, channels=review.channels, side=SIDE), "choices": names}
