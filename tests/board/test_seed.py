"""What an empty board begins with."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from noisystudent.board import seed
from noisystudent.board.catalogue import history
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store

NOISY_STUDENT = "self-training-with-noisy-student-improves"


def rows(store: Store, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query, values)]


@pytest.fixture
def seeded(store: Store) -> Store:
    seed.load(store, actor="operator")
    return store


def test_the_page_of_the_old_site_is_there(seeded: Store) -> None:
    (paper,) = rows(
        seeded,
        "SELECT p.id, p.title, p.published, p.arxiv_id, p.url_abs, p.url_pdf, pr.name FROM paper p "
        "JOIN proceeding pr ON pr.id = p.proceeding_id WHERE p.slug = ?",
        NOISY_STUDENT,
    )
    assert paper[1:] == (
        "Self-training with Noisy Student improves ImageNet classification",
        "2019-11-11",
        "1911.04252",
        "https://arxiv.org/abs/1911.04252",
        "https://arxiv.org/pdf/1911.04252",
        "CVPR 2020 6",
    )
    authors = rows(
        seeded,
        "SELECT a.name FROM paper_author pa JOIN author a ON a.id = pa.author_id WHERE pa.paper_id = ? ORDER BY pa.position",
        paper[0],
    )
    assert [name for (name,) in authors] == ["Qizhe Xie", "Minh-Thang Luong", "Eduard Hovy", "Quoc V. Le"]
    tasks = rows(
        seeded,
        "SELECT t.name FROM paper_task pt JOIN task t ON t.id = pt.task_id WHERE pt.paper_id = ? ORDER BY 1",
        paper[0],
    )
    assert [name for (name,) in tasks] == ["Data Augmentation", "General Classification", "Image Classification"]
    code = rows(
        seeded,
        "SELECT r.owner || '/' || r.name FROM paper_repository pr JOIN repository r ON r.id = pr.repository_id "
        "WHERE pr.paper_id = ? AND pr.is_official ORDER BY 1",
        paper[0],
    )
    assert [name for (name,) in code] == ["google-research/noisystudent", "tensorflow/tpu"]
    related = rows(
        seeded,
        "SELECT count(DISTINCT other.paper_id) FROM paper_task mine JOIN paper_task other ON other.task_id = mine.task_id "
        "WHERE mine.paper_id = ? AND other.paper_id <> mine.paper_id",
        paper[0],
    )
    assert related[0][0] >= 8


def test_its_result_row_is_there(seeded: Store) -> None:
    found = rows(
        seeded,
        "SELECT t.name, d.name, me.name, v.raw, mo.name FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id "
        "JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id JOIN value v ON v.result_id = r.id "
        "JOIN metric me ON me.id = v.metric_id JOIN model mo ON mo.id = r.model_id JOIN paper p ON p.id = r.paper_id "
        "WHERE p.slug = ? AND me.name = 'GFLOPs'",
        NOISY_STUDENT,
    )
    assert found == [("Image Classification", "ImageNet", "GFLOPs", "37", "NoisyStudent (EfficientNet-B7)")]


@pytest.mark.parametrize(
    ("leaderboard", "metric", "leader", "value"),
    [
        ("image-classification-on-imagenet", "Top 1 Accuracy", "NoisyStudent (EfficientNet-L2)", "88.4%"),
        ("domain-generalization-on-imagenet-a", "Top 1 Accuracy", "NoisyStudent (EfficientNet-L2)", "83.7%"),
        (
            "domain-generalization-on-imagenet-c",
            "mean Corruption Error (mCE)",
            "NoisyStudent (EfficientNet-L2), 299 px",
            "28.3",
        ),
        (
            "domain-generalization-on-imagenet-p",
            "mean Flip Rate (mFR)",
            "NoisyStudent (EfficientNet-L2), 299 px",
            "12.2",
        ),
        ("image-classification-on-svhn", "Percentage correct", "NoisyStudent (EfficientNet-B0)", "98.6 ± 0.1"),
    ],
)
def test_the_papers_own_result_leads_each_table(
    seeded: Store, leaderboard: str, metric: str, leader: str, value: str
) -> None:
    assert rows(
        seeded,
        "SELECT me.name, mo.name, v.raw, l.best_since FROM leaderboard l JOIN result r ON r.id = l.best_result_id "
        "JOIN model mo ON mo.id = r.model_id JOIN value v ON v.result_id = r.id JOIN metric me ON me.id = v.metric_id AND me.position = 0 "
        "WHERE l.slug = ?",
        leaderboard,
    ) == [(metric, leader, value, "2019-11-11")]


def test_every_number_can_be_read_and_says_where_it_stands(seeded: Store) -> None:
    assert rows(seeded, "SELECT raw FROM value WHERE number IS NULL OR rank IS NULL") == []
    assert rows(seeded, "SELECT id FROM result WHERE locator = '' OR source_url IS NULL") == []
    assert rows(seeded, "SELECT name FROM metric WHERE direction_origin <> 'given'") == []
    assert (
        rows(
            seeded,
            "SELECT slug FROM paper WHERE short_abstract = '' OR abstract <> '' OR published IS NULL OR arxiv_id IS NULL",
        )
        == []
    )
    assert rows(seeded, "SELECT count(*) FROM result WHERE source_id IS NULL") == [(0,)]


def test_the_facts_agree_with_themselves() -> None:
    facts = tomllib.loads((files("noisystudent.board.seed") / "noisy_student.toml").read_text(encoding="utf-8"))
    papers = {paper["key"]: paper for paper in facts["paper"]}
    assert len(papers) == len(facts["paper"]) == len({paper["arxiv_id"] for paper in facts["paper"]})
    for paper in facts["paper"]:
        year, month = paper["published"][2:4], paper["published"][5:7]
        assert paper["arxiv_id"].startswith(year + month), paper["key"]  # an arXiv number says when it came
        assert re.fullmatch(r"[A-Z][A-Za-z]+ \d{4} \d{1,2}", paper.get("proceeding", "Some 2019 1"))
        assert paper["summary"].count(". ") <= 1  # a sentence or two of ours, no abstract
    tasks = {task["name"] for task in facts["task"]}
    datasets = {dataset["name"] for dataset in facts["dataset"]}
    methods = {method["name"] for method in facts["method"]}
    for paper in facts["paper"]:
        assert set(paper["tasks"]) <= tasks
        assert set(paper.get("datasets", [])) | set(paper.get("introduces", [])) <= datasets
        assert set(paper.get("methods", [])) <= methods
    for board in facts["leaderboard"]:
        assert board["task"] in tasks
        assert board["dataset"] in datasets
        columns = {metric["name"] for metric in board["metric"]}
        names = [(row["model"], row.get("paper")) for row in board["result"]]
        assert len(set(names)) == len(names)
        for row in board["result"]:
            assert set(row["values"]) <= columns, row["model"]
            assert row.get("paper") is None or row["paper"] in papers
            assert "paper" in row or "code" in row  # it is known whose the model is


def test_a_second_time_changes_nothing(seeded: Store) -> None:
    events = rows(seeded, "SELECT count(*) FROM event")
    assert seed.load(seeded, actor="operator") == {}
    assert rows(seeded, "SELECT count(*) FROM event") == events


def newer_seed(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    text = (files("noisystudent.board.seed") / "noisy_student.toml").read_text(encoding="utf-8")
    assert old in text

    class Folder:
        def __truediv__(self, _name: str) -> Folder:
            return self

        def read_bytes(self) -> bytes:
            return text.replace(old, new).encode()

    monkeypatch.setattr(seed, "files", lambda _package: Folder())


def test_a_number_that_is_corrected_takes_the_old_ones_place(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newer_seed(monkeypatch, '"88.4%"', '"88.5%"')
    assert seed.load(seeded, actor="operator") == {"result": 1, "value": 3}
    assert rows(
        seeded,
        "SELECT v.raw FROM result r JOIN value v ON v.result_id = r.id JOIN metric m ON m.id = v.metric_id "
        "WHERE r.retired_by IS NULL AND v.rank = 1 AND m.name = 'Top 1 Accuracy' AND r.leaderboard_id = 1",
    ) == [("88.5%",)]


def test_code_that_a_newer_seed_names_joins_a_row_without(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = (
        "SELECT code_links FROM result r JOIN model m ON m.id = r.model_id WHERE m.name = ? AND retired_by IS NULL"
    )
    newer_seed(monkeypatch, 'code = "https://github.com/cypw/DPNs"', "")
    older = Store(seeded.path.with_name("older.db"), create=True)
    seed.load(older, actor="operator")
    assert rows(older, standing, "DPN-98") == [("[]",)]
    newer_seed(monkeypatch, "# Tasks", "# All tasks")
    assert seed.load(older, actor="operator") == {"result": 1, "value": 1}
    assert rows(older, standing, "DPN-98") == rows(seeded, standing, "DPN-98") != [("[]",)]


def test_what_people_changed_stays_so(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded.changing("carla", "clean up") as change:
        change.retire_result(1)
        change.edit("paper", 1, abstract="The real one.")
        change.add_result(Result(1, "Newest", {"Top 1 Accuracy": "91%"}))
    newer_seed(monkeypatch, "A teacher labels", "One teacher labels")
    seed.load(seeded, actor="operator")
    assert rows(
        seeded,
        "SELECT count(*) FROM result WHERE external_id LIKE '%:noisy-student:noisystudent-efficientnet-l2' AND retired_by IS NULL "
        "AND leaderboard_id = 1",
    ) == [(0,)]
    assert rows(seeded, "SELECT abstract FROM paper WHERE id = 1") == [("The real one.",)]


def test_our_words_that_stood_as_an_abstract_are_none(seeded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older seeds put them there."""
    summary = rows(seeded, "SELECT short_abstract FROM paper WHERE id = 1")[0][0]
    with seeded.changing("operator", "as it was") as change:
        change.edit("paper", 1, abstract=summary, short_abstract="")
    newer_seed(monkeypatch, "# Tasks", "# All tasks")
    seed.load(seeded, actor="operator")
    assert rows(seeded, "SELECT abstract, short_abstract FROM paper WHERE id = 1") == [("", summary)]


def test_it_joins_a_paper_that_an_archive_brought(store: Store) -> None:
    with store.changing("anna", "import") as change:
        paper = change.paper(
            title="Self-training with Noisy Student improves ImageNet classification",
            url=f"https://paperswithcode.com/paper/{NOISY_STUDENT}",
        )
        change.edit("paper", paper, abstract="We present.")
        change.replace_rows(
            "paper_author", {"paper_id": paper}, [{"position": 0, "author_id": change.author("Q. Xie")}]
        )
    seed.load(store, actor="operator")
    assert rows(store, "SELECT count(*), max(abstract) FROM paper WHERE slug = ?", NOISY_STUDENT) == [
        (1, "We present.")
    ]
    assert rows(
        store, "SELECT a.name FROM paper_author pa JOIN author a ON a.id = pa.author_id WHERE pa.paper_id = ?", paper
    ) == [("Q. Xie",)]
    assert rows(store, "SELECT arxiv_id FROM paper WHERE id = ?", paper) == [("1911.04252",)]


def test_it_can_be_taken_back(seeded: Store) -> None:
    history.restore(seeded, 1, actor="carla")
    assert rows(seeded, "SELECT count(*) FROM result WHERE retired_by IS NULL") == [(0,)]
