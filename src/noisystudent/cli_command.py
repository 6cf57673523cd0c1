"""What makes a function a command: its result is printed, what goes wrong becomes a message and an exit status."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any, Protocol, TypeVar

import typer

from noisystudent import processes, progress
from noisystudent.errors import RunError, UserError
from noisystudent.stopping import Stopped, stopped_by_signals

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; warnings and errors only.")]

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
Command = TypeVar("Command", bound=Callable[..., Any])


class Register(Protocol):
    """`@command(example=...)`, which takes the function's name, or `@command("name", example=...)`; the example ends its help."""

    def __call__(self, name: str | None = None, *, example: str) -> Callable[[Command], Command]: ...


def commands_of(
    app: typer.Typer, *, around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
) -> Register:
    """The decorator that registers commands of an application.

    The function takes `as_json` and `quiet` beside its own options, and returns (result, show): a JSON value, and how to show
    it to a person; behind them an exit status, where it is not 0.

    Args:
        around: what surrounds each command: it may turn errors into others.
    """

    def command(name: str | None = None, *, example: str) -> Callable[[Command], Command]:
        def register(function: Command) -> Command:
            @functools.wraps(function)
            def guarded(*args: Any, as_json: Json = False, quiet: Quiet = False, **options: Any) -> None:
                progress.configure(quiet=quiet, silent=not processes.is_first())
                try:
                    with stopped_by_signals(), around():
                        result, show, *status = function(*args, as_json=as_json, quiet=quiet, **options)
                except UserError as error:
                    fail(str(error), 2, as_json=as_json)
                except RunError as error:
                    fail(str(error), 1, as_json=as_json)
                except BrokenPipeError:  # who read it, such as `head`, wants no more
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                    raise typer.Exit(128 + signal.SIGPIPE) from None
                except OSError as error:
                    if error.errno not in DISK_FULL:
                        raise
                    fail(
                        f"the disk is full ({error}): free some space and give the same command again",
                        1,
                        as_json=as_json,
                    )
                except Stopped as stop:
                    fail(f"{stop}; the same command goes on from here", 128 + stop.number, as_json=as_json)
                if result is None or not processes.is_first():
                    return  # it has said all, or another one says it
                if as_json:
                    print(json.dumps(result, ensure_ascii=False, allow_nan=False))  # noqa: T201
                elif not quiet:
                    show(result)
                if any(status):
                    raise typer.Exit(status[0])

            app.command(name, epilog=f"\b\nExample:\n  {example}")(guarded)  # \b: lines as they are
            return function

        return register

    return command


def fail(message: str, status: int, *, as_json: bool) -> None:
    """Say what went wrong on stderr, with `as_json` on stdout too, and end. Of several processes one says what happens to all."""
    if not processes.is_first():
        raise typer.Exit(status)
    if as_json:
        print(json.dumps({"error": message}, ensure_ascii=False))  # noqa: T201
    print(f"noisystudent: {message}", file=sys.stderr)  # noqa: T201
    raise typer.Exit(status)
