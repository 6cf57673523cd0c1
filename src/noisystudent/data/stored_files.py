"""Files that hold images: by a path on this machine, or by an address of another that fsspec reads, such as s3://bucket/shards/000.tar."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from noisystudent.addresses import scheme
from noisystudent.errors import UserError


def opened(path: str) -> IO[bytes]:
    """A file. A pipe would wait for its writer, a device may never end or do something: none is opened.

    Raises:
        OSError: it is none, or cannot be opened.

    Example:
        >>> opened(os.devnull)
        Traceback (most recent call last):
        OSError: [Errno 22] not a file but a pipe, a socket or a device
    """
    if scheme(path):
        with as_os_errors():
            files, name = store(path)
            file: IO[bytes] = files.open(name, "rb")
            return file
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a folder fails by itself
        raise OSError(errno.EINVAL, "not a file but a pipe, a socket or a device")
    return open(path, "rb")


def read_part(path: str, offset: int, size: int) -> bytes:
    """`size` bytes of a file from `offset` on, fewer where it ends, in one request.

    Raises:
        OSError: it cannot be read.
    """
    if scheme(path):
        with as_os_errors():
            files, name = store(path)
            data: bytes = files.cat_file(name, start=offset, end=offset + size)
            return data
    with opened(path) as file:
        file.seek(offset)
        return file.read(size)


def for_parquet(path: str) -> Any:
    """What pyarrow opens: the path, or the file at an address, of which no more is read than pyarrow asks for.

    Raises:
        OSError: there is none.
    """
    if not scheme(path):
        return path
    with as_os_errors():
        files, name = store(path)
        return files.open(name, "rb", cache_type="none")


def version(path: str) -> tuple[int, str]:
    """The size of a file, and what is another when its contents are: the time of its change, or what stands for it where it lies.

    Raises:
        OSError: there is none.
    """
    if scheme(path):
        with as_os_errors():
            files, name = store(path)
            files.invalidate_cache()  # of what was listed before
            return int(files.info(name)["size"]), str(files.ukey(name))
    status = os.stat(path)
    return status.st_size, str(status.st_mtime_ns)


def located(path: str) -> str:
    """An address as it is; a path from the root on."""
    return path if scheme(path) else os.path.abspath(path)


def is_there(path: str) -> bool:
    """Whether there is a file or a folder.

    Raises:
        OSError: the machine that an address names cannot be asked.
    """
    if not scheme(path):
        return os.path.exists(path)
    with as_os_errors():
        files, name = store(path)
        return bool(files.exists(name))


def matching(pattern: str) -> list[str]:
    """The addresses of files that a pattern with * or ? stands for, sorted.

    Raises:
        OSError: the machine that it names cannot be asked.
    """
    with as_os_errors():
        files, name = store(pattern)
        return sorted(files.unstrip_protocol(found) for found in files.glob(name))


def why_not_read(address: str) -> str:
    """What is in the way of reading from such an address: a scheme that nobody knows, a package that is missing; "" if nothing is."""
    import fsspec
    from fsspec.registry import known_implementations

    kind = scheme(address)
    try:
        fsspec.get_filesystem_class(kind)
    except (ImportError, ValueError):
        known = known_implementations.get(kind)
        return f"{kind}:// needs a package that is missing: {known['err']}" if known else f"{kind}:// is not known"
    return ""


def store(address: str) -> tuple[Any, str]:
    """What reads and writes there, and how it calls the file or folder; fsspec is loaded for who needs it alone."""
    from fsspec.core import url_to_fs

    # Elsewhere folders are there with what is written into them.
    makes_folders = {"auto_mkdir": True} if scheme(address) == "local" else {}
    found: tuple[Any, str] = url_to_fs(address, **makes_folders)
    return found


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Stores raise errors of many kinds, their libraries' own among them."""
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:
        raise OSError(errno.EIO, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
