"""Runs followed in each tracker, offline: what it was told is read back by the tracker's own reader."""

import json
import struct
import sys
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path

import pytest
import wandb
from user_inputs import quick, write_images

from noisystudent import tracking
from noisystudent.config import Config
from noisystudent.errors import UserError
from noisystudent.pipeline import run
from noisystudent.training.metrics_log import MetricsLog, read_metrics

Curves = dict[str, dict[str, dict[int, float]]]  # network -> metric -> step -> value
TRACKIO = Path(sys.prefix) / "peers" / "trackio"  # apart, since it needs an older Pillow than ours (Makefile)
HAVE_TRACKIO = TRACKIO.is_dir() or util.find_spec("trackio") is not None


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every tracker's own files below a folder, and no connection."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlruns")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    if TRACKIO.is_dir():
        monkeypatch.syspath_prepend(TRACKIO)
    yield tmp_path
    wandb.teardown()  # it looks at its variables once a process


def config(folder: Path, *settings: str) -> Config:
    images = write_images(folder)
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    plain = quick("data.val_fraction=0.0", "execution.log_steps=1", *settings, generations=1)
    return plain.model_copy(update={"data": plain.data.model_copy(update=sources)})


def tensorboard_curves(folder: Path) -> Curves:
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    reader = EventMultiplexer().AddRunsFromDirectory(str(folder / "run" / "tensorboard")).Reload()
    return {
        name: {
            tag: {event.step: event.value for event in reader.Scalars(name, tag)}
            for tag in reader.Runs()[name]["scalars"]
        }
        for name in reader.Runs()
    }


def mlflow_curves(_: Path) -> Curves:
    from mlflow import MlflowClient

    client = MlflowClient()
    (experiment,) = client.search_experiments(filter_string="name = 'noisystudent'")
    return {
        found.info.run_name.removeprefix("run/"): {
            name: {m.step: m.value for m in client.get_metric_history(found.info.run_id, name)}
            for name in found.data.metrics
        }
        for found in client.search_runs([experiment.experiment_id])
    }


def trackio_curves(_: Path) -> Curves:
    import trackio

    found: Curves = {}
    for one in trackio.Api().runs("noisystudent"):
        name = one.name.removeprefix("run/").split(" ")[0]
        for row in trackio.SQLiteStorage.get_logs("noisystudent", one.name):
            for metric, value in row.items():
                if isinstance(value, float):
                    found.setdefault(name, {}).setdefault(metric, {})[row["step"]] = value
    return found


def wandb_records(file: Path) -> Iterator[bytes]:
    """Of a file of W&B's: behind seven bytes a log as LevelDB writes it, in blocks of 32 KiB; no reader of theirs is public."""
    data, at, whole = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


def wandb_curves(folder: Path) -> Curves:
    from wandb.proto.wandb_internal_pb2 import Record

    found: Curves = {}
    for file in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        name = ""
        for data in wandb_records(file):
            record = Record.FromString(data)
            name = record.run.display_name.removeprefix("run/") or name
            row = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            for metric, value in row.items():
                if not metric.startswith("_"):
                    found.setdefault(name, {}).setdefault(metric, {})[row["_step"]] = value
    return found


@pytest.mark.parametrize(
    ("tracker", "curves"),
    [
        ("tensorboard", tensorboard_curves),
        ("mlflow", mlflow_curves),
        ("wandb", wandb_curves),
        pytest.param(
            "trackio", trackio_curves, marks=pytest.mark.skipif(not HAVE_TRACKIO, reason="Trackio is not installed")
        ),
    ],
)
def test_each_network_is_a_run_with_what_its_log_and_results_say(
    offline: Path, tracker: str, curves: Callable[[Path], Curves], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = offline / "run"
    run(config(offline, f"execution.trackers=['{tracker}']"), folder)
    assert capsys.readouterr().out == ""
    found = curves(offline)
    assert sorted(found) == ["baseline", "gen-0", "gen-1"]
    for name, metrics in found.items():
        losses = {
            line["step"]: line["loss"] for line in read_metrics(folder / name / "metrics.jsonl") if "loss" in line
        }
        assert metrics["loss"] == pytest.approx(losses)
        results = json.loads((folder / name / "results.json").read_text())
        assert list(metrics["test_top1"].values()) == pytest.approx([results["test"]["metrics"]["top1"]])


def test_a_training_that_goes_on_does_so_in_the_same_run_of_the_tracker(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As a signal: nothing of ours catches it."""

    def kill(self: MetricsLog, line: dict[str, float]) -> None:
        append(self, line)
        if line["step"] == 2:
            raise Killed

    settings = config(offline, "execution.trackers=['mlflow','tensorboard','wandb']", "execution.checkpoint_seconds=0")
    append = MetricsLog.append
    with monkeypatch.context() as patched:
        patched.setattr(MetricsLog, "append", kill)
        with pytest.raises(Killed):
            run(settings, offline / "run")
    run(settings, offline / "run")
    for curves in (mlflow_curves, tensorboard_curves, wandb_curves):
        found = curves(offline)
        assert sorted(found) == ["baseline", "gen-0", "gen-1"], curves
        assert list(found["gen-0"]["loss"]) == list(range(1, settings.teacher.steps + 1)), curves
    assert len({file.name for file in offline.glob("wandb/offline-run-*/*.wandb")}) == 3


def test_a_tracker_that_fails_ends_no_training(
    offline: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: tracking.Followed) -> tracking.Tracked:
        def log(values: tracking.Values, step: int) -> None:
            raise OSError("no space left on device\nand more")

        return tracking.Tracked(log, lambda: None, "")

    monkeypatch.setitem(tracking._OPENERS, "wandb", broken)
    results = run(config(offline, "execution.trackers=['wandb','tensorboard']"), offline / "run")
    assert len(results["rows"]) == 3
    said = [record.getMessage() for record in caplog.records if "told no more" in record.getMessage()]
    assert said == [
        f"wandb is told no more of {name}: no space left on device" for name in ("gen-0", "gen-1", "baseline")
    ]
    assert sorted(tensorboard_curves(offline)) == ["baseline", "gen-0", "gen-1"]


def test_following_changes_no_bit(offline: Path) -> None:
    for name, setting in (("with", "['tensorboard']"), ("without", "[]")):
        (offline / name).mkdir()
        run(config(offline / name, f"execution.trackers={setting}"), offline / name / "run")
    one, other = (offline / name / "run/gen-1/model/model.safetensors" for name in ("with", "without"))
    assert one.read_bytes() == other.read_bytes()


def test_what_cannot_be_followed_is_told_before_any_work(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb.teardown()
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(offline))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://nowhere")
    monkeypatch.setattr(tracking.util, "find_spec", lambda name: None if name == "trackio" else True)
    with pytest.raises(UserError) as refused:
        run(config(offline, "execution.trackers=['wandb','mlflow','trackio']"), offline / "run")
    account, store, missing = refused.value.problems
    assert account == "execution.trackers: wandb knows no account here: `wandb login`, or WANDB_MODE=offline"
    assert store.startswith("execution.trackers: mlflow cannot begin: ")
    assert missing.startswith("execution.trackers: trackio is not installed: ")
    assert missing.endswith("install trackio")
    assert not (offline / "run").exists()


def test_nothing_is_followed_unless_asked_for(offline: Path) -> None:
    run(config(offline), offline / "run")
    assert not (offline / "run" / "tensorboard").exists()
    assert not (offline / "wandb").exists()
