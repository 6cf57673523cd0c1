"""Hiding entries from readers, and showing them again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, ConfigDict

from noisystudent.board.api.access import Write
from noisystudent.board.api.operations import write
from noisystudent.board.catalogue import hiding
from noisystudent.board.catalogue.texts import Comment, GivenUrl, Name
from noisystudent.errors import UserError

router = APIRouter(tags=["hidden"])


class HideRequest(BaseModel):
    """What to hide: `entry` is an id or a name, of a paper also its arXiv number or address, of a result its id."""

    model_config = ConfigDict(json_schema_extra={"example": {"kind": "task", "entry": "vision", "reason": "Empty."}})
    kind: hiding.Kind
    entry: Name | GivenUrl
    reason: Comment = ""


class Done(BaseModel):
    """The event of the history that did it, which can be taken back."""

    event: int


@write(router, "POST", "/hidden/", 201)
def hidden_add(writing: Write, body: HideRequest) -> Done:
    """Take an entry from all that readers see, with the tables and results that hang on it; no import brings it back."""
    try:
        return Done(
            event=hiding.hide(writing.store, body.kind, body.entry, reason=body.reason, actor=writing.token.name)
        )
    except UserError as error:
        raise HTTPException(409, str(error)) from error


@write(router, "DELETE", "/hidden/{kind}/{entry}/", 200)
def hidden_delete(writing: Write, kind: hiding.Kind, entry: Annotated[str, Path(max_length=2_000)]) -> Done:
    """Show a hidden entry again."""
    try:
        return Done(event=hiding.show(writing.store, kind, entry, actor=writing.token.name))
    except UserError as error:
        raise HTTPException(409, str(error)) from error
