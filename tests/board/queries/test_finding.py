"""What a text may mean beside words of papers: numbers, addresses, repositories, authors, models, leaderboards; and slips."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries import finding
from noisystudent.board.queries.papers_found import search_papers

AddPaper = Callable[..., int]


@pytest.fixture
def library(store: Store) -> Store:
    with store.changing("anna", "add") as change:
        classification = change.task("Image Classification")
        for number, dataset in enumerate(("ImageNet", "CIFAR-10", "SVHN")):
            board = change.leaderboard(classification, change.dataset(dataset))
            for model in ("NoisyStudent (EfficientNet-B7)", "ResNet-50")[: 2 - number % 2]:
                change.add_result(Result(board, model, {"Accuracy": "80"}))
        change.leaderboard(change.task("Semantic Segmentation"), change.dataset("ImageNet-S"))  # empty
        for title, number, author, repository in (
            ("Self-training with Noisy Student", "1911.04252", "Qizhe Xie", "google-research/noisystudent"),
            ("Distillation of classification teachers", "1503.02531", "Geoffrey Hinton", "other/code"),
        ):
            paper = change.paper(title=title, url=f"https://arxiv.org/abs/{number}", published=f"20{number[:2]}-01-01")
            assert paper is not None
            change.insert("paper_author", paper_id=paper, position=0, author_id=change.author(author))
            code = change.repository(f"https://github.com/{repository}")
            change.insert("paper_repository", paper_id=paper, repository_id=code, is_official=1)
    return store


def titles(store: Store, text: str) -> list[str]:
    with store.reading() as connection:
        found = search_papers(connection, text, limit=20)
        assert found.total == len(found.ids)
        return [
            connection.execute("SELECT title FROM paper WHERE id = ?", (i,)).fetchone()[0].split()[0] for i in found.ids
        ]


@pytest.mark.parametrize(
    "text",
    [
        *("1911.04252", "arXiv:1911.04252", "1911.04252v3", "https://arxiv.org/abs/1911.04252", "https://arxiv.org/pdf/1911.04252v1.pdf"),
        *("Qizhe Xie", "xie", "Xie Qizhe", "google-research/noisystudent", "https://github.com/google-research/noisystudent"),
        *("https://github.com/Google-Research/NoisyStudent.git", "noisystudent", "noisy studnet", "self traning", "nosy student"),
    ],
)  # fmt: skip
def test_a_paper_by_anything_that_names_it(library: Store, text: str) -> None:
    assert titles(library, text) == ["Self-training"]


def test_words_come_before_a_repository_of_that_name_alone(library: Store) -> None:
    with library.changing("anna", "add") as change:
        change.paper(title="Noisystudent, a library")
    assert titles(library, "noisystudent") == ["Noisystudent,", "Self-training"]
    assert titles(library, "google-research/noisystudent")[0] == "Self-training"


def test_a_slip_is_said_and_what_is_right_is_left_alone(library: Store) -> None:
    with library.reading() as connection:
        assert search_papers(connection, "clasification", limit=9).instead == "classif"  # as words are kept
        assert search_papers(connection, "classification", limit=9).instead == ""
        assert search_papers(connection, "xyzzyx", limit=9) == ([], 0, False, "")
        assert search_papers(connection, "Nosi", limit=9).total == 1
        assert search_papers(connection, "nsi", limit=9).total == 0  # of three letters, another one makes another word


@pytest.mark.parametrize(
    "text",
    ["imagenet classification", "classification on ImageNet", "image imagenet", "imagenet clasification", "Imagnet"],
)
def test_leaderboards_by_words_of_task_and_dataset(library: Store, text: str) -> None:
    with library.reading() as connection:
        assert [board["slug"] for board in finding.leaderboards(connection, text, 9)] == [
            "image-classification-on-imagenet"
        ]


def test_leaderboards_stand_by_how_many_results_they_have(library: Store) -> None:
    with library.reading() as connection:
        found = finding.leaderboards(connection, "image", 9)
        assert [(board["name"], board["result_count"]) for board in found] == [
            ("Image Classification on SVHN", 2),
            ("Image Classification on ImageNet", 2),
            ("Image Classification on CIFAR-10", 1),
        ]
        assert finding.leaderboards(connection, "", 9) == finding.leaderboards(connection, "segmentation", 9) == []


def test_models_and_authors_by_words_of_their_names(library: Store) -> None:
    with library.reading() as connection:
        assert [model["name"] for model in finding.models(connection, "efficientnet", 9)] == [
            "NoisyStudent (EfficientNet-B7)"
        ]
        assert [model["name"] for model in finding.models(connection, "resn", 9)] == ["ResNet-50"]
        assert [author["name"] for author in finding.authors(connection, "geoffrey hint", 9)] == ["Geoffrey Hinton"]
        assert finding.authors(connection, "g", 9) == finding.models(connection, "", 9) == []


def test_what_is_renamed_or_gone_is_found_no_more(library: Store) -> None:
    with library.changing("anna", "rename") as change:
        change.edit("author", 1, name="Quoc Le")
        change.connection.execute("DELETE FROM paper_author WHERE author_id = 2")
        change.connection.execute("DELETE FROM author WHERE id = 2")
    with library.reading() as connection:
        assert finding.authors(connection, "qizhe", 9) == finding.authors(connection, "hinton", 9) == []
        assert [author["name"] for author in finding.authors(connection, "quoc", 9)] == ["Quoc Le"]
    assert check(library)["ok"]


def test_what_one_slip_makes() -> None:
    slips = finding._slips("the")
    assert {"te", "he", "th", "teh", "hte", "tha", "athe", "thee"} <= slips
    assert slips.isdisjoint({"t", "eht", "theee"})


@given(st.text(max_size=60))
def test_nothing_that_is_typed_is_syntax(text: str) -> None:
    assert finding._expression(text) == "" or finding._expression(text).startswith('"')
