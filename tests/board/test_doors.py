"""Every text that names an entry, at every door: pages, API, forms, imports, the command line, the search box all mean the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from noisystudent.board import seed
from noisystudent.board.app import create_app
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.curating import set_direction
from noisystudent.board.importing import import_file
from noisystudent.board.runs import submit as runs
from noisystudent.board.submitting import tokens
from noisystudent.board.submitting.differences import difference_of
from noisystudent.board.submitting.payloads import read
from noisystudent.board.web.site import Limits, Site
from noisystudent.errors import UserError

BOARD = "image-classification-on-imagenet"
PAPER = "self-training-with-noisy-student-improves"
TITLE = "Self-training with Noisy Student improves ImageNet classification"
TASKS = {
    "image-classification": True,
    "Image Classification": True,
    "IMAGE CLASSIFICATION": True,
    "image  classification": True,
    "Image-Classification": True,
    "classifying-images": True,  # an old slug
    "https://paperswithcode.com/task/image-classification": True,
    "Image Classifications": False,
    "Image Classificatiön": False,
}
PAPERS = {
    PAPER: True,
    "noisy-student-of-old": True,
    "1911.04252": True,
    "1911.04252v4": True,
    "arXiv:1911.04252": True,
    "https://arxiv.org/abs/1911.04252": True,
    "https://arxiv.org/pdf/1911.04252v4.pdf": True,
    f"https://paperswithcode.com/paper/{PAPER}": True,
    TITLE: True,
    TITLE.upper(): True,
    TITLE.replace("-", " "): False,  # its slug is not the one of its title, so only capitals are looked through
    "1911.04253": False,
    "Self-training": False,
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("doors") / "board.db", create=True)
    seed.load(store, actor="anna")
    with store.changing("anna", "rename") as change:
        for kind, old, slug in (
            ("task", "classifying-images", "image-classification"),
            ("paper", "noisy-student-of-old", PAPER),
        ):
            change.connection.execute(
                "INSERT INTO alias (kind, old, id) VALUES (?, ?, ?)", (kind, old, meant(change.connection, kind, slug))
            )
    return store


@pytest.fixture(scope="module")
def client(filled: Store) -> Iterator[TestClient]:
    many = Limits(reads=10**6, searches=10**6, writes=10**6)
    token = tokens.make(filled, "carla", ["curate", "submit"])
    with TestClient(create_app(Site(filled.path, limits=many)), headers={"Authorization": f"Token {token}"}) as opened:
        yield opened


Door = Callable[[Store, TestClient, str, Path], bool]


def page_of_task(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return client.get(f"/task/{quote(text)}").status_code == 200


def filter_of_a_page(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return bool(client.get("/papers.json", params={"task": text}).json()["papers"])


def api_of_task(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return client.get(f"/api/v1/tasks/{quote(text, safe='')}/").status_code == 200


def body_of_the_api(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    answer = client.post("/api/v1/evaluations/", json={"task": text, "dataset": "imagenet"})
    assert answer.status_code in (409, 422)
    return answer.status_code == 409  # it is there already


def submission_of_a_result(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    payload = read("result", {"task": text, "dataset": "ImageNet", "model": "New", "metrics": {"Top 1 Accuracy": "1%"}})
    with store.reading() as connection:
        return difference_of(connection, "result", payload).address == f"/sota/{BOARD}"


def submission_of_a_paper(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    with store.reading() as connection:
        return not difference_of(connection, "paper", read("paper", {"title": "New", "tasks": [text]})).problems


def submission_of_a_task(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    with store.reading() as connection:
        return not difference_of(connection, "task", read("task", {"task": text, "description": "Other."})).problems


def board_submit_task(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    with store.reading() as connection:
        try:
            return runs._leaderboard(connection, text, "imagenet", new=False) is not None
        except UserError:
            return False


TASK_DOORS: list[Door] = [
    *(page_of_task, filter_of_a_page, api_of_task, body_of_the_api, submission_of_a_result),
    *(submission_of_a_paper, submission_of_a_task, board_submit_task),
]


def page_of_paper(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return client.get(f"/paper/{quote(text)}").status_code == 200


def api_of_paper(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return client.get(f"/api/v1/papers/{quote(text, safe='')}/").status_code == 200


def result_of_the_api(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    row = {"metrics": {"Top 1 Accuracy": "1%"}, "methodology": f"M {text}", "paper": text}
    answer = client.post(f"/api/v1/evaluations/{BOARD}/results/", json=row)
    return answer.status_code == 201 and answer.json()["paper"] == PAPER


def paper_of_a_result(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    given = {"leaderboard": BOARD, "model": "New", "metrics": {"Top 1 Accuracy": "1%"}, "paper": text}
    with store.reading() as connection:
        return not difference_of(connection, "result", read("result", given)).problems


def paper_of_a_method(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    with store.reading() as connection:
        return not difference_of(connection, "method", read("method", {"name": "New", "paper": text})).problems


def board_submit_paper(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    with store.reading() as connection:
        try:
            return bool(runs._paper(connection, text))
        except UserError:
            return False


def search_box(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    answer = client.get("/search", params={"q": text}, follow_redirects=False)
    return answer.headers.get("location") == f"/paper/{PAPER}"


def row_of_an_import(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    is_url = text.startswith("http")
    row = {"model_name": f"I {text}", "metrics": {"Acc": "1"}, "paper_url": text if is_url else "", "paper_title": text}
    table = [{"task": "Imports", "datasets": [{"dataset": "D", "sota": {"metrics": ["Acc"], "rows": [row]}}]}]
    (folder / "table.json").write_text(json.dumps(table))
    return "paper" not in import_file(store, folder / "table.json", actor="anna")["counts"]


def metric_of_a_page(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    return client.get(f"/sota/{BOARD}.json", params={"metric": text}).status_code == 200


def metric_of_the_api(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    answer = client.get(
        f"/api/v1/evaluations/{BOARD}/results/", params={"sort": text, "require": text, "min": f"{text}=1"}
    )
    return answer.status_code == 200 and answer.json()["count"] > 0


def submission_of_a_direction(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    given = {"leaderboard": BOARD, "metric": text, "higher_is_better": False}
    with store.reading() as connection:
        return not difference_of(connection, "direction", read("direction", given)).problems


def board_direction(store: Store, client: TestClient, text: str, folder: Path) -> bool:
    try:
        return set_direction(store, f"/sota/{BOARD}", text, higher_is_better=True, actor="anna") > 0
    except UserError:
        return False


METRICS = {
    "Top 1 Accuracy": True,
    "TOP 1 ACCURACY": True,
    "top-1  accuracy": True,
    "Top 2 Accuracy": False,
    "Top1Accuracy": False,
}
METRIC_DOORS: list[Door] = [metric_of_a_page, metric_of_the_api, submission_of_a_direction, board_direction]
PAPER_DOORS: list[Door] = [
    *(page_of_paper, api_of_paper, result_of_the_api, paper_of_a_result, paper_of_a_method),
    *(board_submit_paper, search_box),
]
CASES = [
    *((door, text, means) for door in TASK_DOORS for text, means in TASKS.items()),
    *((door, text, means) for door in PAPER_DOORS for text, means in PAPERS.items()),
    *((door, text, means) for door in METRIC_DOORS for text, means in METRICS.items()),
    *((row_of_an_import, text, True) for text in PAPERS if text.startswith("http") or text in (TITLE, TITLE.upper())),
]
NO_PATH = (page_of_task, api_of_task, page_of_paper, api_of_paper)  # a slash ends what a path's part can say


@pytest.mark.parametrize(
    ("door", "text", "means"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in CASES]
)
def test_the_same_text_means_the_same_everywhere(
    door: Door, text: str, means: bool, filled: Store, client: TestClient, tmp_path: Path
) -> None:
    if door in NO_PATH and "/" in text:
        pytest.skip("not a part of a path")
    assert door(filled, client, text, tmp_path) is means
