"""Searching by words: what is found, in which order, and that nothing typed is taken as syntax."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries import search
from noisystudent.board.queries.search import Query, search_names, search_papers

AddPaper = Callable[..., int]
TYPED = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            '"',
            "'",
            "NEAR(",
            "NEAR(a b, 2)",
            "*",
            "^",
            "title:",
            "{title}:",
            "-",
            "+",
            "AND",
            "OR",
            "NOT",
            "(",
            ")",
            "a",
            "\0",
            "😀",
            "%",
            "_",
            "\\",
            "\ud800",
            "deep learning",
            "é",
        ]
    ),
    max_size=12,
).map(" ".join)


def titles(store: Store, text: str, **limits: int) -> list[str]:
    with store.reading() as connection:
        found = search_papers(connection, text, limit=limits.get("limit", 50), offset=limits.get("offset", 0))
        return [connection.execute("SELECT title FROM paper WHERE id = ?", (i,)).fetchone()[0] for i in found.ids]


def names(store: Store, kind: search.Named, text: str, limit: int = 20) -> list[str]:
    with store.reading() as connection:
        found = search_names(connection, kind, text, limit)
        return [connection.execute(f"SELECT name FROM {kind} WHERE id = ?", (i,)).fetchone()[0] for i in found.ids]


def test_every_word_must_be_there_in_title_or_abstract_in_any_form(store: Store, add_paper: AddPaper) -> None:
    add_paper("Noisy networks", abstract="for students")
    add_paper("Noisy teachers")
    assert titles(store, "student noisy network") == ["Noisy networks"]
    assert titles(store, "noisy pupils") == []
    assert titles(store, "") == titles(store, "   ") == titles(store, "😀 !?") == []


def test_the_title_itself_comes_first_then_its_beginning_then_words_in_titles_then_abstracts(
    store: Store, add_paper: AddPaper
) -> None:
    add_paper("Unlike others", abstract="You need all of it: attention is. All of you", published="2024-05-01")
    add_paper("All the attention is what you need", published="2024-04-01")
    add_paper("Is it so that Attention Is All You Need", published="2024-03-01")
    add_paper("Attention is all you need, and more", published="2024-02-01")
    add_paper("Attention Is All You Need", published="2017-06-12")
    in_order = [
        "Attention Is All You Need",
        "Attention is all you need, and more",
        "Is it so that Attention Is All You Need",
        "All the attention is what you need",
        "Unlike others",
    ]
    assert titles(store, "attention is all you need") == in_order
    assert titles(store, "attention is all you need", limit=2, offset=2) == in_order[2:4]


def test_words_that_most_papers_have_give_the_same_order_from_the_index(
    store: Store, add_paper: AddPaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_paper("Something else", abstract="on deep learning", published="2024-01-01")
    add_paper("Learning is deep", published="2020-01-01")
    add_paper("On deep learning", published="2023-01-01")
    add_paper("Deep learning for all", published="2022-01-01")
    add_paper("Deep Learning", published="2015-01-01")
    few = titles(store, "deep learning")
    assert few == ["Deep Learning", "Deep learning for all", "On deep learning", "Learning is deep", "Something else"]
    monkeypatch.setattr(search, "MOST_HITS", 4)
    assert titles(store, "deep learning") == few[:4]
    with store.reading() as connection:
        found = search_papers(connection, "deep learning", limit=2, offset=3)
        assert (len(found.ids), found.total, found.more) == (1, 4, True)
        assert search_papers(connection, "deep learning", limit=2, offset=4).ids == []


def test_within_a_step_the_newest_come_first_and_the_future_and_the_undated_last(
    store: Store, add_paper: AddPaper
) -> None:
    for title, published in (("Old nets", "2001-01-01"), ("Late nets", "2222-01-01"), ("New nets", "2023-01-01")):
        add_paper(title, published=published)
    add_paper("Some nets", published=None)
    assert titles(store, "nets")[:2] == ["New nets", "Old nets"]
    assert set(titles(store, "nets")[2:]) == {"Late nets", "Some nets"}


def test_the_last_word_may_be_a_beginning_where_no_whole_word_is_found(store: Store, add_paper: AddPaper) -> None:
    add_paper("Bertrand competition")
    add_paper("Distillation of teachers")
    assert titles(store, "distil") == ["Distillation of teachers"]
    assert titles(store, "teachers distil") == ["Distillation of teachers"]
    assert titles(store, "di") == []
    add_paper("BERT for all")
    assert titles(store, "bert") == ["BERT for all"]


def test_compounds_are_phrases_and_accents_do_not_matter(store: Store, add_paper: AddPaper) -> None:
    add_paper("GPT-4 and a café")
    add_paper("4 times GPT")
    assert titles(store, "gpt-4") == ["GPT-4 and a café"]
    assert titles(store, "cafe") == titles(store, "cafe\u0301") == ["GPT-4 and a café"]


@pytest.mark.parametrize("operator", ["AND", "OR", "NOT", "NEAR"])
def test_operators_are_words(store: Store, add_paper: AddPaper, operator: str) -> None:
    add_paper("alpha")
    add_paper(f"alpha {operator} beta")
    assert titles(store, f"alpha {operator} beta") == [f"alpha {operator} beta"]
    assert titles(store, f"alpha {operator} gamma") == []


def test_a_query_is_cut_to_what_can_be_looked_for() -> None:
    assert len(Query.of("a b " * 5_000).phrases) == search.MOST_WORDS
    assert Query.of("x" * 10_000).phrases == ("x" * search.MOST_CHARACTERS,)
    assert Query.of('"; DROP TABLE paper; -- title:* ^x\0y').expression == '"DROP" "TABLE" "paper" "title" "x y"'


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TYPED)
@example("a\0b")
@example('"' * 10_000)
@example("NEAR(" + "a " * 10_000)
def test_nothing_that_is_typed_is_an_error(imagenet: Store, text: str) -> None:
    with imagenet.reading() as connection:
        found = search_papers(connection, text, limit=5)
        assert len(found.ids) <= found.total
        for kind in ("task", "dataset", "method"):
            assert len(search_names(connection, kind, text, 5).ids) <= 5


def test_names_are_found_by_any_of_their_letters_the_very_name_first(store: Store) -> None:
    with store.changing("anna", "add") as change:
        for name in ("Tiny ImageNet", "ImageNet", "ImageNet-C", "MNIST"):
            change.dataset(name)
        change.edit("dataset", change.dataset("JFT"), full_name="An imagenet of another kind")
    assert names(store, "dataset", "imagenet") == ["ImageNet", "ImageNet-C", "JFT", "Tiny ImageNet"]
    assert names(store, "dataset", "agenet tiny") == ["Tiny ImageNet"]
    assert names(store, "dataset", "ImageNet", 1) == ["ImageNet"]
    assert names(store, "dataset", 'net"') == []


def test_one_or_two_letters_are_the_beginning_of_a_name(store: Store) -> None:
    with store.changing("anna", "add") as change:
        for name in ("QA", "Quantum", "100% of it", "1000"):
            change.task(name)
        change.insert("task_synonym", task_id=change.task("Speech"), name="ASR")
    assert names(store, "task", "q") == ["QA", "Quantum"]
    assert names(store, "task", "asr") == ["Speech"]
    assert names(store, "task", "%") == names(store, "task", "_") == []
    assert names(store, "task", "100%") == ["100% of it"]
