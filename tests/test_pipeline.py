"""The loop does the stages that `run_stages` lists, in that order: whoever shows or counts them can rely on it."""

from pathlib import Path
from typing import Any

import pytest
from user_inputs import quick, write_images

from noisystudent.config.settings import apply_settings
from noisystudent.inference.predict import predict
from noisystudent.pipeline import run
from noisystudent.report.run_reader import read_run
from noisystudent.run_plan import run_networks, run_stages
from noisystudent.rundir import RunDir

FIX = ("student.resolution_fix.image_size=16", "student.resolution_fix.steps=2")


@pytest.mark.parametrize("settings", [(), ("baseline=false",), (*FIX, "robustness=['calibration']")])
def test_the_loop_does_the_stages_that_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: tuple[str, ...]
) -> None:
    done: list[str] = []
    stage = RunDir.stage

    def recorded(self: RunDir, name: str, work: Any, **how: bool) -> dict[str, Any]:
        done.append(name)
        return stage(self, name, work, **how)

    monkeypatch.setattr(RunDir, "stage", recorded)
    images = write_images(tmp_path)
    config = apply_settings(quick("teacher.steps=3", "student.steps=3"), settings)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    config = config.model_copy(update={"data": config.data.model_copy(update=sources)})
    results = run(config, tmp_path / "run")
    assert done == run_stages(config)
    assert [row["name"] for row in results["rows"]] == [network.name for network in run_networks(config)]
    assert read_run(tmp_path / "run").missing == []
    costs = {row["name"]: row["cost"] for row in results["rows"]}
    seconds = {stage: record["seconds"] for stage, record in RunDir(tmp_path / "run").records().items()}
    for network in run_networks(config):  # its own stages and, but for the baseline's, all that came before
        last = max(position for position, name in enumerate(done) if name.startswith(f"{network.folder}/"))
        led_to_it = [name for name in done[: last + 1] if not name.startswith("baseline/")]
        if network.name == "baseline":
            led_to_it = [name for name in done if name.startswith("baseline/")]
        assert costs[network.name]["seconds"] == round(sum(seconds[name] for name in led_to_it), 1)
    assert results["cost"]["seconds"] == round(sum(seconds[name] for name in done), 1)
    own = costs.pop("baseline")["training_pflop"] if config.baseline else 0.0
    until = [cost["training_pflop"] for cost in costs.values()]
    assert until == sorted(set(until))  # each network adds to what came before
    assert until[-1] + own == pytest.approx(results["cost"]["training_pflop"], rel=1e-3)


def test_where_nothing_is_held_out_no_baseline_is_trained_and_predict_says_which_model_it_used(tmp_path: Path) -> None:
    images = write_images(tmp_path)
    config = apply_settings(quick("teacher.steps=3", "student.steps=3", "data.val_fraction=0.0"), ())
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled)}
    config = config.model_copy(update={"data": config.data.model_copy(update=sources)})
    folder = tmp_path / "run"
    results = run(config, folder)
    assert [row["name"] for row in results["rows"]] == ["teacher", "student 1", "student 2"]
    assert not (folder / "baseline").exists()
    assert read_run(folder).missing == []
    assert results["answer"]["sentence"].startswith("It was not measured whether the")
    assert "No baseline was trained" in (folder / "report.html").read_text()
    said = predict(str(folder), str(images.unlabeled), tmp_path / "labels.csv")["model"]
    assert (
        said
        == f"student 2 (gen-2) of {folder}: the last student; there were no validation images to compare networks on"
    )
