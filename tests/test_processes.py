import json
from pathlib import Path

import pytest
from launched import launched

from noisystudent import processes

TALK = """
import json, sys
from pathlib import Path
from noisystudent import processes
from noisystudent.errors import UserError

number = processes.number()
found = {
    "count": processes.count(),
    "first": processes.from_first(lambda: [number, processes.count(), processes.from_first(lambda: processes.is_first())]),
    "any": processes.any_of_them(number == 1, False, True),
    "own": list(processes.own(range(7))),
    "shared": list(processes.shared(range(7), lambda own: ([number, thing] for thing in own))),
    "none": list(processes.shared([], lambda own: own)),
}
Path(f"{number}.json").write_text(json.dumps(found))

def fail():
    raise ValueError("only here")

try:
    processes.from_first(fail)
except BaseException as error:
    Path(f"{number}.error").write_text(type(error).__name__)

def fail_in_one(own):
    if 5 in own:
        raise UserError(["the first", "the second"])
    return own

try:
    processes.shared(range(7), fail_in_one)
except UserError as error:
    Path(f"{number}.problems").write_text(" ".join(error.problems))
"""


def test_three_processes_do_a_thing_once_and_share_what_is_to_be_done(tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(TALK)
    finished = launched(3, "talk.py", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    said = [json.loads((tmp_path / f"{number}.json").read_text()) for number in range(3)]
    # While the first does something for all it is alone: what it calls waits for nobody.
    assert all(found["first"] == [0, 1, True] for found in said)
    assert all((found["count"], found["any"]) == (3, [True, False, True]) for found in said)
    everything = [[place % 3, place] for place in range(7)]
    assert all((found["shared"], found["none"]) == (everything, []) for found in said)
    assert {(tmp_path / f"{number}.problems").read_text() for number in range(3)} == {"the first the second"}
    assert [found["own"] for found in said] == [[0, 3, 6], [1, 4], [2, 5]]
    assert [(tmp_path / f"{number}.error").read_text() for number in range(3)] == [
        "ValueError",
        "SystemExit",
        "SystemExit",
    ]


@pytest.mark.parametrize("missing", [None, *processes.STARTED])
def test_one_that_no_launcher_started_is_alone(monkeypatch: pytest.MonkeyPatch, missing: str | None) -> None:
    """Some machines set WORLD_SIZE for whatever they start."""
    for name in processes.STARTED:
        monkeypatch.setenv(name, "2") if missing not in (None, name) else monkeypatch.delenv(name, raising=False)
    assert (processes.count(), processes.number(), processes.is_first()) == (1, 0, True)
    assert processes.any_of_them(True, False) == [True, False]
    assert processes.from_first(lambda: "here") == "here"
