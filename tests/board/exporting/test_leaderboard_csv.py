"""A leaderboard for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.errors import UserError

Export = Callable[..., bytes]


def test_claims_by_rank_then_runs_with_the_mean_over_their_seeds(store: Store, exported: Export) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("T"), change.dataset("P", change.dataset("D")))
        change.metric(board, "Error", higher_is_better=False)
        paper = change.paper(title='A "title", with é', url="https://arxiv.org/abs/1911.04252", published="2019-11-11")
        links = [{"title": "", "url": "https://github.com/a/b"}, {"title": "", "url": "https://github.com/c/d"}]
        change.add_result(Result(board, "Second", {"Error": "12.0", "GFLOPs": "-3"}, extra_data=False))
        change.add_result(
            Result(board, "First", {"Error": "11.6 ± 0.1"}, paper=paper, extra_data=True, code_links=links)
        )
        change.add_result(Result(board, "Words", {"Error": "low"}, paper_date="2222-01-01"))
        run = change.add_result(Result(board, "Measured", {"Error": "1 ± 0.2"}, kind="run"))
        change.insert("run", result_id=run, seeds="[0, 1, 2]", images=500)
    table = list(csv.reader(io.StringIO(exported(store, "csv", of=board).decode())))
    assert table == [
        ["rank", "model", "Error", "GFLOPs", "extra_training_data", "paper", "paper_url", "date", "code",
         "kind", "seeds", "images", "task", "dataset", "part", "verified_by", "verified_where"],
        ["1", "First", "11.6 ± 0.1", "", "yes", 'A "title", with é', "https://arxiv.org/abs/1911.04252", "2019-11-11",
         "https://github.com/a/b https://github.com/c/d", "claim", "", "", "T", "D", "P", "", ""],
        ["2", "Second", "12.0", "-3", "no", "", "", "", "", "claim", "", "", "T", "D", "P", "", ""],
        ["", "Words", "low", "", "", "", "", "2222-01-01", "", "claim", "", "", "T", "D", "P", "", ""],
        ["", "Measured", "1 ± 0.2", "", "", "", "", "", "", "run", "0 1 2", "500", "T", "D", "P", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+cmd", "-1+1", "@sum"])
def test_no_text_is_a_formula(store: Store, exported: Export, name: str) -> None:
    with store.changing("anna", "add") as change:
        board = change.leaderboard(change.task("T"), change.dataset("D"))
        change.add_result(Result(board, name, {name: name}))
    table = list(csv.reader(io.StringIO(exported(store, "csv", of=board).decode())))
    assert table[0][2] == table[1][1] == table[1][2] == f"'{name}"


def test_a_leaderboard_must_be_named(store: Store, exported: Export) -> None:
    with pytest.raises(UserError, match="name the leaderboard"):
        exported(store, "csv")
    with pytest.raises(UserError, match="there is no leaderboard 7"):
        exported(store, "csv", of=7)


def test_an_unknown_format_is_refused(store: Store, exported: Export) -> None:
    with pytest.raises(UserError, match="no format 'xml'"):
        exported(store, "xml")
