"""What a stranger can send, and what comes back."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from noisystudent.board.app import ROUTERS, create_app
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.fields import KINDS
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.submitting.payloads import Mistakes
from noisystudent.board.web.security import HEADERS
from noisystudent.board.web.site import Site

BOARD = "image-classification-on-imagenet"
SCRIPT = "a<script>alert(1)</script>\"'><img src=x onerror=alert(1)><svg/onload=alert(1)>{{7*7}}&lt;b&gt;"
MARKDOWN = f"{SCRIPT}\n\n[link](javascript:alert(1)) ![image](https://evil.example/x.png) <https://a.org>\n\n<iframe src=//evil.example>"
NEVER = {"script", "iframe", "object", "embed", "img", "video", "audio", "base", "math", "template", "style", "applet"}

EVERYTHING: dict[str, dict[str, Any]] = {
    "task": {"name": SCRIPT, "description": MARKDOWN, "areas": [SCRIPT], "synonyms": [SCRIPT], "parents": ["Image Classification"]},
    "dataset": {
        "name": SCRIPT, "full_name": SCRIPT, "homepage": "https://a.org/", "description": MARKDOWN, "introduced_date": "2020-01-01",
        "licence_name": SCRIPT, "licence_url": "https://a.org/", "modalities": [SCRIPT], "languages": [SCRIPT],
        "tasks": ["Image Classification"],
        "paper": "self-training-with-noisy-student",
    },
    "method": {
        "name": SCRIPT, "full_name": SCRIPT, "description": MARKDOWN, "introduced_year": 2020, "collections": [SCRIPT],
        "source_title": SCRIPT,
        "source_url": "https://a.org/", "code_snippet_url": "https://a.org/", "paper": "self-training-with-noisy-student",
    },
    "paper": {
        "title": SCRIPT, "abstract": MARKDOWN, "authors": [SCRIPT], "published": "2020-01-01", "url_abs": "https://a.org/", "url_pdf": "https://a.org/x",
        "conference": SCRIPT, "tasks": ["Image Classification"], "methods": [], "datasets": ["ImageNet"],
        "official_code": ["https://github.com/a/b'onclick=alert(1)"], "code": ["https://github.com/c/d"],
    },
    "result": {
        "leaderboard": "", "task": f"Task {SCRIPT}", "dataset": f"Dataset {SCRIPT}", "model": SCRIPT, "metrics": {SCRIPT: SCRIPT[:100]},
        "higher_is_better": {SCRIPT: True}, "paper": "https://a.org/new", "paper_title": f"New {SCRIPT}", "paper_date": "2020-01-01",
        "extra_data": True, "evaluated_on": "2020-01-01", "source_url": "https://a.org/", "locator": SCRIPT,
        "code_links": ["https://github.com/a/b"], "tags": [SCRIPT[:60]], "sure": True,
    },
    "direction": {"leaderboard": BOARD, "metric": "GFLOPs", "higher_is_better": True},
}  # fmt: skip


def submitted(store: Any, kind: str) -> int:
    payload = EVERYTHING[kind] | {"contributor": SCRIPT, "comment": MARKDOWN}
    return submissions.submit(store, kind, payload, submitter="anna")[0]


def assert_nothing_runs(answer: Any, page_of: Any) -> list[str]:
    """No element, no attribute and no address by which something could run or be fetched; returns the page's links."""
    if "html" not in answer.headers["content-type"]:
        return []
    page = page_of(answer.text)
    for tag, attributes in page.elements:
        own = tag == "img" and attributes["src"].startswith(("/badge/", "/static/"))
        data = tag == "script" and attributes == {"type": "application/ld+json"}  # which no browser runs
        assert own or data or tag not in NEVER, (answer.url, tag)
        for name, value in attributes.items():
            assert not name.startswith("on"), (answer.url, tag, name)
            assert name not in ("style", "srcdoc", "formaction"), (answer.url, tag, name)
            if name in ("href", "src", "action", "xlink:href"):
                assert urlsplit(value).scheme in ("", "http", "https", "mailto"), (answer.url, value)
    assert "{{7*7}}" in page.text or "svg/onload" not in page.text  # and no template was filled in
    return [attributes["href"] for tag, attributes in page.elements if tag == "a" and "href" in attributes]


def crawl(browser: Any, *starts: str) -> dict[str, int]:
    """Every page of the site that can be reached by links; each is looked at."""
    page_of, seen, waiting = type(browser.page("/submit")), {}, list(starts)
    while waiting and len(seen) < 400:
        address = waiting.pop().partition("#")[0]
        if not address or address in seen or address.partition("?")[0].endswith((".json", ".atom", ".svg")):
            continue
        answer = browser.client.get(address, follow_redirects=False)
        seen[address] = answer.status_code
        assert answer.status_code < 500, address
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value or name == "Content-Security-Policy", (address, name)
        links = [urljoin(f"http://testserver{address}", link) for link in assert_nothing_runs(answer, page_of)]
        waiting += [link.removeprefix("http://testserver") for link in links if link.startswith("http://testserver/")]
    return seen


@pytest.mark.parametrize("kind", EVERYTHING)
def test_every_text_field_is_tried(kind: str) -> None:
    assert set(EVERYTHING[kind]) >= set(KINDS[kind].model_fields) - {kind, "contributor", "comment", "corrects"}


def test_nothing_that_was_submitted_runs_in_a_readers_browser(imagenet: Any, browser_of: Any) -> None:
    curator = browser_of(imagenet)
    curator.sign_in(tokens.make(imagenet, "carla", ["curate"]))
    numbers = [submitted(imagenet, kind) for kind in EVERYTHING]
    waiting = crawl(curator, "/curate", *(f"/submission/{number}" for number in numbers))
    assert {waiting[f"/curate/submission/{number}"] for number in numbers} == {200}
    events = [submissions.approve(imagenet, number, actor="carla", note=SCRIPT) for number in numbers]
    with imagenet.reading() as connection:
        entries = [
            (kind, row["slug"])
            for kind in ("task", "dataset", "method", "paper")
            for row in connection.execute(f"SELECT slug FROM {kind}")
        ]
    assert len(entries) == 10
    seen = crawl(
        curator,
        *("/", f"/submit/result?corrects=1&model={quote(SCRIPT)}"),
        *(f"/submit/{kind}?name={quote(SCRIPT)}" for kind in KINDS),
        *(address for number in numbers for address in (f"/submission/{number}", f"/curate/submission/{number}")),
        *(f"/curate/event/{event}" for event in events),
        *(address for kind, slug in entries for address in (f"/{kind}/{slug}", f"/submit/{kind}?{kind}={slug}")),
    )
    assert {seen[f"/curate/event/{event}"] for event in events} == {200}
    assert {seen[f"/submit/{kind}?{kind}={slug}"] for kind, slug in entries} == {200}


def test_a_form_that_comes_back_and_a_refusal_are_escaped(browser: Any) -> None:
    page_of = type(browser.page("/submit"))
    for kind in KINDS:
        names = {name for name, _ in browser.page(f"/submit/{kind}").form(f"/submit/{kind}").fields} - {"form_token"}
        answer = browser.send(f"/submit/{kind}", **dict.fromkeys(names, SCRIPT))
        assert answer.status_code == 422
        assert_nothing_runs(answer, page_of)
    for address in (
        f"/submit/{quote(SCRIPT)}",
        f"/task/{quote(SCRIPT)}",
        f"/curate?page={quote(SCRIPT)}",
        f"/{quote(SCRIPT)}",
    ):
        answer = browser.client.get(address)
        assert 400 <= answer.status_code < 500
        assert_nothing_runs(answer, page_of)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("task", "name"),
        ("paper", "url_abs"),
        ("paper", "code"),
        ("dataset", "homepage"),
        ("method", "source_url"),
        ("result", "source_url"),
        ("result", "code_links"),
    ],
)
def test_addresses_that_would_run_are_never_kept(imagenet: Any, kind: str, field: str) -> None:
    for address in (
        "javascript:alert(1)\x00",
        "java\tscript:alert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x\x01",
    ):
        value: Any = [address] if field in ("code", "code_links") else address
        if field == "name":
            value = "\x00" + address
        with pytest.raises(Mistakes):
            submissions.submit(imagenet, kind, EVERYTHING[kind] | {field: value}, submitter="anna")


# Parameters

NASTY = [
    *(
        "'",
        '"',
        "';DROP TABLE paper;--",
        '" OR 1=1 --',
        "1 UNION SELECT hash FROM token",
        "%",
        "_",
        "\\",
        "\x00",
        "\ud7ff",
        "é" * 300,
    ),
    *(
        '"',
        "*",
        "a*",
        "NEAR(a b)",
        "title:x",
        "-",
        "AND",
        "a AND",
        "NOT a",
        "(",
        ")",
        "^",
        "a OR",
        '"a',
        "{a b}",
        "a:b:c",
        "+",
        ":",
    ),
    *("9" * 30, "-1", "0", "1e9", "NaN", "true", "[]", "../../etc/passwd", "%2e%2e%2f", "<script>", "x" * 3_000),
]
QUERIES = (
    "q",
    "page",
    "sort",
    "order",
    "metric",
    "tag",
    "tags",
    "year",
    "task",
    "dataset",
    "paper",
    "method",
    "leaderboard",
    "corrects",
    "code",
    "at",
    "items_per_page",
)


def addresses() -> list[tuple[str, list[str]]]:
    """Every page that can be read: its address with the names of what stands in it, and its query's."""
    found = []
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods:
                names = {field.alias for field in route.dependant.query_params} | set(QUERIES)
                found.append((route.path, sorted(names)))
    return found


def test_no_parameter_breaks_a_page_or_the_store(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    assert len(addresses()) > 20
    with imagenet.reading() as connection:
        before = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    for place, (path, names) in enumerate(addresses()):
        for number, text in enumerate(NASTY[place % 2 :: 2], place):  # half of them each, in other parameters each time
            filled = re.sub(r"\{[^}]+\}", quote(text, safe=""), path)
            for name in {names[number % len(names)], "q"} if "search" in path else {names[number % len(names)]}:
                answer = browser.client.get(f"{filled}?{name}={quote(text)}", follow_redirects=False)
                assert answer.status_code < 500, answer.url
    for name in QUERIES:
        for text in NASTY[::3]:
            address = f"/sota/{BOARD}?{name}={quote(text)}"
            assert browser.client.get(address, follow_redirects=False).status_code < 500, address
    with imagenet.reading() as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == before
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


TRAVERSALS = [
    *("../app.py", "..%2fapp.py", "%2e%2e/app.py", "%2e%2e%2f%2e%2e%2fstore.py", "....//app.py", "/etc/passwd"),
    *("%00", "..\\app.py", "..%5capp.py"),
]


@pytest.mark.parametrize("prefix", ["/static", "/export", "/badge", "/feeds"])
def test_no_path_leads_out_of_its_folder(browser: Any, prefix: str) -> None:
    for path in TRAVERSALS:
        answer = raw_get(browser.client, f"{prefix}/{path}")
        assert answer.status_code in (301, 307, 404, 405, 422), path
        assert "import" not in answer.text, path
        assert "root:" not in answer.text, path


def raw_get(client: TestClient, path: str) -> Any:
    """A request whose path is sent as it is, dots and all, as only an attacker's client does."""
    request = client.build_request("GET", "http://testserver/")
    request.url = request.url.copy_with(raw_path=path.encode())
    return client.send(request, follow_redirects=False)


# Headers


def test_every_kind_of_answer_has_the_security_headers(imagenet: Any, browser_of: Any) -> None:
    browser = browser_of(imagenet)
    app = browser.client.app

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    get, post = browser.client.get, browser.client.post
    answers = {
        "page": (get("/submit"), 200),
        "JSON": (get("/submit.json"), 200),
        "static": (get("/static/style.css"), 200),
        "no static": (get("/static/none.css"), 404),
        "API": (get("/api/v1/submissions/1/"), 404),
        "not found": (get("/nowhere"), 404),
        "not valid": (get("/curate?page=x"), 422),
        "not allowed": (browser.client.delete("/submit"), 405),
        "forged": (post("/submit/task"), 403),
        "form": (browser.send("/submit/task", name="A"), 201),
        "redirect": (browser.sign_in(tokens.make(imagenet, "carla", ["curate"])), 303),
        "too large": (post("/submit/task", content=b"x" * (2 << 20)), 413),
        "broken": (get("/broken"), 500),
        "broken JSON": (get("/broken.json"), 404),
    }
    for name, (answer, status) in answers.items():
        assert answer.status_code == status, name
        for header, value in HEADERS.items():
            assert answer.headers[header] == value, (name, header)
    assert "secret detail" not in answers["broken"][0].text
    limited = create_app(Site(imagenet.path, limits=type(app.state.site.limits)(reads=1)))
    client = TestClient(limited)
    assert [client.get("/submit").status_code for _ in range(2)] == [200, 429]
    assert client.get("/submit").headers["x-content-type-options"] == "nosniff"


def test_the_policy_lets_nothing_run() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"


# Secrets


def test_tokens_are_in_no_file_no_log_and_no_page(
    store: Any, browser_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    curating, submitting = tokens.make(store, "carla", ["curate"]), tokens.make(store, "robot")
    browser = browser_of(store)
    browser.sign_in(curating)
    payload = {"kind": "task", "payload": {"name": "A"}}
    headers = {"Authorization": f"Token {submitting}"}
    receipt = browser.client.post("/api/v1/submissions/", json=payload, headers=headers).json()["receipt"]
    guess = browser.client.post(
        "/api/v1/submissions/", json=payload, headers={"Authorization": "Token nsb_a_wrong_one"}
    )
    assert guess.status_code == 401
    texts = [
        browser.client.get(address).text
        for address in ("/curate", "/submission/1", "/submission/1.json", "/curate/submission/1")
    ]
    texts += [guess.text, caplog.text, json.dumps(dict(browser.client.cookies))]
    files = [file.read_bytes() for file in store.path.parent.iterdir()]
    for secret in (curating, submitting, receipt, "nsb_a_wrong_one"):
        assert not [text for text in texts if secret in text]
        assert not [content for content in files if secret.encode() in content]


def test_guessing_through_the_api_runs_into_the_limit(store: Any, browser_of: Any) -> None:
    browser = browser_of(store, limits=Site.__dataclass_fields__["limits"].default_factory())
    statuses = [
        browser.client.post(
            "/api/v1/submissions/", json={}, headers={"Authorization": f"Bearer nsb_{number}"}
        ).status_code
        for number in range(12)
    ]
    # A body that is not valid may be refused first; what is asked with a token that is none is what counts.
    body = {"kind": "task", "payload": {"name": "A"}}
    statuses += [
        browser.client.post(
            "/api/v1/submissions/", json=body, headers={"Authorization": f"Bearer nsb_{number}"}
        ).status_code
        for number in range(12)
    ]
    assert statuses.count(401) == 10
    assert statuses[-1] == 429


# Bodies


BODIES = [
    *(
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"null",
        b"[]",
        b'"x"',
        b"NaN",
        b'{"kind": "task", "payload": []}',
        b"\xff\xfe",
    ),
    *(
        b'{"kind": "task", "payload": {"name": "\\ud800"}}',
        b'{"kind": "task", "payload": {"\\ud800": 1}}',
        b'{"kind": {}, "payload": {}}',
    ),
    b'{"kind": "task", "payload": {"name": "A", "x": ' + b"9" * 5_000 + b"}}",
    b'{"kind": "method", "payload": {"name": "A", "introduced_year": 1e400}}',
    b'{"kind": "result", "payload": {"leaderboard": "a", "model": "m", "metrics": {"a": NaN}, "corrects": 99999999999999999999}}',
]


def test_a_body_that_is_nonsense_is_refused(store: Any, browser_of: Any) -> None:
    browser = browser_of(store)
    headers = {"Authorization": f"Token {tokens.make(store, 'robot')}", "Content-Type": "application/json"}
    for body in BODIES:
        answer = browser.client.post("/api/v1/submissions/", content=body, headers=headers)
        assert answer.status_code in (400, 422), body[:100]
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM submission").fetchone()[0] == 0


def test_the_foundation_takes_no_names_of_columns_from_a_payload(imagenet: Any) -> None:
    """Fields become names of columns in SQL, so that an unknown one must never get that far."""
    with pytest.raises(Mistakes):
        submissions.submit(imagenet, "task", {"name": "A", "slug": "x", "name = 'x'; --": "y"}, submitter="anna")
    assert not hasattr(Change, "execute")
