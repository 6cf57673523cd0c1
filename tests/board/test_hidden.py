"""What is hidden shows nowhere: every address of the site and of the API, every feed and every file, before, while and after."""

from __future__ import annotations

import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient

from noisystudent.board.catalogue import hiding, history, veil
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.ranking import refresh
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting import FORMATS, OF_FILES, export, files
from tests.board.conftest import Browser

MARK = "zyzzyva"  # stands in what the hidden entries are called, and nowhere else
BOARD = "image-classification-on-imagenet"
KINDS = ("paper", "task", "dataset", "method", "result")
_LINK = re.compile(r'(?:href|src|action)="([^"]+)"|<loc>([^<]+)</loc>')


@pytest.fixture
def marked(noisy_student: Store) -> dict[str, str]:
    """An entry of each kind with all that may hang on it, by its kind: what `hide` takes."""
    with noisy_student.changing("anna", "add", f"the {MARK} paper") as change:
        board = meant(change.connection, "leaderboard", BOARD) or 0
        whole = change.task("Image Classification")
        ids = {
            "paper": change.paper(title=f"{MARK} paper", url=f"https://{MARK}.example/p", published="2024-05-05") or 0,
            "task": change.task(f"{MARK} task"),
            "dataset": change.dataset(f"{MARK} data"),
            "method": change.insert("method", slug=f"{MARK}-method", name=f"{MARK} method", full_name=f"The {MARK}"),
        }
        visible = change.find_paper(title="Two tasks in common") or 0
        change.edit("paper", ids["paper"], abstract=f"About {MARK}.", arxiv_id="2405.00001")
        for paper, author in ((ids["paper"], f"Ann {MARK}"), (ids["paper"], "Qizhe Xie")):
            place = len(change.rows_of("paper_author", {"paper_id": paper}))
            change.insert("paper_author", paper_id=paper, position=place, author_id=change.author(author))
        code = change.repository(f"https://github.com/{MARK}/code")
        change.insert("paper_repository", paper_id=ids["paper"], repository_id=code, is_official=1, framework="jax")
        for task in (whole, ids["task"]):
            change.insert("paper_task", paper_id=ids["paper"], task_id=task, published="2024-05-05")
        change.insert("paper_task", paper_id=visible, task_id=ids["task"], published="2021-01-01")
        change.insert("paper_dataset", paper_id=visible, dataset_id=ids["dataset"], role="used")
        change.insert("paper_method", paper_id=visible, method_id=ids["method"])
        change.insert("paper_method", paper_id=ids["paper"], method_id=ids["method"])
        change.insert("task_parent", task_id=ids["task"], parent_id=whole)
        change.insert("task_synonym", task_id=ids["task"], name=f"{MARK} synonym")
        change.insert("task_area", task_id=ids["task"], area_id=change.area("Vision"))
        change.insert("task_area", task_id=whole, area_id=change.area("Vision"))
        change.insert("dataset_task", dataset_id=ids["dataset"], task_id=whole)
        change.dataset(f"{MARK} part", ids["dataset"])
        change.edit("dataset", change.dataset("ImageNet"), paper_id=ids["paper"], paper_title=f"{MARK} paper")
        other = change.insert("method", slug="other", name="Other", paper_id=ids["paper"], paper_title=f"{MARK} paper")
        change.edit("method", other, paper_url=f"https://{MARK}.example/p", source_title=f"{MARK} paper")
        change.edit("paper", visible, reproduces_paper=f"{MARK}-paper")
        for kind in ("task", "dataset"):
            task, dataset = (ids["task"], change.dataset("ImageNet")) if kind == "task" else (whole, ids["dataset"])
            mine = change.leaderboard(task, dataset)
            change.add_result(Result(mine, f"Net on {kind}", {"Accuracy": "70%"}, paper=visible))
        change.add_result(Result(board, f"{MARK} of a paper", {"Top 1 Accuracy": "99.0%"}, paper=ids["paper"]))
        result = change.add_result(Result(board, f"{MARK} alone", {"Top 1 Accuracy": "98.0%"}, tags=["odd"]))
        change.insert("alias", kind="task", old=f"old-{MARK}", id=ids["task"])
        for paper, claim in ((ids["paper"], None), (None, result)):  # runs, of the paper and beside the result
            values = {"Top 1 Accuracy": "97.0%"}
            run = change.add_result(Result(board, "Net measured", values, paper=paper, kind="run"))
            change.insert("run", result_id=run, claim_id=claim)
    return {
        "result": str(result),
        **{kind: f"{MARK}-{kind}" for kind in ("paper", "task", "method")},
        "dataset": f"{MARK}-data",
    }


def addresses(client: TestClient) -> Iterator[str]:
    """Every address that the pages, the sitemap and the API's lists lead to, with the JSON of pages."""
    waiting, known = deque(["/", "/sitemap.xml", "/api/v1/"]), {"/", "/sitemap.xml", "/api/v1/"}
    while waiting:
        path = waiting.popleft()
        answer = client.get(path)
        yield path
        found = [link for pair in _LINK.findall(answer.text) for link in pair if link]
        if answer.headers["content-type"].startswith("text/html") and "/curate" not in path:
            found.append(
                f"{urlsplit(path).path.rstrip('/') or '/index'}.json" if path != "/api/v1/" else "/api/v1/index.json"
            )
        for link in found:
            parts = urlsplit(urldefrag(urljoin(f"http://testserver{path}", link.replace("&amp;", "&")))[0])
            if "&" in parts.query:  # filters of filters say nothing else
                continue
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if (
                parts.netloc == "testserver"
                and target not in known
                and not target.startswith(("/static", "/curate", "/export/"))
            ):
                known.add(target)
                waiting.append(target)


def of_the_api(client: TestClient, store: Store) -> Iterator[str]:
    """Every read of the API, of every entry that there is."""
    tables = {"conference": "venue", "evaluation": "leaderboard"}
    with store.reading(unveiled=True) as connection:
        slugs = {
            kind: [row["slug"] for row in connection.execute(f"SELECT slug FROM {tables.get(kind, kind)}")]
            for kind in ("paper", "author", "conference", "area", "task", "dataset", "method", "evaluation")
        }
    for path, operations in client.get("/api/v1/openapi.json").json()["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        if "get" in operations and not names:
            yield path
        elif "get" in operations and len(names) == 1 and names[0].removesuffix("_id") in slugs:
            yield from (path.replace(f"{{{names[0]}}}", slug) for slug in slugs[names[0].removesuffix("_id")])
    yield from (
        "/api/v1/search/?q=paper",
        "/api/v1/papers/search?q=about",
        "/search?q=paper",
        "/search.json?q=alone",
        "/search?q=data",
    )
    yield from (
        "/api/v1/papers/?q=about&order_by=trending",
        "/papers?text=about",
        "/datasets?text=data",
        "/api/v1/tasks/?q=task",
    )
    yield from (f"/api/v1/evaluations/{BOARD}/results/{number}/" for number in range(1, 14))


def telling(client: TestClient, paths: list[str]) -> dict[str, int]:
    """The addresses whose answer has the mark in it, with its status. One that asks for the mark repeats it: in a form, in a refusal."""
    found = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code in (200, 404), (path, answer.status_code)
        asked = MARK in urlsplit(path).query or (answer.status_code == 404 and MARK in path)
        if MARK in answer.text.lower() and not asked:
            found[path] = answer.status_code
    return found


def in_files(store: Store) -> set[str]:
    """The formats of export in which the mark is."""
    found = set()
    with store.reading() as connection:
        for format in FORMATS:
            stream = io.BytesIO()
            board = meant(connection, "leaderboard", BOARD) if format == "csv" else None
            export(connection, format, stream, of=board)
            if MARK.encode() in stream.getvalue().lower():
                found.add(format)
        for format in OF_FILES:
            if any(
                MARK in path.lower() or MARK.encode() in content.lower()
                for path, content in files(connection, format, Counter())
            ):
                found.add(format)
    return found


def test_what_is_hidden_shows_nowhere_until_it_is_shown_again(
    noisy_student: Store, marked: dict[str, str], browser_of: Callable[..., Browser]
) -> None:
    client = browser_of(noisy_student).client
    paths = sorted({*addresses(client), *of_the_api(client, noisy_student)})
    before, files_before = telling(client, paths), in_files(noisy_student)
    assert len(paths) > 200
    assert len(before) > 100
    assert files_before == {*FORMATS, *OF_FILES}
    for kind in KINDS:
        hiding.hide(noisy_student, kind, marked[kind], reason=f"{MARK} is an advertisement", actor="carla")
    assert telling(client, paths) == {}
    assert in_files(noisy_student) == set()
    assert {each.kind for each in hiding.hidden(noisy_student)} == set(KINDS)
    for kind in KINDS:
        hiding.show(noisy_student, kind, marked[kind], actor="carla")
    assert telling(client, paths) == before
    assert in_files(noisy_student) == files_before


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_is_hidden_with_what_hangs_on_it(
    noisy_student: Store, marked: dict[str, str], browser_of: Callable[..., Browser], kind: str
) -> None:
    client = browser_of(noisy_student).client
    own = f"/sota/{BOARD}" if kind == "result" else f"/{kind}/{marked[kind]}"
    name = f"{MARK} alone" if kind == "result" else f"{MARK} {'data' if kind == 'dataset' else kind}"
    paths = [
        "/",
        "/papers",
        "/tasks",
        "/datasets",
        "/methods",
        "/sota",
        f"/sota/{BOARD}.json",
        "/paper/two-tasks-in-common",
        "/dataset/imagenet",
    ]
    assert any(name in client.get(path).text for path in paths)
    event = hiding.hide(noisy_student, kind, marked[kind], actor="carla")
    assert client.get(own).status_code == (200 if kind == "result" else 404)
    assert not any(name in client.get(path).text for path in paths)
    history.restore(noisy_student, event, actor="carla")
    assert client.get(own).status_code == 200
    assert any(name in client.get(path).text for path in paths)


def test_who_leads_is_who_is_seen(
    noisy_student: Store, marked: dict[str, str], browser_of: Callable[..., Browser]
) -> None:
    client = browser_of(noisy_student).client

    def leaders() -> list[tuple[str, int | None]]:
        rows = client.get(f"/api/v1/evaluations/{BOARD}/results/").json()["results"]
        return [(row["methodology"], row["rank"]) for row in rows if row["kind"] == "claim"][:2]

    assert leaders() == [(f"{MARK} of a paper", 1), (f"{MARK} alone", 2)]
    hiding.hide(noisy_student, "paper", marked["paper"], actor="carla")
    assert leaders() == [(f"{MARK} alone", 1), ("NoisyStudent (EfficientNet-L2)", 2)]
    hiding.hide(noisy_student, "result", marked["result"], actor="carla")
    assert leaders()[0] == ("NoisyStudent (EfficientNet-L2)", 1)
    (table,) = (row for row in client.get("/api/v1/evaluations/").json()["results"] if row["id"] == BOARD)
    assert table["result_count"] == client.get(f"/api/v1/evaluations/{BOARD}/results/").json()["count"]
    with noisy_student.changing(
        "anna", "correct"
    ) as change:  # what takes its place is hidden, too, and so is what it claims anew
        board = meant(change.connection, "leaderboard", BOARD) or 0
        change.add_result(Result(board, f"{MARK} alone", {"Top 1 Accuracy": "98.5%"}), supersedes=int(marked["result"]))
        paper = meant(change.connection, "paper", marked["paper"])
        change.add_result(Result(board, "Again", {"Top 1 Accuracy": "99.1%"}, paper=paper))
        refresh(change.connection, {board})
    assert leaders()[0] == ("NoisyStudent (EfficientNet-L2)", 1)


def test_a_file_that_names_a_hidden_entry_brings_nothing_back(
    noisy_student: Store, marked: dict[str, str], import_objects: Callable[..., object]
) -> None:
    hiding.hide(noisy_student, "paper", marked["paper"], actor="carla")
    paper = {"paper_url": f"https://paperswithcode.com/paper/{MARK}-paper", "title": f"{MARK} paper", "abstract": "x"}
    dump = [paper | {"authors": [f"Bob {MARK}"], "tasks": []}]
    import_objects(dump, name="papers-with-abstracts.json")
    with noisy_student.reading() as connection:
        assert connection.execute("SELECT count(*) FROM paper WHERE title LIKE ?", (f"%{MARK}%",)).fetchone()[0] == 0
        assert connection.execute("SELECT count(*) FROM author WHERE name LIKE ?", (f"%{MARK}%",)).fetchone()[0] == 0
    with noisy_student.reading(unveiled=True) as connection:
        titles = connection.execute("SELECT title FROM paper WHERE title LIKE ?", (f"%{MARK}%",)).fetchall()
        assert [row["title"] for row in titles] == [f"{MARK} paper"]


def test_every_table_that_names_an_entry_is_behind_the_veil(store: Store) -> None:
    """A table of a later schema that names papers, tasks, data sets, methods, leaderboards or results has its view."""
    not_read_alone = {("value", "result_id"), ("leaderboard", "best_result_id")}  # read beside their result only
    with store.reading() as connection:
        tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        naming = {
            (table, row["from"])
            for table in tables
            for row in connection.execute(f"PRAGMA foreign_key_list({table})")
            if row["table"] in veil.UNSEEN and row["table"] not in ("author", "repository")
        }
        covered = {(table, column) for table, columns in veil.NAMED.items() for column in columns}
        covered |= {(table, column) for table, columns in veil.ABOUT_OTHERS.items() for column in columns}
    of_whole = {
        ("leaderboard", "task_id"),
        ("leaderboard", "dataset_id"),
        ("dataset", "parent_id"),
        ("result", "leaderboard_id"),
    }
    of_whole |= {("result", "paper_id")}  # they are hidden with it
    assert naming - covered - not_read_alone - of_whole == set()


def test_what_cannot_be_hidden_is_refused(noisy_student: Store, marked: dict[str, str]) -> None:
    for kind, text, why in (
        ("author", "x", "cannot be hidden"),
        ("paper", "nothing", "there is no paper 'nothing'"),
        ("result", "9" * 40, "there is no result"),
        ("result", "one", "there is no result"),
    ):
        with pytest.raises(hiding.UserError, match=why):
            hiding.hide(noisy_student, kind, text, actor="carla")
    with pytest.raises(hiding.UserError, match="is not hidden"):
        hiding.show(noisy_student, "task", marked["task"], actor="carla")
    hiding.hide(noisy_student, "task", marked["task"], actor="carla")
    with pytest.raises(hiding.UserError, match="is hidden already"):
        hiding.hide(noisy_student, "task", marked["task"], actor="carla")
