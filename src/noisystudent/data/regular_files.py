"""Opening files that are files."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO


def opened(path: str) -> IO[bytes]:
    """A file. A pipe would wait for its writer, a device may never end or do something: none is opened.

    Raises:
        OSError: it is none, or cannot be opened.

    Example:
        >>> opened(os.devnull)
        Traceback (most recent call last):
        OSError: [Errno 22] not a file but a pipe, a socket or a device
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a folder fails by itself
        raise OSError(errno.EINVAL, "not a file but a pipe, a socket or a device")
    return open(path, "rb")
