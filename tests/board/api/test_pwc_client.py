"""The reading commands of Hugging Face's `pwc` client (huggingface/pwc-cli 0.1.16): its requests, and the client itself where it is there.

It is on no package index, and stands apart from our packages; who can reach its repository has its tests run with

    pip install --no-deps --target .venv/peers/pwc "pwc-cli @ git+https://github.com/huggingface/pwc-cli@dd440e4#subdirectory=standalone_cli"
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noisystudent.board.catalogue.change import Result, today
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries.trending import days_ago

CLIENT = Path(sys.prefix) / "peers" / "pwc"
NOISY, UNDATED = "self-training-with-noisy-student", "student-without-a-date"
Answer = dict[str, Any]


@pytest.fixture
def lively(store: Store) -> Store:
    """The catalogue with what the commands ask for beside: collections, a reproduction, stars and results of late, a run."""
    with store.changing("test", "fill") as change:
        collection = change.insert(
            "collection", slug="training", name="Training", area="General", area_slug="computer-vision"
        )
        change.insert("method_collection", method_id=1, collection_id=collection)
        change.edit(
            "method", 1, introduced_year=2019, source_url="https://arxiv.org/abs/1911.04252", source_title="Noisy"
        )
        change.edit("dataset", 1, homepage="https://huggingface.co/datasets/ilsvrc/imagenet", description="Pictures.")
        report = change.paper(title="[Re] Noisy Student", url="https://example.org/re", published="2021-01-01")
        change.edit("paper", report or 0, reproduces_paper=NOISY)
        for title, stars, days in (("Fast", 90, 9), ("Slow", 100, 99), ("Old", 10_000, 1000)):
            paper = change.paper(title=title, url=f"https://example.org/{title}", published=days_ago(days))
            change.insert("paper_task", paper_id=paper, task_id=2, published=days_ago(days))
            code = change.repository(f"https://github.com/somebody/{title}")
            change.edit("repository", code, stars=stars)
            change.insert("paper_repository", paper_id=paper, repository_id=code, framework="pytorch")
            if title == "Fast":
                change.add_result(Result(1, "Fast net", {"Top 1 Accuracy": "80%"}, paper=paper, evaluated_on=today()))
        noisy = change.find_paper(url="https://arxiv.org/abs/1911.04252")
        change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88.0"}, paper=noisy, kind="run"))
    return store


@pytest.fixture
def get(reader: TestClient, lively: Store) -> Callable[..., Any]:
    """What the API answers, as the client asks: without a slash at the end, booleans in small letters, what is not given left out."""

    def asked(path: str, **parameters: Any) -> Any:
        given = {
            key: str(value).lower() if isinstance(value, bool) else value
            for key, value in parameters.items()
            if value is not None
        }
        answer = reader.get(path, params=given, follow_redirects=False)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text if "markdown" in answer.headers["content-type"] else answer.json()

    return asked


def titles(page: Answer) -> list[str]:
    return [paper["title"] for paper in page["results"]]


def test_search(get: Callable[..., Answer]) -> None:
    def found(**parameters: Any) -> list[str]:
        page = get("papers/search", q="student", page=1, page_size=10, mode="hybrid", **parameters)
        assert page["count"] == len(page["results"])
        return titles(page)

    assert set(found()) == {"Self-training with Noisy Student", "Student without a date", "[Re] Noisy Student"}
    assert found(start_date="2020-01-01", end_date="2021-12-31") == ["[Re] Noisy Student"]
    assert found(end_date="2019-12-31") == ["Self-training with Noisy Student"]


def test_a_paper_by_its_number(get: Callable[..., Answer]) -> None:
    plain = get("papers/1911.04252v4", include_resources=False)
    assert (plain["id"], plain["arxiv_id"], plain["repositories"], plain["methods"]) == (
        NOISY,
        "1911.04252",
        None,
        None,
    )
    assert [paper["title"] for paper in plain["successor_papers"]] == ["[Re] Noisy Student"]
    full = get("papers/1911.04252", include_resources=True)
    assert [(code["owner"], code["is_official"]) for code in full["repositories"]] == [
        ("google-research", True),
        ("somebody", False),
    ]
    assert full["methods"] == [{"id": "noisy-student", "slug": "noisy-student", "name": "Noisy Student"}]


def test_the_results_of_a_paper_are_rows_and_tables_stay_tables(get: Callable[..., Answer]) -> None:
    rows = get("evaluations/", page=1, page_size=100, paper_id=NOISY, ordering="-benchmark_popularity")["results"]
    assert [(row["model_name"], row["best_rank"], row["harness"]) for row in rows] == [
        ("NoisyStudent", 1, None),
        ("NoisyStudent (B0)", 3, None),
        ("NoisyStudent", None, "measured here"),
    ]
    first = rows[0]
    assert first["metrics"] == {"Top 1 Accuracy": "88.4%", "GFLOPs": "37"}
    assert (first["dataset_name"], first["task_slug"], first["is_open"]) == ("ImageNet", "image-classification", True)
    assert (first["paper_arxiv_id"], first["paper_published_date"]) == ("1911.04252", "2019-11-11")
    assert get("evaluations/", page=1, items_per_page=50)["results"][0]["task"] == "fine-grained-image-classification"
    assert "result_count" in get("datasets/imagenet/evaluations/", page=1, items_per_page=50)["results"][0]


def test_read_related_lineage_recent_and_trending(get: Callable[..., Any]) -> None:
    text = get("research/papers/1911.04252/read")
    assert text.startswith("# Self-training with Noisy Student\n\nQizhe Xie, Quoc V. Le\n")
    assert "\n## Abstract\n\nLabels out of a teacher.\n" in text
    assert {"Fast", "Slow"} <= set(titles(get("papers/1911.04252/related", limit=4)))
    lineage = get("research/papers/1911.04252/lineage")
    assert (lineage["paper"]["reference"], len(lineage["predecessors"])) == ("1911.04252", 0)
    assert get("research/papers/re-noisy-student/lineage")["predecessors"] == [lineage["paper"]]
    assert titles(get("papers/recent", limit=2)) == ["Fast", "Slow"]
    assert titles(get("papers/trending", limit=20, max_age_days=180)) == ["Fast", "Slow"]  # 9 stars a day, and 1
    assert titles(get("papers/trending", limit=20, max_age_days=180, min_velocity=2.0)) == ["Fast"]
    assert titles(get("papers/trending", limit=20, max_age_days=5)) == []


def test_papers_are_listed_by_tags_with_the_filters_confirmed(get: Callable[..., Answer]) -> None:
    def listed(**filters: Any) -> list[str]:
        more = {"page": 1, "page_size": 20, "latest_only": True, "order_by": "trending", "order_dir": "desc"}
        page = get("papers/", **more, include_resources=False, **filters)
        echoed = {key: value for key, value in filters.items() if key != "search"}
        assert page["applied_filters"] == echoed
        return titles(page)

    everything = listed()
    assert everything[:2] == ["Fast", "Slow"]
    assert set(everything[-2:]) == {"A paper of the far future", "Student without a date"}
    assert listed(task="Image Classification", framework="PyTorch") == [
        "Fast",
        "Slow",
        "Old",
        "Self-training with Noisy Student",
    ]
    for filters in ({"method": "noisy student training"}, {"method": "Noisy Student"}, {"conference": "CVPR 2020"}):
        assert listed(**filters) == ["Self-training with Noisy Student"]
    assert listed(start_date="2019-01-01", end_date="2019-12-31") == ["Self-training with Noisy Student"]
    assert listed(search="noisy", end_date="2020-01-01") == ["Self-training with Noisy Student"]


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("papers/search?q=x&mode=semantic", 422, "mode"),
        ("papers/?order_by=citation_count", 422, "order_by"),
        ("papers/?organization=NVIDIA", 422, "does not know where authors work"),
        ("papers/?task=nothing", 404, "there is no task"),
        ("papers/?conference=CVPR 1900", 404, "there is no conference"),
        ("papers/?framework=Fortran", 404, "there is no framework"),
        ("papers/?start_date=2020-01-02&end_date=2020-01-01", 422, "is after"),
        ("papers/search?q=x&start_date=soon", 422, "start_date"),
        ("papers/?order_by=trending&ordering=title", 422, "give one of them"),
        ("papers/trending?min_velocity=nan", 422, "min_velocity"),
        ("papers/trending?max_age_days=400", 422, "max_age_days"),
        ("evaluations/?paper_id=nothing", 404, "there is no paper"),
        ("evaluations/?ordering=best_rank", 422, "there is no 'best_rank' here; there are id, result_count"),
        ("tasks/?area_id=nothing", 404, "there is no area"),
        ("tasks/?level=-1", 422, "level"),
        ("organizations/nvidia", 404, "does not know where authors work"),
        ("areas/with-task-benchmarks?benchmarks_per_task=11", 422, "benchmarks_per_task"),
    ],
)
def test_what_cannot_be_honoured_is_refused(library: TestClient, path: str, status: int, why: str) -> None:
    answer = library.get(path)
    assert answer.status_code == status
    assert why in answer.json()["message"]


def test_tasks(get: Callable[..., Answer]) -> None:
    asked = {"page": 1, "page_size": 50, "visible_only": False}
    tasks = get("tasks/", **asked, ordering="-level")["results"]
    assert [(task["slug"], task["level"], task["parent_id"], task["area_id"]) for task in tasks] == [
        ("fine-grained-image-classification", 2, "image-classification", None),
        ("image-classification", 1, "vision", "computer-vision"),
        ("vision", 0, None, None),
    ]
    assert [tasks[1][f"{kind}_count"] for kind in ("paper", "benchmark", "evaluation")] == [6, 1, 6]
    for narrow, found in (
        ({"area_id": "computer-vision"}, ["image-classification"]),
        ({"level": 0}, ["vision"]),
        ({"area_id": "computer-vision", "level": 0}, []),
    ):
        assert [task["id"] for task in get("tasks/", **asked, **narrow, ordering="created_at")["results"]] == found
    page = get("tasks/fine-grained-image-classification/page")
    assert [task["id"] for task in page["parents"]] == ["image-classification", "vision"]
    page = get("tasks/image-classification/page")
    assert [task["id"] for task in page["children"]] == ["fine-grained-image-classification"]
    assert [(each["id"], each["evaluation_count"]) for each in page["benchmarks"]] == [("imagenet", 6)]
    assert page["recommended_frameworks"][0] == {
        "id": "https://github.com/somebody/Old",
        "url": "https://github.com/somebody/Old",
        "owner": "somebody",
        "name": "Old",
        "num_stars": 10_000,
    }
    papers = get(
        "tasks/image-classification/papers",
        page=1,
        page_size=100,
        order_by="trending",
        order_dir="desc",
        include_resources=True,
    )
    assert titles(papers)[:3] == ["Fast", "Slow", "Old"]
    assert [method["slug"] for paper in papers["results"] for method in paper["methods"]] == ["noisy-student"]


def test_benchmarks(get: Callable[..., Answer]) -> None:
    trend = {"limit": 100, "min_recent_papers": 0}
    (found,) = get("tasks/image-classification/trending-benchmarks", **trend)["results"]
    assert (found["id"], found["recent_paper_count"], found["all_time_paper_count"]) == ("imagenet", 1, 3)
    assert (found["best_model_name"], found["best_paper_title"]) == ("NoisyStudent", "Self-training with Noisy Student")
    assert found["hf_url"] == "https://huggingface.co/datasets/ilsvrc/imagenet"
    closed = get("tasks/image-classification/trending-benchmarks", **trend, is_open="false")["results"]
    assert closed[0]["best_model_name"] == "AlexNet"
    assert get("tasks/vision/trending-benchmarks", **trend, include_descendants=False)["results"] == []
    below = get("tasks/vision/trending-benchmarks", **trend, include_descendants=True, is_open="true")["results"]
    assert [each["id"] for each in below] == ["imagenet"]
    assert (
        get("tasks/vision/trending-benchmarks", limit=100, min_recent_papers=2, include_descendants=True)["count"] == 0
    )
    asked = {"page": 1, "page_size": 50, "include_descendants": False, "ordering": "-paper_count"}
    assert [each["id"] for each in get("datasets/", **asked)["results"]] == ["imagenet", "cifar-10"]
    for narrow, ids in (
        ({"task": "image-classification"}, ["imagenet"]),
        ({"task": "vision"}, []),
        ({"task": "vision", "include_descendants": True}, ["imagenet"]),
        ({"min_eval_count": 2}, ["imagenet"]),
        ({"min_eval_count": 99}, []),
        ({"is_open": "true"}, ["imagenet"]),
        ({"q": "IMAGENET"}, ["imagenet"]),
    ):
        assert [each["id"] for each in get("datasets/", **{**asked, **narrow})["results"]] == ids
    rows = get("datasets/imagenet/evaluations/", page=1, page_size=100, ordering="best_rank")["results"]
    assert [(row["model_name"], row["best_rank"]) for row in rows][:3] == [
        ("NoisyStudent", 1),
        ("Fast net", 2),
        ("NoisyStudent (B0)", 3),
    ]
    rows = get("datasets/imagenet/evaluations/", page=1, page_size=100, ordering="best_rank", is_open="false")[
        "results"
    ]
    assert [row["model_name"] for row in rows] == ["AlexNet", "Odd"]


def test_areas_methods_conferences_frameworks_and_organizations(get: Callable[..., Answer]) -> None:
    assert get("areas/", page=1, page_size=500, ordering="name")["results"] == [
        {"id": "computer-vision", "name": "Computer Vision"}
    ]
    of_area, without = get("areas/with-tasks/")["results"]
    assert (of_area["tasks"], [task["slug"] for task in without["tasks"]]) == ([], ["vision"])
    (of_area,) = get("areas/with-task-benchmarks/", benchmarks_per_task=3, min_eval_count=2)["results"]
    assert [(task["slug"], [each["slug"] for each in task["benchmarks"]]) for task in of_area["tasks"]] == [
        ("image-classification", ["imagenet"])
    ]
    asked = {"page": 1, "page_size": 50, "ordering": "-introduced_year"}
    (method,) = get("methods/", **asked, area_id="computer-vision", introduced_year=2019)["results"]
    assert (method["slug"], method["area_id"], method["paper_count"]) == ("noisy-student", "computer-vision", 1)
    assert get("methods/", **asked, introduced_year=2018)["results"] == []
    assert get("methods/noisy-student")["source_title"] == "Noisy"
    conferences = get("conferences/")["results"]
    assert [(each["slug"], each["year"], each["paper_count"]) for each in conferences] == [
        ("cvpr", None, 1),
        ("cvpr-2020", 2020, 1),
    ]
    assert get("conferences/cvpr-2020")["name"] == "CVPR 2020"
    (domain,) = get("frameworks/")["domains"]
    frameworks = domain["categories"][0]["frameworks"]
    assert [(each["name"], each["paper_count"]) for each in frameworks] == [("PyTorch", 4), ("TensorFlow", 1)]
    assert get("organizations/", featured_only=False)["results"] == []


# Each command of the client that reads, and a text that its output must have.
COMMANDS = [
    (["search", "noisy student"], "1911.04252"),
    (["paper", "info", "1911.04252"], "\\[Re\\] Noisy Student"),
    (
        ["paper", "info", "1911.04252", "--include-resources"],
        "**Official:** https://github.com/google-research/noisystudent",
    ),
    (
        ["paper", "info", "Self-training with noisy student", "--include-evals"],
        "| ImageNet | NoisyStudent | Top 1 Accuracy: 88.4%",
    ),
    (["paper", "read", "1911.04252"], "Labels out of a teacher."),
    (
        ["paper", "list", "--task", "Image Classification", "--start-date", "2019-01-01", "--end-date", "2019-12-31"],
        "1911.04252",
    ),
    (
        ["paper", "list", "--conference", "CVPR 2020", "--method", "noisy-student", "--framework", "PyTorch"],
        "1911.04252",
    ),
    (["paper", "recent"], "Fast"),
    (["paper", "trending", "--min-velocity", "2"], "Fast"),
    (["paper", "related", "1911.04252"], "Fast"),
    (["paper", "lineage", "list", "1911.04252"], "\\[Re\\] Noisy Student"),
    (["task", "--name", "Image Classification"], "## Common methods"),
    (["task", "list"], "fine-grained-image-classification"),
    (
        ["task", "list", "--area", "computer vision", "--visible-only", "--order-by", "paper_count"],
        "image-classification",
    ),
    (["task", "list", "--group-by-area"], "- **Vision** (`vision`)"),
    (["method", "--name", "Noisy Student"], "Introduced: 2019"),
    (["method", "list", "--area", "computer vision"], "noisy-student"),
    (["conference", "--name", "CVPR 2020"], "1 papers"),
    (["conference", "list", "--year", "2020"], "cvpr-2020"),
    (["organization", "list"], "trend_rank"),
    (["framework", "--name", "pytorch"], "4 papers"),
    (["framework", "list", "--domain", "code"], "TensorFlow"),
    (["benchmark", "--name", "imagenet"], "| 1 | NoisyStudent | Top 1 Accuracy: 88.4%, GFLOPs: 37 |"),
    (
        [
            "benchmark",
            "--name",
            "ImageNet",
            "--min",
            "Top 1 Accuracy=85",
            "--pareto",
            "Top 1 Accuracy:higher,GFLOPs:lower",
        ],
        "88.4%",
    ),
    (["benchmark", "list"], "Pictures."),
    (["benchmark", "list", "--task", "image-classification", "--is-open", "true"], "Self-training with Noisy Student"),
    (["benchmark", "list", "--group-by-area"], "- ImageNet"),
]


@pytest.mark.skipif(
    not CLIENT.exists(), reason=f"there is no {CLIENT}: `make test` puts it there where GitHub can be reached"
)
def test_every_reading_command_of_the_client_works(lively: Store, address: str, tmp_path: Path) -> None:
    environment = {
        "PYTHONPATH": str(CLIENT),
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "NO_PROXY": "127.0.0.1",
        "PWC_API_URL": f"{address}/api/v1",
    }
    script = (
        "import contextlib, io, json, sys\nfrom pwc_cli.cli import main\nsaid = []\n"
        "for command in json.load(sys.stdin):\n"
        "    out, err = io.StringIO(), io.StringIO()\n"
        "    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):\n"
        "        status = main(command)\n"
        "    said.append([status, out.getvalue(), err.getvalue()])\n"
        "json.dump(said, sys.stdout)"
    )
    commands = [command for command, _ in COMMANDS]
    session = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(
            [*commands, *([*command, "--json"] for command in commands), ["organization", "--name", "NVIDIA"]]
        ),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    *answers, nowhere = json.loads(session.stdout)
    for (command, expected), (status, out, err) in zip(COMMANDS, answers, strict=False):
        assert (status, err) == (0, ""), (command, err)
        assert expected in out, (command, out)
    for command, (status, out, err) in zip(commands, answers[len(commands) :], strict=True):
        assert (status, json.loads(out)["schema_version"]) == (0, "v1"), (command, err)
    assert (nowhere[0], nowhere[2]) == (4, "pwc: Organization not found: NVIDIA\n")
