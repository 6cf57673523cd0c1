"""Tables of anyone."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisystudent.board.catalogue.change import Result
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import import_file
from noisystudent.board.importing.csv_tables import Columns, columns_of
from noisystudent.errors import UserError

Rows = Callable[..., list[dict[str, Any]]]
CONTENT = (
    "SELECT l.task, l.dataset, m.name AS model, coalesce(k.name, '') AS metric, coalesce(v.raw, '') AS raw, "
    "coalesce(p.arxiv_id, '') AS arxiv, "
    "r.extra_data, r.code_links FROM result r JOIN leaderboard_shown l ON l.id = r.leaderboard_id JOIN model m ON m.id = r.model_id "
    "LEFT JOIN value v ON v.result_id = r.id LEFT JOIN metric k ON k.id = v.metric_id LEFT JOIN paper p ON p.id = r.paper_id "
    "WHERE r.kind = 'claim' ORDER BY m.name, k.name"
)
TABLE = (
    'Method,Acc (%),F1,notes,Paper URL\nA,88.4,0.5,"hello, you",https://arxiv.org/abs/1911.04252\n\nB,90.1 ± 0.2,-,,\n'
)


@pytest.fixture
def table(store: Store, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a table and import it; what is said of its columns goes to `Columns`."""

    def run(text: str | bytes, name: str = "mine.csv", **said: Any) -> dict[str, Any]:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_file(store, tmp_path / name, actor="anna", columns=Columns(**said) if said else None)

    return run


def test_columns_are_told_by_their_names(table: Callable[..., Any], rows: Rows) -> None:
    report = table(TABLE, task="Reading", dataset="Toys")
    assert report["format"] == "CSV"
    assert [tuple(row.values())[2:6] for row in rows(CONTENT)] == [
        ("A", "Acc (%)", "88.4", "1911.04252"),
        ("A", "F1", "0.5", "1911.04252"),
        ("B", "Acc (%)", "90.1 ± 0.2", ""),
    ]
    assert rows("SELECT DISTINCT in_order FROM result") == [{"in_order": 0}]
    reason = "notes is nothing that the catalogue knows, and holds no numbers"
    assert report["lost"] == {"column": {"count": 1, "examples": [{"where": "line 2", "reason": reason}]}}
    again = table(TABLE, task="Reading", dataset="Toys")
    assert (again["counts"], again["already there"]) == ({}, {"result": 2})


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_mapping_and_other_delimiters(table: Callable[..., Any], rows: Rows, delimiter: str, pack: Any) -> None:
    text = "Netz|Treffer|Params|Aufgabe\nA|88.4|3|X\n".replace("|", delimiter)
    name = "mine.csv" if pack is str.encode else "mine.csv.gz"
    report = table(
        pack(text), name, roles={"model": ["Netz"], "task": ["Aufgabe"], "metrics": ["Treffer"]}, dataset="D"
    )
    assert [tuple(row.values())[:5] for row in rows(CONTENT)] == [("X", "D", "A", "Treffer", "88.4")]
    assert report["lost"]["column"]["examples"][0]["reason"].startswith("Params is nothing")


def test_a_value_a_row(table: Callable[..., Any], rows: Rows) -> None:
    text = "task,dataset,model,metric,value\nT,D,A,F1,1\nT,D,A,EM,2\nT,D,A,F1,3\nT,E,A,F1,4\n"
    report = table(text)
    assert [tuple(row.values())[1:5] for row in rows(CONTENT)] == [
        ("D", "A", "EM", "2"), ("D", "A", "F1", "1"), ("E", "A", "F1", "4")
    ]  # fmt: skip
    assert len(rows("SELECT * FROM result")) == 2
    assert report["lost"]["value"]["examples"] == [{"where": "line 4", "reason": "F1 of this model is given twice"}]


def test_our_own_export_comes_back(store: Store, exported: Callable[..., bytes], tmp_path: Path) -> None:
    with store.changing("anna", "add") as change:
        paper = change.paper(title="A title", url="https://arxiv.org/abs/1911.04252", published="2019-11-11")
        board = change.leaderboard(change.task("T"), change.dataset("P", change.dataset("D")))
        links = [{"title": "code", "url": "https://github.com/a/b"}]
        change.add_result(
            Result(board, "=A", {"Title": "1", "=B": "low"}, paper=paper, extra_data=True, code_links=links)
        )
        change.add_result(Result(board, "C", {"Title": "-3"}))
        change.add_result(Result(board, "Measured", {"Title": "2"}, kind="run"))
    (tmp_path / "ours.csv").write_bytes(exported(store, "csv", of=board))
    other = Store(tmp_path / "other.db", create=True)
    report = import_file(other, tmp_path / "ours.csv", actor="anna")
    assert report["lost"].keys() == {"run"}
    found = []
    for one in (store, other):
        with one.reading() as connection:
            found.append([tuple(row) for row in connection.execute(CONTENT)])
    assert found[1] == found[0]


@pytest.mark.parametrize(
    ("text", "said", "message"),
    [
        ("model,F1\nA,1\n", {}, r"line 2: no column is known for a task: --task.*; a data set: --dataset"),
        ("task,F1\nA,1\n", {"dataset": "D"}, "for a model: --column model=NAME"),
        ("model,notes\nA,hello\n", {"task": "T", "dataset": "D"}, "for a metric's values"),
        ("model,F1\nA,1\n", {"roles": {"model": ["Name"]}}, "there is no column Name; there are model, F1"),
        ("model,F1\nA,1,2\n", {"task": "T", "dataset": "D"}, "line 2: 3 cells, where the header has 2"),
        ("model,F1,F1\nA,1,2\n", {"task": "T", "dataset": "D"}, "line 1: a table has a header"),
        ('model,F1\n"A,1\n', {"task": "T", "dataset": "D"}, "unexpected end of data"),
        (b"model,F1\n\xff,1\n", {"task": "T", "dataset": "D"}, "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused(
    table: Callable[..., Any], rows: Rows, text: Any, said: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        table(text, **said)
    assert rows("SELECT * FROM event") == []


def test_an_option_is_of_a_role(table: Callable[..., Any], imported: Callable[..., Any]) -> None:
    assert columns_of([]) is None
    for wrong in ("model", "colour=red"):
        with pytest.raises(UserError, match=f"--column {wrong}: give ROLE=NAME"):
            columns_of([wrong])


def test_columns_are_of_csv_files(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"task": "x"}]')
    with pytest.raises(UserError, match=r"a\.json: --task, --dataset and --column are for CSV files"):
        import_file(store, tmp_path / "a.json", actor="anna", columns=Columns(task="T"))


def test_a_long_table_comes_in_parts(table: Callable[..., Any], rows: Rows, in_parts: Callable[..., None]) -> None:
    in_parts()
    table("model,F1,notes\nA,1,x\nB,2,y\n", task="T", dataset="D")
    assert [row["model"] for row in rows(CONTENT)] == ["A", "B"]
    assert len(rows("SELECT * FROM event")) == 2


TIMM = """model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
resnet50,224,80.1,19.9,95.0,5.0,"1,025.56",0.950,bicubic
resnet50,288,81.2,18.8,95.4,4.6,"1,025.56",1.000,bicubic
"""


def test_timm_s_results(table: Callable[..., Any], rows: Rows) -> None:
    report = table(TIMM, "results-imagenet-a.csv")
    assert report["format"] == "timm results"
    assert [tuple(row.values())[:5] for row in rows(CONTENT)][:3] == [
        ("Image Classification", "ImageNet-A", "resnet50", "Number of params", "1025.56M"),
        ("Image Classification", "ImageNet-A", "resnet50", "Number of params", "1025.56M"),
        ("Image Classification", "ImageNet-A", "resnet50", "Top 1 Accuracy", "80.1"),
    ]
    assert [row["locator"] for row in rows("SELECT locator FROM result ORDER BY id")] == [
        "img_size 224, crop_pct 0.950, interpolation bicubic",
        "img_size 288, crop_pct 1.000, interpolation bicubic",
    ]
    assert report["lost"]["column"]["count"] == 2  # the errors
    with pytest.raises(UserError, match="give --dataset"):
        table(TIMM, "somewhere.csv")
    assert table(TIMM, "somewhere.csv", dataset="Flowers")["counts"]["result"] == 2


def test_all_of_timm_s_results(store: Store, catalogue_files: Path) -> None:
    for file in sorted((catalogue_files / "timm-results").glob("results-*.csv")):
        with file.open(encoding="utf-8") as lines:
            count = sum(1 for _ in csv.DictReader(lines))
        counts = import_file(store, file, actor="anna")["counts"]
        assert (counts["result"], counts["value"]) == (count, 3 * count)
