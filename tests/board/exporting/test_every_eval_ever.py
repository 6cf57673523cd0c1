"""Records of Every Eval Ever out of a catalogue, and back into another.

Where NOISYSTUDENT_EVERY_EVAL_EVER names the `every_eval_ever` command (version 0.3.0 of PyPI, Python 3.12, an environment of its own),
its validator judges them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board import seed
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

CONTENT = (
    "SELECT l.slug, m.name AS model, k.name AS metric, k.higher_is_better, v.raw, coalesce(p.title, '') AS paper, r.on_day, r.extra_data, "
    "r.tags, r.code_links, r.model_links, r.locator, r.source_url FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id "
    "JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id JOIN metric k ON k.id = v.metric_id "
    "LEFT JOIN paper p ON p.id = r.paper_id WHERE r.retired_by IS NULL"
)


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.json"))]


def content(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return sorted(map(repr, (tuple(row) for row in connection.execute(CONTENT))))


def test_what_the_board_begins_with_comes_back_whole(store: Store, tmp_path: Path) -> None:
    seed.load(store, actor="anna")
    report = export_file(store, "every-eval-ever", tmp_path / "out")
    assert report["left_out"] == {}
    found = records(tmp_path / "out")
    assert report["files"] == len(found) > 40
    assert "unknown" not in {
        record["model_info"]["developer"] for record in found
    }  # of which the official validator warns
    other = Store(tmp_path / "other.db", create=True)
    assert import_file(other, tmp_path / "out", actor="anna")["lost"].keys() <= {"unknown key"}
    assert content(other) == content(store)


def test_the_same_catalogue_gives_the_same_files(noisy_student: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_file(noisy_student, "every-eval-ever", tmp_path / name)
    assert records(tmp_path / "one") == records(tmp_path / "two")


def test_a_run_has_its_interval_and_is_no_second_result_when_it_comes_back(
    noisy_student: Store, tmp_path: Path
) -> None:
    with noisy_student.noting() as connection:
        connection.execute("UPDATE run SET seeds = '[0, 1, 2]', intervals = '{\"Top 1 Accuracy\": [88.1, 88.5]}'")
    export_file(noisy_student, "every-eval-ever", tmp_path / "out")
    run = next(one for one in records(tmp_path / "out") if one["source_metadata"]["source_type"] == "evaluation_run")
    assert run["eval_library"]["name"] == "noisystudent"
    assert run["source_metadata"]["additional_details"]["command"] == "noisystudent evaluate"
    assert run["evaluation_results"][0]["score_details"] == {
        "score": 88.3,
        "details": {"raw": "88.3%", "mean_of_trainings": "3", "seeds": "[0, 1, 2]"},
        "uncertainty": {
            "confidence_interval": {"lower": 88.1, "upper": 88.5, "confidence_level": 0.95},
            "num_samples": 50000,
        },
    }
    report = import_file(noisy_student, tmp_path / "out", actor="anna")
    assert report["already there"]["run"] == 1
    assert "result" not in report["counts"]


def test_a_score_needs_a_number_and_a_direction(
    noisy_student: Store, add_results: Callable[..., Any], tmp_path: Path
) -> None:
    add_results({"model": "<b>x</b>/..", "values": {"Zing": "1"}}, dataset="Odd", metrics={"Accuracy": True})
    report = export_file(noisy_student, "every-eval-ever", tmp_path / "out")
    assert report["left_out"] == {
        "score without a number, which only this project reads": 1,  # "about 500" GFLOPs
        "score without a direction, which only this project reads": 1,
        "result without a score": 1,
    }


def test_it_is_a_new_folder(noisy_student: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for out in ("mine", "mine/letter.txt", "nowhere/out"):
        with pytest.raises(UserError, match="--out"):
            export_file(noisy_student, "every-eval-ever", tmp_path / out)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    with pytest.raises(UserError, match="whole catalogue"):
        export_file(noisy_student, "every-eval-ever", tmp_path / "new", of="x")


def test_the_official_validator_finds_no_error(noisy_student: Store, tmp_path: Path) -> None:
    command = os.environ.get("NOISYSTUDENT_EVERY_EVAL_EVER")
    if not command:
        pytest.skip("NOISYSTUDENT_EVERY_EVAL_EVER is not set")
    seed.load(noisy_student, actor="anna")
    export_file(noisy_student, "every-eval-ever", tmp_path / "out")
    files = [str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.json")]
    done = subprocess.run(
        [command, "validate", "--format", "json", *files], cwd=tmp_path / "out", capture_output=True, text=True
    )
    reports = json.loads(done.stdout)
    assert len(reports) == len(files)
    assert [report for report in reports if report["errors"]] == []
    warned = [warning["msg"] for report in reports for warning in report["warnings"]]
    assert [warning for warning in warned if "developer must be known" not in warning] == []  # nobody says whose it is
