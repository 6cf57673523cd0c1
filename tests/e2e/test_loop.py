"""The whole loop: one command makes a run folder, and the folder is what the documentation says."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import timm
import torch
from user_inputs import Images, weights

import noisystudent as ns
from noisystudent.config import load_config
from noisystudent.data.manifest import SCHEMA as MANIFEST

NETWORKS = {"gen-0": "teacher", "gen-1": "student 1", "gen-2": "student 2", "baseline": "baseline"}
PREDICTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.int32()),
        ("confidence", pa.float32()),
        ("probabilities", pa.list_(pa.float16(), 2)),
        ("dhash", pa.uint64()),
    ]
)
SELECTION = pa.schema(
    [("id", pa.string()), ("label", pa.int32()), ("confidence", pa.float32()), ("copies", pa.int32())]
)
SKIPPED = pa.schema([("id", pa.string()), ("stage", pa.string()), ("reason", pa.string())])


def test_a_run_leaves_every_file_of_its_folder(finished: Any) -> None:
    run = finished.folder
    for name in ("config.toml", "environment.json", "results.json", "report.html", "skipped.parquet"):
        assert (run / name).stat().st_size > 0, name
    for network in NETWORKS:
        files = ("checkpoints/last.pt", "model/config.json", "model/model.safetensors", "metrics.jsonl", "results.json")
        for name in files:
            assert (run / network / name).stat().st_size > 0, f"{network}/{name}"
    for generation in ("gen-1", "gen-2"):
        parts = sorted(path.name for path in (run / generation / "predictions").glob("*.parquet"))
        assert parts == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
        assert (run / generation / "selection" / "selection.json").exists()
    best = json.loads((run / "results.json").read_text())["best"]
    assert os.readlink(run / "best") == best
    assert not list(run.rglob("*.tmp"))


def test_manifests_list_the_images_given(finished: Any) -> None:
    tables = {
        split: pq.read_table(finished.folder / "data" / f"{split}.parquet") for split in ("labeled", "val", "test")
    }
    tables["unlabeled"] = pq.read_table(finished.folder / "data" / "unlabeled.parquet")
    assert all(table.schema.equals(MANIFEST, check_metadata=False) for table in tables.values())
    assert {split: table.num_rows for split, table in tables.items()} == {
        "labeled": 16,
        "val": 4,
        "test": 16,
        "unlabeled": 24,
    }
    labeled = tables["labeled"]["id"].to_pylist() + tables["val"]["id"].to_pylist()
    assert sorted(labeled) == [f"{kind}/{number:03d}.png" for kind in ("bars", "disk") for number in range(10)]
    assert tables["unlabeled"]["label"].null_count == 24
    truth = {row["id"]: row["label"] for row in tables["test"].to_pylist()}
    assert truth == {f"{kind}/{n}.png": label for label, kind in enumerate(("bars", "disk")) for n in range(200, 208)}


def test_tables_of_a_generation_fit_together(finished: Any) -> None:
    ids = set(pq.read_table(finished.folder / "data" / "unlabeled.parquet")["id"].to_pylist())
    for generation in (finished.folder / "gen-1", finished.folder / "gen-2"):
        predictions = pa.concat_tables(
            [pq.read_table(path) for path in sorted((generation / "predictions").glob("part-*.parquet"))]
        )
        assert predictions.schema.equals(PREDICTIONS)
        assert sorted(predictions["id"].to_pylist()) == sorted(ids)
        probabilities = np.array(predictions["probabilities"].to_pylist(), dtype=np.float64)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=2e-3)
        np.testing.assert_allclose(probabilities.max(axis=1), predictions["confidence"].to_numpy(), atol=1e-3)
        certain = abs(probabilities[:, 0] - probabilities[:, 1]) > 0.01
        assert (probabilities.argmax(axis=1) == predictions["label"].to_numpy())[certain].all()

        selection = pq.read_table(generation / "selection" / "selection.parquet")
        assert selection.schema.equals(SELECTION)
        assert set(selection["id"].to_pylist()) <= ids
        assert min(selection["copies"].to_pylist()) >= 1
        summary = json.loads((generation / "selection" / "selection.json").read_text())
        assert [row["name"] for row in summary["classes"]] == ["bars", "disk"]
        labels = np.bincount(selection["label"].to_numpy(), minlength=2).tolist()
        assert [row["kept"] for row in summary["classes"]] == labels
        assert sum(row["candidates"] for row in summary["classes"]) == 24
    skipped = pq.read_table(finished.folder / "skipped.parquet")
    assert skipped.schema.equals(SKIPPED)
    assert skipped.num_rows == 0


def test_results_have_the_accuracy_that_the_predictions_have(finished: Any) -> None:
    results = json.loads((finished.folder / "results.json").read_text())
    assert [row["name"] for row in results["rows"]] == list(NETWORKS.values())
    for folder, row in zip(NETWORKS, results["rows"], strict=True):
        own = json.loads((finished.folder / folder / "results.json").read_text())
        assert {"name": row["name"], **own, "cost": row["cost"]} == row
        table = pq.read_table(finished.folder / folder / "evaluation" / "test.parquet")
        right = (table["label"].to_numpy() == table["predicted"].to_numpy()).mean()
        assert row["metrics"]["top1"] == pytest.approx(100 * right)
        low, high = row["ci95"]["top1"]
        assert 0 <= low < row["metrics"]["top1"] <= high + 1e-9 <= 100 + 1e-9
        assert row["n"] == 16
        assert row["metrics"]["params"] == sum(
            parameter.numel() for parameter in ns.load_classifier(str(finished.folder / folder)).network.parameters()
        )
    assert {difference["than"] for difference in results["differences"]} == {"teacher", "baseline"}
    accuracy = {row["name"]: row["metrics"]["top1"] for row in results["rows"]}
    for difference in results["differences"]:
        assert difference["points"] == pytest.approx(accuracy["student 2"] - accuracy[difference["than"]])


def test_json_is_one_object_on_stdout_and_quiet_says_nothing(finished: Any, noisystudent: Callable[..., Any]) -> None:
    assert finished.result.stdout.count("\n") == 1
    assert finished.result.json == json.loads((finished.folder / "results.json").read_text())
    again = noisystudent(*finished.command, "--out", finished.folder, "--quiet")
    assert (again.status, again.stdout) == (0, "")
    shown = noisystudent(*finished.command, "--out", finished.folder)
    for row in finished.result.json["rows"]:
        assert row["name"] in shown.stdout
        assert f"{row['metrics']['top1']:.1f}" in shown.stdout
    assert " ".join(shown.stdout.split()).startswith(finished.result.json["answer"]["sentence"])
    assert f"noisystudent predict --model {finished.folder} --images FOLDER --out labels.csv" in shown.stdout
    assert f"local-dir:{finished.folder}/best/model" in shown.stdout
    assert f"report: {finished.folder}/report.html" in shown.stdout


def test_a_model_folder_opens_in_timm_with_the_same_logits(finished: Any) -> None:
    ours = ns.load_classifier(str(finished.folder))
    best = finished.result.json["best"]
    theirs = timm.create_model(f"local-dir:{finished.folder / best / 'model'}", pretrained=True).eval()
    pixels = torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    cfg = theirs.pretrained_cfg
    mean, std = (torch.tensor(cfg[key]).view(1, 3, 1, 1) * 255 for key in ("mean", "std"))
    with torch.inference_mode():
        expected = theirs(((pixels - mean) / std).contiguous(memory_format=torch.channels_last))
    assert torch.equal(ours.logits(pixels), expected)
    assert list(ours.class_names) == cfg["label_names"] == ["bars", "disk"]


def test_the_saved_configuration_gives_the_same_weights(
    finished: Any, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    result = noisystudent("run", "--config", finished.folder / "config.toml", "--out", "again", "--json")
    assert result.status == 0, result.stderr
    assert list(weights(finished.folder)) == ["baseline", "gen-0", "gen-1", "gen-2"]
    assert weights(tmp_path / "again") == weights(finished.folder)
    assert load_config(tmp_path / "again" / "config.toml") == load_config(finished.folder / "config.toml")
    assert result.json["best"] == finished.result.json["best"]
    assert [row["metrics"] for row in result.json["rows"]] == [row["metrics"] for row in finished.result.json["rows"]]


def test_another_seed_gives_other_weights(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    found = []
    for seed in (0, 0, 1):
        out = f"run-{len(found)}"
        config = configuration("teacher.steps=2", f"seed={seed}", generations=0)
        assert noisystudent("run", "--labeled", images.labeled, "--config", config, "--out", out).status == 0
        found.append(weights(tmp_path / out)["gen-0"])
    assert found[0] == found[1] != found[2]


def test_a_run_without_anything_held_out_says_so(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any]
) -> None:
    config = configuration("data.val_fraction=0", "teacher.steps=2", generations=0)
    result = noisystudent("run", "--labeled", images.labeled, "--config", config, "--out", "run")
    assert result.status == 0, result.stderr
    assert "nothing was held out to measure it on" in result.stdout


def test_the_installed_command_works_and_fails_with_the_right_status(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("noisystudent")
    recipes = subprocess.run([script, "recipes", "digits", "--json"], capture_output=True, text=True, check=False)
    assert recipes.returncode == 0
    assert json.loads(recipes.stdout)["recipe"] == "digits"
    wrong = subprocess.run([script, "recipes", "digit"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr
    assert wrong.stderr.startswith("noisystudent: there is no recipe 'digit'")


def test_reading_a_csv_gives_the_same_weights_as_the_folders_it_lists(
    images: Images, configuration: Callable[..., Path], noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    with (tmp_path / "labeled.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "label"])
        for path in sorted(images.labeled.rglob("*.png")):
            id = path.relative_to(images.labeled)
            writer.writerow([id, path.relative_to(tmp_path), id.parent])
    config = configuration("teacher.steps=2", generations=0)
    for source, out in ((images.labeled, "folders"), ("labeled.csv", "csv")):
        result = noisystudent("run", "--labeled", source, "--config", config, "--out", out)
        assert result.status == 0, result.stderr
    assert weights(tmp_path / "folders") == weights(tmp_path / "csv")


@pytest.mark.slow
def test_a_finished_run_may_be_asked_how_robust_its_last_student_is(
    finished: Any, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.folder, run, symlinks=True)
    weights_before = weights(run)
    images, wanted = finished.images, '["c", "p", "adversarial", "calibration"]'
    command = ["run", *images.options, "--config", finished.configuration, "--out", run, "--json"]
    more = noisystudent(*command, "--set", f"robustness={wanted}")
    assert more.status == 0, more.stderr
    rows = {row["name"]: row for row in more.json["rows"]}
    for name in ("student 2", "baseline"):
        assert {"mce", "mfr", "pgd_eps16", "ece_mass", "temperature"} <= set(rows[name]["metrics"])
        assert rows[name]["ci95"]["mce"][0] <= rows[name]["metrics"]["mce"] <= rows[name]["ci95"]["mce"][1]
        before = next(row for row in finished.result.json["rows"] if row["name"] == name)
        assert rows[name]["metrics"]["top1"] == before["metrics"]["top1"]
    assert "mce" not in rows["teacher"]["metrics"]
    value = json.loads((run / "robustness.json").read_text())
    assert [row["metric"] for row in value["differences"]] == ["mce", "mfr"]
    points = rows["student 2"]["metrics"]["mce"] - rows["baseline"]["metrics"]["mce"]
    assert value["differences"][0]["points"] == pytest.approx(points)
    assert weights(run) == weights_before != {}
    report = (run / "report.html").read_text()
    assert 'id="robustness"' in report
    assert "Published by Xie et al." in report
    assert report.count("an image of ") == 15
    parts = {path: path.stat().st_mtime_ns for path in (run / "baseline" / "robustness").iterdir()}
    again = noisystudent(*command, "--set", f"robustness={wanted}")
    assert again.json == more.json
    assert {path: path.stat().st_mtime_ns for path in (run / "baseline" / "robustness").iterdir()} == parts


REASSIGNED = ("generations.1.select.reassign=true", "execution.part_rows=3", "execution.label_batch_size=3")


def test_a_selection_made_once_is_labeled_anew_by_later_teachers(
    noisystudent: Callable[..., Any], killed: Callable[..., None], images: Images, configuration: Callable[..., Path]
) -> None:
    """The images and copies of student 1 for student 2, the labels of the new teacher; a kill on the way changes nothing."""
    some = ("select.per_class=4", "data.score_pseudo_labels=true")
    command = ["run", *images.options, "--config", configuration(*some, *REASSIGNED)]
    assert noisystudent(*command, "--dry-run").status == 0
    assert noisystudent(*command, "--out", "run").status == 0
    folder = images.labeled.parent / "run"
    first, second = (pq.read_table(folder / f"gen-{n}/selection/selection.parquet") for n in (1, 2))
    kept = ["id", "copies"]
    assert second.select(kept).equals(first.select(kept))
    predicted = pa.concat_tables([pq.read_table(part) for part in sorted(folder.glob("gen-2/predictions/*.parquet"))])
    assert sorted(predicted["id"].to_pylist()) == first["id"].to_pylist()  # no other image is labeled
    new = {row["id"]: (row["label"], row["confidence"]) for row in predicted.to_pylist()}
    assert [(row["label"], row["confidence"]) for row in second.to_pylist()] == [
        new[id] for id in second["id"].to_pylist()
    ]
    summaries = [json.loads((folder / f"gen-{n}/selection/selection.json").read_text()) for n in (1, 2)]
    digest = hashlib.sha256((folder / "gen-1/selection/selection.parquet").read_bytes()).hexdigest()
    assert [summary.get("reassigned_from") for summary in summaries] == [None, digest]
    assert summaries[0]["teacher"] != summaries[1]["teacher"]
    assert "The images selected for student 1, with the labels of student 1." in (folder / "report.html").read_text()

    killed(*command, "--out", "broken", at="*/gen-2/predictions/part-*.parquet", count=2)
    assert noisystudent(*command, "--out", "broken").status == 0
    assert weights(images.labeled.parent / "broken") == weights(folder)


def test_nothing_was_selected_before_the_first_student(refused: Callable[..., str], images: Images) -> None:
    """And what the message says is accepted."""
    command = ["run", *images.options, "--recipe", "digits", "--out", "run"]
    message = refused(*command, "--set", "select.reassign=true")
    assert "generations.0.select.reassign: before the first student nothing was selected that could be kept" in message
    later = re.findall(r"generations\.\d\.select\.reassign=true", message)
    assert later[0] == "generations.1.select.reassign=true"
    message = refused(*command, "--set", later[0], "--set", "generations.1.select.threshold=0.9")
    assert "threshold, per_class and mode must be those of generations.0.select" in message
