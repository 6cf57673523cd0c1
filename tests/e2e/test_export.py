"""`noisystudent export`: a run's network in the forms of other programs."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import timm
from huggingface_hub import ModelCard
from user_inputs import Result

import noisystudent.models  # noqa: F401  # timm knows its networks then

Command = Callable[..., Result]
ROOT = Path(__file__).parents[2]


def test_a_folder_for_the_hub_has_a_card_and_opens_in_timm(
    finished: Any, noisystudent: Command, tmp_path: Path
) -> None:
    noisystudent("export", "--model", finished.folder, "--format", "hub", "--out", "my model")
    out, results = tmp_path / "my model", json.loads((finished.folder / "results.json").read_text())
    card = ModelCard.load(out / "README.md")
    best = json.loads((finished.folder / results["best"] / "results.json").read_text())
    [result] = card.data.eval_results
    assert result.metric_value == pytest.approx(best["metrics"]["top1"] / 100, abs=1e-4)
    assert (card.data.model_name, card.data.library_name) == ("my model", "timm")
    assert results["answer"]["sentence"] in card.text
    assert card.text.count("(this one)") == 1
    assert timm.create_model(f"local-dir:{out}", pretrained=True).num_classes == len(best[best["split"]]["per_class"])
    written = "".join(path.read_text() for path in (out / "README.md", out / "settings.toml", out / "config.json"))
    assert str(finished.images.labeled) not in written  # where the images lay is nobody's business
    again = ["run", *finished.images.options, "--config", out / "settings.toml", "--out", "again", "--dry-run"]
    assert noisystudent(*again).status == 0


def test_a_file_is_compared_on_the_runs_own_held_out_images(
    finished: Any, noisystudent: Command, tmp_path: Path
) -> None:
    results = json.loads((finished.folder / "results.json").read_text())
    network = json.loads((finished.folder / results["best"] / "results.json").read_text())
    for form in ("onnx", "pt2"):
        found = noisystudent("export", "--model", finished.folder, "--format", form, "--out", form, "--json").json
        assert found["images"] == found["labeled"] == network["n"]
        assert found["network_top1"] == pytest.approx(network["metrics"]["top1"], abs=0.01)
        assert found["file_top1"] == found["network_top1"]
    session = onnxruntime.InferenceSession(str(tmp_path / "onnx"))
    assert [given.name for given in session.get_inputs()] == ["images"]
    shown = noisystudent("export", "--model", finished.folder, "--format", "pt2", "--out", "another").stdout
    assert f"On {network['n']} images it says the same class as the network for 100.0 %" in shown


def test_who_cannot_reach_the_hub_keeps_the_folder(finished: Any, refused: Callable[..., str], tmp_path: Path) -> None:
    said = refused("export", "--model", finished.folder, "--out", "folder", "--push", "me/mine", status=1)
    assert "--push me/mine: the hub cannot be reached" in said
    assert "folder is written" in said
    assert (tmp_path / "folder" / "README.md").exists()
    assert "is for --format hub" in refused(
        "export", "--model", finished.folder, "--format", "onnx", "--out", "x", "--push", "me/mine"
    )


def test_the_python_of_the_page_gives_what_predict_gives(finished: Any, noisystudent: Command, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text(), re.DOTALL)
    noisystudent("export", "--model", finished.folder, "--format", "onnx", "--out", "model.onnx")
    photo = sorted(finished.images.unlabeled.iterdir())[0]
    shutil.copy(photo, tmp_path / "photo.jpg")
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    noisystudent(
        "predict", "--model", finished.folder, "--images", "photo.jpg", "--out", "labels.csv", "--precision", "fp32"
    )
    [row] = csv.DictReader((tmp_path / "labels.csv").open())
    name, probability = printed.split()
    assert name == row["label"]
    assert float(probability) == pytest.approx(float(row["confidence"]), abs=1e-3)
