"""Models as repositories of Hugging Face's hub, read by huggingface_hub's own readers and by our importer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from noisystudent.board import seed
from noisystudent.board.catalogue.store import Store
from noisystudent.board.exporting.export_file import export_file
from noisystudent.board.importing import import_file

CONTENT = (
    "SELECT l.slug, m.name, k.name, v.raw FROM result r JOIN leaderboard l ON l.id = r.leaderboard_id JOIN model m ON m.id = r.model_id "
    "JOIN value v ON v.result_id = r.id JOIN metric k ON k.id = v.metric_id WHERE r.retired_by IS NULL"
)
HUB = "https://huggingface.co/datasets/ILSVRC/imagenet-1k"


def content(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(CONTENT))


@pytest.fixture
def on_the_hub(noisy_student: Store) -> Store:
    with noisy_student.changing("anna", "say") as change:
        change.edit("dataset", change.dataset("ImageNet"), homepage=HUB)
    return noisy_student


def test_the_hub_s_own_readers_read_them(on_the_hub: Store, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    report = export_file(on_the_hub, "hugging-face", tmp_path / "out")
    folder = tmp_path / "out" / "noisystudent-efficientnet-l2"
    results = hub.ModelCard.load(folder / "README.md", ignore_metadata_errors=False).data.eval_results
    assert [
        (one.task_type, one.dataset_type, one.dataset_name, one.metric_name, one.metric_value) for one in results
    ] == [
        ("image-classification", "ILSVRC/imagenet-1k", "ImageNet", "Top 1 Accuracy", "88.5%"),
        ("image-classification", "ILSVRC/imagenet-1k", "ImageNet", "GFLOPs", "about 500"),
        ("image-classification", "ILSVRC/imagenet-1k", "ImageNet", "Top 1 Accuracy", "88.3%"),
    ]
    assert [one.source_url for one in results] == ["https://arxiv.org/abs/1911.04252"] * 2 + [None]
    assert results[2].metric_args == {"kind": "run", "seeds": [], "images": 50000}
    entries = hub.parse_eval_result_entries(yaml.safe_load((folder / ".eval_results" / "board.yaml").read_text()))
    assert [(one.dataset_id, one.task_id, one.value, one.notes) for one in entries] == [
        ("ILSVRC/imagenet-1k", "default", 88.5, "metric: Top 1 Accuracy; task: Image Classification; claim")
    ]
    assert report["left_out"]["further value of a model on a data set, in .eval_results"] == 1


def test_what_the_board_begins_with_comes_back(store: Store, tmp_path: Path) -> None:
    seed.load(store, actor="anna")
    export_file(store, "hugging-face", tmp_path / "out")
    other = Store(tmp_path / "other.db", create=True)
    lost = import_file(other, tmp_path / "out", actor="anna")["lost"]
    assert [example["reason"] for one in lost.values() for example in one["examples"]] == [
        "source.name has no place in the catalogue"
    ]
    assert content(other) == content(store)


def test_names_that_are_odd(store: Store, add_results: Callable[..., Any], tmp_path: Path) -> None:
    for model in ("---\nx: <script>", "", "yes", "a: b # c", "../../up"):
        add_results({"model": model, "values": {"Accuracy": "1"}}, dataset="Part: 1")
    export_file(store, "hugging-face", tmp_path / "out")
    found = sorted((tmp_path / "out").rglob("README.md"))
    assert len(found) == 5
    assert all(file.parent.parent == tmp_path / "out" for file in found)
    other = Store(tmp_path / "other.db", create=True)
    import_file(other, tmp_path / "out", actor="anna")
    assert {row[1] for row in content(other)} == {"--- x: <script>", "unknown", "yes", "a: b # c", "../../up"}
