"""Small files that failed once, each one of a kind; what mends the kind is tested with inputs of our own where it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file

Rows = Callable[..., list[dict[str, Any]]]
DIRECTIONS = "SELECT name, higher_is_better FROM metric ORDER BY leaderboard_id, position"


def directions(rows: Rows) -> dict[str, int | None]:
    return {row["name"]: row["higher_is_better"] for row in rows(DIRECTIONS)}


def test_accuracy_is_better_higher_in_whatever_order(store: Store, cases: Path, rows: Rows) -> None:
    import_file(store, cases / "a1_ascending_accuracy.json", actor="anna")
    assert directions(rows) == {"% Test Accuracy": 1, "Parameters": 0}
    best = rows(
        "SELECT m.name FROM leaderboard l JOIN result r ON r.id = l.best_result_id JOIN model m ON m.id = r.model_id"
    )
    assert best == [{"name": "SemBERT"}]
    sizes = rows(
        "SELECT v.raw FROM value v JOIN metric m ON m.id = v.metric_id WHERE m.name = 'Parameters' AND v.rank IS NOT NULL ORDER BY v.rank"
    )
    assert [row["raw"] for row in sizes] == ["220k", "2.8m", "3.7m", "15m", "339m"]


def test_names_cut_at_underscores_and_digits(store: Store, cases: Path, rows: Rows) -> None:
    import_file(store, cases / "a3_snake_case_metafile.yml", actor="anna")
    import_file(store, cases / "a8_metric_names.json", actor="anna")
    found = directions(rows)
    assert len(found) == 14
    assert {name for name, higher in found.items() if not higher} == {"FID50k"}


def test_the_order_of_a_zoo_says_nothing(store: Store, cases: Path, rows: Rows) -> None:
    import_file(store, cases / "a7_model_zoo_order.yml", actor="anna")
    assert rows("SELECT name, higher_is_better, direction_origin FROM metric") == [
        {"name": "CONN", "higher_is_better": 0, "direction_origin": "known name"}
    ]


def test_an_address_is_no_paper_but_arxivs_is_with_its_month(store: Store, cases: Path, rows: Rows) -> None:
    import_file(store, cases / "a5_paper_addresses.json", actor="anna")
    assert rows("SELECT title, arxiv_id, published, url_abs FROM paper") == [
        {
            "title": "arXiv:2009.03509",
            "arxiv_id": "2009.03509",
            "published": "2020-09",
            "url_abs": "https://arxiv.org/abs/2009.03509",
        }
    ]
    assert len(rows("SELECT * FROM result WHERE paper_url <> ''")) == 3


def test_names_in_other_capitals_are_one_at_the_address_without_a_number(store: Store, cases: Path, rows: Rows) -> None:
    for file in ("a6_case_twice.json", "a9_twin_first.json", "a9_twin_second.json"):
        import_file(store, cases / file, actor="anna")
    assert rows("SELECT slug, result_count FROM leaderboard ORDER BY slug") == [
        {"slug": "amr-parsing-on-ldc2015e86", "result_count": 1},
        {"slug": "natural-language-inference-on-snli", "result_count": 1},
    ]
    assert len(rows("SELECT * FROM task")) == 2


def test_glues_tasks_are_tables_of_their_own(store: Store, cases: Path, rows: Rows) -> None:
    for task in ("cola", "qnli"):
        import_file(store, cases / f"a2_glue_{task}.md", actor="anna")
    assert [row["slug"] for row in rows("SELECT slug FROM leaderboard ORDER BY slug")] == [
        "text-classification-on-glue-cola",
        "text-classification-on-glue-qnli",
    ]


def test_data_sets_of_codesota_are_no_tasks(store: Store, cases: Path, rows: Rows) -> None:
    report = import_file(store, cases / "a4_codesota_datasets.json", actor="anna")
    assert (report["format"], report["counts"]["dataset"]) == ("CodeSOTA's data sets", 2)
    assert rows("SELECT name FROM dataset ORDER BY name") == [{"name": "COCO Captions"}, {"name": "VQAv2"}]
