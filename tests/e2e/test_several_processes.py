"""The same commands, started in two processes: each image is labeled once, and the networks are those of one process but for rounding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from launched import launched
from safetensors.torch import load_file
from user_inputs import Images

Configuration = Callable[..., Path]


def furthest(one: Path, other: Path) -> float:
    a, b = load_file(one / "model/model.safetensors"), load_file(other / "model/model.safetensors")
    assert a.keys() == b.keys()
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in a)


@pytest.mark.slow
def test_a_run_and_its_labels(
    images: Images, configuration: Configuration, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    config = configuration("execution.part_rows=5", generations=1)
    run = ["-m", "noisystudent", "run", *images.options, "--config", config]
    assert noisystudent(*run[2:], "--out", "one").status == 0
    finished = launched(2, *run, "--out", "two", "--json", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["best"] == "gen-1"  # one of them tells
    assert "Traceback" not in finished.stderr
    assert finished.stderr.count("stage 2 of 10: training the teacher") == 1
    assert json.loads((tmp_path / "two/environment.json").read_text())["processes"] == 2
    one, two = (pq.read_table(tmp_path / run / "gen-1/predictions").to_pydict() for run in ("one", "two"))
    assert (one["id"], one["label"]) == (two["id"], two["label"])
    assert furthest(tmp_path / "one/gen-0", tmp_path / "two/gen-0") < 1e-4
    again = launched(2, *run, "--out", "two", "--json", folder=tmp_path)
    assert json.loads(again.stdout) == json.loads(finished.stdout)  # nothing is left to do

    label = ["-m", "noisystudent", "label", "--model", "one/gen-0", "--images", images.folder / "unlabeled", "--out"]
    assert launched(2, *label, "labels", folder=tmp_path).returncode == 0
    assert noisystudent(*label[2:], "labels-of-one").status == 0
    both = [
        pq.read_table(sorted((tmp_path / out).glob("part-*.parquet")), columns=["id", "label", "dhash"])
        for out in ("labels", "labels-of-one")
    ]
    assert both[0].equals(both[1])
    assert len(list((tmp_path / "labels").glob("part-*.parquet"))) == 2  # there is less than a part for each


@pytest.mark.slow
def test_predictions_and_features_in_one_file(
    finished: Any, images: Images, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    for work in ("predict", "embed"):
        command = [
            work,
            "--model",
            finished.folder,
            images.unlabeled,
            images.test,
            "--precision",
            "fp32",
            "--json",
            "--out",
        ]
        together = launched(2, "-m", "noisystudent", *command, f"{work}-2.parquet", folder=tmp_path)
        assert json.loads(together.stdout)["images"] == 40, together.stderr
        assert noisystudent(*command, f"{work}-1.parquet").status == 0
        one, two = (pq.read_table(tmp_path / f"{work}-{count}.parquet") for count in (1, 2))
        assert one["path"].equals(two["path"])
        column = "label" if work == "predict" else "id"
        assert one[column].equals(two[column])
    printed = launched(2, "-m", "noisystudent", "predict", "--model", finished.folder, images.test, folder=tmp_path)
    assert "several processes cannot print together: give --out FILE" in printed.stderr


def test_a_mistake_is_told_once_with_status_2(images: Images, configuration: Configuration, tmp_path: Path) -> None:
    command = ["-m", "noisystudent", "run", "--labeled", "nowhere", "--config", configuration(generations=0)]
    finished = launched(2, *command, "--out", "out", folder=tmp_path)
    assert finished.returncode != 0
    assert finished.stderr.count("noisystudent: ") == 1
    assert "exitcode  : 2" in finished.stderr
