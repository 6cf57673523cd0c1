"""Submissions: sending one, which waits for a curator, and seeing what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from noisystudent.board.api.access import Authorization, token_with
from noisystudent.board.api.operations import OF_READS, write
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import submissions
from noisystudent.board.web.row_numbers import RowNumber

router = APIRouter(tags=["submissions"])


class SubmissionRequest(BaseModel):
    """What is submitted. `/submit/{kind}.json` on this site is the JSON schema of a kind's payload."""

    kind: Literal["result", "paper", "task", "dataset", "method", "direction", "objection"]
    payload: dict[str, Any]
    receipt: Annotated[str, Field(min_length=32, max_length=200)] | None = Field(
        None, description="A secret of yours, new for each submission: sent twice, it is refused the second time."
    )


class SubmissionReceipt(BaseModel):
    """The number of a submission, and the receipt with which it can be withdrawn at `/submission/{id}`."""

    id: int
    receipt: str


class SubmissionState(BaseModel):
    """A submission; `event` is the number of the event in the history that it led to."""

    id: int
    at: str
    kind: str
    status: Literal["pending", "approved", "rejected", "withdrawn"]
    contributor: str
    comment: str
    payload: dict[str, Any]
    decided_at: str | None
    reason: str
    event: int | None


@write(router, "POST", "/submissions/", 201)
def submission_add(request: Request, body: SubmissionRequest, authorization: Authorization = None) -> SubmissionReceipt:
    """Submit something, with a token of scope submit. It waits until a curator approves it."""
    store: Store = request.app.state.store
    token = token_with(store, authorization, "submit")
    number, receipt = submissions.submit(
        store, body.kind, body.payload, submitter=token.name, token=token, receipt=body.receipt
    )
    return SubmissionReceipt(id=number, receipt=receipt)


@router.get("/submissions/{submission_id}/", responses=OF_READS, operation_id="submission_get")
def submission_get(request: Request, submission_id: RowNumber) -> SubmissionState:
    """What became of a submission."""
    store: Store = request.app.state.store
    with store.reading() as connection:
        found = submissions.get(connection, submission_id)
    if found is None:
        raise HTTPException(404, f"there is no submission {submission_id}")
    return SubmissionState(**submissions.told(found))
