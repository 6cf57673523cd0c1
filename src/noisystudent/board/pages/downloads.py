"""The whole catalogue as files, made while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse

from noisystudent.board.exporting.growing import Files, GrowingFile
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.view import Viewing

router = APIRouter()

FILES = {
    **{
        f"{format}.json.gz": format
        for format in (
            "evaluation-tables",
            "papers-with-abstracts",
            "links-between-papers-and-code",
            "methods",
            "datasets",
            "runs",
        )
    },
    "papers.bib.gz": "bibtex",
}
PIECE = 1 << 16
SECONDS_TO_GROW = 0.05  # between two looks at a file that is read faster than it is made
SECONDS_TO_FETCH = 3600.0


@router.get("/export/{name}", include_in_schema=False)
def download(view: Viewing, name: str) -> Response:
    """A file of the catalogue as it is now; the same bytes as long as nothing changes."""
    if name not in FILES:
        raise view.missing("file")

    def say(headers: dict[str, str]) -> Response:
        files: Files = view.request.app.state.files
        file = files.of(FILES[name], view.reading.event)  # one of a later event is fetched again, the next time
        if file is None:
            return refuse(view.request, 503, "Others are downloading. Try again in a minute.", {"Retry-After": "60"})
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return StreamingResponse(_sent(file), media_type="application/gzip", headers=headers)

    return view.reading.answer(name, say)


async def _sent(file: GrowingFile) -> AsyncIterator[bytes]:
    """The file in pieces. Where it cannot be finished, or takes too long, the answer breaks: half a file is not taken for a whole one."""
    at, end = 0, asyncio.get_running_loop().time() + SECONDS_TO_FETCH
    while True:
        is_whole = file.is_whole  # asked first: what was written before is read then
        piece = file.read(at, PIECE)
        if piece:
            at += len(piece)
            yield piece
        elif is_whole:
            return
        else:
            file.check()
            await asyncio.sleep(SECONDS_TO_GROW)
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError("the download takes longer than an hour")
