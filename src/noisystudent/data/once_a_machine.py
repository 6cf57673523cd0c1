"""Memory that all processes of a machine read: the first that asks fills it, and the others map the same pages.

The pages belong to no file (`memfd_create`), and the processes meet at a name that is the kernel's (an abstract socket): when they end,
however they end, nothing is left. Only Linux has both; elsewhere each process fills memory of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import socket
import struct
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from noisystudent import processes

POSSIBLE = hasattr(os, "memfd_create") and hasattr(socket, "SO_PEERCRED")
BETWEEN_LOOKS = 0.02  # seconds, at a name whose owner does not listen yet

Filled = tuple[Tensor, Any]


def once_a_machine(what: Callable[[], str], size: int, fill: Callable[[Tensor], Any]) -> Filled:
    """Memory of `size` bytes, filled once for all processes of this machine that ask for the same.

    Args:
        what: tells what it is filled with, where there are others to agree with; who asks for the same gets the same.
        size: bytes.
        fill: fills uint8 [size]; what it returns, a JSON value, all get.

    Returns:
        uint8 [size], not to be written to, and what `fill` returned.

    Example:
        >>> memory, said = once_a_machine(lambda: "sevens", 3, lambda memory: memory.fill_(7).tolist())
        >>> memory.tolist(), said
        ([7, 7, 7], [7, 7, 7])
    """
    if not POSSIBLE or size == 0 or processes.count_here() == 1:
        return _filled(torch.empty(size, dtype=torch.uint8), fill)
    job = [os.getuid(), *(os.environ[name] for name in ("MASTER_ADDR", "MASTER_PORT"))]
    name = "\0noisystudent-" + hashlib.sha256(json.dumps([job, what()]).encode()).hexdigest()
    while True:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as door:
            try:
                door.bind(name)
            except OSError:  # another process has the name
                pass
            else:
                return _given_out(door, size, fill)
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as asking:
            try:
                asking.connect(name)
                if not _is_ours(asking):
                    return _filled(torch.empty(size, dtype=torch.uint8), fill)
                return _received(asking, size)
            except (OSError, EOFError):  # it does not listen yet, or was killed, or could not fill it
                time.sleep(BETWEEN_LOOKS)


def _filled(memory: Tensor, fill: Callable[[Tensor], Any]) -> Filled:
    return memory, fill(memory)


def _given_out(door: socket.socket, size: int, fill: Callable[[Tensor], Any]) -> Filled:
    """Fill it, and let a thread give it to the other processes while it is in use."""
    door.listen(processes.count_here())
    descriptor = os.memfd_create("noisystudent")
    try:
        os.ftruncate(descriptor, size)
        pages, memory = _mapped(descriptor, size)
        said = fill(memory)
    except BaseException:
        os.close(descriptor)
        raise
    kept = door.dup()
    weakref.finalize(pages, _close, kept)
    arguments = (kept, descriptor, json.dumps(said).encode())
    threading.Thread(target=_give, args=arguments, daemon=True, name="once a machine").start()
    return memory, said


def _give(door: socket.socket, descriptor: int, said: bytes) -> None:
    left = processes.count_here() - 1
    try:
        while left:
            asking, _ = door.accept()  # an error when nobody uses the memory any more
            with contextlib.closing(asking), contextlib.suppress(OSError):
                if _is_ours(asking):
                    left -= 1
                    socket.send_fds(asking, [b"\n"], [descriptor])
                    asking.sendall(said)
    except OSError:
        pass
    finally:
        os.close(descriptor)
        door.close()


def _close(door: socket.socket) -> None:
    with contextlib.suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there


def _received(asking: socket.socket, size: int) -> Filled:
    _, descriptors, _, _ = socket.recv_fds(asking, 1, 1)
    if not descriptors:
        raise EOFError
    try:
        with asking.makefile("rb") as rest:
            said = json.loads(rest.read())
        _, memory = _mapped(descriptors[0], size)
    finally:
        os.close(descriptors[0])
    return memory, said


def _mapped(descriptor: int, size: int) -> tuple[mmap.mmap, Tensor]:
    pages = mmap.mmap(descriptor, size)
    return pages, torch.frombuffer(pages, dtype=torch.uint8)


def _is_ours(other: socket.socket) -> bool:
    """Whether a process of the same user is at the other end: names of this kind have no owner."""
    credentials = other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user: int = struct.unpack("3i", credentials)[1]
    return user == os.getuid()
