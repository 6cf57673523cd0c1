"""Leaderboards in Markdown, with what NLP-progress has in its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.errors import UserError

Rows = Callable[..., list[dict[str, Any]]]
Imported = Callable[..., dict[str, Any]]
TEXT = """# Reading

Words.

| Dataset | Size |
| ------- | ---- |
| Toys    | 12   |

### Toys

| Model           | F1 | EM  |  Paper / Source | Code |
| ------------- | :-----:| :---: | --- | --- |
| **Big** (Wu, 2019) | **96.21** | 90.1* | [A title](https://arxiv.org/abs/1906.08237) | [One](https://a.example) [Two](https://b.example) |
| `small` [link](https://x.example) | - |  | Somebody's page | |
| <script>alert(1)</script> | 1 | 2 | [x](javascript:alert(1)) | [y](javascript:alert(2)) |

## Comprehension

### SST

Fine-grained classification:

| Method | Score | Score |
| --- | --- | --- |
| A | 56.2 | 1 |

A very long line before a table, which is no name of it because it has more than a hundred characters in it, as this one has.

| Method | Year | Accuracy |
| --- | --- | --- |
| A | 2019 | 97 |
"""
CONTENT = (
    "SELECT t.name AS task, coalesce(w.name || ' / ', '') || d.name AS dataset, m.name AS model, k.name AS metric, v.raw FROM result r "
    "JOIN leaderboard l ON l.id = r.leaderboard_id JOIN task t ON t.id = l.task_id JOIN dataset d ON d.id = l.dataset_id "
    "LEFT JOIN dataset w ON w.id = d.parent_id JOIN model m ON m.id = r.model_id LEFT JOIN value v ON v.result_id = r.id "
    "LEFT JOIN metric k ON k.id = v.metric_id ORDER BY r.id, k.position"
)


def test_headings_are_tasks_and_data_sets(imported: Imported, rows: Rows) -> None:
    report = imported(TEXT, "reading.md")
    assert report["format"] == "Markdown tables"
    assert [tuple(row.values()) for row in rows(CONTENT)] == [
        ("Reading", "Toys", "Big (Wu, 2019)", "F1", "96.21"),
        ("Reading", "Toys", "Big (Wu, 2019)", "EM", "90.1*"),
        ("Reading", "Toys", "small link", None, None),
        ("Reading", "Toys", "<script>alert(1)</script>", "F1", "1"),
        ("Reading", "Toys", "<script>alert(1)</script>", "EM", "2"),
        ("Comprehension", "SST / Fine-grained classification", "A", "Score", "56.2"),
        ("Comprehension", "SST / Table 2", "A", "Year", "2019"),
        ("Comprehension", "SST / Table 2", "A", "Accuracy", "97"),
    ]
    assert rows("SELECT c.name, p.name AS parent FROM task_parent t JOIN task c ON c.id = t.task_id JOIN task p ON p.id = t.parent_id") == [
        {"name": "Comprehension", "parent": "Reading"}
    ]  # fmt: skip
    assert rows("SELECT paper_title, paper_url, code_links FROM result WHERE id <= 3 ORDER BY id") == [
        {
            "paper_title": "A title",
            "paper_url": "https://arxiv.org/abs/1906.08237",
            "code_links": '[{"title": "One", "url": "https://a.example"}, {"title": "Two", "url": "https://b.example"}]',
        },
        {"paper_title": "Somebody's page", "paper_url": "", "code_links": "[]"},
        {
            "paper_title": "[x](javascript:alert(1))",
            "paper_url": "",
            "code_links": "[]",
        },  # markdown-it makes no such link
    ]
    lost = report["lost"]["table"]
    assert lost == {
        "count": 1,
        "examples": [{"where": "reading.md, line 5", "reason": "'Dataset' is no column of models"}],
    }


def test_again_changes_nothing(imported: Imported, rows: Rows) -> None:
    counts = imported(TEXT, "reading.md")["counts"]
    assert (counts["result"], counts["value"]) == (5, 7)
    again = imported(TEXT, "reading.md")
    assert (again["counts"], again["already there"]) == ({}, {"result": 5})


def test_a_folder(store: Store, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text(TEXT)
    (tmp_path / "texts" / "b.md").write_text("# Nothing")
    report = import_file(store, tmp_path / "texts", actor="anna")
    assert report["lost"]["file"]["examples"] == [{"where": "b.md", "reason": "there is no table of models in it"}]
    assert report["counts"]["result"] == 5


def test_a_text_without_a_table_of_models_is_refused(imported: Imported) -> None:
    with pytest.raises(UserError, match=r"a\.md, line 1: neither"):
        imported("# Reading\n\n| Dataset | Size |\n|---|---|\n| Toys | 12 |\n", "a.md")


def test_a_table_without_a_heading_is_of_no_task(imported: Imported, rows: Rows) -> None:
    with pytest.raises(UserError, match="nothing in it has a place in the catalogue"):
        imported("| Model | F1 |\n|---|---|\n| A | 1 |\n", "a.md")
    assert rows("SELECT * FROM event") == []


def test_a_table_of_many_pipes_takes_no_time(imported: Imported) -> None:
    text = "# T\n\n" + "| Model " * 20_000 + "|\n" + "|---" * 20_000 + "|\n" + "| a " * 20_000 + "|\n"
    imported(text, "a.md")
