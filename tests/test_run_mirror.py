"""A run folder at an address: fsspec's memory and its folders stand in for a store."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile
from user_inputs import quick, write_images

from noisystudent import run_mirror
from noisystudent.config import Config, Execution
from noisystudent.errors import RunError, UserError
from noisystudent.models.loading import stands_for
from noisystudent.pipeline import run
from noisystudent.run_mirror import IN_USE, Mirror, mirrored
from noisystudent.rundir import model_folder

ADDRESS = "memory://runs/one"


@pytest.fixture
def memory() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


@pytest.fixture
def execution(tmp_path: Path) -> Execution:
    return Execution(device="cpu", checkpoint_seconds=0, working_folder=str(tmp_path / "work"))


def held(files: Any) -> dict[str, bytes]:
    return {name.removeprefix("/runs/one/"): files.cat_file(name) for name in files.find("/runs/one")}


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_path_is_worked_on_itself(tmp_path: Path, execution: Execution) -> None:
    with mirrored(tmp_path / "run", execution) as folder:
        assert folder == tmp_path / "run"
    assert not (tmp_path / "work").exists()


def test_what_is_done_is_there_and_goes_on_from_there_on_another_machine(
    memory: Any, execution: Execution, tmp_path: Path
) -> None:
    with mirrored(ADDRESS, execution) as folder:
        write(folder, config_dot_toml="a", **{"gen-0__model": "weights"})
        write(folder, **{".x.tmp": "half", "gen-0__.y.tmp": "half", ".lock": "", ".holder.json": "me"})
        (folder / "best").symlink_to("gen-0")
    assert held(memory) == {".lock": b"", "config.toml": b"a", "gen-0/model": b"weights", "best.link": b"gen-0"}
    assert not folder.exists()
    other = execution.model_copy(update={"working_folder": str(tmp_path / "other")})
    with mirrored(Path("memory://runs/one/"), other) as folder:
        assert (folder / "best" / "model").read_text() == "weights"
        (folder / "best").unlink()
        (folder / "best").symlink_to("gen-1")
        (folder / "config.toml").unlink()
        write(folder, **{"gen-1__model": "better"})
    assert held(memory) == {".lock": b"", "gen-0/model": b"weights", "gen-1/model": b"better", "best.link": b"gen-1"}


def test_it_is_copied_while_the_work_goes_on_and_records_come_last(
    memory: Any, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_mirror, "SHORTEST", 0.05)
    put, removed, copied = [], [], threading.Event()
    to_store, from_store = Mirror._put, Mirror._remove

    def noted(self: Mirror, name: str) -> None:
        to_store(self, name)
        put.append(name)
        if name.startswith(".stages"):
            copied.set()

    def noted_too(self: Mirror, names: Iterable[str]) -> None:
        names = list(names)
        from_store(self, names)
        removed.extend(names)

    monkeypatch.setattr(Mirror, "_put", noted)
    monkeypatch.setattr(Mirror, "_remove", noted_too)
    with mirrored(ADDRESS, execution) as folder:
        for name in ("z", ".stages/a.json", "a"):  # whole at once, as a pass sees them
            write(folder, **{f"{name.replace('/', '__')}": "1"})
        assert copied.wait(30)
        (folder / "a").unlink()
        (folder / ".stages" / "a.json").unlink()
    assert put.index(".stages/a.json") > 0
    assert sorted(removed) == [".stages/a.json", "a"]
    assert held(memory) == {"z": b"1"}


def stopped(execution: Execution, **texts: str) -> Path:
    """The folder of a run that wrote so much, over what it found, and failed."""
    folders = []
    with pytest.raises(ZeroDivisionError):
        fail(execution, folders, texts)
    return folders[0]


def fail(execution: Execution, folders: list[Path], texts: dict[str, str]) -> None:
    with mirrored(ADDRESS, execution) as folder:
        folders.append(folder)
        write(folder, _dot_lock="", **texts)
        raise ZeroDivisionError


def test_a_folder_that_is_ahead_of_its_address_goes_on_and_one_that_is_behind_is_fetched_anew(
    memory: Any, execution: Execution
) -> None:
    folder = stopped(execution, a="1", b="1")  # what is here spares the fetching
    write(folder, a="2")  # as if it had been killed before it was copied
    assert stopped(execution) == folder
    assert held(memory) == {".lock": b"", "a": b"2", "b": b"1"}
    memory.pipe_file("/runs/one/a", b"elsewhere")
    memory.rm_file("/runs/one/b")
    write(folder, c="not copied, and of a run that went on elsewhere")
    with mirrored(ADDRESS, execution) as again:
        assert sorted(path.name for path in again.iterdir()) == [".lock", "a"]
        assert (again / "a").read_text() == "elsewhere"


def test_an_address_with_files_of_somebody_else_is_refused_and_left_as_it_is(memory: Any, execution: Execution) -> None:
    memory.pipe_file("/runs/one/holiday.jpg", b"x")
    with pytest.raises(UserError, match="holds files that no run of ours wrote"), mirrored(ADDRESS, execution):
        pass
    assert held(memory) == {"holiday.jpg": b"x"}


def test_a_folder_here_that_somebody_emptied_takes_nothing_away_there(memory: Any, execution: Execution) -> None:
    shutil.rmtree(stopped(execution, a="1"))
    with mirrored(ADDRESS, execution) as folder:
        assert (folder / "a").read_text() == "1"
    assert held(memory) == {".lock": b"", "a": b"1"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("best.link", b"/etc", r"best.link leads to '/etc', out of the run"),
        ("best.link", b"..", r"leads to '..'"),
        ("a/../../b", b"x", r"holds names that no run of ours gives: 'a/../../b'"),
        ("a\\b", b"x", "holds names that no run of ours gives"),
    ],
)
def test_what_an_address_holds_is_written_nowhere_but_in_the_folder(
    name: str, content: bytes, said: str, memory: Any, execution: Execution
) -> None:
    memory.pipe_file("/runs/one/.lock", b"")
    memory.store[f"/runs/one/{name}"] = MemoryFile(None, f"/runs/one/{name}", content)
    with pytest.raises(UserError, match=said), mirrored(ADDRESS, execution):
        pass
    assert f"/runs/one/{IN_USE}" not in memory.store


def test_one_run_at_a_time_is_at_an_address(memory: Any, execution: Execution, tmp_path: Path) -> None:
    other = execution.model_copy(update={"working_folder": str(tmp_path / "other")})
    with mirrored(ADDRESS, execution):
        with (
            pytest.raises(UserError, match=f"memory://runs/one is in use by process {os.getpid()} on .* since"),
            mirrored(ADDRESS, other),
        ):
            pass
        with pytest.raises(UserError, match="in use by another process on this machine"), mirrored(ADDRESS, execution):
            pass
    with mirrored(ADDRESS, other):  # it was let go
        pass


def test_of_a_run_that_was_killed_here_the_hold_is_taken_and_of_one_elsewhere_it_is_told_what_to_do(
    memory: Any, execution: Execution
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for host, taken in ((socket.gethostname(), True), ("elsewhere", False)):
        holder = {"token": "another folder's", "pid": ended.pid, "host": host, "since": "2026"}
        memory.pipe_file(f"/runs/one/{IN_USE}", json.dumps(holder).encode())
        if taken:
            with mirrored(ADDRESS, execution):
                pass
        else:
            with pytest.raises(UserError, match=rf"delete memory://runs/one/{IN_USE}"), mirrored(ADDRESS, execution):
                pass


def test_a_store_that_fails_half_way_loses_nothing(
    memory: Any, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, put = stopped(execution, a="1", b="1"), Mirror._put

    def fail_at_b(self: Mirror, name: str) -> None:
        if name == "b":
            raise PermissionError("no")
        put(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(Mirror, "_put", fail_at_b)
        said = pytest.raises(RunError, match=r"could not be copied to memory://runs/one .*: give the command again")
        with said, mirrored(ADDRESS, execution) as again:
            assert again == folder
            write(folder, a="22", b="22")
    assert held(memory) | {IN_USE: b""} == {".lock": b"", "a": b"22", "b": b"1", IN_USE: b""}  # half of it is there
    with mirrored(ADDRESS, execution):
        assert (folder / "b").read_text() == "22"
    assert held(memory) == {".lock": b"", "a": b"22", "b": b"22"}


@pytest.mark.parametrize(
    ("address", "said"),
    [("nowhere://b/run", "nowhere:// is not known"), ("s3://b/run", "s3:// needs a package that is missing")],
)
def test_an_address_that_cannot_be_used_is_told(address: str, said: str, execution: Execution) -> None:
    with pytest.raises(UserError, match=said), mirrored(address, execution):
        pass


def test_several_machines_need_a_folder_that_all_see(
    memory: Any, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with (
        pytest.raises(UserError, match="on several machines give a folder that all of them see"),
        mirrored(ADDRESS, execution),
    ):
        pass


def test_a_run_at_an_address_is_the_run_in_a_folder(memory: Any, tmp_path: Path) -> None:
    images = write_images(tmp_path)
    config = quick(
        "teacher.steps=3", "student.steps=3", "baseline=false", f"execution.working_folder={tmp_path / 'work'}"
    )
    sources = {"labeled": str(images.labeled), "unlabeled": str(images.unlabeled), "test": str(images.test)}
    config = config.model_copy(update={"data": config.data.model_copy(update=sources)})
    assert isinstance(config, Config)
    there, here = run(config, ADDRESS), run(config, tmp_path / "run")
    assert [row["metrics"] for row in there["rows"]] == [row["metrics"] for row in here["rows"]]
    copied = held(memory)
    for path in (tmp_path / "run").rglob("*.safetensors"):
        name = path.relative_to(tmp_path / "run").as_posix()
        if not name.startswith("best/"):
            assert copied[name] == path.read_bytes()
    assert copied["best.link"].decode() == os.readlink(tmp_path / "run" / "best")
    assert {"config.toml", "results.json", "report.html", ".stages/gen-1.train.json"} <= copied.keys()
    assert run(config, ADDRESS)["rows"] == there["rows"]  # all stages are done
    memory.get("/runs/one", str(tmp_path / "copy"), recursive=True)
    best = model_folder(tmp_path / "run")
    assert model_folder(tmp_path / "copy").relative_to(tmp_path / "copy") == best.resolve().relative_to(
        tmp_path / "run"
    )
    assert stands_for(tmp_path / "copy") == stands_for(tmp_path / "run").replace(
        str(tmp_path / "run"), str(tmp_path / "copy")
    )
