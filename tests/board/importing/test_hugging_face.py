"""Model cards with results in their front matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]

CARD = """---
license: mit
model-index:
- name: wav2vec
  results:
  - task: {type: automatic-speech-recognition, name: Speech Recognition}
    dataset: {type: common_voice, name: Common Voice, config: de, split: test}
    metrics:
    - {type: wer, value: 20.0 ± 1.2, name: Test WER, verified: true}
    - {type: cer, value: 7.3}
    source: {name: Paper, url: 'https://arxiv.org/abs/2006.11477'}
  - task: {type: image-classification}
    dataset: {type: imagenet-1k, name: ImageNet, config: default}
    metrics:
    - {type: accuracy, value: 0.884}
  - task: {type: image-classification}
    dataset: {type: imagenet-1k, name: ImageNet}
    metrics:
    - {type: f1, value: 0.8}
---
# A card
"""
RESULTS = (
    "SELECT t.name AS task, d.name AS dataset, k.name AS metric, v.raw, p.arxiv_id, r.locator, r.source_url, r.id FROM result r "
    "JOIN leaderboard l ON l.id = r.leaderboard_id JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id "
    "LEFT JOIN paper p ON p.id = r.paper_id LEFT JOIN value v ON v.result_id = r.id LEFT JOIN metric k ON k.id = v.metric_id "
    "ORDER BY r.id, k.position"
)


def test_a_card(imported: Import, rows: Rows) -> None:
    report = imported(CARD, "README.md")
    arxiv = "https://arxiv.org/abs/2006.11477"
    assert [tuple(found.values()) for found in rows(RESULTS)] == [
        ("Speech Recognition", "de", "Test WER", "20.0 ± 1.2", "2006.11477", "split test", arxiv, 1),
        ("Speech Recognition", "de", "cer", "7.3", "2006.11477", "split test", arxiv, 1),
        ("Image Classification", "ImageNet", "accuracy", "0.884", None, "", None, 2),
        ("Image Classification", "ImageNet", "f1", "0.8", None, "", None, 2),
    ]
    assert rows("SELECT p.name FROM dataset d JOIN dataset p ON p.id = d.parent_id WHERE d.name = 'de'") == [
        {"name": "Common Voice"}
    ]
    assert rows("SELECT DISTINCT name FROM model") == [{"name": "wav2vec"}]
    assert {lost["reason"].split()[0] for lost in report["lost"]["unknown key"]["examples"]} == {
        "license",
        "metric.verified",
        "source.name",
    }
    again = imported(CARD, "README.md")
    assert (again["counts"], again["already there"]) == ({}, {"result": 2})


@pytest.mark.parametrize("args", ["cola", "{config: cola, split: test}", "{name: cola}"])
def test_older_cards_name_a_configuration_as_args(imported: Import, rows: Rows, args: str) -> None:
    card = CARD.replace("name: ImageNet, config: default", f"name: GLUE, args: {args}")
    report = imported(card, "README.md")
    assert rows("SELECT shown FROM dataset_shown WHERE name = 'cola'") == [{"shown": "GLUE: cola"}]
    lost = {one["reason"] for one in report["lost"]["unknown key"]["examples"]}
    assert ("dataset.args.split has no place in the catalogue" in lost) == ("split" in args)


def test_a_folder_of_cards(store: Store, rows: Rows, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "cards" / name).mkdir(parents=True)
        (tmp_path / "cards" / name / "README.md").write_text(CARD.replace("wav2vec", name))
    report = import_file(store, tmp_path / "cards", actor="anna")
    assert report["format"] == "model cards"
    assert [found["name"] for found in rows("SELECT DISTINCT name FROM model ORDER BY name")] == ["a", "b"]


def test_what_is_incomplete_is_reported(imported: Import, rows: Rows) -> None:
    card = """---
model-index:
- name: A
  results:
  - {task: {type: x}}
  - {task: {type: x}, dataset: {config: c}, metrics: [{type: acc, value: 1}]}
  - {task: {type: x}, dataset: {type: d}, metrics: [{type: acc, value: 1}, {type: acc, value: 2}, {type: f, value: {}}, {value: 3}]}
  - {task: {type: x}, dataset: {type: d}, metrics: [{type: acc, value: 3}]}
- {results: []}
---
"""
    report = imported(card, "README.md")
    assert [(found["task"], found["metric"], found["raw"]) for found in rows(RESULTS)] == [("X", "acc", "1")]
    assert {kind: lost["count"] for kind, lost in report["lost"].items()} == {
        "result": 1, "dataset": 1, "metric": 3, "value": 1, "name": 1
    }  # fmt: skip


def test_a_broken_card_is_refused_with_its_line(imported: Import) -> None:
    with pytest.raises(UserError, match=r"README\.md, line 4, column 1: "):
        imported("---\nmodel-index: x\nb: [\n---\n", "README.md")


ENTRIES = """- dataset: {id: cais/hle, task_id: default, revision: 5503434}
  value: 20.90
  date: "2025-01-15T10:30:00Z"
  source: {url: "https://huggingface.co/spaces/x/y", name: Logs, org: cais}
  notes: "no-tools"
- dataset: {id: ILSVRC/imagenet-1k, task_id: default}
  value: 88.4
  source: {url: "https://arxiv.org/abs/1911.04252"}
  notes: "metric: Top 1 Accuracy; task: Image Classification"
- {dataset: {id: x/y, task_id: hard}}
- {value: 1}
- 7
"""


def test_evaluation_results(store: Store, imported: Import, rows: Rows) -> None:
    with store.changing("anna", "add") as change:
        change.edit(
            "dataset", change.dataset("ImageNet"), homepage="https://huggingface.co/datasets/ILSVRC/imagenet-1k"
        )
    report = imported(ENTRIES, "models/toy/.eval_results/mine.yaml")
    assert report["format"] == "model cards"
    assert [tuple(found.values())[:-1] for found in rows(RESULTS)] == [
        ("hle", "cais/hle", "Score", "20.9", None, "revision 5503434, no-tools", "https://huggingface.co/spaces/x/y"),
        ("Image Classification", "ImageNet", "Top 1 Accuracy", "88.4", "1911.04252", "", "https://arxiv.org/abs/1911.04252"),
    ]  # fmt: skip
    assert rows("SELECT DISTINCT name FROM model") == [{"name": "toy"}]
    assert rows("SELECT evaluated_on FROM result WHERE evaluated_on <> ''") == [{"evaluated_on": "2025-01-15"}]
    assert {kind: lost["count"] for kind, lost in report["lost"].items()} == {
        "unknown key": 1, "entry": 1, "eval-results": 1
    }  # fmt: skip
    assert imported(ENTRIES, "models/toy/.eval_results/mine.yaml")["counts"] == {}


def test_entries_beside_a_card_are_of_its_model_and_no_second_result(store: Store, rows: Rows, tmp_path: Path) -> None:
    repository = tmp_path / "models" / "some-folder"
    (repository / ".eval_results").mkdir(parents=True)
    (repository / "README.md").write_text(CARD)
    (repository / ".eval_results" / "a.yaml").write_text(
        "- {dataset: {id: ImageNet, task_id: default}, value: 0.884, notes: 'metric: accuracy; task: Image Classification'}\n"
        "- {dataset: {id: a/b, task_id: c}, value: 1}\n"
    )
    report = import_file(store, tmp_path / "models", actor="anna")
    assert (report["format"], report["already there"], report["counts"]["result"]) == ("model cards", {"result": 1}, 3)
    assert rows("SELECT DISTINCT name FROM model") == [{"name": "wav2vec"}]


def test_evaluation_results_are_a_list(imported: Import) -> None:
    with pytest.raises(UserError, match="a list of entries"):
        imported("dataset: {id: a/b}\n", "toy/.eval_results/mine.yaml")


@pytest.mark.parametrize(
    ("args", "part"),
    [("cola", "cola"), ("{config: cola}", "cola"), ("default", None)],
)
def test_arguments_are_a_part_of_the_dataset(imported: Import, rows: Rows, args: str, part: str | None) -> None:
    result = "{task: {type: x}, dataset: {name: glue, type: glue, args: ARGS}, metrics: [{type: acc, value: 1}]}"
    card = f"---\nmodel-index:\n- name: A\n  results:\n  - {result}\n---\n"
    assert imported(card.replace("ARGS", args), "README.md")["lost"] == {}
    found = rows(
        "SELECT d.name, w.name AS whole FROM leaderboard l JOIN dataset d ON d.id = l.dataset_id LEFT JOIN dataset w ON w.id = d.parent_id"
    )
    assert found == [{"name": part, "whole": "glue"} if part else {"name": "glue", "whole": None}]
