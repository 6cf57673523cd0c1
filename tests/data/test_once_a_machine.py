import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from launched import launched
from PIL import Image
from torch import Tensor

from noisystudent.data import once_a_machine as module
from noisystudent.data.once_a_machine import once_a_machine

pytestmark = pytest.mark.skipif(not module.POSSIBLE, reason="Linux alone shares memory so")
TWO = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}


@pytest.fixture
def one_of_two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**TWO, "MASTER_PORT": tmp_path.name}.items():
        monkeypatch.setenv(name, value)
    gc.collect()
    for thread in givers():  # of the test before
        thread.join(10)


def sevens(memory: Tensor) -> list[str]:
    memory.fill_(7)
    return ["said"]


def at_once(*fills: Callable[[Tensor], object]) -> list[object]:
    """What as many threads get that ask at once; an error where they raise one."""
    with ThreadPoolExecutor(len(fills)) as threads:
        asked = [threads.submit(once_a_machine, lambda: "what", 5, fill) for fill in fills]
        return [future.exception() or future.result() for future in asked]


def givers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "once a machine"]


@pytest.mark.usefixtures("one_of_two")
def test_it_is_filled_once_and_all_have_the_same_pages() -> None:
    filled = []

    def fill(memory: Tensor) -> list[str]:
        filled.append(1)
        time.sleep(0.1)
        return sevens(memory)

    (first, said), (second, told) = at_once(fill, fill)
    assert filled == [1]
    assert said == told == ["said"]
    assert first.tolist() == [7] * 5
    first[0] = 9
    assert second.tolist() == [9, 7, 7, 7, 7]


@pytest.mark.usefixtures("one_of_two")
def test_one_that_cannot_fill_it_leaves_it_to_the_next() -> None:
    tried = threading.Lock()

    def fill(memory: Tensor) -> list[str]:
        if tried.acquire(blocking=False):
            time.sleep(0.1)
            raise OSError("read error")
        return sevens(memory)

    found = at_once(fill, fill)
    [error] = [given for given in found if isinstance(given, Exception)]
    [(memory, _)] = [given for given in found if not isinstance(given, Exception)]
    assert str(error) == "read error"
    assert memory.tolist() == [7] * 5


@pytest.mark.usefixtures("one_of_two")
def test_memory_that_nobody_uses_any_more_is_given_back() -> None:
    before = len(os.listdir("/proc/self/fd"))
    memory, _ = once_a_machine(lambda: "what", 5, sevens)
    view = memory.view(5, 1)
    [giver] = givers()
    del memory
    gc.collect()
    assert giver.is_alive()
    del view
    gc.collect()
    giver.join(10)
    assert not giver.is_alive()
    assert len(os.listdir("/proc/self/fd")) == before
    assert once_a_machine(lambda: "what", 5, lambda memory: memory.fill_(8).tolist())[1] == [8] * 5


@pytest.mark.usefixtures("one_of_two")
def test_what_another_user_offers_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, _ = once_a_machine(lambda: "what", 5, sevens)
    monkeypatch.setattr(module, "_is_ours", lambda _: False)
    other, _ = once_a_machine(lambda: "what", 5, sevens)
    memory[0] = 9
    assert other.tolist() == [7] * 5


KILLED = """
import sys, time
from pathlib import Path
from noisystudent.data.once_a_machine import once_a_machine

def fill(memory):
    Path("filling").touch()
    time.sleep(0 if sys.argv[1] == "second" else 1000)
    return memory.fill_(7).tolist()

Path(f"{sys.argv[1]}.asks").touch()
print(once_a_machine(lambda: "what", 5, fill)[1])
"""


def test_who_waits_for_one_that_is_killed_fills_it(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(KILLED)

    def started(name: str, wait_for: str) -> subprocess.Popen[str]:
        command = [sys.executable, "ask.py", name]
        environment = {**os.environ, **TWO, "MASTER_PORT": tmp_path.name}
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        while not (tmp_path / wait_for).exists():
            assert process.poll() is None
            time.sleep(0.01)
        return process

    first, second = started("first", "filling"), started("second", "second.asks")
    time.sleep(0.2)  # it asks now
    first.send_signal(signal.SIGKILL)
    out, _ = second.communicate(timeout=60)
    first.communicate()
    assert json.loads(out) == [7] * 5


SETS = """
import json, re
from pathlib import Path
import numpy as np
from noisystudent import processes
from noisystudent.config import Execution, View
from noisystudent.data.images import ImageSet, image_set
from noisystudent.data.sources import read_source

decode, decoded = ImageSet._decoded, []

def counted(self, rows, view):
    decoded.extend(rows.tolist())
    return decode(self, rows, view)

ImageSet._decoded = counted
manifest = read_source("pictures", split="train", labels="ignored")
images = image_set(manifest, View(8, 3, 1.0), Execution(workers=1), often=True)
pixels, unreadable = images.try_fetch(np.arange(len(images)))
processes.wait_for_all()
maps = Path("/proc/self/maps").read_text()
found = {
    "mapped": re.findall(r"(\\S+ \\d+) +/memfd:noisystudent", maps),  # device and inode
    "decoded": decoded, "unreadable": list(unreadable.values()), "pixels": pixels.tolist(),
}
Path(f"{processes.number()}.json").write_text(json.dumps(found))
processes.wait_for_all()
"""


def test_two_processes_map_one_set_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    drawn = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(drawn.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"pictures/{number}.png")
    (tmp_path / "pictures/4.png").write_bytes(b"no picture")
    (tmp_path / "sets.py").write_text(SETS)
    finished = launched(2, "sets.py", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    first, second = (json.loads((tmp_path / f"{number}.json").read_text()) for number in range(2))
    assert len(set(first["mapped"] + second["mapped"])) == 1  # one piece of memory in both
    assert first["mapped"]
    assert second["mapped"]
    assert sorted(first["decoded"] + second["decoded"]) == [0, 1, 2, 3, 4]
    assert len(first["unreadable"]) == 1
    assert {**first, "decoded": [], "mapped": []} == {**second, "decoded": [], "mapped": []}
    with Image.open(tmp_path / "pictures/2.png") as picture:
        assert torch.equal(torch.tensor(second["pixels"][2]), torch.from_numpy(np.array(picture)).permute(2, 0, 1))
