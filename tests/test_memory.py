"""What is free is what the machine and every control group leave."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from noisystudent import memory

PLENTY = psutil.virtual_memory().total


def group(folder: Path, names: memory._Files, allowed: object, taken: int, cached: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names.allowed).write_text(f"{allowed}\n")
    (folder / names.taken).write_text(f"{taken}\n")
    lines = [f"{names.cached[0]} {cached}", f"{names.cached[1]} 0", "anon 7", "inactive_anon 9"]
    (folder / "memory.stat").write_text("\n".join(lines) + "\n")


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "below", "names"), [("0::", "", memory.SECOND), ("4:cpu,memory:", "memory", memory.FIRST)]
)
def test_a_group_and_those_around_it_bound_what_is_free(
    groups: Path, line: str, below: str, names: memory._Files
) -> None:
    (groups / "own").write_text(f"1:name=systemd:/other\n{line}/jobs/one\n")
    root = groups / "groups" / below
    group(root / "jobs" / "one", names, 1000, 700, 200)
    assert memory.available() == 500
    group(root / "jobs", names, 10_000, 9_900, 0)
    assert memory.available() == 100
    group(root / "jobs", names, 10_000, 10_050, 0)  # for a moment more may be taken than is allowed
    assert memory.available() == 0


@pytest.mark.parametrize("path", ["/", "/docker/what/the/host/sees"])
def test_a_container_sees_its_own_group_as_the_root(groups: Path, path: str) -> None:
    (groups / "own").write_text(f"0::{path}\n")
    group(groups / "groups", memory.SECOND, 1000, 400, 0)
    assert memory.available() == 600


@pytest.mark.parametrize("allowed", ["max", 2**63 - 4096])
def test_a_group_without_a_bound_leaves_what_the_machine_has(groups: Path, allowed: object) -> None:
    (groups / "own").write_text("0::/jobs\n")
    group(groups / "groups" / "jobs", memory.SECOND, allowed, 400, 0)
    assert 0 < memory.available() < PLENTY


def test_without_control_groups_it_is_the_machine_s(groups: Path) -> None:
    assert 0 < memory.available() < PLENTY
