from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue import entries
from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.check import check
from noisystudent.board.catalogue.history import restore
from noisystudent.board.catalogue.names import meant
from noisystudent.board.catalogue.store import Store
from noisystudent.board.queries.verdicts import verdicts_of_leaderboard
from noisystudent.board.submitting import submissions, tokens
from noisystudent.board.submitting.differences import Difference, FieldChange
from noisystudent.board.submitting.payloads import Mistakes
from noisystudent.board.submitting.submissions import (
    Conflict,
    QueueFull,
    QueueLimits,
    approve,
    reject,
    submit,
    withdraw,
)
from noisystudent.errors import UserError

BOARD = "image-classification-on-imagenet"


def send(store: Store, kind: str, /, **payload: Any) -> int:
    return submit(store, kind, payload, submitter="anna")[0]


def difference(store: Store, number: int) -> Difference:
    with store.reading() as connection:
        return submissions.difference(connection, number)


def status(store: Store, number: int) -> str:
    with store.reading() as connection:
        found = submissions.get(connection, number)
    assert found is not None
    return found.status


def rows(store: Store, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(query, parameters)]


def result(model: str, value: str) -> dict[str, Any]:
    return {"leaderboard": BOARD, "model": model, "metrics": {"Top 1 Accuracy": value}}


def standing(store: Store) -> list[tuple[Any, ...]]:
    """The rows of the leaderboard now, by rank."""
    return rows(
        store,
        "SELECT m.name, v.raw, v.rank FROM result r JOIN model m ON m.id = r.model_id JOIN value v ON v.result_id = r.id "
        "JOIN metric e ON e.id = v.metric_id WHERE r.retired_by IS NULL AND e.name = 'Top 1 Accuracy' ORDER BY v.rank",
    )


# The queue


def test_a_submission_changes_nothing_until_it_is_approved(store: Store) -> None:
    number = send(store, "task", name="Image Classification")
    assert status(store, number) == "pending"
    assert rows(store, "SELECT count(*) FROM task") == [(0,)]
    assert rows(store, "SELECT count(*) FROM event") == [(0,)]
    event = approve(store, number, actor="carla", note="fine")
    assert status(store, number) == "approved"
    assert rows(store, "SELECT slug FROM task") == [("image-classification",)]
    ((actor, action, note, detail),) = rows(store, "SELECT actor, action, note, detail FROM event WHERE id = ?", event)
    assert (actor, action, note) == ("carla", "approve submission", f"submission {number}: fine")
    assert json.loads(detail)["report"]["submission"] == number
    assert rows(store, "SELECT decided_by, event_id FROM submission") == [("carla", event)]


def test_mistakes_against_the_catalogue_are_told_at_once(imagenet: Store) -> None:
    with pytest.raises(Mistakes) as error:
        send(
            imagenet,
            "result",
            leaderboard=BOARD,
            model="New",
            metrics={"top 1 accuracy": "1"},
            higher_is_better={"top 1 accuracy": False},
            paper="no-such-paper",
            corrects=999,
        )
    assert set(error.value.fields) == {"metrics", "paper", "corrects"}
    assert "'Top 1 Accuracy'" in str(error.value)
    assert rows(imagenet, "SELECT count(*) FROM submission") == [(0,)]


@pytest.mark.parametrize("decision", ["approve", "reject", "withdraw"])
@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
def test_a_decision_is_final(store: Store, first: str, decision: str) -> None:
    number, receipt = submit(store, "task", {"name": "A"}, submitter="anna")
    decide = {
        "approve": lambda: approve(store, number, actor="carla"),
        "reject": lambda: reject(store, number, actor="carla", reason="no"),
        "withdraw": lambda: withdraw(store, number, receipt),
    }
    decide[first]()
    past = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}[first]
    with pytest.raises(Conflict, match=f"submission {number} was {past} already by"):
        decide[decision]()
    assert status(store, number) == past
    assert rows(store, "SELECT count(*) FROM task") == [(1 if first == "approve" else 0,)]


def test_what_is_not_there(store: Store) -> None:
    number, receipt = submit(store, "task", {"name": "A"}, submitter="anna")
    for call in (
        lambda: approve(store, 99, actor="carla"),
        lambda: reject(store, 99, actor="carla", reason="no"),
        lambda: withdraw(store, 99, receipt),
        lambda: submissions.restore(store, 99, actor="carla"),
        lambda: difference(store, 99),
    ):
        with pytest.raises(UserError, match="there is no submission 99"):
            call()
    with pytest.raises(UserError, match="say why"):
        reject(store, number, actor="carla", reason=" ")
    with pytest.raises(UserError, match="not the one of submission"):
        withdraw(store, number, "guess")
    with pytest.raises(Conflict, match="is pending: it has changed nothing"):
        submissions.restore(store, number, actor="carla")
    assert status(store, number) == "pending"


def test_a_receipt_is_kept_as_a_hash_and_used_once(store: Store) -> None:
    _, receipt = submit(store, "task", {"name": "A"}, submitter="anna", receipt="r" * 32)
    with pytest.raises(Conflict, match="submitted already"):
        submit(store, "task", {"name": "B"}, submitter="anna", receipt=receipt)
    assert rows(store, "SELECT receipt FROM submission") == [(tokens.hashed("r" * 32),)]
    with store.reading() as connection:
        found = submissions.of_receipt(connection, receipt)
        assert found is not None
        assert submissions.of_receipt(connection, "other") is None
    assert found.id == 1


def test_the_queue_is_limited(store: Store) -> None:
    limits = QueueLimits(of_one=2, in_all=3)

    def one(name: str, submitter: str) -> None:
        submit(store, "task", {"name": name}, submitter=submitter, limits=limits)

    one("A", "anna")
    one("B", "anna")
    with pytest.raises(QueueFull, match="2 submissions of yours"):
        one("C", "anna")
    one("C", "bert")
    with pytest.raises(QueueFull, match="3 submissions are waiting"):
        one("D", "cleo")
    approve(store, 1, actor="carla")
    one("D", "anna")


def test_a_read_only_store_takes_nothing(store: Store) -> None:
    closed = Store(store.path, read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        send(closed, "task", name="A")


# Tasks, datasets, methods, papers


def test_a_new_entry_of_each_kind(imagenet: Store) -> None:
    new: dict[str, dict[str, Any]] = {
        "task": {
            "name": "Detection",
            "description": "*where*",
            "areas": ["Computer Vision"],
            "parents": ["Image Classification"],
            "synonyms": ["Localisation"],
        },
        "dataset": {
            "name": "CIFAR-10",
            "full_name": "",
            "homepage": "https://a.org/",
            "description": "",
            "introduced_date": "2009-01-01",
            "licence_name": "MIT",
            "licence_url": "",
            "modalities": ["Images"],
            "languages": [],
            "tasks": ["Image Classification"],
            "paper": "https://arxiv.org/abs/1911.04252v4",
        },
        "method": {
            "name": "Dropout",
            "full_name": "",
            "description": "",
            "introduced_year": 2014,
            "collections": ["Regularization"],
            "source_title": "",
            "source_url": "",
            "code_snippet_url": "",
            "paper": "",
        },
        "paper": {
            "title": "A paper",
            "abstract": "",
            "published": "2020-02-02",
            "url_abs": "https://arxiv.org/abs/2002.00001",
            "url_pdf": "",
            "conference": "",
            "authors": ["B. Last", "A. First"],
            "tasks": ["Image Classification"],
            "methods": [],
            "datasets": ["ImageNet"],
            "official_code": ["https://github.com/a/b"],
            "code": ["https://github.com/c/d"],
        },
    }
    for kind, payload in new.items():
        number = send(imagenet, kind, **payload)
        found = difference(imagenet, number)
        assert not found.problems
        assert {change.field for change in found.changes} == {
            name for name, value in payload.items() if value not in ("", [])
        }
        approve(imagenet, number, actor="carla")
        with imagenet.reading() as connection:
            entry = connection.execute(f"SELECT max(id) FROM {kind}").fetchone()[0]
            stands = entries.fields(connection, kind, entry)
        if payload.get("paper"):
            payload["paper"] = rows(imagenet, "SELECT slug FROM paper WHERE arxiv_id = '1911.04252'")[0][0]
        assert stands == payload
        assert rows(
            imagenet, f"SELECT s.name FROM {kind} e JOIN source s ON s.id = e.source_id WHERE e.id = ?", entry
        ) == [("submissions",)]
    assert rows(imagenet, "SELECT arxiv_id FROM paper WHERE title = 'A paper'") == [("2002.00001",)]
    assert rows(imagenet, "SELECT published FROM paper_task") == [("2020-02-02",)]


def test_a_change_touches_what_is_given_and_can_be_taken_back(imagenet: Store) -> None:
    approve(
        imagenet,
        send(
            imagenet,
            "paper",
            title="A paper",
            authors=["A", "B"],
            published="2020-01-01",
            url_pdf="https://a.org/",
            tasks=["Image Classification"],
            code=["https://github.com/a/b"],
        ),
        actor="carla",
    )
    with imagenet.reading() as connection:
        paper = meant(connection, "paper", "a-paper")
        assert paper is not None
        before = entries.fields(connection, "paper", paper)
    number = send(
        imagenet,
        "paper",
        paper="a-paper",
        authors=["B", "A", "C"],
        url_pdf="",
        published="2021-01-01",
        official_code=["https://github.com/a/b"],
    )
    found = difference(imagenet, number)
    assert found.address == "/paper/a-paper"
    assert found.changes == (
        FieldChange("authors", ["A", "B"], ["B", "A", "C"]),
        FieldChange("published", "2020-01-01", "2021-01-01"),
        FieldChange("url_pdf", "https://a.org/", ""),
        FieldChange("official_code", [], ["https://github.com/a/b"]),
    )
    event = approve(imagenet, number, actor="carla")
    with imagenet.reading() as connection:
        after = entries.fields(connection, "paper", paper)
    assert after == before | {
        "authors": ["B", "A", "C"],
        "url_pdf": "",
        "published": "2021-01-01",
        "official_code": ["https://github.com/a/b"],
        "code": [],
    }
    assert rows(imagenet, "SELECT published FROM paper_task WHERE paper_id = ?", paper) == [("2021-01-01",)]
    undo = submissions.restore(imagenet, number, actor="carla")
    with imagenet.reading() as connection:
        assert entries.fields(connection, "paper", paper) == before
    assert rows(imagenet, "SELECT published FROM paper_task WHERE paper_id = ?", paper) == [("2020-01-01",)]
    with pytest.raises(UserError, match=f"was taken back already, by event {undo}"):
        submissions.restore(imagenet, number, actor="carla")
    restore(imagenet, undo, actor="carla")  # taken back, too
    with imagenet.reading() as connection:
        assert entries.fields(connection, "paper", paper) == after
    assert submissions.restore(imagenet, number, actor="carla") > event


@pytest.mark.parametrize(
    ("kind", "payload", "field", "sentence"),
    [
        ("task", {}, "name", "must be given"),
        ("task", {"name": "image classification"}, "name", "here already, as 'image-classification'"),
        ("task", {"task": "no-such", "name": "X"}, "task", "there is no task 'no-such'"),
        (
            "task",
            {"task": "image-classification", "parents": ["Image Classification"]},
            "parents",
            "stands below this task",
        ),
        ("task", {"task": "image-classification", "name": "Image Classification"}, "", "nothing would change"),
        ("task", {"name": "X", "parents": ["Nowhere"]}, "parents", "there is no task 'Nowhere'"),
        ("dataset", {"name": "IMAGENET"}, "name", "here already, as 'imagenet'"),
        ("dataset", {"name": "X", "paper": "https://arxiv.org/abs/9999.99999"}, "paper", "there is no paper"),
        ("paper", {"title": "X", "url_pdf": "https://arxiv.org/pdf/1911.04252v2"}, "title", "here already"),
        ("paper", {"title": "Self-training with Noisy Student"}, "title", "here already"),
        ("paper", {"title": "X", "tasks": ["Y"], "methods": ["Z"]}, "methods", "there is no method 'Z'"),
        ("method", {"name": "X", "paper": "no-such"}, "paper", "there is no paper"),
        (
            "direction",
            {"leaderboard": "x", "metric": "X", "higher_is_better": True},
            "leaderboard",
            "there is no leaderboard",
        ),
        ("direction", {"leaderboard": BOARD, "metric": "X", "higher_is_better": True}, "metric", "has no metric 'X'"),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(
    imagenet: Store, kind: str, payload: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Mistakes) as error:
        submit(imagenet, kind, payload, submitter="anna")
    assert sentence in " ".join(error.value.fields[field])


def test_tasks_do_not_go_in_circles(store: Store) -> None:
    for name, parents in (("A", []), ("B", ["A"]), ("C", ["B"])):
        approve(store, send(store, "task", name=name, parents=parents), actor="carla")
    with pytest.raises(Mistakes, match="'C' stands below this task"):
        send(store, "task", task="a", parents=["C"])


def test_the_world_changed_since_it_was_looked_at(store: Store) -> None:
    first, second = send(store, "task", name="A"), send(store, "task", name="A")
    approve(store, first, actor="carla")
    assert "here already" in str(difference(store, second).problems)
    with pytest.raises(Conflict, match="cannot be approved now"):
        approve(store, second, actor="carla")
    assert status(store, second) == "pending"
    third = send(store, "task", task="a", description="mine")
    seen = difference(store, third).fingerprint
    approve(store, send(store, "task", task="a", description="other"), actor="carla")
    with pytest.raises(Conflict, match="look at it again"):
        approve(store, third, actor="carla", seen=seen)
    assert rows(store, "SELECT description FROM task") == [("other",)]
    approve(store, third, actor="carla", seen=difference(store, third).fingerprint)
    assert rows(store, "SELECT description FROM task") == [("mine",)]


# Results


def test_a_result_on_a_leaderboard_shows_where_it_would_rank(imagenet: Store) -> None:
    number = send(
        imagenet,
        "result",
        leaderboard=BOARD,
        model="ViT",
        metrics={"Top 1 Accuracy": "88.0%", "GFLOPs": "40"},
        extra_data=True,
        evaluated_on="2020-10-22",
        source_url="https://a.org/t2",
        locator="Table 2",
        code_links=["https://github.com/a/b"],
        tags=["Transformer"],
    )
    found = difference(imagenet, number)
    assert [(rank.metric, rank.rank, rank.of, rank.before) for rank in found.ranks] == [
        ("Top 1 Accuracy", 2, 4, None),
        ("GFLOPs", 1, 1, None),
    ]
    assert (found.supersedes, found.address) == (None, f"/sota/{BOARD}")
    approve(imagenet, number, actor="carla")
    assert [row[0] for row in standing(imagenet)] == ["NoisyStudent", "ViT", "EfficientNet", "ResNet"]
    assert rows(
        imagenet,
        "SELECT extra_data, evaluated_on, source_url, locator, code_links, tags FROM result r JOIN model m ON m.id = r.model_id "
        "WHERE m.name = 'ViT'",
    ) == [
        (
            1,
            "2020-10-22",
            "https://a.org/t2",
            "Table 2",
            '[{"title": "", "url": "https://github.com/a/b"}]',
            '["Transformer"]',
        )
    ]


def test_a_result_of_the_same_model_supersedes_its_row_and_keeps_the_rest(imagenet: Store) -> None:
    ((old,),) = rows(
        imagenet, "SELECT r.id FROM result r JOIN model m ON m.id = r.model_id WHERE m.name = 'EfficientNet'"
    )
    number = send(
        imagenet, "result", leaderboard=BOARD, model="EfficientNet", metrics={"GFLOPs": "37"}, locator="Table 1"
    )
    found = difference(imagenet, number)
    assert found.supersedes == old
    assert found.changes == (FieldChange("metric GFLOPs", None, "37"), FieldChange("locator", "", "Table 1"))
    assert [(rank.metric, rank.rank, rank.before) for rank in found.ranks] == [
        ("Top 1 Accuracy", 2, 2),
        ("GFLOPs", 1, None),
    ]
    approve(imagenet, number, actor="carla")
    assert [row[0] for row in standing(imagenet)] == ["NoisyStudent", "EfficientNet", "ResNet"]
    ((new, supersedes, position),) = rows(
        imagenet,
        "SELECT r.id, r.supersedes, r.position FROM result r JOIN model m ON m.id = r.model_id "
        "WHERE m.name = 'EfficientNet' AND r.retired_by IS NULL",
    )
    assert (supersedes, position) == (old, 0)
    submissions.restore(imagenet, number, actor="carla")
    assert rows(imagenet, "SELECT retired_by IS NULL FROM result WHERE id = ?", new) == [(0,)]
    assert rows(
        imagenet,
        "SELECT count(*) FROM value v JOIN result r ON r.id = v.result_id JOIN metric m ON m.id = v.metric_id "
        "WHERE r.retired_by IS NULL AND m.name = 'GFLOPs'",
    ) == [(0,)]


def test_a_row_can_be_named_and_its_model_corrected(imagenet: Store) -> None:
    ((old,),) = rows(
        imagenet, "SELECT r.id FROM result r JOIN model m ON m.id = r.model_id WHERE m.name = 'NoisyStudent'"
    )
    number = send(
        imagenet,
        "result",
        leaderboard=BOARD,
        model="NoisyStudent (EfficientNet-L2)",
        metrics={"Top 1 Accuracy": "88.4%"},
        corrects=old,
    )
    assert difference(imagenet, number).changes == (
        FieldChange("model", "NoisyStudent", "NoisyStudent (EfficientNet-L2)"),
    )
    approve(imagenet, number, actor="carla")
    assert standing(imagenet)[0] == ("NoisyStudent (EfficientNet-L2)", "88.4%", 1)
    assert rows(imagenet, "SELECT paper_id FROM result WHERE supersedes = ?", old) == rows(
        imagenet, "SELECT paper_id FROM result WHERE id = ?", old
    )
    with pytest.raises(Mistakes, match="superseded or taken off already"):
        send(imagenet, "result", leaderboard=BOARD, model="X", metrics={"GFLOPs": "1"}, corrects=old)


def test_a_measured_run_is_not_corrected_by_hand(imagenet: Store) -> None:
    with imagenet.changing("anna", "run") as change:
        run = change.add_result(Result(1, "Ours", {"Top 1 Accuracy": "80%"}, kind="run"))
    with pytest.raises(Mistakes, match="was measured"):
        send(imagenet, "result", leaderboard=BOARD, model="Ours", metrics={"Top 1 Accuracy": "99%"}, corrects=run)
    number = send(imagenet, "result", leaderboard=BOARD, model="Ours", metrics={"Top 1 Accuracy": "99%"})
    assert difference(imagenet, number).supersedes is None


def test_of_several_rows_one_must_be_named(imagenet: Store) -> None:
    for extra in (True, False):
        approve(
            imagenet,
            send(
                imagenet, "result", leaderboard=BOARD, model="BiT", metrics={"Top 1 Accuracy": "87%"}, extra_data=extra
            ),
            actor="carla",
        )
    assert len(standing(imagenet)) == 5
    with pytest.raises(Mistakes, match="say which one it corrects"):
        send(imagenet, "result", leaderboard=BOARD, model="BiT", metrics={"GFLOPs": "3"})


def test_a_new_leaderboard_with_its_task_dataset_paper_and_direction(store: Store) -> None:
    number = send(
        store,
        "result",
        task="Speech",
        dataset="LibriSpeech",
        model="M",
        metrics={"Vibes": "3.2"},
        higher_is_better={"Vibes": False},
        paper="https://arxiv.org/abs/2006.00001",
        paper_title="A paper",
        paper_date="2020-06-01",
    )
    found = difference(store, number)
    assert found.notes == (
        "the task Speech would be new",
        "the dataset LibriSpeech would be new",
        "the leaderboard would be new",
        "the paper A paper would be new",
        "the metric Vibes would be new",
    )
    event = approve(store, number, actor="carla")
    assert rows(
        store,
        "SELECT l.slug, m.higher_is_better, m.direction_origin FROM leaderboard l JOIN metric m ON m.leaderboard_id = l.id",
    ) == [("speech-on-librispeech", 0, "given")]
    assert rows(
        store, "SELECT p.title, p.published, r.paper_url, r.paper_date FROM result r JOIN paper p ON p.id = r.paper_id"
    ) == [("A paper", "2020-06-01", "https://arxiv.org/abs/2006.00001", "2020-06-01")]
    # Names in other capitals mean the same.
    again = send(store, "result", task="speech", dataset="librispeech", model="N", metrics={"Vibes": "3.0"})
    assert difference(store, again).notes == ()
    approve(store, again, actor="carla")
    assert rows(store, "SELECT count(*) FROM leaderboard") == [(1,)]
    restore(store, event, actor="carla")
    assert rows(store, "SELECT m.name FROM result r JOIN model m ON m.id = r.model_id WHERE r.retired_by IS NULL") == [
        ("N",)
    ]


def test_a_paper_that_is_not_here_needs_its_title_and_address(imagenet: Store) -> None:
    base: dict[str, Any] = {"leaderboard": BOARD, "model": "M", "metrics": {"GFLOPs": "1"}}
    for more, field in (
        ({"paper": "https://a.org/x"}, "paper_title"),
        ({"paper_title": "X"}, "paper"),
        ({"paper": "x", "paper_title": "X"}, "paper"),
    ):
        with pytest.raises(Mistakes) as error:
            submit(imagenet, "result", base | more, submitter="anna")
        assert set(error.value.fields) == {field}
    for paper in (
        "self-training-with-noisy-student",
        "https://arxiv.org/pdf/1911.04252v4",
        "https://paperswithcode.com/paper/self-training-with-noisy-student",
    ):
        number = send(imagenet, "result", **base, paper=paper)
        assert FieldChange("paper", None, "Self-training with Noisy Student") in difference(imagenet, number).changes


def test_a_value_that_cannot_be_compared_has_no_rank(imagenet: Store) -> None:
    number = send(imagenet, "result", leaderboard=BOARD, model="M", metrics={"Top 1 Accuracy": "80-90%"})
    assert [(rank.rank, rank.of) for rank in difference(imagenet, number).ranks] == [(None, 3)]
    approve(imagenet, number, actor="carla")
    assert len(standing(imagenet)) == 4


def test_a_direction_is_corrected_and_the_ranks_turn(imagenet: Store) -> None:
    with pytest.raises(Mistakes, match="send a submission of the kind direction"):
        send(
            imagenet,
            "result",
            leaderboard=BOARD,
            model="M",
            metrics={"Top 1 Accuracy": "1%"},
            higher_is_better={"Top 1 Accuracy": False},
        )
    number = send(imagenet, "direction", leaderboard=BOARD, metric="Top 1 Accuracy", higher_is_better=False)
    assert difference(imagenet, number).changes == (
        FieldChange("direction", "higher is better (given)", "lower is better (curated)"),
    )
    approve(imagenet, number, actor="carla")
    assert [row[0] for row in standing(imagenet)] == ["ResNet", "EfficientNet", "NoisyStudent"]
    with pytest.raises(Mistakes, match="a curator has said already"):
        send(imagenet, "direction", leaderboard=BOARD, metric="Top 1 Accuracy", higher_is_better=False)
    submissions.restore(imagenet, number, actor="carla")
    assert [row[0] for row in standing(imagenet)] == ["NoisyStudent", "EfficientNet", "ResNet"]


# At once, and in the middle


def test_two_curators_approve_at_once(imagenet: Store) -> None:
    number = send(imagenet, "result", leaderboard=BOARD, model="ViT", metrics={"Top 1 Accuracy": "88.0%"})
    barrier, outcomes = threading.Barrier(4), []

    def decide(actor: str) -> None:
        store = Store(imagenet.path)
        barrier.wait()
        try:
            outcomes.append(approve(store, number, actor=actor))
        except Conflict as conflict:
            outcomes.append(str(conflict))

    threads = [threading.Thread(target=decide, args=(name,)) for name in ("carla", "cyril", "chloe", "cem")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(isinstance(outcome, int) for outcome in outcomes) == [False, False, False, True]
    assert rows(imagenet, "SELECT count(*) FROM result r JOIN model m ON m.id = r.model_id WHERE m.name = 'ViT'") == [
        (1,)
    ]
    assert rows(imagenet, "SELECT count(*) FROM event WHERE action = 'approve submission'") == [(1,)]


KILLED = """
import os, signal, sys
from pathlib import Path
from noisystudent.board.catalogue.change import Change
from noisystudent.board.catalogue.store import Store
from noisystudent.board.submitting import submissions

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv[3]
if where == "before the event":
    Change.finish = die
elif where == "before the decision":
    submissions._decide = die
else:
    class Dying:
        def __init__(self, connection): self.connection = connection
        def __getattr__(self, name): return getattr(self.connection, name)
        def execute(self, sql, *rest):
            if sql == "COMMIT" and where == "before the commit": die()
            found = self.connection.execute(sql, *rest)
            if sql == "COMMIT": die()
            return found
    connect = Store.connect
    Store.connect = lambda self, **more: connect(self, **more) if more else Dying(connect(self))
submissions.approve(Store(Path(sys.argv[1])), int(sys.argv[2]), actor="carla")
"""


def test_the_first_metric_of_a_new_leaderboard_ranks_it(store: Store) -> None:
    number = send(store, "result", task="T", dataset="D", model="M", metrics={"Z first": "1", "A second": "2"})
    approve(store, number, actor="carla")
    assert rows(store, "SELECT name FROM metric ORDER BY position") == [("Z first",), ("A second",)]


@pytest.mark.parametrize("where", ["before the event", "before the decision", "before the commit", "after the commit"])
def test_killed_in_the_middle_of_an_approval(imagenet: Store, where: str) -> None:
    number = send(imagenet, "result", leaderboard=BOARD, model="EfficientNet", metrics={"GFLOPs": "37"})
    command = [sys.executable, "-c", KILLED, str(imagenet.path), str(number), where]
    killed = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store = Store(imagenet.path)
    done = where == "after the commit"
    assert status(store, number) == ("approved" if done else "pending")
    assert rows(store, "SELECT count(*) FROM event WHERE action = 'approve submission'") == [(int(done),)]
    assert rows(store, "SELECT count(*), count(retired_by) FROM result") == [(4, 1) if done else (3, 0)]
    assert rows(store, "SELECT count(*) FROM pragma_foreign_key_check") == [(0,)]
    assert rows(store, "PRAGMA integrity_check") == [("ok",)]
    if not done:
        approve(store, number, actor="cyril")
        assert rows(store, "SELECT count(*), count(retired_by) FROM result") == [(4, 1)]


def test_stricter_rules_do_not_lose_what_waits(store: Store, tmp_path: Path) -> None:
    number = send(store, "task", name="A")
    connection = store.connect()
    connection.execute("UPDATE submission SET payload = ?", (json.dumps({"name": "A", "gone": 1}),))
    connection.close()
    assert difference(store, number).problems == {"gone": ["is no field of this kind"]}
    with pytest.raises(Conflict, match="gone: is no field"):
        approve(store, number, actor="carla")
    reject(store, number, actor="carla", reason="old")


# Values that cannot be


@pytest.mark.parametrize(
    ("value", "said"),
    [("123.4%", "cannot be"), ("-1", "cannot be"), ("0.913", "is 91.3 meant"), ("0.913%", ""), ("86.4%", "")],
)
def test_odd_values_are_questioned_at_the_door_and_before_approval(imagenet: Store, value: str, said: str) -> None:
    for number in range(3):
        approve(imagenet, send(imagenet, "result", **result(model=f"M{number}", value=f"8{number}.5%")), actor="carla")
    wanted = result(model="Odd", value=value)
    if not said:
        assert difference(imagenet, send(imagenet, "result", **wanted)).doubts == ()
        return
    with pytest.raises(Mistakes, match=said) as refused:
        send(imagenet, "result", **wanted)
    assert list(refused.value.fields) == ["sure"]
    number = send(imagenet, "result", **wanted, sure=True)
    (doubt,) = difference(imagenet, number).doubts
    assert said in doubt
    approve(imagenet, number, actor="carla")
    assert [one["kind"] for one in check(imagenet)["findings"] if "Odd" in one["where"]] == ["impossible value"]


# Objections to a run


@pytest.fixture
def worse_run(imagenet: Store) -> int:
    """A run beside Noisy Student's claim that does not reproduce it; its number."""
    with imagenet.changing("anna", "submit run") as change:
        run = change.add_result(Result(1, "NoisyStudent", {"Top 1 Accuracy": "80%"}, paper=1, kind="run"))
        change.insert("run", result_id=run, claim_id=2, seeds="[0, 1, 2]", images=50_000, config="x = 1")
    return run


def test_an_objection_stands_beside_the_verdict_until_it_is_taken_back(imagenet: Store, worse_run: int) -> None:
    def against() -> list[dict[str, str]]:
        with imagenet.reading() as connection:
            (row,) = verdicts_of_leaderboard(connection, 1)
        assert row["verdict"] == "not reproduced"
        return list(row["objections"])

    proof = "https://example.org/proof"
    number = send(imagenet, "objection", result=worse_run, reason="It has no <b>EMA</b>.", source_url=proof)
    assert against() == []
    assert difference(imagenet, number).changes == (FieldChange("reason", None, ["It has no <b>EMA</b>."]),)
    event = approve(imagenet, number, actor="carla")
    assert against() == [{"reason": "It has no <b>EMA</b>.", "source_url": proof}]
    with pytest.raises(Mistakes, match="shown there already"):
        send(imagenet, "objection", result=worse_run, reason="It has no <b>EMA</b>.")
    approve(imagenet, send(imagenet, "objection", result=worse_run, reason="It is of another size."), actor="carla")
    assert [one["reason"] for one in against()] == ["It has no <b>EMA</b>.", "It is of another size."]
    with pytest.raises(UserError):
        restore(imagenet, 99, actor="carla")
    restore(imagenet, event + 1, actor="carla")
    restore(imagenet, event, actor="carla")
    assert against() == []


@pytest.mark.parametrize("result", [1, 2, 999])
def test_what_is_no_run_beside_a_claim_cannot_be_contested(imagenet: Store, worse_run: int, result: int) -> None:
    with pytest.raises(Mistakes, match="is no run that stands beside a claim"):
        send(imagenet, "objection", result=result, reason="Wrong.")
