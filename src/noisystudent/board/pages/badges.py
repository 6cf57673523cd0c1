"""Badges for a paper's rank on a leaderboard, as it is today: an image of our own, and the JSON that shields.io asks for."""

from __future__ import annotations

from fastapi import APIRouter
from markupsafe import escape
from starlette.responses import JSONResponse, Response

from noisystudent.board.catalogue.names import name_of
from noisystudent.board.queries import leaderboards
from noisystudent.board.web.view import View, Viewing, page
from noisystudent.board.web.xml_text import xml_text

router = APIRouter()

FIRST, PLACED, UNRANKED = "#1a7a52", "#0b57a4", "#5b6470"
HEIGHT, ROOM = 20, 6  # room to the left and right of each text
NARROW, WIDE = set("fijlrt I.,:;'|!()[]/-1"), set("mwMW@%")
MOST_LETTERS = 80


@page(router, "/badge/{leaderboard}/{paper}.svg", twin=False)
def badge(view: Viewing, leaderboard: str, paper: str) -> Response:
    label, message, color = _said(view, leaderboard, paper)
    return Response(draw(label, message, color), media_type="image/svg+xml")


@page(router, "/badge/{paper}/{leaderboard}", twin=False)
def shields(view: Viewing, paper: str, leaderboard: str) -> Response:
    """The address that badges of the old site have; the paper comes first."""
    label, message, color = _said(view, leaderboard, paper)
    return JSONResponse({"schemaVersion": 1, "label": label, "message": message, "color": color.removeprefix("#")})


def draw(label: str, message: str, color: str) -> str:
    """A badge: the label on grey, the message on its color.

    Example:
        >>> "Ranked #3" in draw("Ranked #3", "Image Classification on ImageNet", PLACED)
        True
    """
    message = message if len(message) <= MOST_LETTERS else message[: MOST_LETTERS - 1] + "…"
    left, right = _width(label), _width(message)
    before, whole = left + 2 * ROOM, left + right + 4 * ROOM
    said = escape(xml_text(f"{label}: {message}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" aria-label="{said}"><title>{said}</title>'
        f'<clipPath id="round"><rect width="{whole}" height="{HEIGHT}" rx="3"/></clipPath><g clip-path="url(#round)">'
        f'<rect width="{before}" height="{HEIGHT}" fill="#3b4148"/>'
        f'<rect x="{before}" width="{right + 2 * ROOM}" height="{HEIGHT}" fill="{color}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text x="{ROOM}" y="14" textLength="{left}">{escape(xml_text(label))}</text>'
        f'<text x="{before + ROOM}" y="14" textLength="{right}">{escape(xml_text(message))}</text></g></svg>'
    )


def _said(view: View, leaderboard: str, paper: str) -> tuple[str, str, str]:
    """Label, message and color."""
    board = view.reading.find("leaderboard", leaderboard)
    rank = leaderboards.rank_today(view.connection, board, view.reading.find("paper", paper))
    name = name_of(view.connection, "leaderboard", board)
    if rank is None:
        return "No rank", name, UNRANKED
    return ("State of the art", name, FIRST) if rank == 1 else (f"Ranked #{rank}", name, PLACED)


def _width(text: str) -> int:
    """About how wide a text is at 11 pixels; the image fits the letters to it exactly."""
    return round(sum(4.2 if letter in NARROW else 9.8 if letter in WIDE else 6.9 for letter in text))
