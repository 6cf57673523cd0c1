import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from noisystudent.config import Config, Training, load_config
from noisystudent.config.settings import apply_settings
from noisystudent.errors import UserError
from noisystudent.run_plan import run_stages
from noisystudent.rundir import RunDir, environment, locked, open_run
from noisystudent.stopping import Stopped

CONFIG = Config(teacher=Training(model="resnet9_8"), seed=11)


def files(path: Path) -> set[str]:
    return {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}


def test_a_stage_is_done_once_and_its_record_returned(tmp_path: Path) -> None:
    calls = []

    def work() -> dict[str, object]:
        calls.append(1)
        return {"kept": 3, "warnings": ["few"]}

    run = RunDir(tmp_path)
    first = run.stage("gen-1/select", work)
    again = RunDir(tmp_path).stage("gen-1/select", work)
    assert first == again
    assert first["kept"] == 3
    assert first["seconds"] >= 0
    assert len(calls) == 1


def test_a_stage_that_failed_is_done_again(tmp_path: Path) -> None:
    def fail() -> dict[str, object]:
        raise OSError("disk full")

    run = RunDir(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        run.stage("prepare", fail)
    assert not (run.path / ".stages" / "prepare.json").exists()
    assert run.stage("prepare", lambda: {"n": 1})["n"] == 1


def test_the_time_of_a_stage_counts_the_attempts_that_were_stopped_or_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "time", lambda: clock[0])
    run, checkpoint = RunDir(tmp_path), tmp_path / "gen-1" / "checkpoints" / "last.pt"
    checkpoint.parent.mkdir(parents=True)

    def work_for(seconds: float, then: BaseException | None = None) -> dict[str, object]:
        clock[0] += seconds
        if then:
            raise then
        return {}

    with pytest.raises(Stopped):
        run.stage("gen-1/train", lambda: work_for(50, Stopped("stopped", 15)))
    clock[0] += 5000  # nobody works
    left = []

    def until_killed() -> dict[str, object]:
        left.append(run._begun("gen-1/train").read_bytes())
        checkpoint.touch()
        os.utime(checkpoint, (clock[0] + 30, clock[0] + 30))
        raise SystemExit

    with pytest.raises(SystemExit):
        run.stage("gen-1/train", until_killed)
    run._begun("gen-1/train").write_bytes(left[0])  # a kill leaves what was written at the beginning
    clock[0] += 5000
    assert run.stage("gen-1/train", lambda: work_for(7))["seconds"] == 50 + 30 + 7
    assert files(run.path) == {".stages/gen-1.train.json", "gen-1/checkpoints/last.pt"}


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "noisystudent")
    return caplog


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("gen-0/evaluate", "teacher: few"),
        ("gen-2/select", "student 2: few"),
        ("baseline/evaluate", "baseline: few"),
        ("leaks", "few"),
        ("robustness/c-p", "few"),
    ],
)
def test_a_stage_says_its_warnings_once_and_of_which_network(
    stage: str, shown: str, tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        RunDir(tmp_path).stage(stage, lambda: {"warnings": ["few"]})
    assert said.messages == [shown]


def test_a_run_that_goes_on_counts_the_warnings_of_before(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    def work() -> dict[str, object]:
        return {"warnings": ["few"]}

    for stages in (["prepare"], ["prepare", "gen-0/evaluate"], []):
        said.clear()
        with open_run(tmp_path / "run", CONFIG, whole=False) as run:
            for stage in stages:
                run.stage(stage, work)
        before, *rest = said.messages or [""]
        if stages == ["prepare", "gen-0/evaluate"]:
            assert before == f"going on with the run in {run.path}; the warning of what is done is in its report"
            assert rest == ["teacher: few"]
    assert before == f"going on with the run in {run.path}; the 2 warnings of what is done are in its report"


def test_stages_are_counted_as_they_begin(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    with open_run(tmp_path / "run", CONFIG) as run:
        for stage in run_stages(CONFIG):
            run.stage(stage, dict)
    assert said.messages == [
        "stage 1 of 3: reading the images",
        "stage 2 of 3: training the teacher",
        "stage 3 of 3: evaluating the teacher",
    ]


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    assert run.generation(0) == tmp_path / "gen-0"
    assert run.generation(12) == tmp_path / "gen-12"
    assert run.baseline == tmp_path / "baseline"
    assert run.manifest("unlabeled") == tmp_path / "data" / "unlabeled.parquet"


def test_a_new_run_writes_its_configuration_and_its_environment(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", CONFIG) as run:
        assert run.path == tmp_path / "run"
    assert load_config(tmp_path / "run/config.toml") == CONFIG
    recorded = json.loads((tmp_path / "run/environment.json").read_text())
    assert recorded["seed"] == 11
    assert recorded["packages"]["torch"] == metadata.version("torch")
    assert recorded["python"] == ".".join(map(str, sys.version_info[:3]))
    assert recorded["command"] == sys.argv
    assert recorded["machine"]["cores"] == os.cpu_count()
    assert recorded["packages"].keys() == environment(0)["packages"].keys()
    assert ".holder.json" not in files(tmp_path / "run")


def begun(path: Path, config: Config = CONFIG) -> None:
    with open_run(path, config) as run:
        run.stage("prepare", dict)
        run.stage("gen-0/train", dict)


def test_the_same_configuration_goes_on(tmp_path: Path) -> None:
    begun(tmp_path / "run")
    before = (tmp_path / "run/environment.json").read_bytes()
    execution = apply_settings(CONFIG, ["execution.workers=5"])  # how it is carried out may change
    with open_run(tmp_path / "run", execution) as run:
        assert (run.path / ".stages" / "prepare.json").exists()
    assert (tmp_path / "run/environment.json").read_bytes() == before
    assert load_config(tmp_path / "run/config.toml") == CONFIG


def test_another_configuration_is_refused_with_the_differences_named(tmp_path: Path) -> None:
    begun(tmp_path / "run")
    other = apply_settings(CONFIG, ["teacher.steps=5", "seed=12"])
    with pytest.raises(UserError) as caught, open_run(tmp_path / "run", other):
        pytest.fail("the folder was opened")
    assert str(tmp_path / "run") in caught.value.problems[0]
    assert "another --out" in caught.value.problems[0]
    assert sorted(caught.value.problems[1:]) == ["seed: 12, not 11", "teacher.steps: 5, not 1000"]
    assert load_config(tmp_path / "run/config.toml") == CONFIG
    with open_run(tmp_path / "run", CONFIG):  # and the folder is not held any more
        pass


def test_a_folder_with_a_failed_start_is_free_again(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", CONFIG) as run:
        run.stage("prepare", dict)
    other = apply_settings(CONFIG, ["teacher.steps=5"])
    with open_run(tmp_path / "run", other) as run:
        assert run.stage("prepare", lambda: {"again": True})["again"]  # nothing of the first start is taken over
    assert load_config(tmp_path / "run/config.toml") == other


def test_a_checkpoint_alone_keeps_a_folder_from_another_configuration(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", CONFIG) as run:
        (run.generation(0) / "checkpoints").mkdir(parents=True)
        (run.generation(0) / "checkpoints" / "last.pt").touch()
    with (
        pytest.raises(UserError, match="begun with another"),
        open_run(tmp_path / "run", apply_settings(CONFIG, ["teacher.steps=5"])),
    ):
        pytest.fail("the folder was opened")


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("precious")
    with pytest.raises(UserError, match="out is a file"), locked(path):
        pytest.fail("held")
    with pytest.raises(UserError, match="cannot be written"), locked(path / "below"):
        pytest.fail("held")
    assert path.read_text() == "precious"


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("precious")
    with pytest.raises(UserError, match="holds files that no run of ours wrote"), locked(tmp_path):
        pytest.fail("held")
    assert files(tmp_path) == {"holiday.jpg"}


def test_an_empty_folder_and_one_of_ours_are_taken(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path, tmp_path / "deep" / "er"):
        with locked(path):
            (path / "result").touch()


def test_a_failure_inside_lets_the_folder_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError("x")
    with locked(tmp_path):
        assert json.loads((tmp_path / ".holder.json").read_text())["pid"] == os.getpid()


HOLD = """
import sys
import time
from pathlib import Path
from noisystudent.rundir import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_holds_the_folder(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with (
        pytest.raises(UserError, match=rf"in use by process {holder.pid} on \S+ since 20\d\d-"),
        locked(tmp_path / "run"),
    ):
        pytest.fail("held twice")
    with pytest.raises(UserError, match=f"process {holder.pid}"), open_run(tmp_path / "run", CONFIG):
        pytest.fail("held twice")
    assert (tmp_path / "run/.holder.json").exists()  # the refused one took nothing away


def test_a_killed_process_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert (tmp_path / "run/.holder.json").exists()
    with locked(tmp_path / "run"):
        assert json.loads((tmp_path / "run/.holder.json").read_text())["pid"] == os.getpid()
