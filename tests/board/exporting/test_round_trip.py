"""All of the archive's five dumps and the layer of runs, out and in again, are the same bytes: whatever was imported, measured,
corrected, verified, merged or hidden before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from made_up_dumps import DUMPS, FILE
from made_up_tables import NAMES, TEXTS, tasks

from noisystudent.board.catalogue import hiding, history
from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.catalogue.entries import authors_of
from noisystudent.board.catalogue.merging import merge_entries
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.board.queries.results import whole_result
from noisystudent.errors import UserError

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # stores wait for the disk at the end of each change
FORMATS = (*DUMPS, "evaluation-tables", "runs")  # a mark of an author needs the paper first, a run its claim
# Two leaderboards that claim one address, and papers that are one by their arXiv numbers, go on to do so.
SAID_AGAIN = {"leaderboard address"}
PLACES = st.integers(0, 30)
SEEDS = st.lists(st.integers(0, 9), max_size=3)
RUNS = st.fixed_dictionaries(
    {
        "at": PLACES,
        "model": NAMES.filter(lambda name: name.strip() == name and name.isprintable()),
        "value": st.sampled_from(["88.4%", "95.20 ± 0.30%", "about 5", "1e400"]),
        "beside": st.booleans(),
        "seeds": SEEDS,
        "config": st.sampled_from(["", "seed = 0\n", 'a = "é"\n\n[b]\nc = 1\n']),
        "objection": TEXTS,
        "external_id": st.none() | st.sampled_from(["run:a", "run:b"]),
    }
)
# A paper with its authors, on a leaderboard: few of those that are drawn are both.
PAPER = "https://paperswithcode.com/paper/a"
WRITTEN = [{"paper_url": PAPER, "title": "A", "abstract": "", "authors": ["Zoë Ü", "Ann B"]}]
ROWS = [{"model_name": name, "paper_title": "A", "paper_url": PAPER, "metrics": {"Top 1": "88.4%"}} for name in "MMN"]
CLAIMED = [{"task": "A", "datasets": [{"dataset": "D", "sota": {"metrics": ["Top 1"], "rows": ROWS}}]}]
MEASURED = {
    "at": 0,
    "model": "M",
    "value": "88.30 ± 0.25%",
    "beside": True,
    "seeds": [0, 1, 2],
    "config": "seed = 0\n",
    "objection": "No.",
    "external_id": None,
}
KINDS = ("paper", "task", "dataset", "method", "result")
DONE = st.one_of(
    st.tuples(st.just("hide"), st.sampled_from(KINDS), PLACES, PLACES),
    st.tuples(st.just("merge"), st.sampled_from(("paper", "task", "dataset", "method")), PLACES, PLACES),
    st.tuples(st.just("correct"), st.just("result"), PLACES, PLACES),
    st.tuples(st.just("verify"), st.just("result"), PLACES, PLACES),
    st.tuples(st.just("retire"), st.just("result"), PLACES, PLACES),
    st.tuples(st.just("restore"), st.just("event"), PLACES, PLACES),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Store(tmp_path_factory.mktemp("empty") / "board.db", create=True).path


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None, phases=set(Phase) - {Phase.shrink})
@given(
    tables=st.lists(tasks(1), max_size=2).map(lambda drawn: [*drawn, *CLAIMED]),
    files=st.lists(FILE, max_size=3).map(lambda drawn: [*drawn, WRITTEN]),
    runs=st.lists(RUNS, max_size=3),
    done=st.lists(DONE, max_size=4),
)
@example(
    tables=CLAIMED,
    files=[WRITTEN],
    runs=[MEASURED, MEASURED],
    done=[("verify", "result", 0, 0), ("verify", "result", 2, 0), ("correct", "result", 1, 0)],
)
@example(
    tables=CLAIMED,
    files=[WRITTEN],
    runs=[MEASURED],
    done=[("verify", "result", 1, 0), ("retire", "result", 0, 0), ("hide", "result", 2, 0)],
)
@example(  # the row still names the paper that became another
    tables=CLAIMED,
    files=[[{"paper_url": "https://paperswithcode.com/paper/b", "title": "B", "abstract": "", "authors": []}], WRITTEN],
    runs=[MEASURED],
    done=[("merge", "paper", 0, 1)],
)
def test_five_dumps_and_runs_out_and_in_again(
    empty: Path,
    exported: Callable[..., bytes],
    tables: list[dict[str, Any]],
    files: list[list[dict[str, Any]]],
    runs: list[dict[str, Any]],
    done: list[tuple[str, str, int, int]],
) -> None:
    with TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        first, second = (Store(Path(shutil.copy(empty, folder / f"{which}.db"))) for which in "12")
        for number, objects in enumerate([tables, *files]):
            (folder / f"{number}.json").write_text(json.dumps(objects), encoding="utf-8")
            with suppress(UserError):  # nothing in it has a name
                import_file(first, folder / f"{number}.json", actor="anna")
        for run in runs:
            measure(first, run)
        for what, kind, at, other in done:
            with suppress(UserError):  # it is hidden already, or cannot be taken back
                do(first, what, kind, at, other)
        written = {format: exported(first, format) for format in FORMATS}
        for format, content in written.items():
            (folder / f"{format}.json").write_bytes(content)
            if content != b"[]\n":
                lost = import_file(second, folder / f"{format}.json", actor="anna")["lost"]
                assert lost.keys() <= SAID_AGAIN, (format, lost)
        assert {format: exported(second, format) for format in FORMATS} == written


def measure(store: Store, run: dict[str, Any]) -> None:
    """Put a run on a leaderboard of the store, where it has one."""
    with store.changing("anna", "submit run") as change:
        board = chosen(change, "SELECT id FROM leaderboard ORDER BY id", run["at"])
        if board is None:
            return
        claim = chosen(
            change, f"SELECT id FROM result WHERE leaderboard_id = {board} AND kind = 'claim' ORDER BY id", run["at"]
        )
        of_claim = whole_result(change.connection, claim) if run["beside"] and claim else None
        old = chosen(
            change,
            f"SELECT id FROM result WHERE leaderboard_id = {board} AND external_id = '{run['external_id']}' AND retired_by IS NULL",
            0,
        )
        made = change.add_result(
            Result(
                board,
                of_claim.model if of_claim else run["model"],
                {"Top 1": run["value"]},
                paper=of_claim.paper if of_claim else None,
                kind="run",
                external_id=run["external_id"],
            ),
            supersedes=old,
        )
        environment = {"runs": [{"seed": seed} for seed in run["seeds"]]}
        change.insert(
            "run",
            result_id=made,
            claim_id=claim if of_claim else None,
            config=run["config"],
            seeds=json.dumps(run["seeds"]),
            environment=json.dumps(environment, sort_keys=True),
            intervals='{"Top 1": [1.5, 2]}',
        )
        if run["objection"] and run["objection"].strip().isprintable() and run["objection"].strip():
            change.insert("objection", result_id=made, position=0, reason=run["objection"].strip())


def do(store: Store, what: str, kind: str, at: int, other: int) -> None:
    """What curators do to entries, results and changes."""
    if what == "restore":
        history.restore(store, at, actor="carla")
    elif what == "hide":
        with store.changing("anna", "look") as change:
            number = chosen(change, f"SELECT id FROM {kind} ORDER BY id", at)
            slug = number if kind == "result" or number is None else slug_of(change, kind, number)
        if slug is not None:
            hiding.hide(store, kind, str(slug), reason="spam", actor="carla")
    elif what == "merge":
        with store.changing("anna", "look") as change:
            pair = [chosen(change, f"SELECT id FROM {kind} ORDER BY id", one) for one in (at, other)]
            slugs = [slug_of(change, kind, number) for number in pair if number is not None]
        if len(slugs) == 2 and slugs[0] != slugs[1]:
            merge_entries(store, kind, *slugs, actor="carla")
    else:
        with store.changing("anna", what) as change:
            result = chosen(change, "SELECT id FROM result WHERE retired_by IS NULL AND kind = 'claim' ORDER BY id", at)
            if result is not None and what == "retire":
                change.retire_result(result)
            elif result is not None and what == "verify":
                paper = whole_result(change.connection, result).paper
                authors = authors_of(change.connection, paper)
                if authors:
                    change.edit("result", result, verified_by=authors[0], verified_where="on the web")
            elif result is not None:
                change.add_result(whole_result(change.connection, result), supersedes=result)


def chosen(change: Change, query: str, at: int) -> int | None:
    rows = change.connection.execute(query).fetchall()
    return int(rows[at % len(rows)]["id"]) if rows else None


def slug_of(change: Change, kind: str, number: int) -> str:
    return str(change.connection.execute(f"SELECT slug FROM {kind} WHERE id = ?", (number,)).fetchone()["slug"])
