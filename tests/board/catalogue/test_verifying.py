"""A result that an author of its paper verified: who may be named, where the mark is, and when it goes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue import history, verifying
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError
from tests.board.conftest import Browser

PLACE = "https://x.org/smith?a=1&b=2"
BOARD = "/sota/image-classification-on-imagenet"


@pytest.fixture
def written(imagenet: Store) -> Store:
    """The paper of result 2 has authors."""
    with imagenet.changing("anna", "add") as change:
        rows = [
            {"position": place, "author_id": change.author(name)}
            for place, name in enumerate(("J. Smith", "Quoc V. Le"))
        ]
        change.replace_rows("paper_author", {"paper_id": 1}, rows)
    return imagenet


def marks(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        query = "SELECT id, verified_by, verified_where FROM result WHERE retired_by IS NULL AND verified_by <> ''"
        return [tuple(row) for row in connection.execute(query)]


def test_a_mark_is_given_changed_taken_away_and_put_back(written: Store) -> None:
    verifying.verify(written, "2", "j smith", PLACE, actor="carla")
    assert marks(written) == [(2, "J. Smith", PLACE)]  # as the paper names them
    verifying.verify(written, "2", "Quoc V. Le", "an e-mail to\n the curators", actor="carla")
    assert marks(written) == [(2, "Quoc V. Le", "an e-mail to the curators")]
    event = verifying.unverify(written, "2", actor="carla")
    assert marks(written) == []
    history.restore(written, event, actor="carla")
    assert marks(written) == [(2, "Quoc V. Le", "an e-mail to the curators")]
    with written.reading() as connection:
        event = connection.execute("SELECT action, note FROM event ORDER BY id LIMIT 1 OFFSET 2").fetchone()
    assert tuple(event) == ("verify result", f"j smith: {PLACE}")


def test_who_and_what_cannot_be_is_said_in_one_message(written: Store) -> None:
    with written.changing("anna", "add") as change:
        run = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "88"}, paper=1, kind="run"))
        later = change.add_result(Result(1, "EfficientNet", {"Top 1 Accuracy": "86"}), supersedes=1)
    for result, author, where, said in (
        (
            "2",
            "J. Smythe",
            "",
            [
                "'J. Smythe' is no author of 'Self-training with Noisy Student': it has 'J. Smith', 'Quoc V. Le'",
                "say where it can be seen",
            ],
        ),
        ("99", "J. Smith", "", ["there is no result with the number '99'", "say where it can be seen"]),
        ("x" * 9999, "J. Smith", PLACE, ["there is no result"]),
        ("9" * 30, "J. Smith", PLACE, ["there is no result"]),
        ("3", "J. Smith", PLACE, ["result 3 has no paper"]),
        (str(run), "J. Smith", PLACE, ["is a run, which was measured"]),
        (
            "1",
            "J. Smith",
            PLACE,
            [f"result 1 is on its leaderboard no more, result {later} took its place", "has no paper"],
        ),
        ("2", "J. Smith", "x" * 2001, ["at most 2,000 characters"]),
        ("2", "J. Smith", "a\0b", ["say where it can be seen"]),
    ):
        with pytest.raises(UserError) as refused:
            verifying.verify(written, result, author, where, actor="carla")
        for text in said:
            assert text in str(refused.value)
        assert len(refused.value.problems) == len(said)
    assert marks(written) == []
    verifying.verify(written, "2", "J. Smith", PLACE, actor="carla")
    with pytest.raises(UserError, match="is verified so already"):
        verifying.verify(written, "2", "J. Smith", PLACE, actor="carla")
    with pytest.raises(UserError, match="result 3 is not verified"):
        verifying.unverify(written, "3", actor="carla")


def test_what_takes_the_place_of_a_verified_result_is_not_verified(written: Store) -> None:
    verifying.verify(written, "2", "J. Smith", PLACE, actor="carla")
    with written.changing("anna", "correct") as change:
        change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "89.4%"}, paper=1), supersedes=2)
        event = change.event
    assert marks(written) == []
    history.restore(written, event, actor="carla")
    ((_, author, where),) = marks(written)  # a copy of it is back
    assert (author, where) == ("J. Smith", PLACE)


def test_readers_see_the_mark_and_find_by_it(written: Store, browser_of: Any) -> None:
    browser: Browser = browser_of(written)
    assert "verified" not in browser.client.get(BOARD).text  # no filter where there is nothing to find
    verifying.verify(written, "2", "J. Smith", PLACE, actor="carla")
    page = browser.client.get(BOARD).text
    assert f'href="{PLACE.replace("&", "&amp;")}"' in page
    assert 'aria-hidden="true">✓</span><span class="hidden">verified by J. Smith, an author of the paper</span>' in page
    assert "an author of the paper verified the result" in page
    assert 'name="verified"' in page
    rows = browser.client.get(f"{BOARD}.json?verified=yes").json()["rows"]
    assert [(row["model"], row["verified"]) for row in rows] == [("NoisyStudent", {"by": "J. Smith", "where": PLACE})]
    assert browser.client.get(f"{BOARD}?verified=no").status_code == 422
    assert "verified by J. Smith" in browser.client.get("/paper/self-training-with-noisy-student").text
    assert "result 2, NoisyStudent" in browser.client.get("/history/image-classification-on-imagenet").text
    table = "/api/v1/evaluations/image-classification-on-imagenet/results/"
    found = browser.client.get(f"{table}?verified=true").json()
    assert [(row["id"], row["verified_by"], row["verified_where"]) for row in found["results"]] == [
        ("2", "J. Smith", PLACE)
    ]
    assert found["applied_filters"]["verified"] is True
    assert len(browser.client.get(f"{table}?verified=false").json()["results"]) == 2
    row = browser.client.get("/api/v1/evaluations/?paper_id=1911.04252").json()["results"][0]
    assert row["verified_by"] == "J. Smith"


def test_a_note_is_text_and_no_link(written: Store, browser_of: Any) -> None:
    verifying.verify(written, "2", "J. Smith", 'javascript:alert(1) "><script>alert(1)</script>', actor="carla")
    page = browser_of(written).client.get(BOARD).text
    assert "<script>alert" not in page
    assert not re.search(r'href="javascript', page)
    assert "verified by J. Smith" in page


def test_curators_verify_from_their_page(written: Store, browser_of: Any, curator: Browser) -> None:
    with curator.store.changing("anna", "add") as change:
        paper = change.paper(title="Deep") or 0
        change.replace_rows(
            "paper_author", {"paper_id": paper}, [{"position": 0, "author_id": change.author("Ada <b>")}]
        )
        board = change.leaderboard(change.task("Chess"), change.dataset("Games"))
        number = change.add_result(Result(board, "Net", {"Elo": "9"}, paper=paper))
    wanted = {"result": f" {number} ", "author": "ada b", "where": PLACE}
    refused = curator.send("/curate/verified", "/curate/verify", **wanted | {"author": "Eve"})
    assert (refused.status_code, "is no author of" in refused.text) == (409, True)
    answer = curator.send("/curate/verified", "/curate/verify", **wanted)
    assert (answer.status_code, answer.headers["location"][:14]) == (303, "/curate/event/")
    page = curator.page("/curate/verified")
    assert "Ada <b>" in page.text
    assert curator.send("/curate/verified", "/curate/unverify").status_code == 303
    assert marks(curator.store) == []
    assert curator.send("/curate/verified", "/curate/verify", **wanted).status_code == 303
    stranger = browser_of(written)
    assert "Sign in" in stranger.page("/curate/verified").text
    for action in ("verify", "unverify"):
        assert stranger.post(f"/curate/{action}", [("result", "2")]).status_code == 403


@pytest.mark.parametrize(
    ("format", "name"), [("evaluation-tables", "tables.json"), ("csv", "table.csv"), ("every-eval-ever", "records")]
)
def test_files_of_ours_keep_the_mark(written: Store, tmp_path: Path, format: str, name: str) -> None:
    title, url = "Self-training with Noisy Student", "https://arxiv.org/abs/1911.04252"
    with written.changing("anna", "add") as change:
        about = {"paper": 1, "paper_title": title, "paper_url": url}
        number = change.add_result(Result(1, "B0", {"Top 1 Accuracy": "78.8%"}, **about))
    verifying.verify(written, str(number), "Quoc V. Le", PLACE, actor="carla")
    export_file(written, "papers-with-abstracts", tmp_path / "papers.json")
    export_file(written, format, tmp_path / name, of="image-classification-on-imagenet" if format == "csv" else "")
    other = Store(tmp_path / "other.db", create=True)
    early = import_file(other, tmp_path / name, actor="anna")  # before anybody knows who wrote the paper
    assert early["lost"]["verified"]["count"] == 1
    assert "import the paper first" in str(early["lost"]["verified"])
    assert marks(other) == []
    import_file(other, tmp_path / "papers.json", actor="anna")
    for _ in range(2):
        assert "verified" not in import_file(other, tmp_path / name, actor="anna")["lost"]
        ((_, *mark),) = marks(other)
        assert mark == ["Quoc V. Le", PLACE]
    verifying.verify(other, str(marks(other)[0][0]), "J. Smith", "a letter", actor="carla")
    import_file(other, tmp_path / name, actor="anna")  # what a curator recorded here stays
    assert [mark[1:] for mark in marks(other)] == [("J. Smith", "a letter")]
