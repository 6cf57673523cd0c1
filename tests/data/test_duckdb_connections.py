"""Questions about tables: what does not fit into the memory given lies on the disk meanwhile, and nothing is drawn on the screen."""

from pathlib import Path

import pytest

from noisystudent.config import Execution
from noisystudent.data.duckdb_connections import connected, spilling
from noisystudent.errors import UserError

TOO_LARGE = "CREATE TABLE long AS SELECT md5(i::VARCHAR) || md5((-i)::VARCHAR) AS text FROM range(3_000_000) t(i)"


def test_a_table_larger_than_the_memory_spills_into_the_folder_and_leaves_nothing_there(tmp_path: Path) -> None:
    with spilling(Execution(table_memory_gib=0.1, spill_folder=str(tmp_path))) as database:
        database.execute(TOO_LARGE)
        spilled = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert database.execute("SELECT count(DISTINCT text) FROM long").fetchall() == [(3_000_000,)]
    assert spilled > 30_000_000
    assert list(tmp_path.iterdir()) == []


def test_two_at_a_time_do_not_meet(tmp_path: Path) -> None:
    execution = Execution(spill_folder=str(tmp_path))
    with spilling(execution), spilling(execution):
        assert len(list(tmp_path.iterdir())) == 2


def test_memory_and_disk_that_are_too_small_are_the_users_to_raise(tmp_path: Path) -> None:
    execution = Execution(table_memory_gib=0.1, spill_folder=str(tmp_path))
    with (
        pytest.raises(UserError, match=r"table_memory_gib = 0\.1 GiB .* are too little: raise it"),
        spilling(execution) as database,
    ):
        database.execute(f"SET max_temp_directory_size = '1MB'; {TOO_LARGE}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"spill_folder = '.*nowhere': No such file or directory"),
        spilling(Execution(spill_folder=str(tmp_path / "nowhere"))),
    ):
        pass


def test_no_progress_bar_is_drawn_on_stdout_where_json_goes(tmp_path: Path) -> None:
    drawn = "SELECT current_setting('enable_progress_bar')"
    with connected() as plain, spilling(Execution(spill_folder=str(tmp_path))) as bounded:
        assert plain.sql(drawn).fetchall() == bounded.sql(drawn).fetchall() == [(False,)]
