"""Curating: signing in with a token, the queue, deciding, merging, hiding, verifying, and taking changes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from starlette.responses import RedirectResponse

from noisystudent.board.catalogue import hiding, history, verifying
from noisystudent.board.catalogue.merging import merge_entries
from noisystudent.board.catalogue.twins import twins as pairs_of_twins
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.submitting.differences import Difference
from noisystudent.board.submitting.payloads import check_comment
from noisystudent.board.web.csrf import SentForm, check_form, form_token, keep_visitor, text_of, visitor_of
from noisystudent.board.web.paging import Page, Paging
from noisystudent.board.web.refusal import refuse
from noisystudent.board.web.row_numbers import RowNumber, row_number
from noisystudent.board.web.sessions import Session, end, session_of, start
from noisystudent.board.web.view import View, Viewing
from noisystudent.errors import UserError

router = APIRouter(prefix="/curate")
NOT_KEPT = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


@router.get("", include_in_schema=False)
def queue(view: Viewing, page: Page = None) -> Response:
    session = _session(view)
    return _sign_in_page(view) if session is None else _queue_page(view, session, page or 1)


@router.post("/approve", include_in_schema=False)
def approve_many(view: Viewing, form: SentForm) -> Response:
    """Approve those that were ticked, each as it was seen; of those that cannot be approved, the page says why, and the others are."""
    session = _checked(view, form)
    refused = list[str]()
    for text in form.getlist("submission")[: submissions.PAGE]:
        number = row_number(text) if isinstance(text, str) else None
        if number is None:
            continue
        seen = text_of(form, f"seen-{number}")
        try:
            submissions.approve(view.store, number, actor=session.token.name, seen=seen)
        except UserError as error:
            refused += error.problems
    if refused:
        answer = _queue_page(view, session, 1, refused)
        answer.status_code = 409
        return answer
    return RedirectResponse("/curate", 303, headers=NOT_KEPT)


@router.post("/sign-in", include_in_schema=False)
def sign_in(view: Viewing, form: SentForm) -> Response:
    check_form(view.request, form, visitor_of(view.request))
    with view.store.reading() as connection:
        token = tokens.authenticate(connection, text_of(form, "token").strip())
    if token is None or "curate" not in token.scopes:
        answer = _sign_in_page(view, "This is no token of a curator.")
        answer.status_code = 401
        return answer
    tokens.note_use(view.store, token)
    answer = RedirectResponse("/curate", 303, headers=NOT_KEPT)
    start(view.request, answer, token)
    return answer


@router.post("/sign-out", include_in_schema=False)
def sign_out(view: Viewing, form: SentForm) -> Response:
    session = _checked(view, form)
    answer = RedirectResponse("/curate", 303, headers=NOT_KEPT)
    end(view.request, answer, session)
    return answer


@router.get("/submission/{number}", include_in_schema=False)
def submission(view: Viewing, number: RowNumber) -> Response:
    session = _session(view)
    if session is None:
        return _sign_in_page(view)
    return _submission_page(view, session, number)


@router.post("/submission/{number}/approve", include_in_schema=False)
def approve(view: Viewing, number: RowNumber, form: SentForm) -> Response:
    session = _checked(view, form)
    try:
        note = check_comment("note", text_of(form, "note"))
        submissions.approve(view.store, number, actor=session.token.name, seen=text_of(form, "seen"), note=note)
    except UserError as error:
        return _again(view, session, number, error)
    return RedirectResponse(f"/curate/submission/{number}", 303, headers=NOT_KEPT)


@router.post("/submission/{number}/reject", include_in_schema=False)
def reject(view: Viewing, number: RowNumber, form: SentForm) -> Response:
    session = _checked(view, form)
    try:
        reason = check_comment("reason", text_of(form, "reason"))
        submissions.reject(view.store, number, actor=session.token.name, reason=reason)
    except UserError as error:
        return _again(view, session, number, error)
    return RedirectResponse("/curate", 303, headers=NOT_KEPT)


@router.get("/twins", include_in_schema=False)
def twins(view: Viewing, page: Page = None) -> Response:
    """Entries that look like one, each pair with the form that makes one of them."""
    session = _session(view)
    if session is None:
        return _sign_in_page(view)
    with view.store.reading() as connection:
        found = list(pairs_of_twins(connection))
    data = {"count": len(found), **_part("pairs", found, page)}
    return _page(view, session, "curate_twins.html.jinja", data, "Twins", "/curate/merge")


@router.post("/merge", include_in_schema=False)
def merge(view: Viewing, form: SentForm) -> Response:
    kind, gone, kept = (text_of(form, name) for name in ("kind", "gone", "kept"))
    return _done(view, form, lambda actor: merge_entries(view.store, kind, gone, kept, actor=actor))


@router.get("/hidden", include_in_schema=False)
def hidden(view: Viewing, page: Page = None) -> Response:
    """What readers do not see, each with the form that shows it again."""
    session = _session(view)
    if session is None:
        return _sign_in_page(view)
    data = {"kinds": hiding.KINDS, **_part("hidden", hiding.hidden(view.store), page)}
    return _page(view, session, "curate_hidden.html.jinja", data, "Hidden", "/curate/hide", "/curate/show")


@router.post("/hide", include_in_schema=False)
def hide(view: Viewing, form: SentForm) -> Response:
    kind, entry = text_of(form, "kind"), text_of(form, "entry")

    def done(actor: str) -> int:
        reason = check_comment("reason", text_of(form, "reason")) if text_of(form, "reason").strip() else ""
        return hiding.hide(view.store, kind, entry, reason=reason, actor=actor)

    return _done(view, form, done)


@router.post("/show", include_in_schema=False)
def show(view: Viewing, form: SentForm) -> Response:
    kind, entry = text_of(form, "kind"), text_of(form, "entry")
    return _done(view, form, lambda actor: hiding.show(view.store, kind, entry, actor=actor))


@router.get("/verified", include_in_schema=False)
def verified(view: Viewing, page: Page = None) -> Response:
    """What authors verified, each with the form that takes the mark away."""
    session = _session(view)
    if session is None:
        return _sign_in_page(view)
    data = _part("verified", verifying.verified(view.store), page)
    return _page(view, session, "curate_verified.html.jinja", data, "Verified", "/curate/verify", "/curate/unverify")


@router.post("/verify", include_in_schema=False)
def verify(view: Viewing, form: SentForm) -> Response:
    result, author, where = (text_of(form, name) for name in ("result", "author", "where"))
    return _done(view, form, lambda actor: verifying.verify(view.store, result.strip(), author, where, actor=actor))


@router.post("/unverify", include_in_schema=False)
def unverify(view: Viewing, form: SentForm) -> Response:
    return _done(view, form, lambda actor: verifying.unverify(view.store, text_of(form, "result"), actor=actor))


@router.get("/event/{number}", include_in_schema=False)
def event(view: Viewing, number: RowNumber) -> Response:
    """An event of the history, with the form that takes back what it did."""
    session = _session(view)
    if session is None:
        return _sign_in_page(view)
    with view.store.reading() as connection:
        row = connection.execute("SELECT * FROM event WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise view.missing("event")
        added, retired = (
            connection.execute(f"SELECT count(*) FROM result WHERE {column} = ?", (number,)).fetchone()[0]
            for column in ("added_by", "retired_by")
        )
        restored = history.taken_back_by(connection, number)
    detail = json.loads(row["detail"])
    data = {
        "event": {name: row[name] for name in ("id", "at", "actor", "action", "note")},
        "added": added,
        "retired": retired,
        "edits": detail["changed"][: submissions.PAGE],
        "edit_count": len(detail["changed"]) + len(detail.get("replaced", [])),
        "restored_by": restored,
    }
    return _page(view, session, "curate_event.html.jinja", data, f"Event {number}", f"/curate/event/{number}/restore")


@router.post("/event/{number}/restore", include_in_schema=False)
def restore(view: Viewing, number: RowNumber, form: SentForm) -> Response:
    def done(actor: str) -> int:
        note = check_comment("note", text_of(form, "note"))
        return history.restore(view.store, number, actor=actor, note=note, whole=text_of(form, "whole") == "yes")

    return _done(view, form, done)


def _queue_page(view: View, session: Session, number: int, problems: Sequence[str] = ()) -> Response:
    with view.store.reading() as connection:
        paging = Paging(number, submissions.PAGE)
        listed, count = submissions.waiting(connection, paging.number)
        entries = [(submission, submissions.difference(connection, submission.id)) for submission in listed]
    data = {
        "entries": entries,
        "count": count,
        "page": paging.number,
        "pages": paging.pages(count),
        "problems": problems,
    }
    return _page(view, session, "curate.html.jinja", data, "Waiting submissions", "/curate/approve")


def _part(name: str, found: Sequence[Any], page: int | None) -> dict[str, Any]:
    """A page of what was found, under its name, with its number and of how many it is one."""
    paging = Paging(page or 1, submissions.PAGE)
    shown = found[paging.offset : paging.offset + paging.size]
    return {name: shown, "page": paging.number, "pages": paging.pages(len(found))}


def _done(view: View, form: SentForm, act: Callable[[str], int]) -> Response:
    """Do what a form asks for, by whom `act` is told; to the event that it made, or why it cannot be done."""
    session = _checked(view, form)
    try:
        made = act(session.token.name)
    except UserError as error:
        return refuse(view.request, 409, f"{error}.")
    return RedirectResponse(f"/curate/event/{made}", 303, headers=NOT_KEPT)


def _session(view: View) -> Session | None:
    if view.site.read_only:
        raise HTTPException(403, "This site is read-only: nothing can be decided here.")
    with view.store.reading() as connection:
        return session_of(view.request, connection)


def _checked(view: View, form: SentForm) -> Session:
    """The session of a form that was sent; refused without one, and where the form is not of that very session."""
    session = _session(view)
    if session is None:
        raise HTTPException(403, "You are not signed in, or it was too long ago: sign in at /curate and look again.")
    check_form(view.request, form, session.nonce)
    return session


def _page(view: View, session: Session, template: str, data: dict[str, Any], title: str, *actions: str) -> Response:
    """A page for a curator, with what each form on it carries along."""
    form_tokens = {action: form_token(view.request, action, session.nonce) for action in (*actions, "/curate/sign-out")}
    shown = data | {"curator": session.token.name, "form_tokens": form_tokens, "actions": actions}
    answer = view.page(template, shown, title=title)
    answer.headers.update(NOT_KEPT)
    return answer


def _submission_page(view: View, session: Session, number: int, problems: tuple[str, ...] = ()) -> Response:
    with view.store.reading() as connection:
        found = submissions.get(connection, number)
        if found is None:
            raise view.missing("submission")
        difference: Difference | None = (
            submissions.difference(connection, number) if found.status == "pending" else None
        )
        restored = history.taken_back_by(connection, found.event) if found.event else None
    data = submissions.told(found, to_curator=True) | {
        "difference": difference,
        "restored_by": restored,
        "problems": problems,
    }
    actions = [f"/curate/submission/{number}/{verb}" for verb in ("approve", "reject")]
    return _page(view, session, "curate_submission.html.jinja", data, f"Submission {number}", *actions)


def _again(view: View, session: Session, number: int, error: UserError) -> Response:
    """The submission as it is now, and why it was not decided."""
    answer = _submission_page(view, session, number, tuple(error.problems))
    answer.status_code = 409 if isinstance(error, submissions.Conflict) else 422
    return answer


def _sign_in_page(view: View, problem: str = "") -> Response:
    visitor = visitor_of(view.request)
    token = form_token(view.request, "/curate/sign-in", visitor)
    answer = view.page("sign_in.html.jinja", {"form_token": token, "problem": problem}, title="Sign in")
    keep_visitor(view.request, answer, visitor)
    answer.headers.update(NOT_KEPT)
    return answer
