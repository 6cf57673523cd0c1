"""The papers dump: which rows it makes, which it fills in, and what it loses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.history import restore
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import Layer, import_file
from noisystudent.errors import UserError

SITE = "https://paperswithcode.com/paper"
PAPER: dict[str, Any] = {
    "paper_url": f"{SITE}/noisy-student",
    "arxiv_id": "1911.04252",
    "nips_id": None,
    "openreview_id": None,
    "title": "Self-training with Noisy Student improves ImageNet classification",
    "abstract": "We present a simple self-training method.",
    "short_abstract": None,
    "url_abs": "https://arxiv.org/abs/1911.04252v4",
    "url_pdf": "https://arxiv.org/pdf/1911.04252v4.pdf",
    "proceeding": "CVPR 2020 6",
    "authors": ["Qizhe Xie", "Minh-Thang Luong", "Eduard Hovy", "Quoc V. Le"],
    "tasks": ["Image Classification", "Domain Generalization"],
    "date": "2019-11-11",
    "conference_url_abs": None,
    "conference_url_pdf": None,
    "conference": "cvpr-2020-6",
    "reproduces_paper": None,
    "methods": [
        {
            "name": "RandAugment",
            "full_name": "RandAugment",
            "description": "An augmentation.",
            "introduced_year": 2019,
            "source_title": "RandAugment: Practical automated data augmentation",
            "source_url": "https://arxiv.org/abs/1909.13719v2",
            "code_snippet_url": "",
            "main_collection": {"name": "Image Data Augmentation", "description": "", "parent": None, "area": "Vision"},
        }
    ],
}


def paper(slug: str, **fields: Any) -> dict[str, Any]:
    """A paper of which no more is said than is given."""
    return {**dict.fromkeys(PAPER), "paper_url": f"{SITE}/{slug}", "title": slug.capitalize(), **fields}


def rows(store: Store, query: str, *parameters: Any) -> list[Any]:
    """Rows of a query; of one column, its values."""
    with store.reading() as connection:
        found = [tuple(row) for row in connection.execute(query, parameters)]
    return [row[0] if len(row) == 1 else row for row in found]


def searched(store: Store, words: str) -> list[str]:
    return rows(
        store,
        "SELECT slug FROM paper WHERE id IN (SELECT rowid FROM paper_search WHERE paper_search MATCH ?) ORDER BY slug",
        words,
    )


def authors_of(store: Store, slug: str) -> list[str]:
    return rows(
        store,
        "SELECT a.name FROM paper p JOIN paper_author x ON x.paper_id = p.id JOIN author a ON a.id = x.author_id "
        "WHERE p.slug = ? ORDER BY x.position",
        slug,
    )


def test_everything_that_the_dump_says_of_a_paper_is_kept(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    report = import_objects([PAPER])

    assert report["format"] == "papers with abstracts"
    assert report["lost"] == {}
    assert rows(store, "SELECT slug, title, abstract, arxiv_id, url_pdf, published, conference FROM paper") == [
        (
            "noisy-student",
            PAPER["title"],
            PAPER["abstract"],
            "1911.04252",
            PAPER["url_pdf"],
            "2019-11-11",
            "cvpr-2020-6",
        )
    ]
    assert authors_of(store, "noisy-student") == PAPER["authors"]
    assert rows(store, "SELECT t.name, x.published FROM paper_task x JOIN task t ON t.id = x.task_id ORDER BY 1") == [
        ("Domain Generalization", "2019-11-11"),
        ("Image Classification", "2019-11-11"),
    ]
    assert rows(
        store, "SELECT v.name, g.name, g.year, g.month FROM proceeding g JOIN venue v ON v.id = g.venue_id"
    ) == [("CVPR", "CVPR 2020 6", 2020, 6)]
    assert rows(store, "SELECT m.slug, introduced_year FROM paper_method x JOIN method m ON m.id = x.method_id") == [
        ("randaugment", 2019)
    ]
    assert rows(store, "SELECT name, area, area_slug FROM collection") == [
        ("Image Data Augmentation", "Vision", "vision")
    ]
    assert searched(store, "self training") == ["noisy-student"]


def test_the_same_file_again_adds_nothing(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    papers = [PAPER, paper("nothing-is-known", title=None), paper("plain", date="2222-12-22", authors=["A", "A"])]
    import_objects(papers)
    before = {table: rows(store, f"SELECT * FROM {table}") for table in TABLES}

    report = import_objects(papers)

    assert report["already there"] == {"paper": 3}
    assert {table: rows(store, f"SELECT * FROM {table}") for table in TABLES} == before
    assert json.loads(rows(store, "SELECT detail FROM event ORDER BY id DESC LIMIT 1")[0])["changed"] == []


TABLES = [
    "paper",
    "author",
    "paper_author",
    "task",
    "paper_task",
    "venue",
    "proceeding",
    "method",
    "paper_method",
    "collection",
    "method_collection",
    "alias",
]


@pytest.mark.parametrize("name", ["dump.json.gz", "dump.parquet"])
def test_every_kind_of_file_gives_the_same_rows(
    name: str, store: Store, import_objects: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    other = Store(tmp_path / "other.db", create=True)
    papers = [PAPER, paper("plain", date="1951-01-01", methods=[], authors=[], tasks=["Parsing"])]

    import_objects(papers)
    import_objects(papers, into=other, name=name)

    for table in TABLES:
        assert rows(other, f"SELECT * FROM {table}") == rows(store, f"SELECT * FROM {table}"), table


@pytest.mark.parametrize(
    ("row", "slug"),
    [
        ({"title": "Other words", "url": f"{SITE}/noisy-student"}, "noisy-student"),
        ({"title": "Other words", "url": "https://arxiv.org/abs/1911.04252"}, "other-words"),
        (
            {"title": PAPER["title"], "url": ""},
            "self-training-with-noisy-student-improves-imagenet-classification",
        ),
    ],
    ids=["same slug", "same arXiv number", "same title"],
)
def test_a_stub_is_filled_in_and_its_old_address_leads_to_it(
    row: dict[str, str], slug: str, store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    with store.changing("anna", "import") as change:
        stub = change.paper(**row)
        board = change.leaderboard(change.task("Parsing"), change.dataset("Trees"))
        change.metric(board, "Accuracy", higher_is_better=True)
        change.add_result(Result(board, "Parser", {"Accuracy": "90"}, paper=stub))
    assert rows(store, "SELECT slug FROM paper") == [slug]

    import_objects([PAPER])

    assert rows(store, "SELECT id, slug, title FROM paper") == [(stub, "noisy-student", PAPER["title"])]
    assert authors_of(store, "noisy-student") == PAPER["authors"]
    assert searched(store, "simple") == ["noisy-student"]
    assert searched(store, "other words") == []
    aliases = [] if slug == "noisy-student" else [("paper", slug, stub)]
    assert rows(store, "SELECT * FROM alias") == aliases
    assert rows(store, "SELECT best_since FROM leaderboard") == ["2019-11-11"]


def test_two_papers_with_one_arxiv_number_stay_two(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    import_objects([paper("one", arxiv_id="1911.04252"), paper("two", arxiv_id="1911.04252", title="One")])

    assert rows(store, "SELECT slug FROM paper ORDER BY id") == ["one", "two"]


def test_a_stub_of_another_arxiv_number_gives_way(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    with store.changing("anna", "import") as change:
        stub = change.paper(title="Attention", url="https://arxiv.org/abs/1111.11111")

    import_objects([paper("attention", arxiv_id="2222.22222")])

    assert rows(store, "SELECT slug, arxiv_id FROM paper ORDER BY id") == [
        ("attention-1", "1111.11111"),
        ("attention", "2222.22222"),
    ]
    assert rows(store, "SELECT id FROM paper WHERE slug = 'attention-1'") == [stub]


def test_a_paper_without_an_address_is_lost_with_its_position(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    wrong = [{**PAPER, "paper_url": url} for url in (None, "", "https://arxiv.org/abs/1911.04252", "http://[", 7)]

    report = import_objects([paper("good"), *wrong])

    assert rows(store, "SELECT slug FROM paper") == ["good"]
    assert report["lost"]["paper"]["count"] == 5
    assert [example["where"] for example in report["lost"]["paper"]["examples"]] == [f"item {n}" for n in range(2, 7)]


@pytest.mark.parametrize("several_parts", [False, True])
def test_a_slug_that_comes_twice_counts_once(
    store: Store,
    import_objects: Callable[..., dict[str, Any]],
    in_parts: Callable[..., None],
    several_parts: bool,
) -> None:
    if several_parts:
        in_parts()
    papers = [paper("one", abstract="first"), paper("one", abstract="second"), paper("two"), paper("one")]

    report = import_objects(papers)

    assert rows(store, "SELECT abstract FROM paper WHERE slug = 'one'") == ["first"]
    assert [example["where"] for example in report["lost"]["paper"]["examples"]] == ["item 2", "item 4"]


def test_titles_are_cleaned(store: Store, import_objects: Callable[..., dict[str, Any]]) -> None:
    titles = ["Deep\x00 learning\x1b", "Safe\u202egnp.exe", "Half \ud800 a pair", "Ünïcode 中文 😀", None]

    report = import_objects([paper(f"p-{number}", title=title) for number, title in enumerate(titles)])

    assert rows(store, "SELECT title FROM paper ORDER BY id") == [
        "Deep  learning",
        "Safe gnp.exe",
        "Half \ufffd a pair",
        "Ünïcode 中文 😀",
        "p-4",
    ]
    assert report["lost"]["title"]["count"] == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1951-01-01", "1951-01-01"),
        ("2222-12-22", "2222-12-22"),
        ("2019-11-11T00:00:00", "2019-11-11"),
        ("2019", "2019"),
        (None, None),
        ("soon", None),
        ("2019-11-11x", None),
    ],
)
def test_dates_stay_as_they_are_given(
    given: str | None, kept: str | None, store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    report = import_objects([paper("one", date=given, tasks=["Parsing"])])

    assert rows(store, "SELECT p.published, x.published FROM paper p JOIN paper_task x") == [(kept, kept)]
    assert ("date" in report["lost"]) == (given is not None and kept is None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NeurIPS 2018 12", ("NeurIPS", 2018, 12)),
        ("ACM Multimedia 2019", ("ACM Multimedia", 2019, None)),
        ("Interspeech", ("Interspeech", None, None)),
        ("ICLR 2020 13", ("ICLR", 2020, None)),
    ],
)
def test_proceedings_are_read(
    name: str, expected: tuple[Any, ...], store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    import_objects([paper("one", proceeding=name), paper("two", proceeding=name)])

    query = "SELECT v.name, g.year, g.month FROM proceeding g JOIN venue v ON v.id = g.venue_id WHERE g.name = ?"
    assert rows(store, query, name) == [expected]
    assert rows(store, "SELECT count(*) FROM paper WHERE proceeding_id IS NOT NULL") == [2]


def test_many_authors_keep_their_order_and_names_with_one_slug_their_rows(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    many = [f"Author {number}" for number in range(3_310)]

    import_objects([paper("big", authors=many), paper("small", authors=["Y. Li", "Y Li", "Author 7", "Y. Li", "李"])])

    assert authors_of(store, "big") == many
    assert authors_of(store, "small") == ["Y. Li", "Y Li", "Author 7", "Y. Li", "李"]
    assert rows(store, "SELECT slug FROM author WHERE name IN ('Y. Li', 'Y Li') ORDER BY name DESC") == [
        "y-li",
        "y-li-1",
    ]
    assert rows(store, "SELECT count(*) FROM author") == [3_313]


def test_methods_are_joined_by_name_and_made_where_there_are_none(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    url = "https://paperswithcode.com/method"
    import_objects(
        [
            {"url": f"{url}/adam", "name": "Adam", "full_name": "Adaptive Moments", "num_papers": 3},
            {"url": f"{url}/adam-1", "name": "Adam", "full_name": "Another", "num_papers": 1},
        ]
    )

    import_objects(
        [
            paper("one", methods=[{"name": "Adam", "full_name": "Another"}, {"name": "New"}, {"name": None}]),
            paper("two", methods=[{"name": "Adam"}, {"name": "Adam", "full_name": "Adaptive Moments"}]),
        ]
    )

    query = "SELECT p.slug, m.slug FROM paper_method x JOIN paper p ON p.id = x.paper_id JOIN method m ON m.id = x.method_id ORDER BY 1, 2"
    assert rows(store, query) == [("one", "adam-1"), ("one", "new"), ("two", "adam")]


def test_wrong_types_and_unknown_keys_are_reported_and_the_rest_is_kept(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    odd = paper(
        "odd",
        authors="A and B",
        tasks=["Parsing", 7, None, "", "t" * 501],
        abstract=["no text"],
        url_abs="javascript:alert(1)",
        methods={"name": "X"},
        tldr="short",
        likes=0,
    )

    report = import_objects([odd, {**odd, "paper_url": f"{SITE}/odd-2"}])

    assert rows(store, "SELECT slug, abstract, url_abs FROM paper") == [("odd", "", None), ("odd-2", "", None)]
    assert rows(store, "SELECT name FROM task") == ["Parsing"]
    assert {kind: lost["count"] for kind, lost in report["lost"].items()} == {
        "abstract": 2,
        "authors": 2,
        "methods": 2,
        "task": 2,
        "tasks": 2,
        "unknown key": 2,
        "url_abs": 2,
    }


def test_another_layer_fills_gaps_and_the_same_layer_corrects(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "papers.json"

    def give(layer: str, **fields: Any) -> None:
        path.write_text(json.dumps([paper("one", abstract="ours", **fields)]), encoding="utf-8")
        import_file(store, path, actor="anna", layer=Layer(layer))

    give("lab", title="Ours", authors=["A"])
    give("archive", title="Theirs", authors=["B"], url_abs="https://example.org/one")
    assert rows(store, "SELECT title, url_abs FROM paper") == [("Ours", "https://example.org/one")]
    assert authors_of(store, "one") == ["A"]

    give("lab", title="Ours, corrected", authors=["A", "C"])
    assert rows(store, "SELECT title, url_abs FROM paper") == [("Ours, corrected", "https://example.org/one")]
    assert authors_of(store, "one") == ["A", "C"]

    restore(store, rows(store, "SELECT max(id) FROM event")[0], actor="anna")
    assert rows(store, "SELECT title FROM paper") == ["Ours"]
    assert authors_of(store, "one") == ["A"]


@pytest.mark.parametrize("ending", ["", ', {"paper_url": ', ', {"paper_url": "x",}]', ", 7]"])
def test_a_file_that_breaks_in_the_middle_changes_nothing(
    ending: str, store: Store, tmp_path: Path, in_parts: Callable[..., None]
) -> None:
    in_parts()
    path = tmp_path / "papers.json"
    whole = json.dumps([{**PAPER, "paper_url": f"{SITE}/p-{number}"} for number in range(3)])
    path.write_text(whole.removesuffix("]") + ending, encoding="utf-8")
    with store.reading() as connection:
        before = "\n".join(connection.iterdump())

    with pytest.raises(UserError, match=r"papers\.json"):
        import_file(store, path, actor="anna")

    with store.reading() as connection:
        assert "\n".join(connection.iterdump()) == before


def test_papers_that_were_there_and_new_ones_are_all_in_the_index(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    import_objects([paper("one", abstract="gradient descent")])
    import_objects([paper("one", abstract="gradient ascent"), paper("two", abstract="gradient flow")])
    with store.changing("anna", "edit") as change:
        change.edit("paper", 2, abstract="gradient noise")

    assert searched(store, "gradient") == ["one", "two"]
    assert searched(store, "descent") == searched(store, "flow") == []
    assert searched(store, "noise") == ["two"]
    connection = store.connect()
    connection.execute("INSERT INTO paper_search (paper_search, rank) VALUES ('integrity-check', 1)")
    connection.close()


def test_what_a_stub_gets_is_no_burden_to_the_event(
    store: Store, import_objects: Callable[..., dict[str, Any]]
) -> None:
    link = {"paper_url": PAPER["paper_url"], "paper_title": PAPER["title"], "repo_url": "https://github.com/a/b"}
    import_objects([link])

    import_objects([PAPER])

    detail = json.loads(rows(store, "SELECT detail FROM event ORDER BY id DESC LIMIT 1")[0])
    assert (detail["changed"], detail["replaced"]) == ([], [])
    assert rows(store, "SELECT abstract, arxiv_id FROM paper") == [(PAPER["abstract"], "1911.04252")]
    assert authors_of(store, "noisy-student") == PAPER["authors"]
