"""The stages one at a time, chained on files, and what they refuse to be chained to."""

import csv
import json
import os
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
from user_inputs import Images, quick, weights, write_pictures

import noisystudent as ns

Command = Callable[..., Any]


def read_csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def write_configuration(folder: Path, *settings: str) -> Path:
    path = folder / "single.toml"
    path.write_text(quick(*settings, generations=1).to_toml())
    return path


@pytest.fixture(scope="session")
def chain(finished: Any, server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which train, label, select and student were given one after the other."""
    folder = tmp_path_factory.mktemp("chain")
    images, config = finished.images, write_configuration(folder)
    for command in (
        ["train", "--labeled", images.labeled, "--test", images.test, "--config", config, "--out", "teacher"],
        ["label", "--model", "teacher", "--images", images.unlabeled, "--precision", "fp32", "--out", "labels"],
        ["select", "--predictions", "labels", "--out", "chosen", "--threshold", "0.5", "--per-class", "10"],
        ["student", *images.options, "--config", config, "--selection", "chosen", "--out", "student"],
    ):
        result = server.wait(server.start(*command, "--json", folder=folder))
        assert result.status == 0, result.stderr
        (folder / f"{command[0]}.json").write_text(result.stdout)
    return folder


def said(chain: Path, command: str) -> Any:
    return json.loads((chain / f"{command}.json").read_text())


def test_each_command_leaves_what_the_next_one_takes(chain: Path) -> None:
    (teacher,) = said(chain, "train")["rows"]
    assert (teacher["name"], teacher["n"], said(chain, "train")["best"]) == ("teacher", 16, "gen-0")
    assert said(chain, "label")["images"] == 24
    predictions = pq.read_table(sorted((chain / "labels").glob("part-*.parquet")))
    chosen = pq.read_table(chain / "chosen" / "selection.parquet").to_pylist()
    assert min(row["confidence"] for row in chosen) >= 0.5
    for index, row in enumerate(said(chain, "select")["classes"]):
        copies = [one["copies"] for one in chosen if one["label"] == index]
        assert row["rows"] == sum(copies) == (10 if copies else 0)
        assert row["candidates"] == predictions["label"].to_pylist().count(index)
    assert json.loads((chain / "chosen" / "selection.json").read_text()) == said(chain, "select")
    (student,) = said(chain, "student")["rows"]
    assert (student["name"], student["n"], said(chain, "student")["best"]) == ("student 1", 16, "gen-1")
    assert list(weights(chain / "student")) == ["gen-1"]


def test_the_teacher_of_a_run_is_the_one_that_train_makes(chain: Path, finished: Any) -> None:
    assert weights(chain / "teacher")["gen-0"] == weights(finished.folder)["gen-0"]
    ours = pq.read_table(sorted((chain / "labels").glob("part-*.parquet")))
    theirs = pq.read_table(sorted((finished.folder / "gen-1" / "predictions").glob("part-*.parquet")))
    assert ours["id"].equals(theirs["id"])
    np.testing.assert_allclose(ours["confidence"].to_numpy(), theirs["confidence"].to_numpy(), atol=1e-4)


def test_single_commands_given_again_change_nothing(chain: Path, finished: Any, noisystudent: Command) -> None:
    before = weights(chain / "student") | weights(chain / "teacher")
    stamps = {path: path.stat().st_mtime_ns for path in chain.rglob("*.safetensors")}
    options = [*finished.images.options, "--config", chain / "single.toml"]
    again = noisystudent("student", *options, "--selection", "chosen", "--out", "student", "--json", folder=chain)
    assert again.json == said(chain, "student")
    labels = ["--model", "teacher", "--images", finished.images.unlabeled, "--precision", "fp32", "--out", "labels"]
    assert noisystudent("label", *labels, "--json", folder=chain).json == said(chain, "label")
    assert weights(chain / "student") | weights(chain / "teacher") == before
    assert {path: path.stat().st_mtime_ns for path in chain.rglob("*.safetensors")} == stamps


@pytest.mark.parametrize("mode", ["exact", "official"])
def test_both_modes_select_what_their_seed_says(mode: str, chain: Path, noisystudent: Command, tmp_path: Path) -> None:
    select = ["select", "--predictions", chain / "labels", "--threshold", "0", "--per-class", "30", "--mode", mode]
    first = noisystudent(*select, "--out", "first", "--json").json
    tables = [pq.read_table(tmp_path / "first" / "selection.parquet")]
    for seed, out in ((0, "same"), (1, "other")):
        assert noisystudent(*select, "--seed", seed, "--out", out).status == 0
        tables.append(pq.read_table(tmp_path / out / "selection.parquet"))
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    rows = [row["rows"] for row in first["classes"] if row["candidates"]]
    assert rows
    if mode == "exact":
        assert all(row == 30 for row in rows)
    else:
        assert all(15 <= row <= 45 for row in rows)


def test_a_student_relabels_the_selection_that_it_learned_from(
    finished: Any, chain: Path, noisystudent: Command, tmp_path: Path
) -> None:
    label = ["label", "--model", chain / "student", "--images", finished.images.unlabeled, "--out", "labels"]
    assert noisystudent(*label).status == 0
    old = pq.read_table(chain / "chosen" / "selection.parquet").to_pydict()
    for selection in (chain / "chosen", finished.folder / "gen-1" / "selection"):
        out = tmp_path / f"new of {selection.parent.name}"
        result = noisystudent("reassign", "--predictions", "labels", "--selection", selection, "--out", out, "--json")
        assert result.status == 0, result.stderr
    new = pq.read_table(tmp_path / f"new of {chain.name}" / "selection.parquet").to_pydict()
    assert (new["id"], new["copies"]) == (old["id"], old["copies"])
    by_id = {row["id"]: row for row in pq.read_table(sorted((tmp_path / "labels").glob("part-*.parquet"))).to_pylist()}
    assert new["label"] == [by_id[id]["label"] for id in new["id"]]
    assert new["confidence"] == [by_id[id]["confidence"] for id in new["id"]]


def test_a_selection_of_a_run_serves_a_student_of_its_own(
    finished: Any, chain: Path, noisystudent: Command, tmp_path: Path
) -> None:
    """The folder that a run wrote names its predictions relative to itself."""
    command = ["student", *finished.images.options, "--config", chain / "single.toml"]
    selection = finished.folder / "gen-1" / "selection"
    result = noisystudent(*command, "--selection", selection, "--out", "student", "--json")
    assert result.status == 0, result.stderr
    assert weights(tmp_path / "student")["gen-1"] == weights(finished.folder)["gen-1"]


def test_a_single_student_does_not_learn_from_test_images(
    finished: Any, chain: Path, noisystudent: Command, refused: Callable[..., str], tmp_path: Path
) -> None:
    """As in a run: here two of the unlabeled pictures are test pictures too."""
    unlabeled, test = finished.images.unlabeled, tmp_path / "test"
    shutil.copytree(finished.images.test, test)
    chosen = pq.read_table(chain / "chosen" / "selection.parquet")["id"].to_pylist()
    for id, copy in zip(chosen[:2], sorted((test / "disk").iterdir())[:2], strict=True):
        shutil.copy(unlabeled / id, copy)
    options = ["--labeled", finished.images.labeled, "--unlabeled", unlabeled, "--test", test]
    config = write_configuration(tmp_path, "data.val_fraction=0.0")
    result = noisystudent(
        "student", *options, "--config", config, "--selection", chain / "chosen", "--out", "student", "--json"
    )
    assert result.status == 0, result.stderr
    assert "found in the validation or test data too: 2 (2 identical, 0 nearly)" in result.stderr
    assert pq.read_table(tmp_path / "student" / "data" / "leaks.parquet")["id"].to_pylist() == sorted(chosen[:2])

    for id in chosen:
        shutil.copy(unlabeled / id, test / "disk" / f"again {Path(id).name}")
    message = refused("student", *options, "--config", config, "--selection", chain / "chosen", "--out", "other")
    assert "all of its images are validation or test images too" in message


def test_a_selection_of_other_classes_or_images_is_refused(
    finished: Any, chain: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    other = write_pictures(tmp_path / "other", 4, kinds=("bars", "ring"))
    config = chain / "single.toml"
    command = ["student", "--unlabeled", finished.images.unlabeled, "--config", config, "--selection", chain / "chosen"]
    message = refused(*command, "--labeled", other, "--out", "a")
    assert "its classes are ['bars', 'disk'], in this order, and those of --labeled ['bars', 'ring']" in message
    command[2] = other
    message = refused(*command, "--labeled", finished.images.labeled, "--out", "b")
    assert "selected images are not among the unlabeled ones, such as " in message
    assert not list(tmp_path.rglob("model"))


def test_a_selection_whose_predictions_are_gone_is_refused(
    finished: Any, chain: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    shutil.copytree(chain / "chosen", tmp_path / "chosen")
    summary = json.loads((tmp_path / "chosen" / "selection.json").read_text())
    (tmp_path / "chosen" / "selection.json").write_text(json.dumps({**summary, "predictions": str(tmp_path / "gone")}))
    options = [*finished.images.options, "--config", chain / "single.toml", "--selection", "chosen", "--out", "student"]
    assert f"{tmp_path}/gone has no predictions" in refused("student", *options)


def test_a_folder_begun_with_another_selection_is_refused(
    finished: Any, chain: Path, refused: Callable[..., str], noisystudent: Command
) -> None:
    select = ["select", "--predictions", chain / "labels", "--threshold", "0", "--per-class", "5", "--out", "five"]
    assert noisystudent(*select).status == 0
    options = [*finished.images.options, "--config", chain / "single.toml", "--selection", "five"]
    before = weights(chain / "student")
    message = refused("student", *options, "--out", chain / "student")
    assert "was begun with another selection (chosen): give another folder" in message
    assert weights(chain / "student") == before


def test_predictions_of_another_model_or_other_images_are_not_mixed(
    finished: Any, chain: Path, refused: Callable[..., str], tmp_path: Path, images: Images, noisystudent: Command
) -> None:
    first = ["label", "--model", finished.folder / "gen-0", "--images", images.unlabeled, "--out", "labels"]
    assert noisystudent(*first).status == 0
    before = (tmp_path / "labels" / "part-00000.parquet").read_bytes()
    second = [*first[:2], finished.folder / "gen-1", *first[3:]]
    assert "--out labels holds predictions of another model or other images" in refused(*second)
    shutil.copy(images.test / "disk" / "200.png", images.unlabeled / "new.png")
    assert "--out labels holds predictions of another model or other images" in refused(*first)
    assert (tmp_path / "labels" / "part-00000.parquet").read_bytes() == before


def test_evaluate_measures_what_the_run_measured(finished: Any, noisystudent: Command, tmp_path: Path) -> None:
    model = finished.folder / "gen-0"
    command = ["evaluate", "--model", model, "--data", finished.images.test, "--out", "results.json", "--json"]
    result = noisystudent(*command)
    row = finished.result.json["rows"][0]
    assert result.json["metrics"]["top1"] == row["metrics"]["top1"]
    assert result.json["metrics"]["params"] == row["metrics"]["params"]
    assert result.json["metrics"]["nll"] == pytest.approx(row["metrics"]["nll"], abs=1e-4)
    assert result.json["ci95"]["top1"] == row["ci95"]["top1"]
    assert json.loads((tmp_path / "results.json").read_text()) == result.json
    shown = noisystudent(*command[:-1])
    assert f"{row['metrics']['top1']:.4g}" in shown.stdout


def test_evaluate_replaces_no_file_but_its_own(
    finished: Any, noisystudent: Command, refused: Callable[..., str], tmp_path: Path
) -> None:
    command = ["evaluate", "--model", finished.folder / "gen-0", "--data", finished.images.test, "--out"]
    assert noisystudent(*command, "own.json").status == 0
    others = {"own.json": ["evaluate", "--model", finished.folder / "gen-1", *command[3:]]}
    for name, text in (("notes.json", "[1]"), ("mine.txt", "mine"), ("odd.json", '{"provenance": 3}')):
        (tmp_path / name).write_text(text)
        others[name] = command
    for name, given in others.items():
        before = (tmp_path / name).read_bytes()
        assert f"--out {name} is there already, and holds no results of this model" in refused(*given, name)
        assert (tmp_path / name).read_bytes() == before


def test_evaluate_measures_robustness_and_goes_on_with_what_is_kept(
    finished: Any, noisystudent: Command, tmp_path: Path
) -> None:
    test = finished.images.test
    command = ["evaluate", "--model", finished.folder, "--data", test, "--suite", "clean,c,p,adversarial,calibration"]
    command += ["--val", test, "--out", "robust.json", "--json"]
    first = noisystudent(*command)
    assert first.status == 0, first.stderr
    metrics = first.json["metrics"]
    assert {"top1", "ece", "temperature", "mce", "ce_fog", "mfr", "fr_tilt", "fgsm_eps8", "pgd_eps16"} <= set(metrics)
    assert metrics["pgd_eps16"] <= metrics["top1"]
    assert first.json["suites"]["c"]["images"] == "corrupted here"
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "robust.cells").iterdir()}
    assert len(kept) == 1 + 19 * 5 + 10 + 6
    (tmp_path / "robust.cells" / "tilt.parquet").unlink()
    again = noisystudent(*command)
    assert again.json == first.json
    now = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "robust.cells").iterdir()}
    assert {name for name in kept if now[name] != kept[name]} == {"tilt.parquet"}
    assert "mce" in noisystudent(*command[:-1]).stdout


def test_profile_says_what_an_image_costs(finished: Any, noisystudent: Command) -> None:
    found = noisystudent("profile", finished.folder, "--batch", "4", "--json")
    assert found.status == 0, found.stderr
    metrics = found.json["metrics"]
    assert metrics["params"] == finished.result.json["rows"][-2]["metrics"]["params"]
    assert metrics["macs"] > metrics["macs_conv_linear"] > 0
    assert "images a second" in noisystudent("profile", finished.folder, "--size", "24").stdout


def test_classes_are_matched_by_name_whatever_their_order(
    finished: Any, noisystudent: Command, tmp_path: Path, images: Images
) -> None:
    rows = sorted(images.test.rglob("*.png"), reverse=True)
    with (tmp_path / "test.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label"], *([path, path.parent.name] for path in rows)])
    numbers = [int(path.parent.name == "disk") for path in rows]  # the model's indices, in place of names
    pq.write_table(pa.table({"path": [str(path) for path in rows], "label": numbers}), tmp_path / "numbers.parquet")
    accuracy = finished.result.json["rows"][0]["metrics"]["top1"]
    assert accuracy > 60
    for data in ("test.csv", "numbers.parquet"):
        measured = noisystudent("evaluate", "--model", finished.folder / "gen-0", "--data", data, "--json").json
        assert measured["metrics"]["top1"] == accuracy


def test_a_model_with_classes_that_the_data_do_not_have_is_measured_and_the_reverse_is_refused(
    finished: Any, noisystudent: Command, refused: Callable[..., str], images: Images, tmp_path: Path
) -> None:
    three = write_pictures(tmp_path / "three", 6, kinds=("bars", "disk", "ring"))
    config = write_configuration(tmp_path, "teacher.steps=8")
    trained = noisystudent("train", "--labeled", three, "--config", config, "--out", "three-classes", "--json")
    assert trained.status == 0, trained.stderr
    measured = noisystudent("evaluate", "--model", "three-classes", "--data", images.test, "--json").json
    assert measured["n"] == 16
    predicted = noisystudent("predict", "--model", "three-classes", "--images", images.test, "--out", "three.csv")
    assert predicted.status == 0
    right = [id.startswith(row["label"] + "/") for id, row in read_csv(tmp_path / "three.csv").items()]
    assert measured["metrics"]["top1"] == pytest.approx(100 * np.mean(right))
    message = refused("evaluate", "--model", finished.folder, "--data", three)
    assert "has classes that the model does not know: 'ring'; the model's are 'bars', 'disk'" in message


def test_predictions_are_the_same_in_csv_and_parquet(
    finished: Any, images: Images, noisystudent: Command, tmp_path: Path
) -> None:
    shutil.copy(images.test / "disk" / "200.png", images.unlabeled / 'a, "b"\n.png')
    (images.unlabeled / "broken.png").write_bytes(b"")
    predict = ["predict", "--model", finished.folder, "--images", images.unlabeled, "--json", "--out"]
    for name in ("new/labels.csv", "labels.parquet"):
        result = noisystudent(*predict, name)
        assert result.json == {
            "out": name,
            "model": result.json["model"],
            "images": 25,
            "skipped": [{"id": "broken.png", "stage": "label", "reason": "zero bytes"}],
        }
        assert "1 images cannot be read and are left out: 'broken.png': zero bytes" in result.message
    table = pq.read_table(tmp_path / "labels.parquet")
    rows = read_csv(tmp_path / "new" / "labels.csv")
    assert list(rows) == table["id"].to_pylist()
    assert [row["label"] for row in rows.values()] == table["label"].to_pylist()
    assert [float(row["confidence"]) for row in rows.values()] == pytest.approx(table["confidence"].to_pylist())
    assert 'a, "b"\n.png' in rows
    probabilities = np.array(table["probabilities"].to_pylist(), dtype=np.float64)
    names = np.array(ns.load_classifier(str(finished.folder)).class_names)
    assert (names[probabilities.argmax(axis=1)] == np.array(table["label"].to_pylist())).mean() > 0.9


def test_images_none_of_which_can_be_read_are_refused(
    finished: Any, refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"")
    for command, out in (("predict", "out.csv"), ("label", "labels")):
        message = refused(command, "--model", finished.folder, "--images", "bad", "--out", out)
        assert "none of the 1 images can be read; the first: zero bytes" in message
    (tmp_path / "bad.csv").write_text("path,label\nbad/a.png,disk\nbad/none.png,bars\n")
    message = refused("evaluate", "--model", finished.folder, "--data", "bad.csv")
    assert "none of the 2 images to evaluate on can be read" in message
    assert not (tmp_path / "out.csv").exists()
    assert not list((tmp_path / "labels").glob("*.parquet"))


def test_the_report_is_written_anew(finished: Any, noisystudent: Command) -> None:
    page = finished.folder / "report.html"
    before = page.read_bytes()
    page.unlink()
    result = noisystudent("report", finished.folder, "--json")
    assert result.json == {"report": str(page)}
    assert page.read_bytes() == before
    text = before.decode()
    for row in finished.result.json["rows"]:
        assert f"{row['metrics']['top1']:.1f}" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org/", "")


def test_recipes_expand_to_configurations_that_can_be_given_back(noisystudent: Command, tmp_path: Path) -> None:
    names = noisystudent("recipes", "--json").json
    assert names.keys() >= {"digits"}
    shown = noisystudent("recipes").stdout
    for name in names:
        assert name in shown
        (tmp_path / f"{name}.toml").write_text(noisystudent("recipes", name).stdout)
        assert ns.configure(config=tmp_path / f"{name}.toml") == ns.configure(name)


def test_a_dry_run_of_the_papers_recipe_has_the_published_steps_and_writes_nothing(
    finished: Any, noisystudent: Command, tmp_path: Path
) -> None:
    command = ["run", *finished.images.options, "--recipe", "svhn-b0", "--dry-run", "--set", "data.val_fraction=0"]
    plan = noisystudent(*command, "--json").json
    assert [(row["steps"], row["unlabeled_batch"]) for row in plan["networks"]] == [(109_474, 0), (109_474, 640)]
    assert plan["networks"][1]["last_rate"] == pytest.approx(9.1e-5, rel=2e-3)
    shown = noisystudent(*command).stdout
    assert "109,474 steps of 128 labeled and 640 pseudo-labeled images" in shown
    assert "nothing was trained" in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_dry_run_of_the_papers_largest_chain_ends_on_a_small_machine(finished: Any, noisystudent: Command) -> None:
    command = ["run", *finished.images.options, "--recipe", "imagenet-l2", "--dry-run", "--set", "data.val_fraction=0"]
    plan = noisystudent(*command, "--json").json
    rows = {row["name"]: row for row in plan["networks"]}
    assert list(rows) == ["teacher", *(f"student {n}{fix}" for n in (1, 2, 3) for fix in ("", " at 800 px"))]
    assert rows["teacher"]["parameters"] == pytest.approx(63.8e6, rel=1e-2)  # 66.35 million less the 1,000 classes
    for n, unlabeled in ((1, 57_344), (2, 57_344), (3, 114_688)):
        small, large = rows[f"student {n}"], rows[f"student {n} at 800 px"]
        assert (small["steps"], small["labeled_batch"], small["unlabeled_batch"]) == (109_474, 4096, unlabeled)
        assert (large["steps"], large["unlabeled_batch"], large["image_size"]) == (469, 0, 800)
        assert small["highest_rate"] == pytest.approx(0.256, rel=1e-3)  # in the last step of the warm-up
        assert small["last_rate"] == large["last_rate"] == pytest.approx(0.256 * 0.97**145)
        assert large["highest_rate"] == pytest.approx(3.1e-3, rel=0.01)
        assert small["memory"] > large["memory"] > 2**40  # more than a terabyte: the batch needs many machines


def test_a_run_says_where_its_time_went_when_asked_and_learns_the_same(
    finished: Any, noisystudent: Command, tmp_path: Path
) -> None:
    command = ["run", *finished.images.options, "--config", finished.configuration, "--out", "run"]
    shown = noisystudent(*command, "--profile").stdout
    assert "where the time went" in shown
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {"gen-0/train", "gen-1/label", "gen-1/select", "gen-1/train"} <= results["profile"].keys()
    assert "network, backward" in results["profile"]["gen-0/train"]
    assert "profile" not in finished.result.json
    for model in ("gen-0/model/model.safetensors", "gen-2/model/model.safetensors"):
        assert (tmp_path / "run" / model).read_bytes() == (finished.folder / model).read_bytes()


def test_a_run_at_an_address_is_that_in_a_folder(finished: Any, noisystudent: Command, tmp_path: Path) -> None:
    """fsspec's `local` stands in for a store: who asks for it by an address gets files and nothing else."""
    store, work = tmp_path / "store" / "run", tmp_path / "work"
    command = ["run", *finished.images.options, "--config", finished.configuration, "--out", f"local://{store}"]
    shown = noisystudent(*command, "--set", f"execution.working_folder={work}").stdout
    report = (store / "report.html").read_text()
    assert f"local://{store}" in report
    assert str(work) not in report.split("config.toml")[0]  # which names it, as it was set
    [copy] = [line.strip() for line in shown.splitlines() if "fsspec" in line]
    subprocess.run([sys.executable, "-c", copy], cwd=tmp_path, check=True)
    assert (tmp_path / "run" / "results.json").read_bytes() == (store / "results.json").read_bytes()
    for model in ("gen-0/model/model.safetensors", "gen-2/model/model.safetensors"):
        assert (store / model).read_bytes() == (finished.folder / model).read_bytes()
    assert (store / "best.link").read_text() == os.readlink(finished.folder / "best")
    assert [path.suffix for path in work.iterdir()] == [".lock"]
    images = finished.images.unlabeled
    tables = []
    for number, model in enumerate((store, finished.folder)):
        assert noisystudent("predict", "--model", model, "--images", images, "--out", f"{number}.csv").status == 0
        tables.append((tmp_path / f"{number}.csv").read_text())
    assert tables[0] == tables[1]


def test_a_run_needs_a_folder_unless_it_is_dry(finished: Any, refused: Callable[..., str]) -> None:
    assert "--out is missing" in refused("run", *finished.images.options)


def test_the_doctor_says_what_there_is(noisystudent: Command) -> None:
    findings = noisystudent("doctor", "--json").json
    assert findings["packages"]["torch"]
    assert findings["cores"] >= 1
    shown = noisystudent("doctor").stdout
    assert findings["python"] in shown
    assert "torch" in shown


def test_a_plan_needs_no_images_and_serves_as_rates_for_another(noisystudent: Command, tmp_path: Path) -> None:
    sizes = ["--labeled", "20", "--unlabeled", "1277", "--classes", "10", "--recipe", "digits"]
    less = ["--set", "teacher.steps=30", "--set", "student.steps=10", "--long-side", "16"]
    first = noisystudent("plan", *sizes, *less, "--json")
    assert first.status == 0, first.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "here.json").write_text(first.stdout)
    again = noisystudent("plan", *sizes, *less, "--rates", tmp_path / "here.json", "--workers", "2", "--json")
    one, two = json.loads(first.stdout), json.loads(again.stdout)
    assert two["seconds"] == pytest.approx(one["seconds"], rel=1e-3)  # rates have four digits
    assert two["hours"] == pytest.approx(one["hours"] / 2, rel=1e-3)
    assert [row["name"] for row in one["stages"]][:3] == [
        "training teacher",
        "labeling for student 1",
        "training student 1",
    ]
    assert one["stages"][0]["images"] == 30 * 32
    assert all(rate > 0 for network in one["rates"].values() for rate in network.values())
