"""Starts `noisystudent` commands as processes of their own, without importing PyTorch for each.

Importing takes seconds, so it is done once, here; each command is then a fork: a real process with its own arguments,
folder, output files, limits and exit status, that can be killed like any other. Requests and answers are lines of JSON.
"""

from __future__ import annotations

import fnmatch
import importlib
import io
import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

from user_inputs import quick

from noisystudent.cli import main
from noisystudent.recipes import RECIPES

# Importing starts no threads, which is what makes forking safe.
for module in (
    "duckdb",
    "matplotlib.pyplot",
    "sklearn.datasets",
    "noisystudent.board.importing",
    "noisystudent.board.serve",
    "noisystudent.commands",
    "noisystudent.demo",
    "noisystudent.doctor",
    "noisystudent.inference.embed",
    "noisystudent.inference.predict",
    "noisystudent.pipeline",
    "noisystudent.review.page",
    "noisystudent.screen",
):
    importlib.import_module(module)


def start(request: dict[str, Any]) -> int:
    """Fork, and run the command in the child; the child's process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        prepare(request)
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def prepare(request: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the server itself ignores
    os.chdir(request["folder"])
    for stream, path in ((0, "/dev/null"), (1, request["stdout"]), (2, request["stderr"])):
        os.dup2(os.open(path, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    sys.argv = ["noisystudent", *(os.fsdecode(bytes(argument)) for argument in request["arguments"])]
    if request["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
    if request["signal_at"]:
        signal_at(**request["signal_at"])
    if request["short_recipes"]:
        short = quick()
        RECIPES.update({name: lambda: short for name in RECIPES})


def signal_at(path: str, when: str, count: int, number: int) -> None:
    """Send this process a signal for the `count`-th time that it does something with a file (`path` is a pattern).

    `when` is "before" or "after" it puts the file in its place, or "open": before it opens the file.
    """
    module, name, argument = (io, "open", 0) if when == "open" else (os, "replace", 1)
    function = getattr(module, name)
    left = count

    def signaling(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        file = arguments[argument]
        now = isinstance(file, str | os.PathLike) and fnmatch.fnmatch(os.fspath(file), path)
        left -= now
        now = now and left == 0
        if now and when != "after":
            os.kill(os.getpid(), number)
        result = function(*arguments, **options)
        if now and when == "after":
            os.kill(os.getpid(), number)
        return result

    setattr(module, name, signaling)


def serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif "stopped" in request:
            _, status = os.waitpid(request["stopped"], os.WUNTRACED)
            answer = int(os.WIFSTOPPED(status))
        else:
            answer = start(request)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
