"""Fixtures of the end-to-end tests: commands as a user gives them, in a folder with pictures."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from user_inputs import Finished, Images, Result, Server, quick, write_images


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    script = Path(__file__).parents[1] / "support" / "command_server.py"
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200", "HF_HUB_OFFLINE": "1"},
    )
    yield Server(process, tmp_path_factory.mktemp("commands"))
    process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of this machine; none is ever downloaded."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        message = "there is no chromium, chromium-browser or google-chrome on PATH: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


Command = Callable[..., Result]


@pytest.fixture
def noisystudent(server: Server, tmp_path: Path) -> Command:
    """Give a command, in `tmp_path`, and wait for its end."""

    def give(*arguments: object, **options: Any) -> Result:
        result = server.wait(server.start(*arguments, **{"folder": tmp_path, **options}))
        assert "Traceback" not in result.stderr, result.stderr
        return result

    return give


@pytest.fixture
def killed(server: Server, tmp_path: Path) -> Callable[..., None]:
    """Give a command that is killed (SIGKILL) before or after it puts the `count`-th file that matches into its place."""

    def give(*arguments: object, at: str, when: str = "after", count: int = 1) -> None:
        moment = {"path": at, "when": when, "count": count, "number": int(signal.SIGKILL)}
        result = server.wait(server.start(*arguments, folder=tmp_path, signal_at=moment))
        assert result.status == -signal.SIGKILL, f"it ended before {at}: {result}"

    return give


@pytest.fixture
def refused(noisystudent: Command) -> Callable[..., str]:
    """Give a command that must be refused; its message, which is all it says."""

    def give(*arguments: object, status: int = 2) -> str:
        result = noisystudent(*arguments)
        assert result.status == status, result
        assert result.stdout == ""
        assert result.stderr.count("noisystudent: ") == 1, result.stderr
        return result.message

    return give


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return write_images(tmp_path)


@pytest.fixture
def configuration(tmp_path: Path) -> Callable[..., Path]:
    """Write the quick configuration, with settings, to a file."""

    def write(*settings: str, generations: int = 2) -> Path:
        path = tmp_path / "quick.toml"
        path.write_text(quick(*settings, generations=generations).to_toml())
        return path

    return write


RESUMABLE = ("execution.checkpoint_seconds=0", "execution.part_rows=10", "execution.label_batch_size=5")


@pytest.fixture(scope="session")
def finished(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Two generations and the baseline, with a checkpoint after every step and the predictions in parts of 10."""
    folder = tmp_path_factory.mktemp("finished")
    images = write_images(folder)
    configuration = folder / "quick.toml"
    configuration.write_text(quick(*RESUMABLE).to_toml())
    command = ["run", *images.options, "--config", str(configuration), "--json"]
    result = server.wait(server.start(*command, "--out", "run", folder=folder))
    assert result.status == 0, result.stderr
    return Finished(images, folder / "run", result, configuration)
