"""The methods dump."""

from collections.abc import Callable
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store

SITE = "https://paperswithcode.com"
METHOD: dict[str, Any] = {
    "url": f"{SITE}/method/noisy-student",
    "name": "Noisy Student",
    "full_name": "Noisy Student Training",
    "description": "**Noisy Student Training** adds noise to the student.\n\nThe teacher has none.",
    "paper": {"title": "Self-training with Noisy Student", "url": f"{SITE}/paper/self-training"},
    "introduced_year": 2019,
    "source_url": "https://arxiv.org/abs/1911.04252v4",
    "source_title": "Self-training with Noisy Student",
    "code_snippet_url": "",
    "num_papers": 12,
    "collections": [
        {"area": "General", "area_id": "general", "collection": "Semi-Supervised Learning Methods"},
        {"area": "Computer Vision", "area_id": "computer-vision", "collection": "Self-Training Methods"},
    ],
}
COLLECTIONS = (
    "SELECT m.slug, c.name, c.area, c.area_slug FROM method_collection x JOIN method m ON m.id = x.method_id "
    "JOIN collection c ON c.id = x.collection_id ORDER BY m.slug, c.name"
)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_everything_that_the_dump_says_of_a_method_is_kept(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    report = import_objects([METHOD])

    assert report["format"] == "methods"
    assert report["lost"] == {}
    query = (
        "SELECT m.slug, m.name, m.description, introduced_year, num_papers, code_snippet_url, p.slug "
        "FROM method m JOIN paper p ON p.id = paper_id"
    )
    assert rows(store, query) == [
        ("noisy-student", "Noisy Student", METHOD["description"], 2019, 12, None, "self-training")
    ]
    assert rows(store, COLLECTIONS) == [
        ("noisy-student", "Self-Training Methods", "Computer Vision", "computer-vision"),
        ("noisy-student", "Semi-Supervised Learning Methods", "General", "general"),
    ]


def test_the_same_file_again_adds_nothing(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    methods = [METHOD, {**dict.fromkeys(METHOD), "url": f"{SITE}/method/bare", "name": "Bare", "collections": []}]
    import_objects(methods)
    tables = ("method", "collection", "method_collection", "paper", "alias")
    before = [rows(store, f"SELECT * FROM {table}") for table in tables]

    report = import_objects(methods)

    assert report["already there"] == {"method": 2}
    assert [rows(store, f"SELECT * FROM {table}") for table in tables] == before


def test_a_method_that_a_paper_named_is_filled_in(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    embedded = {
        "name": "Noisy Student",
        "full_name": "Noisy Student Training",
        "main_collection": {"name": "M", "area": "General"},
    }
    import_objects([{"paper_url": f"{SITE}/paper/x", "title": "X", "abstract": "A", "methods": [embedded]}])
    number = rows(store, "SELECT id FROM method")

    import_objects([{**METHOD, "url": f"{SITE}/method/nst"}])

    assert rows(store, "SELECT id FROM method") == number
    assert rows(store, "SELECT slug, num_papers FROM method") == [("nst", 12)]
    assert rows(store, "SELECT kind, old FROM alias") == [("method", "noisy-student")]
    assert ("nst", "M", "General", "general") in rows(store, COLLECTIONS)
    assert len(rows(store, "SELECT * FROM paper_method")) == 1


def test_slugs_that_were_guessed_give_way(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    """Two names with one slug: papers met them in one order, the old site numbered them in the other."""
    embedded = [{"name": "A.B", "full_name": "One"}, {"name": "AB", "full_name": "Two"}]
    import_objects([{"paper_url": f"{SITE}/paper/x", "title": "X", "abstract": "A", "methods": embedded}])
    assert rows(store, "SELECT slug, name FROM method ORDER BY slug") == [("ab", "A.B"), ("ab-1", "AB")]

    import_objects(
        [
            {"url": f"{SITE}/method/ab", "name": "AB", "full_name": "Two", "num_papers": 1},
            {"url": f"{SITE}/method/ab-1", "name": "A.B", "full_name": "One", "num_papers": 1},
        ]
    )

    assert rows(store, "SELECT slug, name FROM method ORDER BY slug") == [("ab", "AB"), ("ab-1", "A.B")]


def test_methods_of_one_name_are_told_apart_by_their_addresses(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    import_objects([METHOD, {**METHOD, "url": f"{SITE}/method/noisy-student-1"}, METHOD])

    assert rows(store, "SELECT slug FROM method ORDER BY id") == [("noisy-student",), ("noisy-student-1",)]


def test_what_has_no_address_or_no_name_is_lost(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    report = import_objects(
        [METHOD, {**METHOD, "url": None}, {**METHOD, "name": " "}, {**METHOD, "introduced_year": "old"}]
    )

    assert rows(store, "SELECT slug FROM method") == [("noisy-student",)]
    assert [example["where"] for example in report["lost"]["method"]["examples"]] == ["item 2", "item 3", "item 4"]
    assert report["lost"]["introduced_year"]["count"] == 1


@pytest.mark.parametrize("name", ["dump.json.gz", "dump.parquet"])
def test_every_kind_of_file_gives_the_same_rows(
    name: str, store: Store, import_objects: Callable[..., dict[str, Any]], tmp_path: Any
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    methods = [METHOD, {**METHOD, "url": f"{SITE}/method/b", "name": "B", "paper": None, "introduced_year": None}]

    import_objects(methods)
    import_objects(methods, into=other, name=name)

    for table in ("method", "collection", "method_collection", "paper"):
        assert rows(other, f"SELECT * FROM {table}") == rows(store, f"SELECT * FROM {table}")
