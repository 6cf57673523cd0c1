"""A run folder at an address, such as s3://bucket/run: the work is done in a folder on this machine, of which a copy is kept there.

Stores know no links, no locks and no appending, so whole files are copied: data first and the records of finished stages last, and so in
the other order when something is taken away. A copy is at any time a run folder that a run goes on from, on this machine or another.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from noisystudent import atomic, processes
from noisystudent.addresses import as_given, scheme
from noisystudent.config import Execution
from noisystudent.data.stored_files import as_os_errors, store, why_not_read
from noisystudent.errors import RunError, UserError, some
from noisystudent.progress import logger
from noisystudent.rundir import HOLDER, LINK, LOCK, RECORDS, holder_in_words, this_process

IN_USE = ".in-use.json"
SHORTEST = 1.0  # seconds between two copies, at least
# What is another when an object changes, by the stores of fsspec.
STAMPS = ("ETag", "etag", "md5Hash", "generation", "mtime", "LastModified", "last_modified", "created")


@contextmanager
def mirrored(out: str | Path, execution: Execution) -> Iterator[Path]:
    """The folder on this machine in which a run is worked on: of a path itself; of an address one that is copied there.

    While the block lasts what changed is copied every `execution.checkpoint_seconds`, and when it ends once more. What the address holds
    is fetched first, unless it is as this machine left it. When a run is done and copied its folder here is removed.

    Raises:
        UserError: another run is at the address; it cannot be read; processes on several machines would each have a folder of their own.
        RunError: the last copy fails; the folder here keeps everything.
    """
    if not scheme(out):
        yield Path(out)
        return
    mirror = Mirror(as_given(out), execution.working_folder)
    processes.from_first(mirror.begin)
    if not processes.is_first():
        yield mirror.folder
        return
    with mirror.copied(max(execution.checkpoint_seconds, SHORTEST)):
        yield mirror.folder


class Mirror:
    """A run's address, and its folder here.

    Args:
        address: that fsspec writes to.
        working_folder: where the folder is made; empty: the user's cache.
    """

    def __init__(self, address: str, working_folder: str) -> None:
        self.address = address.rstrip("/")
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        folder = Path(working_folder or f"{cache}/noisystudent/runs").expanduser()
        self.folder = folder / hashlib.sha256(self.address.encode()).hexdigest()[:16]
        self._lock, self._state = FileLock(self.folder.with_suffix(".lock")), self.folder.with_suffix(".json")
        self._token = uuid.uuid4().hex  # of the folder
        self._here: dict[str, Any] = {}  # what was copied: of each file size and time, of a link where it leads
        self._there: dict[str, str] = {}  # what it became there: of each object what is another when it changes

    def begin(self) -> None:
        """Take hold of the address and fetch what it holds."""
        if int(os.environ.get("LOCAL_WORLD_SIZE") or 1) != int(os.environ.get("WORLD_SIZE") or 1):
            raise UserError(f"--out {self.address}: on several machines give a folder that all of them see")
        if problem := why_not_read(self.address):
            raise UserError(f"--out {self.address}: {problem}")
        self._files, self._root = store(self.address)
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UserError(
                f"{self.address} is in use by another process on this machine: wait for it or stop it"
            ) from None
        try:
            with as_os_errors(), contextlib.ExitStack() as undo:
                undo.callback(self._lock.release)
                self._remember()
                ours = self._hold()
                undo.callback(self._files.rm_file, self._at(IN_USE))
                self._fetch(ours=ours)
                undo.pop_all()
        except OSError as error:
            raise UserError(f"--out {self.address} cannot be used: {error}") from None

    def _hold(self) -> bool:
        """Put a file there that says who works on the run, which only one can make; whether it is there from before, by this folder."""
        who = this_process() | {"token": self._token}
        said = json.dumps(who).encode()
        try:
            self._files.pipe_file(self._at(IN_USE), said, mode="create")
            return False
        except FileExistsError:
            holder = json.loads(self._files.cat_file(self._at(IN_USE)))
        ours = bool(holder["token"] == self._token)
        if not ours and (holder["host"] != who["host"] or psutil.pid_exists(holder["pid"])):
            raise UserError(
                f"{self.address} is in use by {holder_in_words(holder)}: wait for it or stop it; "
                f"if it was killed, delete {self.address}/{IN_USE}"
            )
        self._files.pipe_file(self._at(IN_USE), said)  # who made it was killed
        return ours

    def _fetch(self, *, ours: bool) -> None:
        """Make the folder as the address is; where nobody else was there since this folder was copied last, the folder counts."""
        there, before = self._listing(), self._there
        if there and LOCK not in there:
            raise UserError(
                f"--out {self.address} holds files that no run of ours wrote: give an address at which there is nothing"
            )
        known = {name for name, stamp in there.items() if before.get(name) == stamp and name in self._here}
        if ours or there == before:
            self._here = {name: self._here[name] for name in known}  # a copy that was interrupted is made again
        else:
            same = {name for name in known if _stamp(self.folder, name) == self._here[name]}
            if outside := [name for name in there if not all(map(_is_plain, name.split("/")))]:
                raise UserError(
                    f"--out {self.address} holds names that no run of ours gives: {some(outside)}: give another address"
                )
            for name in _files_of(self.folder).keys() - same:
                _path(self.folder, name).unlink()
            for name in sorted(there.keys() - same):
                self._get(name)
            self._here = {name: _stamp(self.folder, name) for name in there}
        self._there = there
        self._keep_state()

    def _get(self, name: str) -> None:
        path = self.folder / name
        if name.endswith(LINK):
            target = self._files.cat_file(self._at(name)).decode()
            if not _is_plain(target):
                raise UserError(
                    f"{self.address}/{name} leads to {target!r}, out of the run: delete it, or give another address"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            _path(self.folder, name).symlink_to(target)
            return
        with atomic.replacing(path) as temporary:
            self._files.get_file(self._at(name), str(temporary))

    def copy(self) -> None:
        """Make the address as the folder is.

        Raises:
            OSError: the store cannot be written.
        """
        here = _files_of(self.folder)
        gone = self._there.keys() - here.keys()
        changed = [name for name, stamp in here.items() if self._here.get(name) != stamp or name not in self._there]
        if not gone and not changed:
            return
        vanished: set[str] = set()  # replaced meanwhile: the next copy has them
        with as_os_errors():
            self._remove(name for name in gone if _is_record(name))
            for name in sorted(changed, key=lambda name: (_is_record(name), name)):
                try:
                    self._put(name)
                except FileNotFoundError:
                    vanished.add(name)
            self._remove(name for name in gone if not _is_record(name))
            self._there = self._listing()
        self._here = {name: here[name] for name in self._there if name in here and name not in vanished}
        self._keep_state()

    def _put(self, name: str) -> None:
        path = self.folder / name
        if name.endswith(LINK):
            self._files.pipe_file(self._at(name), os.readlink(_path(self.folder, name)).encode())
        else:
            self._files.put_file(str(path), self._at(name))

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # by a copy that was interrupted
                self._files.rm_file(self._at(name))

    @contextmanager
    def copied(self, every: float) -> Iterator[None]:
        """While the block lasts, copy what changed every so many seconds; and when it ends, once more, and let go of the address."""
        ended = threading.Event()
        copier = threading.Thread(target=self._copy_again_and_again, args=(every, ended), daemon=True)
        copier.start()
        done = False
        try:
            yield
            done = True
        finally:
            ended.set()
            copier.join()
            try:
                self.copy()
                with as_os_errors():
                    self._files.rm_file(self._at(IN_USE))
                if done:
                    shutil.rmtree(self.folder)
                    self._state.unlink()
            except OSError as error:
                said = f"what was done is in {self.folder} and could not be copied to {self.address} ({error}): give the command again"
                if done:
                    raise RunError(said) from None
                logger.warning(said)
            finally:
                self._lock.release()

    def _copy_again_and_again(self, every: float, ended: threading.Event) -> None:
        told = False
        while not ended.wait(every):
            try:
                self.copy()
            except OSError as error:
                if not told:
                    logger.warning("%s cannot be written at the moment (%s): it is tried again", self.address, error)
                told = True

    def _listing(self) -> dict[str, str]:
        """What is there, and of each what is another when it changes."""
        self._files.invalidate_cache()
        found = {
            path[len(self._root) :].lstrip("/"): json.dumps(
                [info["size"], *(str(info[key]) for key in STAMPS if key in info)]
            )
            for path, info in self._files.find(self._root, detail=True).items()
        }
        found.pop(IN_USE, None)
        return found

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _keep_state(self) -> None:
        atomic.write_json(self._state, {"token": self._token, "here": self._here, "there": self._there})

    def _remember(self) -> None:
        if self._state.exists():
            kept = json.loads(self._state.read_text(encoding="utf-8"))
            if LOCK in kept["here"] and not (self.folder / LOCK).exists():
                return  # somebody emptied the folder: what is missing is not to be taken away there
            self._token, self._here, self._there = kept["token"], kept["here"], kept["there"]
        else:
            self._keep_state()


def _files_of(folder: Path) -> dict[str, Any]:
    """What is copied, by its path below the folder; a link is a small file that says where it leads."""
    found: dict[str, Any] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not atomic.is_temporary(name)]
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*names, *(f"{link}{LINK}" for link in links)):
            relative = Path(place, name).relative_to(folder).as_posix()
            if not atomic.is_temporary(name) and relative != HOLDER and (stamp := _stamp(folder, relative)):
                found[relative] = stamp
    return found


def _path(folder: Path, name: str) -> Path:
    """Of what is copied, the file or the link."""
    return folder / name.removesuffix(LINK)


def _stamp(folder: Path, name: str) -> list[Any]:
    """What is another when the file or the link changes; [] when there is none.

    Example:
        >>> _stamp(Path("/nowhere"), "a")
        []
    """
    try:
        if name.endswith(LINK):
            return [os.readlink(_path(folder, name))]
        status = (folder / name).stat()
    except FileNotFoundError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _is_record(name: str) -> bool:
    return name.startswith(f"{RECORDS}/")


def _is_plain(name: str) -> bool:
    """Whether a name leads nowhere but into the folder that it is in."""
    return name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0"}
