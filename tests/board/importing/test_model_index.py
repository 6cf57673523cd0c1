"""Model index files: real ones, their imports, their spellings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.board.importing.documents import _comments
from noisystudent.errors import UserError

Import = Callable[..., dict[str, Any]]
Rows = Callable[..., list[dict[str, Any]]]

METAFILE = """
Collections:
  - Name: Transformer in Transformer
    Paper: {URL: https://arxiv.org/abs/2103.00112, Title: Transformer in Transformer}
    Code: {URL: https://example.org/tnt.py, Version: v0.15.0}
Models:
  - Name: tnt-small
    Metadata: {FLOPs: 3360000000, Parameters: 23.76M, Epochs: 100}
    In Collection: Transformer in Transformer
    Config: configs/tnt/tnt-s.py
    Weights: https://example.org/tnt.pth
    Results:
      - {Task: Image Classification, Dataset: ImageNet-1k, Metrics: {Top 1 Accuracy: 81.52, Top 5 Accuracy: null}}
"""
RESULTS = (
    "SELECT m.name AS model, k.name AS metric, v.raw, p.arxiv_id, t.name AS task, d.name AS dataset, r.* FROM result r "
    "JOIN model m ON m.id = r.model_id LEFT JOIN paper p ON p.id = r.paper_id JOIN leaderboard l ON l.id = r.leaderboard_id "
    "JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id "
    "LEFT JOIN value v ON v.result_id = r.id LEFT JOIN metric k ON k.id = v.metric_id ORDER BY r.id"
)


def test_a_metafile(imported: Import, rows: Rows) -> None:
    report = imported(METAFILE, "metafile.yml")
    assert report["read"] == {"files": 1, "collections": 1, "models": 1, "results": 1}
    (found,) = rows(RESULTS)
    assert (found["task"], found["dataset"], found["model"]) == ("Image Classification", "ImageNet-1k", "tnt-small")
    assert (found["metric"], found["raw"], found["arxiv_id"]) == ("Top 1 Accuracy", "81.52", "2103.00112")
    assert found["code_links"] == '[{"title": "code", "url": "https://example.org/tnt.py"}]'
    assert found["model_links"] == '[{"title": "weights", "url": "https://example.org/tnt.pth"}]'
    assert found["tags"] == '["Transformer in Transformer"]'
    assert rows("SELECT parameters, multiply_adds, weights_url, is_open FROM model") == [
        {
            "parameters": 23_760_000.0,
            "multiply_adds": 3.36e9,
            "weights_url": "https://example.org/tnt.pth",
            "is_open": 1,
        }
    ]
    assert rows("SELECT name, licence FROM source") == [{"name": "Model index files", "licence": ""}]
    assert [lost["reason"] for lost in report["lost"]["unknown key"]["examples"]] == [
        "metadata.epochs has no place in the catalogue"
    ]


def test_again_adds_nothing_and_a_new_value_supersedes(imported: Import, rows: Rows) -> None:
    imported(METAFILE, "metafile.yml")
    again = imported(METAFILE, "metafile.yml")
    assert (again["counts"], again["already there"]) == ({}, {"result": 1})
    imported(METAFILE.replace("81.52", "81.6"), "metafile.yml")
    assert rows("SELECT v.raw FROM result r JOIN value v ON v.result_id = r.id WHERE retired_by IS NULL") == [
        {"raw": "81.6"}
    ]


def test_keys_in_any_letters_and_single_entries(imported: Import, rows: Rows) -> None:
    text = """
models:
  name: M
  PAPER: https://arxiv.org/abs/1911.04252
  results: {task: T, DATASET: D, Metrics: [{Name: Top 1 Accuracy, Value: 88.4%}, {name: F1, value: 0.5}]}
"""
    imported(text, "model-index.yaml")
    assert [(found["metric"], found["raw"], found["arxiv_id"]) for found in rows(RESULTS)] == [
        ("Top 1 Accuracy", "88.4%", "1911.04252"),
        ("F1", "0.5", "1911.04252"),
    ]


def test_in_the_comments_of_a_markdown_file(imported: Import, rows: Rows) -> None:
    comment = "<!--\nType: model-index\nModels:\n  - Name: {}\n    Results: []\n-->"
    imported(f"# Models\n\n<!-- a remark -->\n{comment.format('A')}\n\ntext\n{comment.format('B')}\n", "README.md")
    assert [found["name"] for found in rows("SELECT name FROM model ORDER BY name")] == ["A", "B"]
    with pytest.raises(UserError, match=r"README\.md, line 5, column 9: mapping values"):
        imported("# Models\n\n<!--\nType: model-index\n  Models:\n  - Name: [A\n-->\n", "README.md")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "line 1: a model index is a mapping"),
        ("", "line 1: a model index is a mapping"),
        ("Models: [", "did not find expected"),
        ("Models: !!python/object:os.system x", "could not determine a constructor"),
    ],
)
def test_refuses(imported: Import, rows: Rows, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        imported(text, "model-index.yml")
    assert rows("SELECT * FROM event") == []


def test_markdown_without_results_is_refused(imported: Import) -> None:
    with pytest.raises(UserError, match=r"README\.md, line 1: neither front matter"):
        imported("# Hello\n", "README.md")


def test_imports_are_relative_and_stay_in_the_folder(
    imported: Import, rows: Rows, tmp_path: Path, store: Store
) -> None:
    (tmp_path / "outside.yml").write_text("Models: [{Name: Outside}]")
    folder = tmp_path / "index"
    for name in ("a", "b"):
        (folder / "configs" / name).mkdir(parents=True)
        (folder / "configs" / name / "metafile.yml").write_text(
            f"Models: [{{Name: {name}}}]\nImport: [../a/metafile.yml, ../../../outside.yml]"
        )
    (folder / "link.yml").symlink_to(tmp_path / "outside.yml")
    patterns = [
        "configs/*/metafile.yml",
        "gone.yml",
        "/etc/passwd",
        "../outside.yml",
        "",
        3,
        "link.yml",
        "model-index.yml",
    ]
    (folder / "model-index.yml").write_text(f"Import: {patterns}")
    report = import_file(store, folder / "model-index.yml", actor="anna")
    assert [found["name"] for found in rows("SELECT name FROM model ORDER BY id")] == ["a", "b"]
    assert report["read"]["files"] == 3
    assert (
        report["lost"]["import"]["count"] == 8
    )  # two of the metafiles lead out, as do two of the index; four are no file


def test_models_may_use_a_collection_of_another_file(
    imported: Import, rows: Rows, tmp_path: Path, store: Store
) -> None:
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "a.yml").write_text("Models: [{Name: M, In Collection: C, Results: []}, {Name: N, In Collection: Gone}]")
    (folder / "b.yml").write_text("Collections: [{Name: C, Paper: https://arxiv.org/abs/1911.04252}]")
    report = import_file(store, folder, actor="anna")
    assert rows("SELECT m.name, p.arxiv_id FROM model m LEFT JOIN paper p ON p.id = paper_id ORDER BY m.name") == [
        {"name": "M", "arxiv_id": "1911.04252"},
        {"name": "N", "arxiv_id": None},
    ]
    assert report["lost"]["in collection"]["count"] == 1


def test_comments_that_never_end_hold_nothing_up() -> None:
    assert list(_comments("<!--" * 1_000_000)) == []
    assert list(_comments("a\n<!--b\n--> <!-->\n<!--\nc-->")) == [("b\n", 2), (">\n<!--\nc", 3)]


def test_a_folder_without_documents_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="a folder is imported if it holds"):
        import_file(store, tmp_path / "empty", actor="anna")


def test_the_metafiles_of_mmpretrain(store: Store, rows: Rows, catalogue_files: Path) -> None:
    report = import_file(store, catalogue_files / "mmpretrain-model-index", actor="anna")
    assert report["read"] == {"files": 43, "collections": 42, "models": 222, "results": 201}
    assert report["lost"]["import"]["count"] == 84  # the index names folders that are not there
    assert rows("SELECT count(*) AS count FROM model") == [{"count": 222}]
    assert rows("SELECT count(*) AS count FROM result") == [{"count": 201}]
    tnt = "SELECT v.raw, k.name FROM model m JOIN result r ON r.model_id = m.id JOIN value v ON v.result_id = r.id "
    tnt += "JOIN metric k ON k.id = v.metric_id WHERE m.name LIKE 'tnt-small%' ORDER BY k.name"
    assert [tuple(value.values()) for value in rows(tnt)] == [("81.52", "Top 1 Accuracy"), ("95.73", "Top 5 Accuracy")]
    again = import_file(store, catalogue_files / "mmpretrain-model-index", actor="anna")
    assert again["counts"] == {}


def test_an_index_whose_imports_are_all_missing(store: Store, catalogue_files: Path) -> None:
    with pytest.raises(UserError, match="nothing in it has a place in the catalogue"):
        import_file(store, catalogue_files / "mmpretrain-model-index" / "model-index.yml", actor="anna")
