"""Submitting: which kind, its form, what became of it, and taking it back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from noisystudent.board.catalogue import names
from noisystudent.board.catalogue.fields import KINDS
from noisystudent.board.catalogue.history import taken_back_by
from noisystudent.board.pages.forms import (
    BETTER,
    FORMS,
    Filled,
    found_leaderboards,
    opened,
    payload_of,
    sent,
    suggestions,
)
from noisystudent.board.queries import leaderboards
from noisystudent.board.submitting import submissions
from noisystudent.board.submitting.differences import Difference
from noisystudent.board.submitting.payloads import Mistakes
from noisystudent.board.web.csrf import SentForm, check_form, form_token, keep_visitor, text_of, visitor_of
from noisystudent.board.web.limits import client_address
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.row_numbers import RowNumber
from noisystudent.board.web.secret import sign
from noisystudent.board.web.view import Viewing
from noisystudent.errors import UserError

router = APIRouter()
ABOUT = {
    "result": "A model's values on a leaderboard, new or existing, or a correction of them",
    "paper": "A paper with its tasks and its code",
    "task": "A task",
    "dataset": "A dataset",
    "method": "A method",
    "direction": "Whether higher or lower is better in a metric, where this site has it wrong",
    "objection": "What speaks against a run that stands beside a claim, or against its verdict",
}


@router.get("/submit.json", include_in_schema=False)
@router.get("/submit", include_in_schema=False)
def kinds(view: Viewing) -> Response:
    listed = [{"kind": kind, "about": ABOUT[kind], "address": f"/submit/{kind}"} for kind in KINDS]
    return view.page("submit.html.jinja", {"kinds": listed, "licence": submissions.LICENCE}, title="Submit")


@router.get("/submit/{kind}.json", include_in_schema=False)
def schema(view: Viewing, kind: str) -> Response:
    """The JSON schema of a kind's payload, for programs that submit through the API."""
    if kind not in KINDS:
        raise view.missing("kind of submission")
    return JSONResponse(KINDS[kind].model_json_schema())


@router.get("/submit/{kind}", include_in_schema=False)
def form(view: Viewing, kind: str) -> Response:
    if kind not in FORMS:
        raise view.missing("kind of submission")
    try:
        with view.store.reading() as connection:
            filled = opened(connection, kind, view.request.query_params)
    except UserError as error:
        return refuse(view.request, 422, f"{error}.")
    if filled is None:
        raise view.missing("entry to be changed")
    return _form_page(view, kind, filled, {})


@router.post("/submit/{kind}", include_in_schema=False)
def receive(view: Viewing, kind: str, form: SentForm) -> Response:
    if kind not in FORMS:
        raise view.missing("kind of submission")
    once = check_form(view.request, form, visitor_of(view.request))
    with view.store.reading() as connection:
        filled = sent(kind, form, connection)
        payload = payload_of(connection, kind, filled)
    if text_of(form, "then") == "look":
        return _preview(view, kind, filled, payload)
    secret = view.request.app.state.secret
    receipt = sign(secret, "receipt", once)
    try:
        number, _ = submissions.submit(view.store, kind, payload, submitter=_submitter(view.request), receipt=receipt)
    except Mistakes as mistakes:
        return _form_page(view, kind, filled, mistakes.fields)
    answer = view.page("submitted.html.jinja", {"number": number, "receipt": receipt}, title="Submitted")
    answer.status_code = 201
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/submission/{number}", include_in_schema=False)
@router.get("/submission/{number}.json", include_in_schema=False)  # the lower one is asked first
def submission(view: Viewing, number: RowNumber) -> Response:
    with view.store.reading() as connection:
        found = submissions.get(connection, number)
        if found is None:
            raise view.missing("submission")
        waits = found.status == "pending"
        difference = submissions.difference(connection, number) if waits else None
        restored = taken_back_by(connection, found.event) if found.event else None
    action, visitor = f"/submission/{number}/withdraw", visitor_of(view.request)
    data = submissions.told(found) | {"restored_by": restored}
    if view.as_json:
        return JSONResponse(data, headers={"Cache-Control": "no-store"})
    shown: dict[str, Any] = data | {
        "difference": difference,
        "action": action if waits and not view.site.read_only else "",
        "form_token": form_token(view.request, action, visitor),
    }
    answer = view.page("submission.html.jinja", shown, title=f"Submission {number}")
    keep_visitor(view.request, answer, visitor)
    answer.headers.update({"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"})
    return answer


@router.post("/submission/{number}/withdraw", include_in_schema=False)
def withdraw(view: Viewing, number: RowNumber, form: SentForm) -> Response:
    check_form(view.request, form, visitor_of(view.request))
    try:
        submissions.withdraw(view.store, number, text_of(form, "receipt").strip())
    except submissions.Conflict:
        raise
    except UserError as error:
        return refuse(view.request, 403, f"{error}.")
    return refuse(view.request, 200, f"Submission {number} was withdrawn.")


def _preview(view: Viewing, kind: str, filled: Filled, payload: dict[str, Any]) -> Response:
    """The form with what it would change above it; nothing is sent yet."""
    try:
        with view.store.reading() as connection:
            found = submissions.preview(connection, kind, payload)
    except Mistakes as mistakes:
        return _form_page(view, kind, filled, mistakes.fields)
    return _form_page(view, kind, filled, {}, found)


def _form_page(
    view: Viewing, kind: str, filled: Filled, mistakes: dict[str, list[str]], preview: Difference | None = None
) -> Response:
    action, visitor = f"/submit/{kind}", visitor_of(view.request)
    shown = {field.name for field in FORMS[kind]}
    data = {
        "kind": kind,
        "about_kind": ABOUT[kind],
        "better": BETTER,
        "fields": FORMS[kind],
        "filled": filled,
        "mistakes": mistakes,
        "preview": preview,
        "unplaced": [text for name, texts in mistakes.items() if name not in shown for text in texts],
        "action": "" if view.site.read_only else action,
        "form_token": form_token(view.request, action, visitor),
        "licence": submissions.LICENCE,
        **_choices(view, kind, filled),
    }
    verb = "Change" if filled.entry else "Submit"
    answer = view.page("submit_form.html.jinja", data, title=f"{verb} a {kind}")
    keep_visitor(view.request, answer, visitor)
    answer.headers["Cache-Control"] = "no-store"
    answer.status_code = 422 if mistakes else 200
    return answer


def _choices(view: Viewing, kind: str, filled: Filled) -> dict[str, Any]:
    """The leaderboard that a result is for, or those to choose from and, for a new one, names of tasks and data sets."""
    nothing: dict[str, Any] = {"board": None, "found": [], "words": "", "suggested": {}}
    if kind != "result":
        return nothing
    slug, words = filled.texts.get("leaderboard", "").strip(), view.request.query_params.get("q", "")
    with view.store.reading() as connection:
        number = names.meant(connection, "leaderboard", slug) if slug else None
        if number is not None:
            board = leaderboards.find(connection, names.slug_of(connection, "leaderboard", number))
            assert board is not None
            return nothing | {"board": {"slug": board["slug"], "name": board["shown"]}}
        found, suggested = found_leaderboards(connection, words), suggestions(connection)
    return {"board": None, "found": found, "words": words, "suggested": suggested}


def _submitter(request: Request) -> str:
    """What tells one visitor from another without saying who it is: their addresses are not kept."""
    return "visitor " + sign(request.app.state.secret, "address", client_address(request.scope))[:12]
