"""The store keeps what it has: through kills, failing migrations, full disks and several processes at once."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue import store as module
from noisystudent.board.catalogue.failures import PUT_BACK
from noisystudent.board.catalogue.store import Store, copy, migrations, statements
from noisystudent.errors import RunError, UserError

NEXT = """
-- A made-up next version: a column, a table, and rows of it out of old ones.
ALTER TABLE task ADD COLUMN icon TEXT NOT NULL DEFAULT ''; -- beside the name
CREATE TABLE nickname (id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL REFERENCES task, name TEXT NOT NULL) STRICT;
CREATE TRIGGER nickname_stays BEFORE DELETE ON nickname BEGIN
  SELECT raise(ABORT, 'nicknames stay; always');
END;
INSERT INTO nickname (task_id, name) SELECT id, upper(name) FROM task ORDER BY id;
"""


def contents(path: Path) -> list[str]:
    """Everything that a file holds, as SQL."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def before_next(store: Store) -> Path:
    """The copy that the next version leaves."""
    return store.path.with_name(f"{store.path.name}.before-schema-{len(migrations()) + 1}")


def whole(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        connection.close()


def add_tasks(store: Store, *names: str) -> None:
    with store.changing("anna", "add tasks") as change:
        for name in names:
            change.task(name)


def tasks(store: Store) -> list[str]:
    with store.reading() as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM task ORDER BY id")]


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make the program one schema newer."""
    known = migrations()

    def make(script: str = NEXT) -> None:
        monkeypatch.setattr(module, "migrations", lambda: [*known, script])

    return make


def killed_child(code: str, *arguments: object) -> None:
    """Run Python in a process of its own, which must end by SIGKILL."""
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


# What it refuses


def test_a_missing_file_is_not_made_by_the_way(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="board init"):
        Store(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_files_that_are_no_catalogue_are_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database at all " * 100)
    with pytest.raises(RunError, match="no catalogue, or a damaged one"):
        Store(text, create=True)
    assert text.read_text().startswith("no database")
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(UserError, match="another program"):
        Store(other, create=True)
    assert contents(other)[1] == "CREATE TABLE theirs (a);"


def test_a_file_of_which_nothing_is_left_is_damaged_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "board.db").touch()
    for read_only in (True, False):
        with pytest.raises(RunError, match="nothing is left"):
            Store(tmp_path / "board.db", read_only=read_only)
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [("board.db", 0)]
    add_tasks(Store(tmp_path / "board.db", create=True), "Parsing")  # of a process that was killed while it made it


def test_where_nothing_can_be_written_a_copy_is_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tasks(store, "Parsing")
    (tmp_path / "frozen").mkdir()
    copy(store.path, tmp_path / "frozen" / "board.db")
    monkeypatch.setattr(module.os, "access", lambda path, mode: False)
    frozen = Store(tmp_path / "frozen" / "board.db", read_only=True)
    assert tasks(frozen) == ["Parsing"]
    assert [file.name for file in (tmp_path / "frozen").iterdir()] == ["board.db"]  # SQLite wanted nothing beside it


def test_a_copy_for_which_there_is_no_room_leaves_nothing(store: Store, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(sqlite3.Error, match="disk"):
            copy(store.path, tmp_path / "backup.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [file.name for file in tmp_path.iterdir() if "backup" in file.name] == []


KILLED = """
import resource, signal, sys
from pathlib import Path
from noisystudent.board.catalogue.store import copy
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
copy(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_copy_that_was_killed_is_in_the_way_of_none(store: Store, tmp_path: Path) -> None:
    to = tmp_path / "copies" / "backup.db"
    to.parent.mkdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, store.path, to])
    assert killed.returncode == -signal.SIGXFSZ

    # Of a journal that was left behind, SQLite would play what it holds into the next copy.
    assert not [file.name for file in to.parent.iterdir() if "journal" in file.name]
    copy(store.path, to)
    assert [file.name for file in to.parent.iterdir()] == [to.name]
    with Store(to).reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


LEFT_OPEN = """
import os, sys
from pathlib import Path
from noisystudent.board.catalogue.store import Store
store = Store(Path(sys.argv[1]))
with store.reading() as connection:
    connection.execute("SELECT 1")
with store.changing("anna", "add") as change:
    change.task("Newer")
os._exit(0)  # as a server that is ended: its log stays beside the file
"""


def test_a_backup_is_put_back_as_the_messages_say(store: Store, tmp_path: Path) -> None:
    with store.changing("anna", "add") as change:
        change.task("Older")
    copy(store.path, tmp_path / "backup.db")
    subprocess.run([sys.executable, "-c", LEFT_OPEN, store.path], check=True)
    log, shared = (store.path.with_name(store.path.name + end) for end in ("-wal", "-shm"))
    assert log.stat().st_size > 0

    assert "-wal and -shm" in PUT_BACK
    shutil.copy(tmp_path / "backup.db", store.path)
    for beside in (log, shared):
        beside.unlink()
    with Store(store.path).reading() as connection:
        assert [row["name"] for row in connection.execute("SELECT name FROM task")] == ["Older"]


def test_a_catalogue_of_a_newer_version_is_refused(store: Store) -> None:
    connection = store.connect()
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UserError, match="schema 99"):
        Store(store.path)


def test_read_only_neither_writes_nor_migrates(store: Store, newer: Callable[..., None]) -> None:
    reader = Store(store.path, read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"), reader.changing("anna", "add"):
        pass
    with store.reading() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM task")
    newer()
    with pytest.raises(UserError, match="older schema"):
        Store(store.path, read_only=True)


def test_reading_sees_one_state_and_may_not_be_nested(store: Store) -> None:
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM task").fetchone()[0] == 0
        add_tasks(store, "Parsing")
        assert connection.execute("SELECT count(*) FROM task").fetchone()[0] == 0
        with pytest.raises(RuntimeError, match="within reading"), store.reading():
            pass
    assert tasks(store) == ["Parsing"]


def test_a_long_log_is_shortened_but_no_writer_waits_for_who_reads_what_was_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, connect = list[str](), Store.connect

    def traced(self: Store, **options: bool) -> sqlite3.Connection:
        connection = connect(self, **options)
        connection.set_trace_callback(run.append)
        return connection

    monkeypatch.setattr(module, "LARGEST_LOG", 50_000)
    monkeypatch.setattr(Store, "connect", traced)
    log = store.path.with_name("board.db-wal")
    with store.reading() as connection:
        connection.execute("SELECT count(*) FROM task").fetchone()
        add_tasks(store, *(f"Task {number}" for number in range(500)))
        assert log.stat().st_size > 50_000
        assert "PRAGMA wal_checkpoint(TRUNCATE)" not in run  # which holds the lock while it waits
    add_tasks(store, "Chess")
    assert "PRAGMA wal_checkpoint(TRUNCATE)" in run
    assert log.stat().st_size == 0


def test_who_makes_large_changes_waits_for_readers_but_not_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LARGEST_LOG", "LONGEST_LOG"):
        monkeypatch.setattr(module, name, 50_000)
    log = store.path.with_name("board.db-wal")

    def seconds(most: float) -> float:
        begun = time.monotonic()
        store.wait_for_readers(most)
        return time.monotonic() - begun

    with store.reading() as connection:
        connection.execute("SELECT count(*) FROM task").fetchone()
        assert seconds(60) < 30  # the log is short
        add_tasks(store, *(f"Task {number}" for number in range(500)))
        assert seconds(0.3) >= 0.3
        assert log.stat().st_size > 50_000
    assert seconds(60) < 30
    assert log.stat().st_size == 0


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    def fail() -> None:
        with store.changing("anna", "add") as change:
            change.task("Parsing")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert tasks(store) == []
    with store.reading() as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] == 0


def test_events_and_results_cannot_be_edited_by_sql(imagenet: Store) -> None:
    connection = imagenet.connect()
    for statement in (
        "UPDATE event SET actor = 'nobody'",
        "DELETE FROM event",
        "UPDATE result SET locator = 'x'",
        "DELETE FROM result",
        "UPDATE value SET number = 99",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)
    connection.close()


# Migrations


def test_a_migration_keeps_everything_and_a_copy_of_what_was(store: Store, newer: Callable[..., None]) -> None:
    add_tasks(store, "Parsing", "Chess")
    before = contents(store.path)
    newer()
    migrated = Store(store.path)
    assert tasks(migrated) == ["Parsing", "Chess"]
    with migrated.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations()) + 1
        assert [row["name"] for row in connection.execute("SELECT name FROM nickname ORDER BY id")] == [
            "PARSING",
            "CHESS",
        ]
    assert contents(before_next(store)) == before
    add_tasks(migrated, "Go")  # and it works on
    Store(store.path)  # nothing to do the second time
    assert len(list(store.path.parent.glob("*before-schema*"))) == 1


def test_a_migration_that_fails_leaves_the_old_schema_whole(store: Store, newer: Callable[..., None]) -> None:
    add_tasks(store, "Parsing")
    before = contents(store.path)
    newer(NEXT + "INSERT INTO nickname (task_id, name) VALUES (1, NULL);")
    for _ in range(2):  # a service that is started again and again fills no disk with copies
        with pytest.raises(sqlite3.IntegrityError):
            Store(store.path)
        assert contents(store.path) == before
        assert len(list(store.path.parent.glob("*before-schema*"))) == 1
    newer(NEXT)
    assert tasks(Store(store.path)) == ["Parsing"]


def test_the_copy_is_of_the_store_as_it_was_at_the_last_attempt(store: Store, newer: Callable[..., None]) -> None:
    newer("INSERT INTO nothing VALUES (1);")
    with pytest.raises(sqlite3.OperationalError):
        Store(store.path)
    add_tasks(store, "Parsing")  # the old program goes on meanwhile
    newer()
    Store(store.path)
    saved = sqlite3.connect(before_next(store))
    assert saved.execute("SELECT name FROM task").fetchall() == [("Parsing",)]
    saved.close()


MIGRATE_AND_DIE = """
import os, signal, sqlite3, sys
from pathlib import Path
from noisystudent.board.catalogue import store as module
from noisystudent.board.catalogue.failures import PUT_BACK
path, count, second = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
known = module.migrations()
real = module.statements
module.migrations = lambda: [*known, second]
def dying(script):
    for number, statement in enumerate(real(script)):
        if number == count:
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
    if count == 99:
        os.kill(os.getpid(), signal.SIGKILL)
module.statements = dying
module.Store(path, create=True)
"""


@pytest.mark.parametrize("statement", [0, 1, 3, 99])
def test_kill_in_a_migration_leaves_the_old_schema_whole(
    store: Store, newer: Callable[..., None], statement: int
) -> None:
    add_tasks(store, "Parsing")
    before = contents(store.path)
    killed_child(MIGRATE_AND_DIE, store.path, statement, NEXT)
    assert whole(store.path)
    assert contents(store.path) == before
    assert tasks(Store(store.path)) == ["Parsing"]  # the old program opens it
    newer()
    assert tasks(Store(store.path)) == ["Parsing"]  # and so does the new one


def test_kill_while_a_store_is_made_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    killed_child(MIGRATE_AND_DIE, path, 5, NEXT)  # its first statements are those of the first schema
    add_tasks(Store(path, create=True), "Parsing")
    assert tasks(Store(path)) == ["Parsing"]


MAKE = """
import sys
from pathlib import Path
from noisystudent.board.catalogue.store import Store
store = Store(Path(sys.argv[1]), create=True)
with store.changing(sys.argv[2], "add") as change:
    change.task("Task of " + sys.argv[2])
"""


def test_several_processes_may_make_and_change_one_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    started = [
        subprocess.Popen([sys.executable, "-c", MAKE, str(path), str(number)], stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    assert sorted(tasks(Store(path))) == [f"Task of {number}" for number in range(4)]
    with Store(path).reading() as connection:
        assert [row["id"] for row in connection.execute("SELECT id FROM event ORDER BY id")] == [1, 2, 3, 4]


def test_who_makes_a_store_waits_for_another_who_is_making_it(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # SQLite refuses a log at once while another is about to write
        release = threading.Timer(0.2, lambda: other.execute("ROLLBACK"))
        release.start()
        try:
            assert tasks(Store(path, create=True)) == []
        finally:
            release.join()


def test_statements_are_those_of_the_script() -> None:
    script = migrations()[0]
    found = list(statements(script))
    assert "".join(found) == script or "".join(found).strip() == script.strip()
    connection = sqlite3.connect(":memory:")
    for statement in found:
        connection.execute(statement)  # each is exactly one
    by_script = sqlite3.connect(":memory:")
    by_script.executescript(script)
    assert list(connection.iterdump()) == list(by_script.iterdump())


# Kills in a change


CHANGE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
store, moment = Store(Path(sys.argv[1])), sys.argv[2]
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
if moment == "before the event":
    Change.finish = die
with store.changing("anna", "add") as change:
    change.connection.execute("PRAGMA cache_size = 10")  # so that half a change is on the disk already
    for number in range(600):
        change.paper(title=f"Paper {number} " + "long " * 100)
        if moment == "in the middle" and number == 400:
            die()
if moment == "after":
    die()
"""


@pytest.mark.parametrize(("moment", "papers"), [("in the middle", 0), ("before the event", 0), ("after", 600)])
def test_kill_in_a_change_is_all_or_nothing(store: Store, moment: str, papers: int) -> None:
    add_tasks(store, "Parsing")
    killed_child(CHANGE_AND_DIE, store.path, moment)
    assert whole(store.path)
    again = Store(store.path)
    with again.reading() as connection:
        assert connection.execute("SELECT count(*) FROM paper").fetchone()[0] == papers
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] == 1 + bool(papers)
        assert connection.execute("SELECT count(*) FROM paper_search").fetchone()[0] == papers
    add_tasks(again, "Chess")
    assert tasks(again) == ["Parsing", "Chess"]


IMPORT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from noisystudent.board.catalogue.change import Change
from noisystudent.board.importing import import_file
from noisystudent.board.catalogue.store import Store
add, count = Change.add_result, 0
def dying(self, *arguments, **options):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return add(self, *arguments, **options)
Change.add_result = dying
import_file(Store(Path(sys.argv[1])), Path(sys.argv[2]), actor="anna")
"""


def test_kill_in_an_import_leaves_nothing_of_the_file(store: Store, tmp_path: Path) -> None:
    from noisystudent.board.importing import import_file

    rows = ", ".join(
        f'{{"model_name": "M{number}", "metrics": {{"Accuracy": "{number}.5"}}, "paper_title": "P{number}", "paper_url": "https://x.org/{number}",'
        ' "paper_date": null, "code_links": [], "model_links": [], "uses_additional_data": false}'
        for number in range(20)
    )
    file = tmp_path / "tables.json"
    file.write_text(
        '[{"task": "Chess", "description": "", "categories": [], "synonyms": [], "source_link": null, "subtasks": [], "datasets": '
        '[{"dataset": "Games", "description": "", "dataset_links": [], "dataset_citations": [], "subdatasets": [], '
        f'"sota": {{"metrics": ["Accuracy"], "rows": [{rows}]}}}}]}}]'
    )
    add_tasks(store, "Parsing")
    before = contents(store.path)
    killed_child(IMPORT_AND_DIE, store.path, file, 15)
    assert whole(store.path)
    assert contents(store.path) == before
    report = import_file(Store(store.path), file, actor="anna")
    assert report["counts"]["result"] == 20


# Copies


def test_a_copy_is_whole_while_another_process_writes(store: Store, tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\nfrom noisystudent.board.catalogue.store import Store\nstore = Store(Path(sys.argv[1]))\n"
            "number = 0\nprint('ready', flush=True)\n"
            "while True:\n"
            "    with store.changing('w', 'pair') as change:\n"
            "        change.task(f'left {number}'); change.task(f'right {number}')\n"
            "    number += 1\n",
            str(store.path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout
        writer.stdout.readline()
        counts = []
        for number in range(5):
            to = tmp_path / f"copy-{number}.db"
            copy(store.path, to)
            assert whole(to)
            names = tasks(Store(to))
            assert len(names) % 2 == 0  # a change is in it or not, never its half
            counts.append(len(names))
        assert counts == sorted(counts)
    finally:
        writer.kill()
        writer.wait()


def test_a_copy_overwrites_nothing_and_needs_a_folder(store: Store, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(UserError, match="exists"):
        copy(store.path, there)
    assert there.read_text() == "mine"
    with pytest.raises(UserError, match="no folder"):
        copy(store.path, tmp_path / "none" / "copy.db")


# A full disk


def limited(size: int, work: Callable[[], Any]) -> int:
    """Do something in a child process whose files may not grow beyond `size` bytes; its exit status: 3 when SQLite complained."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            work()
            status = 0
        except sqlite3.OperationalError:
            status = 3
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_full_disk_loses_nothing(store: Store, tmp_path: Path) -> None:
    add_tasks(store, "Parsing")
    before = contents(store.path)

    def fill() -> None:
        with Store(store.path).changing("anna", "add") as change:
            for number in range(2_000):
                change.task(f"Task {number} " + "long " * 1000)

    assert limited(store.path.stat().st_size + 1_000_000, fill) == 3
    assert whole(store.path)
    assert contents(store.path) == before
    assert limited(10_000, lambda: copy(store.path, tmp_path / "copy.db")) == 3
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []
    add_tasks(store, "Chess")
    assert tasks(store) == ["Parsing", "Chess"]
