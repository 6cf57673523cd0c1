"""The archive's evaluation tables: what real files hold, and what is odd in them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import Layer, import_file
from noisystudent.errors import UserError

Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]

RESULTS = (
    "SELECT m.name AS model, k.name AS metric, v.raw, v.number, r.* FROM result r JOIN model m ON m.id = r.model_id "
    "LEFT JOIN value v ON v.result_id = r.id LEFT JOIN metric k ON k.id = v.metric_id WHERE r.retired_by IS NULL ORDER BY r.position, r.id"
)
RECORDS = """
WITH claim AS (
  SELECT r.paper_date, v.number, max(v.number) OVER (
    ORDER BY r.paper_date, r.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS before
  FROM value v JOIN result r ON r.id = v.result_id JOIN metric m ON m.id = v.metric_id JOIN leaderboard l ON l.id = m.leaderboard_id
  WHERE l.slug = 'image-classification-on-imagenet' AND m.name = 'Top 1 Accuracy' AND v.rank IS NOT NULL AND r.paper_date IS NOT NULL
)
SELECT paper_date, number FROM claim WHERE before IS NULL OR number > before ORDER BY paper_date, number
"""


def row(model: str = "Model", **more: Any) -> dict[str, Any]:
    return {"model_name": model, "metrics": {"Accuracy": "88.4"}, **more}


def task(*rows: dict[str, Any], metrics: Any = ("Accuracy",), sota: Any = None, **more: Any) -> dict[str, Any]:
    table = {"metrics": list(metrics), "rows": list(rows), **(sota or {})}
    return {"task": "Parsing", "datasets": [{"dataset": "PTB", "sota": table}], **more}


def counts(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        found = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("task", "dataset", "leaderboard", "metric", "result", "value")
        }
        filled = "SELECT count(*) FROM leaderboard WHERE result_count > 0"
        return {**found, "filled": connection.execute(filled).fetchone()[0]}


# Real files


def test_sota_extractor_files(catalogue_files: Path, tmp_path: Path) -> None:
    total: dict[str, int] = {}
    for file in sorted((catalogue_files / "sota-extractor").glob("*.json")):
        if file.name == "example_json_format.json":
            continue
        store = Store(tmp_path / f"{file.stem}.db", create=True)
        report = import_file(store, file, actor="anna")
        found = counts(store)
        lost = sum(report["lost"].get(kind, {"count": 0})["count"] for kind in ("value", "metric"))
        found["value"] += lost
        total = {key: total.get(key, 0) + count for key, count in found.items()}
        again = import_file(store, file, actor="anna")
        assert again["counts"] == {}
        assert again["already there"] == {"result": found["result"]}
    assert {key: total[key] for key in ("task", "leaderboard", "filled", "result", "value")} == {
        "task": 72,
        "leaderboard": 136,
        "filled": 130,
        "result": 1705,
        "value": 4207,
    }


def test_a_real_broken_file_is_refused_with_its_position(store: Store, catalogue_files: Path) -> None:
    file = catalogue_files / "sota-extractor" / "example_json_format.json"
    with pytest.raises(
        UserError, match=r"example_json_format\.json, line 27, column 13: item 1: Expecting property name"
    ):
        import_file(store, file, actor="anna")
    assert not any(counts(store).values())


def test_svhn_and_imagenet(store: Store, rows: Rows, catalogue_files: Path) -> None:
    report = import_file(store, catalogue_files / "opencodepapers" / "svhn_imagenet_eval_tables.json", actor="anna")
    assert report["lost"] == {}
    assert counts(store) == {
        "task": 1, "dataset": 2, "leaderboard": 2, "metric": 7, "result": 110, "value": 157, "filled": 2
    }  # fmt: skip
    assert len(rows("SELECT id FROM result WHERE paper_date IS NULL")) == 7
    assert rows("SELECT slug FROM leaderboard ORDER BY slug") == [
        {"slug": "image-classification-on-imagenet"},
        {"slug": "image-classification-on-svhn"},
    ]
    directions = rows(
        "SELECT m.name, higher_is_better FROM metric m JOIN leaderboard l ON l.id = leaderboard_id "
        "WHERE l.slug LIKE '%svhn' ORDER BY position"
    )
    assert [tuple(found.values()) for found in directions] == [("Percentage error", 0), ("Percentage correct", 1)]
    best = rows("SELECT r.paper_date, m.name FROM leaderboard l JOIN result r ON r.id = best_result_id JOIN model m ON m.id = r.model_id "
                "WHERE l.slug LIKE '%svhn'")  # fmt: skip
    assert best == [{"paper_date": "2020-07-30", "name": "E2E-M3"}]
    costs = rows("SELECT parameters, multiply_adds FROM model WHERE name = 'DaViT-G'")
    assert costs == [{"parameters": 1437e6, "multiply_adds": 1038e9}]


@pytest.mark.slow
def test_at_scale(store: Store, catalogue_files: Path, tmp_path: Path, exported: Callable[..., bytes]) -> None:
    report = import_file(store, catalogue_files / "orkg-tdm" / "orkg_tdm_as_eval_tables.json.gz", actor="anna")
    found = counts(store)
    assert (found["task"], found["dataset"], found["leaderboard"], found["filled"]) == (836, 3035, 3914, 3914)
    assert found["result"] == 20_574
    assert found["value"] + sum(kind["count"] for kind in report["lost"].values()) == 33_734
    with store.reading() as connection:
        line = [tuple(record) for record in connection.execute(RECORDS)]
    assert [number for _, number in line] == [
        64.0, 66.3, 72.14, 74.5, 74.8, 78.57, 78.8, 80.1, 80.9, 82.7, 82.9, 83.9, 85.4, 86.4, 88.4, 90.2
    ]  # fmt: skip
    assert line[0][0] == "2013-11-01"
    assert line[-2:] == [("2019-11-01", 88.4), ("2020-03-01", 90.2)]

    first = exported(store, "evaluation-tables")
    (tmp_path / "export.json").write_bytes(first)
    other = Store(tmp_path / "other.db", create=True)
    again = import_file(other, tmp_path / "export.json", actor="anna")
    assert again["lost"] == {}
    assert exported(other, "evaluation-tables") == first


# Tasks


def test_names_that_differ_in_capitals_are_one(imported: Import, rows: Rows) -> None:
    first = {**task(row("A"), row("B")), "task": "AMR parsing"}
    again = {**task(row("B"), row("C")), "task": "Amr Parsing"}
    imported([first])
    report = imported([again, {**task(row("A")), "task": "Amr-Parsing"}])
    assert [(found["name"], found["slug"]) for found in rows("SELECT name, slug FROM task ORDER BY id")] == [
        ("AMR parsing", "amr-parsing"),
        ("Amr-Parsing", "amr-parsing-1"),  # a dash: a curator says whether these are one
    ]
    assert report["already there"]["result"] == 1
    assert sorted(found["model"] for found in rows(RESULTS)) == ["A", "A", "B", "C"]


@pytest.mark.parametrize(
    ("url", "paper"),
    [
        ("https://www.example.com", None),
        ("https://github.com/owner/name", None),
        ("https://arxiv.org/pdf/2009.03509v2.pdf", ("arXiv:2009.03509", "arxiv-2009-03509", "2020-09")),
        ("https://arxiv.org/abs/cs/0112017", ("arXiv:cs/0112017", "arxiv-cs0112017", "2001-12")),
        ("https://paperswithcode.com/paper/deep-trees", ("deep-trees", "deep-trees", None)),
    ],
)
@pytest.mark.parametrize("titled", [False, True])  # some files have it as the title, too
def test_an_address_alone_is_a_paper_where_it_is_one(
    imported: Import, rows: Rows, url: str, paper: tuple[str, str, str | None] | None, titled: bool
) -> None:
    imported([task({**row("A"), "paper_title": titled and url, "paper_url": url, "paper_date": None})])
    found = rows("SELECT title, slug, published FROM paper")
    assert [tuple(one.values()) for one in found] == ([paper] if paper else [])
    assert rows("SELECT paper_url FROM result")[0]["paper_url"] == url  # as it came
    if paper:  # and it gets its title where another row has it
        imported([task({**row("B"), "paper_title": "Deep Trees", "paper_url": url, "paper_date": None})])
        assert rows("SELECT title FROM paper") == [{"title": "Deep Trees"}]


def test_a_task_of_several_parents_and_its_tables_are_there_once(imported: Import, rows: Rows) -> None:
    child = task(row("A"), row("A"), row("B"), description="Trees.")
    report = imported([{"task": "Text", "subtasks": [child]}, {"task": "Speech", "subtasks": [child]}, child])
    assert [found["name"] for found in rows("SELECT name FROM task ORDER BY name")] == ["Parsing", "Speech", "Text"]
    assert len(rows("SELECT * FROM task_parent")) == 2
    assert [found["model"] for found in rows(RESULTS)] == ["A", "A", "B"]
    assert report["already there"] == {"result": 6}
    assert report["lost"] == {}


def test_tables_of_one_task_and_dataset_are_merged(imported: Import, rows: Rows) -> None:
    second = task(row("B", metrics={"F1": "90"}), row("A"), metrics=["F1"])
    imported([task(row("A")), second])
    assert [(found["model"], found["metric"], found["raw"]) for found in rows(RESULTS)] == [
        ("A", "Accuracy", "88.4"),
        ("B", "F1", "90"),
    ]
    assert [found["name"] for found in rows("SELECT name FROM metric ORDER BY position")] == ["Accuracy", "F1"]


def test_a_circle_of_tasks_is_cut_and_reported(imported: Import, rows: Rows) -> None:
    names = ["A", "B", "C", "A"]
    nested: dict[str, Any] = {"task": names[-1]}
    for name in reversed(names[:-1]):
        nested = {"task": name, "subtasks": [nested]}
    report = imported([nested, {"task": "B", "subtasks": [{"task": "B"}]}])
    edges = rows(
        "SELECT t.name, p.name AS parent FROM task_parent e JOIN task t ON t.id = task_id JOIN task p ON p.id = parent_id"
    )
    assert sorted((edge["name"], edge["parent"]) for edge in edges) == [("B", "A"), ("C", "B")]
    assert report["lost"]["parent"]["count"] == 2
    again = imported([{"task": "C", "subtasks": [{"task": "A"}]}])
    assert again["lost"]["parent"]["examples"][0]["where"] == "A"


def test_areas_synonyms_and_source(imported: Import, rows: Rows) -> None:
    source = {"title": "NLP-progress", "url": "https://nlpprogress.com"}
    given = task(
        categories=["Language", "Language"], synonyms=["Syntax"], source_link=source, description="Trees.\n\nMore."
    )
    imported([given])
    imported([given])
    assert rows("SELECT description, link_title, link_url FROM task") == [
        {"description": "Trees.\n\nMore.", "link_title": "NLP-progress", "link_url": "https://nlpprogress.com"}
    ]
    assert [found["name"] for found in rows("SELECT a.name FROM task_area JOIN area a ON a.id = area_id")] == [
        "Language"
    ]
    assert [found["name"] for found in rows("SELECT name FROM task_synonym")] == ["Syntax"]


def test_the_same_layer_corrects_a_description_and_another_does_not(imported: Import, rows: Rows) -> None:
    imported([task(description="First.")])
    imported([task(description="Second."), task(description="Third.")])
    assert rows("SELECT description FROM task") == [{"description": "Second."}]
    report = imported([task(description="Fourth.")], layer=Layer("Other"))
    assert rows("SELECT description FROM task") == [{"description": "Second."}]
    assert report["lost"]["description"]["count"] == 1


def test_spam_roots_are_tasks_and_names_without_end_are_lost(imported: Import, rows: Rows) -> None:
    report = imported(
        [
            {"task": "1 Image, 2*2 Stitchi"},
            {"task": "x" * 501},
            {"task": "   "},
            {"description": "none"} | {"task": None},
        ]
    )
    assert rows("SELECT name, slug FROM task") == [{"name": "1 Image, 2*2 Stitchi", "slug": "1-image-22-stitchi"}]
    assert report["lost"]["task"]["count"] == 3
    assert "501 characters" in report["lost"]["task"]["examples"][0]["reason"]


# Datasets


@pytest.mark.parametrize("key", ["subdataset", "dataset"])
def test_parts_of_datasets(imported: Import, rows: Rows, key: str) -> None:
    part = {key: "dev", "sota": {"metrics": ["F1"], "rows": [row()]}}
    imported([{"task": "Parsing", "datasets": [{"dataset": "PTB", "subdatasets": [part]}, {"dataset": "dev"}]}])
    found = rows(
        "SELECT d.name, p.name AS parent, d.slug FROM dataset d LEFT JOIN dataset p ON p.id = d.parent_id ORDER BY d.id"
    )
    assert [tuple(dataset.values()) for dataset in found] == [
        ("PTB", None, "ptb"),
        ("dev", "PTB", "ptb-dev"),
        ("dev", None, "dev"),
    ]
    assert [found["slug"] for found in rows("SELECT slug FROM leaderboard ORDER BY id")] == [
        "parsing-on-ptb",
        "parsing-on-ptb-dev",
        "parsing-on-dev",
    ]


def test_the_old_address_of_a_leaderboard_is_kept(imported: Import, rows: Rows) -> None:
    def table(slug: str, dataset: str = "PTB") -> dict[str, Any]:
        link = {"title": "Papers with Code Leaderboard URL", "url": f"https://paperswithcode.com/sota/{slug}"}
        return {"task": "Parsing", "datasets": [{"dataset": dataset, "dataset_links": [link]}]}

    imported([table("parsing-on-penn")])
    assert rows("SELECT slug FROM leaderboard") == [{"slug": "parsing-on-penn"}]
    report = imported([table("syntax-on-ptb"), table("syntax-on-ptb"), table("parsing-on-penn", "WSJ")])
    assert rows("SELECT slug FROM leaderboard ORDER BY id") == [{"slug": "parsing-on-penn"}, {"slug": "parsing-on-wsj"}]
    assert rows("SELECT old, id FROM alias") == [{"old": "syntax-on-ptb", "id": 1}]
    assert report["lost"]["leaderboard address"]["count"] == 1


def test_links_lead_to_the_web_or_are_lost(imported: Import, rows: Rows) -> None:
    good = {"title": "home", "url": "https://example.org"}
    bad = [
        {"title": "x", "url": "javascript:alert(1)"},
        {"title": "readme", "url": "../README.md"},
        "text",
        {"title": "", "url": ""},
    ]
    given = task(row(code_links=[good, *bad], paper_url="javascript:alert(1)"))
    given["datasets"][0]["dataset_links"] = [good, *bad]
    report = imported([given])
    assert rows("SELECT links FROM leaderboard") == [{"links": '[{"title": "home", "url": "https://example.org"}]'}]
    assert rows("SELECT code_links, paper_url FROM result") == [
        {"code_links": '[{"title": "home", "url": "https://example.org"}]', "paper_url": ""}
    ]
    assert report["lost"]["url"]["count"] == 4
    assert report["lost"]["paper_url"]["count"] == 1


# Rows


def test_values_are_kept_as_they_were(imported: Import, rows: Rows) -> None:
    raw = {
        "a": 88.4,
        "b": 3,
        "c": "95.2 ± 0.3",
        "d": "88.4%",
        "e": "(7.3, 13.8) on 2% ~ 10%",
        "f": "",
        "g": None,
        "h": [1],
        "i": True,
    }
    report = imported([task(row(metrics=raw), metrics=["b"])])
    found = {value["metric"]: (value["raw"], value["number"]) for value in rows(RESULTS)}
    assert found == {
        "a": ("88.4", 88.4), "b": ("3", 3.0), "c": ("95.2 ± 0.3", 95.2), "d": ("88.4%", 88.4), "e": ("(7.3, 13.8) on 2% ~ 10%", None)
    }  # fmt: skip
    assert [metric["name"] for metric in rows("SELECT name FROM metric ORDER BY position")] == ["b", "a", "c", "d", "e"]
    assert report["lost"]["value"]["count"] == 3  # "", the list and the boolean


def test_mixed_units_and_opposite_metrics_rank_apart(imported: Import, rows: Rows) -> None:
    values = [("88.4%", "11.6"), ("88.3", "11.7"), ("0.9", "0.1")]
    given = [
        row(str(place), metrics={"Percentage correct": good, "Percentage error": bad})
        for place, (good, bad) in enumerate(values)
    ]
    imported([task(*given, metrics=["Percentage correct", "Percentage error"])])
    ranks = rows(
        "SELECT k.name, v.rank FROM value v JOIN metric k ON k.id = v.metric_id ORDER BY k.position, v.result_id"
    )
    assert [rank["rank"] for rank in ranks] == [1, 2, None, 2, 3, 1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (True, 1),
        (False, 0),
        ("True", 1),
        ("False", 0),
        ("false", 0),
        (None, None),
        ("", None),
        ("perhaps", None),
        (["x"], None),
    ],
)
def test_extra_data(imported: Import, rows: Rows, given: Any, kept: int | None) -> None:
    report = imported([task(row(uses_additional_data=given))])
    assert rows("SELECT extra_data FROM result") == [{"extra_data": kept}]
    assert ("uses_additional_data" in report["lost"]) == (given in ("perhaps", ["x"]))


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2222-12-12", "2222-12-12"), ("1951-01-01", "1951-01-01"), ("2020-07-30T10:00:00", "2020-07-30"), (None, None), ("", None),
     ("2020-02-30", None), ("2020", None), ("soon", None), (2020, None)],
)  # fmt: skip
def test_dates(imported: Import, rows: Rows, given: Any, kept: str | None) -> None:
    report = imported([task(row(paper_date=given))])
    assert rows("SELECT paper_date FROM result") == [{"paper_date": kept}]
    assert ("paper_date" in report["lost"]) == (kept is None and bool(given))


def test_papers_are_made_where_a_row_names_one(imported: Import, rows: Rows) -> None:
    url = "https://arxiv.org/abs/1911.04252v4"
    imported(
        [
            task(
                row("A", paper_url=url, paper_date="2019-11-11"),
                row(
                    "B",
                    paper_title="Self-training with Noisy Student",
                    paper_url="https://arxiv.org/pdf/1911.04252.pdf",
                ),
                row("C"),
                row("D", paper_title="By title"),
            )
        ]
    )
    papers = rows("SELECT title, arxiv_id, published FROM paper ORDER BY id")
    assert [tuple(paper.values()) for paper in papers] == [
        ("Self-training with Noisy Student", "1911.04252", "2019-11-11"),
        ("By title", None, None),
    ]
    assert [(found["paper_id"], found["paper_title"], found["paper_url"]) for found in rows(RESULTS)] == [
        (1, "", url),
        (1, "Self-training with Noisy Student", "https://arxiv.org/pdf/1911.04252.pdf"),
        (None, "", ""),
        (2, "By title", ""),
    ]


def test_a_row_that_nobody_named_is_kept(imported: Import, rows: Rows) -> None:
    report = imported([task(row(""), row(""), {"metrics": {"Accuracy": 1}})])
    assert [found["model"] for found in rows(RESULTS)] == ["", "", ""]
    assert report["lost"] == {}


def test_what_a_model_costs(imported: Import, rows: Rows) -> None:
    given = [row("A", metrics={"PARAMS (M)": "66.35", "GFLOPs": 37}), row("B", metrics={"Number of params": "480M"})]
    imported([task(*given, metrics=["Accuracy"])])
    assert rows("SELECT parameters, multiply_adds FROM model ORDER BY name") == [
        {"parameters": 66_350_000.0, "multiply_adds": 37e9},
        {"parameters": 480e6, "multiply_adds": None},
    ]


def test_directions_that_are_given_are_taken(imported: Import, rows: Rows) -> None:
    directions = {"metric_directions": {"Vibes": "lower", "Accuracy": "HIGHER", "F1": "up"}}
    report = imported([task(row(), metrics=["Accuracy", "F1", "Vibes", "Aura"], sota=directions)])
    found = rows("SELECT name, higher_is_better, direction_origin FROM metric ORDER BY position")
    assert [tuple(metric.values()) for metric in found] == [
        ("Accuracy", 1, "given"), ("F1", 1, "known name"), ("Vibes", 0, "given"), ("Aura", None, "unknown")
    ]  # fmt: skip
    assert report["lost"]["metric_directions"]["count"] == 1


def test_a_changed_row_supersedes_the_old_one(imported: Import, rows: Rows) -> None:
    url = {"paper_url": "https://arxiv.org/abs/1911.04252"}
    imported([task(row("A", **url), row("B"))])
    report = imported([task(row("A", metrics={"Accuracy": "90.2"}, **url), row("B", uses_additional_data=True))])
    assert [(found["model"], found["raw"], found["extra_data"]) for found in rows(RESULTS)] == [
        ("A", "90.2", None),
        ("B", "88.4", 1),
    ]
    assert report["counts"]["result"] == 2
    assert len(rows("SELECT id FROM result WHERE retired_by = 2")) == 2
    assert rows("SELECT supersedes FROM result WHERE added_by = 2 ORDER BY id") == [
        {"supersedes": 1},
        {"supersedes": 2},
    ]


def test_copies_of_a_table_that_differ_in_details_do_not_correct_each_other(imported: Import, rows: Rows) -> None:
    url = "https://arxiv.org/abs/1911.04252"
    copies = [task(row("A", paper_url=url)), task(row("A", paper_url=url, paper_title="Noisy Student"))]
    imported(copies)
    assert imported(copies)["counts"] == {}
    changed = [task(row("A", paper_url=url, code_links=[{"url": "https://github.com/a/b"}])), copies[1]]
    assert imported(changed)["counts"] == {"result": 1, "value": 1}
    assert imported(changed)["counts"] == {}
    assert len(rows(RESULTS)) == 1


def test_rows_of_another_layer_are_left_alone(imported: Import, rows: Rows) -> None:
    imported([task(row("A"), row("B"))], layer=Layer("Ours", "MIT"))
    report = imported([task(row("A"), row("B", metrics={"Accuracy": "70"}))])
    assert [(found["model"], found["raw"]) for found in rows(RESULTS)] == [("A", "88.4"), ("B", "88.4"), ("B", "70")]
    assert report["already there"] == {"result": 1}
    assert rows("SELECT name, licence FROM source ORDER BY id") == [
        {"name": "Ours", "licence": "MIT"},
        {"name": "PWC Archive", "licence": "CC-BY-SA 4.0"},
    ]


def test_a_parquet_copy_says_the_same(
    store: Store, imported: Import, exported: Callable[..., bytes], tmp_path: Path
) -> None:
    given = [
        {
            **task(row(uses_additional_data="False", paper_date="2020-07-30"), row("B", metrics={"Accuracy": None})),
            "categories": ["Language"], "synonyms": [], "subtasks": [{"task": "Deep"}], "source_link": None,
        }
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(given), tmp_path / "tasks.parquet")
    other = Store(tmp_path / "other.db", create=True)
    report = import_file(other, tmp_path / "tasks.parquet", actor="anna")
    imported(given)
    assert report["lost"] == {}
    assert exported(other, "evaluation-tables") == exported(store, "evaluation-tables")


@pytest.mark.parametrize(
    "given",
    [
        {
            "task": "A",
            "datasets": "x",
            "subtasks": {"task": "B"},
            "categories": "y",
            "synonyms": 3,
            "source_link": "z",
            "description": [],
        },
        {"task": "A", "datasets": [1, {"dataset": "D", "sota": [], "subdatasets": [None, {}], "dataset_links": "l"}]},
        {
            "task": "A",
            "datasets": [{"dataset": "D", "sota": {"metrics": [[]], "rows": ["r", {}], "metric_directions": []}}],
        },
        {"task": "A", "datasets": [{"dataset": "D", "sota": {"metrics": "m", "rows": {"model_name": "M"}}}]},
        {"task": "A", "datasets": [{"dataset": "D", "sota": {"rows": [{"model_name": {}, "metrics": []}]}}]},
    ],
)
def test_wrong_types_are_reported_and_harm_nothing(imported: Import, rows: Rows, given: Any) -> None:
    report = imported([given])
    assert rows("SELECT name FROM task") == [{"name": "A"}]
    assert report["lost"]


# All or nothing


def test_a_mistake_late_in_the_file_leaves_nothing(store: Store, imported: Import) -> None:
    with pytest.raises(UserError, match="item 3: not an object"):
        imported('[{"task": "A"}, {"task": "B"}, 3]')
    assert not any(counts(store).values())
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] == 0


def test_a_kill_in_the_middle_leaves_nothing(store: Store, imported: Import, tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom noisystudent.board.importing import import_file, results\n"
        "from noisystudent.board.catalogue.store import Store\nadd, tables = results.Results.add, []\n"
        "def killed(self, leaderboard, rows):\n"
        "    add(self, leaderboard, rows)\n"
        "    tables.append(leaderboard)\n"
        "    if len(tables) == 20:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "results.Results.add = killed\n"
        "import_file(Store(Path(sys.argv[1])), Path(sys.argv[2]), actor='anna')\n"
    )
    imported([task(row("Before"))])
    before = counts(store)
    file = tmp_path / "many.json"
    file.write_text(json.dumps([{**task(row("A")), "task": f"Task {number}"} for number in range(30)]))
    done = subprocess.run([sys.executable, "-c", script, str(store.path), str(file)], check=False, timeout=60)
    assert done.returncode == -9
    assert counts(Store(store.path)) == before
    with store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert import_file(store, file, actor="anna")["counts"]["result"] == 30
