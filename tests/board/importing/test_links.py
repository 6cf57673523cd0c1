"""The links dump: papers and their repositories."""

from collections.abc import Callable
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store

SITE = "https://paperswithcode.com/paper"
LINK: dict[str, Any] = {
    "paper_url": f"{SITE}/noisy-student",
    "paper_title": "Self-training with Noisy Student",
    "paper_arxiv_id": "1911.04252",
    "paper_url_abs": "https://arxiv.org/abs/1911.04252v4",
    "paper_url_pdf": "https://arxiv.org/pdf/1911.04252v4.pdf",
    "repo_url": "https://github.com/google-research/noisystudent",
    "is_official": True,
    "mentioned_in_paper": True,
    "mentioned_in_github": False,
    "framework": "tf",
}
LINKS = (
    "SELECT p.slug, r.owner, r.name, l.is_official, l.mentioned_in_paper, l.mentioned_in_github, l.framework FROM paper_repository l "
    "JOIN paper p ON p.id = l.paper_id JOIN repository r ON r.id = l.repository_id ORDER BY p.slug, r.url"
)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_a_link_has_its_repository_its_flags_and_a_stub_of_its_paper(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    report = import_objects([LINK])

    assert report["format"] == "links between papers and code"
    assert report["lost"] == {}
    assert rows(store, LINKS) == [("noisy-student", "google-research", "noisystudent", 1, 1, 0, "tf")]
    assert rows(store, "SELECT title, arxiv_id, url_abs, url_pdf FROM paper") == [
        (LINK["paper_title"], LINK["paper_arxiv_id"], LINK["paper_url_abs"], LINK["paper_url_pdf"])
    ]


def test_the_same_file_again_adds_nothing(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    links = [LINK, {**LINK, "repo_url": "https://github.com/other/one", "is_official": False}]
    import_objects(links)
    before = [rows(store, f"SELECT * FROM {table}") for table in ("paper", "repository", "paper_repository")]

    report = import_objects(links)

    assert report["already there"] == {"link": 2}
    assert [rows(store, f"SELECT * FROM {table}") for table in ("paper", "repository", "paper_repository")] == before


def test_a_paper_that_is_there_gets_what_it_lacks_and_keeps_the_rest(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    import_objects([{"paper_url": LINK["paper_url"], "title": "The title", "abstract": "Words.", "arxiv_id": None}])

    import_objects([LINK, {**LINK, "repo_url": "https://github.com/other/one"}])

    assert rows(store, "SELECT slug, title, arxiv_id FROM paper") == [("noisy-student", "The title", "1911.04252")]
    assert len(rows(store, LINKS)) == 2


def test_a_stub_of_a_results_row_becomes_the_paper_of_the_link(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    with store.changing("anna", "import") as change:
        stub = change.paper(title="Noisy student", url="https://arxiv.org/abs/1911.04252v1")

    import_objects([LINK])
    import_objects([{"paper_url": LINK["paper_url"], "title": "The title", "abstract": "Words.", "authors": ["A"]}])

    assert rows(store, "SELECT id, title FROM paper") == [(stub, "The title")]
    assert rows(store, LINKS)[0][0] == "noisy-student"


@pytest.mark.parametrize(
    ("given", "kept"), [("True", 1), ("False", 0), ("true", 1), (1, 1), (0, 0), (None, 0), ("", 0), (False, 0)]
)
def test_flags_may_be_text(given: Any, kept: int, store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    report = import_objects([{**LINK, "is_official": given}])

    assert rows(store, "SELECT is_official FROM paper_repository") == [(kept,)]
    assert report["lost"] == {}


def test_a_flag_that_is_none_is_reported(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    report = import_objects([{**LINK, "is_official": "perhaps", "stars": 12}])

    assert rows(store, "SELECT is_official FROM paper_repository") == [(0,)]
    assert report["lost"]["is_official"]["count"] == report["lost"]["unknown key"]["count"] == 1


def test_links_that_lead_nowhere_are_lost(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    wrong = [{**LINK, "paper_url": None}, {**LINK, "repo_url": "javascript:alert(1)"}, {**LINK, "repo_url": None}, LINK]

    report = import_objects([LINK, *wrong])

    assert len(rows(store, LINKS)) == 1
    assert [example["where"] for example in report["lost"]["link"]["examples"]] == [
        "item 2",
        "item 3",
        "item 4",
        "item 5",
    ]


def test_a_later_dump_corrects_a_link(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    import_objects([LINK])
    import_objects([{**LINK, "is_official": False, "framework": None}])

    assert rows(store, LINKS) == [("noisy-student", "google-research", "noisystudent", 0, 1, 0, "none")]


@pytest.mark.parametrize("name", ["dump.json.gz", "dump.parquet"])
def test_every_kind_of_file_gives_the_same_rows(
    name: str, store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    links = [LINK, {**LINK, "repo_url": "https://gitlab.com/a/b.git", "paper_arxiv_id": None}]

    import_objects(links, name=name)

    assert rows(store, LINKS) == [
        ("noisy-student", "google-research", "noisystudent", 1, 1, 0, "tf"),
        ("noisy-student", "a", "b", 1, 1, 0, "tf"),
    ]


def test_a_title_that_an_address_or_a_slug_stood_in_for_is_put_in_its_place(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    with store.changing("anna", "import") as change:
        change.paper(title="", url="https://arxiv.org/abs/1911.04252")
        change.paper(title="", url=f"{SITE}/second")
        change.paper(title="Own title", url=f"{SITE}/third")
    import_objects([{**LINK, "paper_url": f"{SITE}/fourth", "paper_title": None, "paper_arxiv_id": None}])

    titles = {"noisy-student": "1911.04252", "second": None, "third": None, "fourth": None}
    import_objects(
        [
            {**LINK, "paper_url": f"{SITE}/{slug}", "paper_title": f"Title of {slug}", "paper_arxiv_id": number}
            for slug, number in titles.items()
        ]
    )

    assert rows(store, "SELECT slug, title FROM paper ORDER BY id") == [
        ("noisy-student", "Title of noisy-student"),
        ("second", "Title of second"),
        ("third", "Own title"),
        ("fourth", "Title of fourth"),
    ]
