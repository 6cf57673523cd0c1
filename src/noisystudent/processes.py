"""Several processes that do one thing together, as `torchrun` and `accelerate launch` start them; one alone is the first of one.

They see the same folders. What must be done once, the first does, and all learn what came of it.
"""

from __future__ import annotations

import atexit
import functools
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from noisystudent.errors import RunError, UserError

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what a launcher sets, by PyTorch's convention
LONGEST_WAIT = timedelta(days=30)  # the first may read a whole archive; a process that has ended is noticed at once

_alone = False  # within what the first does for all


def count() -> int:
    """How many there are."""
    started = not _alone and all(os.environ.get(name) for name in STARTED)
    return int(os.environ["WORLD_SIZE"]) if started else 1


def number() -> int:
    """That of this one, from 0."""
    return int(os.environ["RANK"]) if count() > 1 else 0


def number_here() -> int:
    """That of this one among those on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", 0)) if count() > 1 else 0


def count_here() -> int:
    """How many there are on this machine, as far as the launcher says."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if count() > 1 else 1


def is_first() -> bool:
    """Whether this one speaks for all, and writes what is written once."""
    return number() == 0


def own(things: Sequence[Thing]) -> Sequence[Thing]:
    """Those of some things, the same in all processes, that are this one's."""
    return things[number() :: count()]


def shared(things: Sequence[Thing], work: Callable[[Sequence[Thing]], Iterable[Answer]]) -> Iterable[Answer]:
    """An answer for each of some things, in their order: every process works on its own, and all get all.

    Args:
        things: the same in all processes.
        work: an answer for each of the things it is given, one after another; it can be pickled. One process alone takes them as they come.

    Raises:
        UserError, RunError: in all processes, when the work of one of them raised it.

    Example:
        >>> list(shared("ab", lambda letters: map(str.upper, letters)))
        ['A', 'B']
    """
    if count() == 1:
        return work(things)
    here: list[Answer] | UserError | RunError
    try:
        here = list(work(own(things)))
    except (UserError, RunError) as error:
        here = error
    everywhere: list[Any] = [None] * count()
    together().all_gather_object(everywhere, here)
    answers: list[Any] = [None] * len(things)
    for process, said in enumerate(everywhere):
        if isinstance(said, Exception):
            raise said
        answers[process :: count()] = said
    return answers


def from_first(work: Callable[[], Answer]) -> Answer:
    """What `work` returns to the first process, to all of them: it is done once, and the others wait. While it lasts the first is alone.

    Args:
        work: returns what can be pickled.

    Raises:
        SystemExit: in the others, when it failed in the first; that one raises the error itself.

    Example:
        >>> from_first(lambda: 1 + 1)
        2
    """
    global _alone
    if count() == 1:
        return work()
    said: list[Any] = [False, None]
    distributed, _alone = together(), is_first()
    try:
        if _alone:
            said = [True, work()]
    finally:
        _alone = False
        distributed.broadcast_object_list(said, src=0)
    if not said[0]:
        raise SystemExit(1)
    answer: Answer = said[1]
    return answer


def wait_for_all() -> None:
    """Go on when all have come here."""
    from_first(lambda: None)


def any_of_them(*here: bool) -> list[bool]:
    """Of each of some questions, whether it is so in any of the processes."""
    if count() == 1:
        return list(here)
    import torch

    found = torch.tensor(here, dtype=torch.int32)
    together().all_reduce(found)
    return [answer > 0 for answer in found.tolist()]


@functools.cache
def together() -> Any:
    """`torch.distributed`, joined: processors by gloo, GPUs by NCCL."""
    import torch
    from torch import distributed

    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and distributed.is_nccl_available() else "gloo"
    if not distributed.is_initialized():
        distributed.init_process_group(backend, timeout=LONGEST_WAIT)
        atexit.register(distributed.destroy_process_group)  # else its threads outlive the interpreter, and abort
    return distributed
