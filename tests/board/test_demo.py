"""The demonstration: filled at once, with something to see on every kind of page, and each page light."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from seeded_runs import kept_results
from starlette.testclient import TestClient

from noisystudent.board.app import create_app
from noisystudent.board.catalogue.store import Store
from noisystudent.board.curating import made_or_opened
from noisystudent.board.demo import fill
from noisystudent.board.importing import import_file
from noisystudent.board.submitting import tokens
from noisystudent.board.web.site import Site
from noisystudent.errors import UserError

ROOT = Path(__file__).parents[2]
WEIGHT = 100_000  # bytes of a page at most


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    store = Store(tmp_path_factory.mktemp("demo") / "demo.db", create=True)
    return store, fill(store, actor="anna")


@pytest.fixture(scope="module")
def client(filled: tuple[Store, str]) -> Iterator[TestClient]:
    with TestClient(create_app(Site(filled[0].path))) as client:
        yield client


def test_papers_claims_runs_and_what_waits(filled: tuple[Store, str], client: TestClient) -> None:
    store, token = filled
    with store.reading() as connection:
        kinds = connection.execute("SELECT kind, count(*) FROM result GROUP BY kind").fetchall()
        waiting = connection.execute("SELECT count(*) FROM submission WHERE status = 'pending'").fetchone()[0]
        known = tokens.authenticate(connection, token)
    assert dict(map(tuple, kinds)) == {"claim": 50, "run": 22}
    assert waiting == 2
    assert known is not None
    assert "curate" in known.scopes
    runs = client.get("/sota/image-classification-on-cifar-10-4000-labels.json").json()["runs"]
    best = next(run for run in runs if run["rank"] == 1 and run["metric"] == "Top 1 Accuracy")
    assert (best["run"], best["model"]) == ("85.87 ± 0.11%", "Noisy Student, student 3 (whitened_32_128_128)")


def test_its_runs_are_those_of_our_benchmarks() -> None:
    boards = json.loads((ROOT / "src/noisystudent/board/seed/demo_runs.json").read_text())["boards"]
    for board in boards:
        measured = kept_results(Path(board["source"]).stem)["recipe"]
        for network in board["networks"]:
            told = {draw["seed"]: draw["metrics"]["top1"] for draw in network["draws"]}
            rows = [row for run in measured for row in run["rows"] if row["name"] == network["name"]]
            assert told == pytest.approx(dict(enumerate(row["metrics"]["top1"] for row in rows)), abs=0.005), network


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/tasks",
            "/sota",
            "/datasets",
            "/papers",
            "/methods",
            "/submit",
            "/submit/result",
            "/about",
            "/api/v1/",
        ),
        *("/sota/image-classification-on-imagenet", "/paper/self-training-with-noisy-student-improves"),
        *("/task/image-classification", "/dataset/imagenet", "/method/noisy-student", "/area/computer-vision"),
    ],
)
def test_a_page_is_light(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < WEIGHT


def test_an_import_makes_the_store_and_a_refused_one_leaves_none(tmp_path: Path) -> None:
    path, broken, good = tmp_path / "board.db", tmp_path / "broken.json", tmp_path / "good.json"
    broken.write_text('[{"task"')
    table = {"task": "Chess", "datasets": [{"dataset": "Games", "sota": {"metrics": ["Elo"], "rows": []}}]}
    good.write_text(json.dumps([table]))
    with pytest.raises(UserError), made_or_opened(path) as (store, _):
        import_file(store, broken, actor="anna")
    assert sorted(tmp_path.iterdir()) == [broken, good]
    with made_or_opened(path) as (store, is_new):
        assert is_new
        import_file(store, good, actor="anna")
    with made_or_opened(path) as (store, is_new):
        assert not is_new
