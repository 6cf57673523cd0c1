"""Fields are declared once: what is declared is in the schema, is kept, is read back as it was given, and has a name for people."""

from __future__ import annotations

from typing import Any

import pytest

from noisystudent.board.catalogue import entries
from noisystudent.board.catalogue.fields import ENTRIES, KINDS, Column, Link, Reference, kept, label, title_of
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting.submissions import approve, submit

FILLED: dict[str, dict[str, Any]] = {
    "paper": {
        "title": "Self-training with Noisy Student",
        "authors": ["Qizhe Xie", "Quoc V. Le", "Qizhe Xie"],
        "abstract": "We present.\nAnd more.",
        "published": "2019-11-11",
        "url_abs": "https://arxiv.org/abs/1911.04252",
        "url_pdf": "https://arxiv.org/pdf/1911.04252",
        "conference": "CVPR 2020",
        "tasks": ["Known Task"],
        "methods": ["Known Method"],
        "datasets": ["Known Dataset"],
        "official_code": ["https://github.com/google-research/noisystudent"],
        "code": ["https://github.com/another/one"],
    },
    "task": {
        "name": "Image Classification",
        "description": "Say what is in a *picture*.",
        "areas": ["Computer Vision"],
        "parents": ["Known Task"],
        "synonyms": ["Picture Classification"],
    },
    "dataset": {
        "name": "ImageNet",
        "full_name": "The ImageNet data set",
        "homepage": "https://www.image-net.org",
        "description": "Pictures.",
        "introduced_date": "2009-06-20",
        "licence_name": "Research only",
        "licence_url": "https://www.image-net.org/download",
        "modalities": ["Images"],
        "languages": ["English"],
        "tasks": ["Known Task"],
        "paper": "known-paper",
    },
    "method": {
        "name": "RandAugment",
        "full_name": "Random augmentation",
        "description": "Two operations.",
        "introduced_year": 2019,
        "collections": ["Image Data Augmentation"],
        "paper": "known-paper",
        "source_title": "A blog",
        "source_url": "https://example.org/blog",
        "code_snippet_url": "https://example.org/snippet",
    },
}


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path / "board.db", create=True)
    with store.changing("anna", "add") as change:
        change.task("Known Task")
        change.dataset("Known Dataset")
        change.paper(title="Known Paper")
        change.insert("method", slug="known-method", name="Known Method")
    return store


def approved(store: Store, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What stands in the fields of the newest entry of a kind when a submission was approved."""
    approve(store, submit(store, kind, payload, submitter="anna")[0], actor="bert")
    with store.reading() as connection:
        newest = connection.execute(f"SELECT max(id) FROM {kind}").fetchone()[0]
        return entries.fields(connection, kind, newest)


def of_people(kind: str) -> set[str]:
    """The fields that people fill in, without those that are about the submission."""
    return {name for name, field in KINDS[kind].model_fields.items() if field.title} - {"contributor", "comment"}


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_field_of_an_entry_is_read_back_as_it_was_given(store, kind):
    assert FILLED[kind].keys() == of_people(kind)
    assert approved(store, kind, FILLED[kind]) == FILLED[kind]


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_field_of_an_entry_but_its_title_can_be_cleared(store, kind):
    title = title_of(kind)
    approved(store, kind, FILLED[kind])
    with store.reading() as connection:
        slug = connection.execute(f"SELECT slug FROM {kind} ORDER BY id DESC").fetchone()["slug"]
    empty = {name: [] if isinstance(value, list) else "" for name, value in FILLED[kind].items() if name != title}
    empty.pop("introduced_year", None)  # a number: it can be changed, and not be taken out
    cleared = approved(store, kind, {kind: slug, **empty})
    assert {name: cleared[name] for name in empty} == empty


@pytest.mark.parametrize("kind", ENTRIES)
def test_what_is_declared_is_in_the_schema(store, kind):
    with store.reading() as connection:

        def columns(table: str) -> set[str]:
            return {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}

        assert {name for name, _ in kept(kind, Column)} <= columns(kind)
        assert {other.column for _, other in kept(kind, Reference)} <= columns(kind)
        for _, link in kept(kind, Link):
            assert {f"{kind}_id", link.column} <= columns(link.table)
            assert "slug" in columns(link.target)
        empty = {row["name"]: not row["notnull"] for row in connection.execute(f"PRAGMA table_info({kind})")}
        assert {name: column.nullable for name, column in kept(kind, Column)} == {
            name: empty[name] for name, _ in kept(kind, Column)
        }


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_has_a_label_of_its_own_and_the_same_texts_in_the_json_schema(kind):
    labels = [label(kind, name) for name in sorted(of_people(kind))]
    assert len(set(labels)) == len(labels)
    described = KINDS[kind].model_json_schema()["properties"]
    assert [described[name]["title"] for name in sorted(of_people(kind))] == labels
