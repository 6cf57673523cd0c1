"""Values that cannot be: an import keeps them, and says which they are and where they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing.loss import EXAMPLES
from noisystudent.cli import app

Import = Callable[..., dict[str, Any]]
SOUND, ODD = ("91.5", "92.5", "93.5"), "0.913"
SAID = "Accuracy is 0.913 among values around 92.5: is 91.3 meant?"


def tables(*raws: str, task: str = "Reading") -> list[dict[str, Any]]:
    rows = [{"model_name": f"M{number}", "metrics": {"Accuracy": raw}} for number, raw in enumerate(raws)]
    return [{"task": task, "datasets": [{"dataset": "Toys", "sota": {"metrics": ["Accuracy"], "rows": rows}}]}]


def csv(*raws: str) -> str:
    return "task,dataset,model,Accuracy\n" + "".join(f"Reading,Toys,M{n},{raw}\n" for n, raw in enumerate(raws))


def markdown(*raws: str) -> str:
    rows = "".join(f"| M{number} | {raw} |\n" for number, raw in enumerate(raws))
    return f"# Reading\n\n## Toys\n\n| Model | Accuracy |\n|---|---|\n{rows}"


def index(*raws: str) -> str:
    result = "{{Task: Reading, Dataset: Toys, Metrics: {{Accuracy: {}}}}}"
    models = "".join(f"  - Name: M{n}\n    Results: [{result.format(raw)}]\n" for n, raw in enumerate(raws))
    return f"Models:\n{models}"


def card(*raws: str) -> str:
    result = (
        "{{task: {{type: reading, name: Reading}}, dataset: {{type: toys, name: Toys}}, "
        "metrics: [{{type: accuracy, name: Accuracy, value: {}}}]}}"
    )
    models = "".join(f"- name: M{n}\n  results: [{result.format(raw)}]\n" for n, raw in enumerate(raws))
    return f"---\nmodel-index:\n{models}---\n"


def records(*raws: str) -> list[dict[str, Any]]:
    return [
        {
            "schema_version": "0.3.0",
            "model_info": {"name": f"M{number}", "id": f"acme/m{number}", "developer": "acme"},
            "source_metadata": {},
            "evaluation_results": [
                {
                    "evaluation_name": "Reading",
                    "source_data": {"dataset_name": "Toys", "source_type": "other"},
                    "metric_config": {"metric_name": "Accuracy", "lower_is_better": False},
                    "score_details": {"score": float(raw)},
                }
            ],
        }
        for number, raw in enumerate(raws)
    ]


FORMS: list[tuple[Callable[..., Any], str, str]] = [
    (tables, "tables.json", "item 1, Reading on Toys, row 1, M0"),
    (csv, "table.csv", "line 2, M0"),
    (markdown, "page.md", "page.md, Reading on Toys, row 1, M0"),
    (index, "metafile.yml", "metafile.yml, M0, M0"),
    (card, "README.md", "README.md, M0, M0"),
    (records, "records.json", "item 1, M0, M0"),
]


@pytest.mark.parametrize(("form", "name", "where"), FORMS)
def test_they_are_kept_and_named_with_where_they_stand(
    imported: Import, store: Store, form: Callable[..., Any], name: str, where: str
) -> None:
    report = imported(form(ODD, *SOUND), name)
    assert report["counts"]["result"] == 4
    assert report["doubtful"] == {"count": 1, "examples": [{"where": where, "reason": SAID}]}
    assert [one["message"] for one in check(store)["findings"] if one["kind"] == "impossible value"] == [SAID]
    again = imported(form(ODD, *SOUND), name)
    assert again["already there"] == {"result": 4}
    assert again["doubtful"] == report["doubtful"]  # the file says it still


def test_what_is_sound_is_not_questioned(imported: Import) -> None:
    assert imported(tables(*SOUND))["doubtful"] == {"count": 0, "examples": []}


def test_what_was_there_before_is_no_matter_of_this_import(imported: Import, store: Store) -> None:
    imported(tables("123.4%"))
    report = imported(tables("0.9"), "more.json")  # corrects it
    assert report["doubtful"]["count"] == 0
    assert "impossible value" not in check(store)["counts"]


def test_a_value_is_questioned_beside_those_that_other_files_brought(imported: Import) -> None:
    imported(tables(*SOUND))
    report = imported(csv(ODD), "one.csv")
    assert report["doubtful"]["examples"] == [{"where": "line 2, M0", "reason": SAID}]


def test_all_are_counted_and_the_first_named(
    imported: Import, in_parts: Callable[..., None], rows: Callable[..., Any]
) -> None:
    in_parts()
    both = [*tables(*["101"] * (EXAMPLES + 5)), *tables("-1", task="Writing")]
    report = imported(both)
    assert report["doubtful"]["count"] == EXAMPLES + 6
    assert len(report["doubtful"]["examples"]) == EXAMPLES
    of_parts = [json.loads(row["detail"])["report"]["doubtful"]["count"] for row in rows("SELECT detail FROM event")]
    assert of_parts == [EXAMPLES + 5, 1]


def test_hostile_names_are_said_as_they_are_and_cut(imported: Import) -> None:
    table = tables("123.4%")
    table[0]["datasets"][0]["sota"]["rows"][0]["model_name"] = "<script>[red]'\n" + "x" * 200
    (found,) = imported(table)["doubtful"]["examples"]
    assert found["where"].startswith("item 1, Reading on Toys, row 1, <script>[red]' x")
    assert len(found["where"]) == 200


def test_the_command_names_the_first_ones(tmp_path: Path) -> None:
    file = tmp_path / "tables.json"
    file.write_text(json.dumps(tables("50", *["123.4%"] * 7)))
    arguments = ["board", "import", str(file), "--store", str(tmp_path / "board.db")]
    said = CliRunner().invoke(app, arguments)
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert "  doubtful: 7 values, kept as the file has it; `board check` says the same" in lines
    named = [line for line in lines if line.startswith("    ")]
    why = "Accuracy is 123.4%, which cannot be: it is a share of 100"
    assert named == [f"    item 1, Reading on Toys, row {number}, M{number - 1}: {why}" for number in range(2, 7)]
    (report,) = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert report["doubtful"]["count"] == 7


def test_a_row_of_the_archive_s_form_has_no_place_of_its_own(imported: Import) -> None:
    table = tables("123.4%")
    table[0]["datasets"][0]["sota"]["rows"][0]["where"] = "elsewhere"
    report = imported(table)
    assert report["doubtful"]["examples"][0]["where"] == "item 1, Reading on Toys, row 1, M0"
    assert report["lost"]["unknown key"]["examples"][0]["reason"].startswith("row.where")
