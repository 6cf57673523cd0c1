"""`predict` and `embed` as a user gives them: to files, to standard output, stopped and gone on with."""

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from user_inputs import Images

import noisystudent as ns

Command = Callable[..., Any]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_line_of_the_readme_classifies_a_photo(finished: Any, noisystudent: Command, tmp_path: Path) -> None:
    (line,) = (
        line for line in README.splitlines() if line.startswith("    noisystudent predict ") and "photo.jpg" in line
    )
    (tmp_path / "run").symlink_to(finished.folder)
    (tmp_path / "photo.jpg").write_bytes((finished.images.test / "disk" / "200.png").read_bytes())
    result = noisystudent(*shlex.split(line.partition("#")[0])[1:])
    (row,) = rows_of(result.stdout)
    assert row["label"] == ns.load_classifier(finished.folder).predict(tmp_path / "photo.jpg")
    assert row["path"] == str(tmp_path / "photo.jpg")


def test_standard_output_has_what_a_file_has(
    finished: Any, images: Images, noisystudent: Command, tmp_path: Path
) -> None:
    command = ["--model", finished.folder, images.unlabeled]
    for work in ("predict", "embed"):
        for kind in ("csv", "jsonl"):
            file = noisystudent(work, *command, "--out", f"{work}.{kind}")
            assert (file.status, file.stdout.split()[0]) == (0, "24")
            printed = noisystudent(work, *command, "--format", kind)
            assert printed.status == 0
            assert printed.stdout == (tmp_path / f"{work}.{kind}").read_text()
    found = noisystudent("predict", *command, "--json").json
    lines = [json.loads(line) for line in (tmp_path / "predict.jsonl").read_text().splitlines()]
    assert (found["images"], found["rows"]) == (24, lines)


def test_files_that_a_shell_found_are_answered_in_their_order(
    finished: Any, images: Images, noisystudent: Command
) -> None:
    files = sorted(images.unlabeled.glob("disk-*.png"), reverse=True)
    result = noisystudent("predict", "--model", finished.folder, *files, "--top-k", "2")
    rows = rows_of(result.stdout)
    assert [row["path"] for row in rows] == [str(file) for file in files]
    assert {(row["topk_labels.0"], row["topk_labels.1"]) for row in rows} <= {("disk", "bars"), ("bars", "disk")}


def test_paths_that_another_program_lists_are_read_from_standard_input(
    finished: Any, images: Images, tmp_path: Path
) -> None:
    files = [tmp_path / "line\nbreak.png", tmp_path / "b*[c].png"]
    for file in files:
        file.write_bytes((images.test / "disk" / "200.png").read_bytes())
    command = [sys.executable, "-m", "noisystudent", "predict", "--quiet", "--model", finished.folder, "-"]
    listed = b"".join(os.fsencode(file) + b"\0" for file in files)  # as find -print0 does
    result = subprocess.run(command, input=listed, capture_output=True, check=True)
    assert [row["path"] for row in rows_of(result.stdout.decode())] == [str(file) for file in files]


def test_the_runs_own_validation_images_choose_the_least_confidence(
    finished: Any, images: Images, noisystudent: Command, tmp_path: Path
) -> None:
    command = ["predict", "--model", finished.folder, images.unlabeled, "--precision", "fp32", "--json"]
    found = noisystudent(*command, "--min-precision", "0.5", "--out", "own.parquet").json
    table = pq.read_table(finished.folder / found["model"].split("(")[1].split(")")[0] / "evaluation" / "val.parquet")
    confidence = table["confidence"].to_numpy()
    right = table["label"].to_numpy() == table["predicted"].to_numpy()
    good = [least for least in confidence if right[confidence >= least].mean() >= 0.5]
    assert found["threshold"]["n"] == len(confidence)
    assert found["threshold"]["confidence"] == pytest.approx(min(good), abs=1e-6)
    rows = pq.read_table(tmp_path / "own.parquet").to_pylist()
    assert found["abstained"] == sum(row["label"] is None for row in rows)
    assert all((row["label"] is None) == (row["confidence"] < found["threshold"]["confidence"]) for row in rows)
    given = noisystudent(*command, "--min-precision", "0.9", "--val", images.test)
    assert given.json["threshold"]["n"] == 16
    assert "with so few validation images" in given.stderr


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_command_that_was_killed_goes_on(
    when: str, finished: Any, images: Images, noisystudent: Command, killed: Callable[..., None], tmp_path: Path
) -> None:
    for command, ending in (("predict", "csv"), ("embed", "parquet")):
        (images.unlabeled / "broken.png").write_bytes(b"")
        words = [command, "--model", finished.folder, images.unlabeled, "--out"]
        assert noisystudent(*words, f"whole.{ending}").status == 0
        killed(*words, f"labels.{ending}", at="*.parts/part-00000.parquet", when=when)
        assert not (tmp_path / f"labels.{ending}").exists()
        again = noisystudent(*words, f"labels.{ending}", "--json")
        assert (again.json["images"], len(again.json["skipped"])) == (24, 1)
        assert (tmp_path / f"labels.{ending}").read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()
        assert not list(tmp_path.glob("*.parts"))


def test_what_is_there_is_not_replaced(
    finished: Any, images: Images, refused: Callable[..., str], tmp_path: Path
) -> None:
    for command in ("predict", "embed"):
        (tmp_path / "mine.csv").write_text("path,label\n")
        message = refused(command, "--model", finished.folder, images.unlabeled, "--out", "mine.csv")
        assert "--out mine.csv is there already, perhaps with corrections by hand" in message
        assert (tmp_path / "mine.csv").read_text() == "path,label\n"
        assert "no images were named" in refused(command, "--model", finished.folder)
        message = refused(command, "--model", finished.folder, "a.png", images.unlabeled, "b.png")
        assert "--images: 'a.png', 'b.png' cannot be read" in message


def test_features_of_timms_networks_are_embedded(finished: Any, images: Images, noisystudent: Command) -> None:
    """Here of the run's own; of a name `tests/inference` embeds without weights."""
    rows = rows_of(noisystudent("embed", "--model", finished.folder, images.test, "--precision", "fp32").stdout)
    values = np.array([[row[name] for name in row if name.startswith("features.")] for row in rows], float)
    classifier = ns.load_classifier(finished.folder)
    assert values == pytest.approx(classifier.embed([row["path"] for row in rows]), rel=2e-3, abs=1e-3)
