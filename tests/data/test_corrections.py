from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noisystudent.data.corrections import CORRECTED, Changes, correct, read_answers, reviewed_run
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.split import split_validation
from noisystudent.data.uris import path_or_uri
from noisystudent.errors import UserError

NAMES = ("cat", "dog")


def manifest(split: str, ids: str, labels: list[int | None], *, folder: str = "") -> Manifest:
    uris = [f"file:///{folder or split}/{id}" for id in ids]
    return Manifest(
        pa.table({"id": list(ids), "uri": uris, "label": labels, "split": [split] * len(ids)}, SCHEMA), NAMES
    )


@pytest.fixture
def manifests() -> dict[str, Manifest]:
    return {
        "labeled": manifest("train", "abcd", [0, 0, 1, 1]),
        "unlabeled": manifest("unlabeled", "axyz", [None] * 4),
        "test": manifest("test", "t", [0]),
    }


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def answered(tmp_path: Path, *rows: str, header: str = "path,label") -> str:
    return write(tmp_path / "answers.csv", "\n".join([header, *rows]) + "\n")


def test_each_answer_goes_where_it_belongs(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    rows = ("/train/a,dog", "/train/b,cat", "/train/c,(none)", "/unlabeled/x,dog", "/unlabeled/a,cat")
    source = answered(tmp_path, *rows, "/unlabeled/y,(none)", "/unlabeled/z,", "/test/t,dog")
    changes = correct(manifests, read_answers(source))
    labeled = manifests["labeled"].table.to_pylist()
    assert [(row["id"], row["label"], row["split"]) for row in labeled] == [
        ("a", 1, "train"),
        ("b", 0, "train"),
        ("d", 1, "train"),
        (f"{CORRECTED}/a", 0, CORRECTED),  # there is a labeled image with that id
        ("x", 1, CORRECTED),
    ]
    assert manifests["unlabeled"].ids == ["z"]
    assert manifests["test"].labels.tolist() == [1]
    assert changes == Changes(labeled=2, relabeled=2, dropped_labeled=1, dropped_unlabeled=1, confirmed=1, open=1)
    assert "2 images without a label got one" in str(changes)
    assert "2 labels were changed" in str(changes)


def test_without_an_answer_nothing_changes(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    before = {split: m.table for split, m in manifests.items()}
    changes = correct(manifests, read_answers(answered(tmp_path, "/train/a,", "/unlabeled/x,")))
    assert all(manifests[split].table.equals(table) for split, table in before.items())
    assert str(changes) == "2 rows have no answer"
    assert str(Changes()) == "nothing was answered"


def test_later_answers_are_about_what_the_earlier_ones_left(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    correct(manifests, read_answers(answered(tmp_path, "/unlabeled/x,dog")))
    assert correct(manifests, read_answers(answered(tmp_path, "/unlabeled/x,cat"))) == Changes(relabeled=1)
    assert manifests["labeled"].labels.tolist() == [0, 0, 1, 1, 0]


def test_classes_that_are_numbers_are_meant_as_they_are_written(tmp_path: Path) -> None:
    labeled = Manifest(manifest("train", "ab", [0, 1]).table, ("3", "7"))
    manifests = {"labeled": labeled}
    correct(manifests, read_answers(answered(tmp_path, "/train/a,7")))
    assert manifests["labeled"].labels.tolist() == [1, 1]


def test_all_that_is_wrong_is_told_at_once(manifests: dict[str, Manifest], tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        correct(manifests, read_answers(answered(tmp_path, "/nowhere/q,cat", "/train/a,wolf")))
    assert len(error.value.problems) == 2
    assert "1 images are in none of the sources: 'file:///nowhere/q'" in error.value.problems[0]
    assert (
        "no class 'wolf'; they have 'cat', 'dog', and a picture of no class is answered with (none)"
        in error.value.problems[1]
    )


def test_what_label_studio_exports_is_read(tmp_path: Path) -> None:
    """Its columns are those of the tasks and of the interface, beside its own."""
    header = "annotation_id,annotator,created_at,given,id,image,label,lead_time,path,run,split,updated_at,why"
    row = "7,1,2026-01-01T00:00:00Z,,41,/data/local-files/?d=x,dog,3.2,/unlabeled/x,/runs/a,unlabeled,2026-01-01T00:00:00Z,unsure"
    source = answered(tmp_path, row, header=header)
    assert reviewed_run(source) == Path("/runs/a")
    assert read_answers(source).labels == {"file:///unlabeled/x": "dog"}


@pytest.mark.parametrize(
    "address",
    [
        "file:///shards/0.tar#offset=512&size=9",
        "file:///t.parquet#column=image&row=3",
        "hf:owner/name:train#row=12",
        "s3://bucket/0.tar#offset=512&size=9",
        "/photos/a b.png",
    ],
)
def test_images_are_found_again_by_the_address_that_a_review_writes(address: str, tmp_path: Path) -> None:
    uri = address if "#" in address else "file:///photos/a%20b.png"
    assert path_or_uri(uri) == address
    assert list(read_answers(answered(tmp_path, f"{address},cat")).labels) == [uri]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path\n/train/a\n", "has no column 'label'"),
        ("label\ncat\n", "has no column 'path'"),
        ("path,label\n/train/a,cat\n/train/a,dog\n", "have more than one answer: '/train/a'"),
        (
            "path,label,id\n/train/a,cat,\n\n/train/a,dog,\n",
            "answers.csv: 1 images have more than one answer: 'line 4'",
        ),
        ("path,label\n,cat\n", "'path' is empty"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        read_answers(write(tmp_path / "answers.csv", text))


def test_the_table_says_which_run_was_reviewed(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    assert reviewed_run(write(path, 'path;label;run\na;"x;\ny";/runs/a\nb;;/runs/a\n')) == Path("/runs/a")
    assert reviewed_run(write(path, "path,label\na,cat\n")) is None
    assert reviewed_run(write(path, "path,label,run\n")) is None
    with pytest.raises(UserError, match="about several runs: '/runs/a', '/runs/b'"):
        reviewed_run(write(path, "path,run\na,/runs/a\nb,/runs/b\n"))
    with pytest.raises(UserError, match="cannot be read"):
        reviewed_run(tmp_path / "none.csv")


def test_what_people_were_asked_about_measures_nothing() -> None:
    given = manifest("train", "abcdefghij", [0] * 10)
    asked = manifest(CORRECTED, "qrstuvwxyz", [0] * 10)
    both = Manifest(pa.concat_tables([given.table, asked.table]), NAMES)
    before, held_out = split_validation(given, fraction=0.4, seed=3)
    labeled, val = split_validation(both, fraction=0.4, seed=3)
    assert val.ids == held_out.ids
    assert labeled.ids == before.ids + asked.ids
    assert np.unique(labeled.table["split"].to_pylist()).tolist() == [CORRECTED, "train"]
