"""The classes of images: what is written, in which order, and what becomes of a call that was stopped."""

import csv
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_model import NAMES, expected, write_model

import noisystudent as ns
from noisystudent.config import Execution
from noisystudent.data.decoding import read_bytes
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.inference import answering
from noisystudent.inference import predict as module
from noisystudent.inference.predict import predict
from noisystudent.models.loading import load_classifier

EXECUTION = Execution(device="cpu", labeling_precision="fp32", workers=1, label_batch_size=4)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_for_use(model: Path, pictures: Path, tmp_path: Path) -> None:
    ids, probabilities = expected(model, pictures)
    names = [NAMES[row.argmax()] for row in probabilities]
    (pictures / "broken.png").write_bytes(b"no picture")
    record = predict(str(model), str(pictures), tmp_path / "out.csv", execution=EXECUTION)
    assert (record["images"], [row["id"] for row in record["skipped"]]) == (7, ["broken.png"])
    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["path", "label", "confidence", "id"]
    assert [row["id"] for row in rows] == ids
    assert [row["label"] for row in rows] == names
    assert [float(row["confidence"]) for row in rows] == pytest.approx(probabilities.max(axis=1).tolist(), abs=1e-5)

    predict(model, pictures, str(tmp_path / "out.parquet"), execution=EXECUTION)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["label"].to_pylist() == names
    assert np.array(table["probabilities"].to_pylist(), float) == pytest.approx(probabilities, abs=1e-3)

    predict(model, pictures, tmp_path / "out.jsonl", probabilities=True, execution=EXECUTION)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["label"] for line in lines] == names
    assert [list(line["probabilities"].values()) for line in lines] == table["probabilities"].to_pylist()
    assert not list(tmp_path.glob("*.parts"))


def test_without_a_file_the_answers_are_returned(model: Path, pictures: Path) -> None:
    ids, probabilities = expected(model, pictures)
    found = predict(model, pictures, execution=EXECUTION)
    assert [(row.id, row.label, row.probabilities) for row in found] == [
        (id, NAMES[row.argmax()], {}) for id, row in zip(ids, probabilities, strict=True)
    ]
    assert [row.path for row in found] == [str(pictures / id) for id in ids]
    again = ns.predict(load_classifier(model), pictures, probabilities=True, execution=EXECUTION)
    assert [row.label for row in again] == [row.label for row in found]
    for row, whole in zip(again, probabilities, strict=True):
        assert row.confidence == pytest.approx(whole.max())
        assert list(row.probabilities) == [NAMES[label] for label in np.argsort(-whole)]
        assert list(row.probabilities.values()) == pytest.approx(sorted(whole, reverse=True), abs=1e-3)


def test_the_most_probable_classes(pictures: Path, tmp_path: Path) -> None:
    names = ("cat", "dog", "fox", "gnu")
    model = write_model(tmp_path / "four", names=names)
    _, probabilities = expected(model, pictures)
    order = np.argsort(-probabilities, axis=1)
    for count, kept in ((2, 2), (4, 4), (9, 4)):
        found = predict(model, pictures, top_k=count, execution=EXECUTION)
        assert [list(row.probabilities) for row in found] == [[names[k] for k in row[:kept]] for row in order]
        assert [row.label for row in found] == [next(iter(row.probabilities)) for row in found]
        out = tmp_path / f"{count}.csv"
        predict(model, pictures, out, top_k=count, execution=EXECUTION)
        rows = read_csv(out)
        assert [row[f"topk_labels.{kept - 1}"] for row in rows] == [names[row[kept - 1]] for row in order]
        assert f"topk_labels.{kept}" not in rows[0]


def test_the_model_says_nothing_where_it_is_not_sure(model: Path, pictures: Path, tmp_path: Path) -> None:
    """Where it does not, a corrected table has a place for a person's answer."""
    _, probabilities = expected(model, pictures)
    sure = sorted(probabilities.max(axis=1))
    least = (sure[2] + sure[3]) / 2
    record = predict(model, pictures, tmp_path / "out.csv", abstain_below=least, execution=EXECUTION)
    assert (record["abstained"], record["threshold"]) == (3, {"confidence": least})
    rows = read_csv(tmp_path / "out.csv")
    assert [row["label"] == "" for row in rows] == [float(row["confidence"]) < least for row in rows]
    found = read_source(tmp_path / "out.csv", split="x", labels="optional")
    assert (found.labels < 0).sum() == 3
    assert sum(row.label is None for row in predict(model, pictures, abstain_below=least, execution=EXECUTION)) == 3


def test_the_least_confidence_gives_the_precision_on_validation_images(
    model: Path, pictures: Path, tmp_path: Path
) -> None:
    _, probabilities = expected(model, pictures)
    truth = np.array([0, 0, 0, 1, 1, 1, 1])
    right, confidence = probabilities.argmax(axis=1) == truth, probabilities.max(axis=1).astype(np.float32)
    wanted = right[confidence >= np.median(confidence)].mean()
    record = predict(model, pictures, tmp_path / "out.csv", min_precision=wanted, val=pictures, execution=EXECUTION)
    least = record["threshold"]["confidence"]
    answered = confidence >= least
    assert right[answered].mean() >= wanted
    assert record["threshold"]["precision"] == pytest.approx(100 * right[answered].mean())
    assert record["abstained"] == (~answered).sum()
    with pytest.raises(UserError, match="did not learn from: give --val"):
        predict(model, pictures, min_precision=0.9, execution=EXECUTION)


def test_all_that_is_wrong_with_what_is_wanted_is_named(model: Path, pictures: Path) -> None:
    with pytest.raises(UserError) as caught:
        predict(model, pictures, top_k=-1, probabilities=True, abstain_below=2, min_precision=95, val=pictures)
    assert [problem.split()[0] for problem in caught.value.problems] == [
        *("--top-k", "--top-k", "--abstain-below", "--min-precision", "--min-precision")
    ]
    with pytest.raises(UserError, match="--val is for --min-precision"):
        predict(model, pictures, val=pictures)


def test_several_sources_are_answered_in_the_order_given(model: Path, pictures: Path, tmp_path: Path) -> None:
    files = sorted(pictures.rglob("*.png"))
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        tar.add(files[0], "0.png")
    sources = [files[5], tmp_path / "s.tar", pictures / "cat", str(files[6])]
    found = predict(model, sources, execution=EXECUTION)
    cats = [f"pictures/cat/{file.name}" for file in files[:3]]
    assert [row.id for row in found] == [
        *(f"pictures/dog/{files[5].name}", "s.tar:0", *cats, f"pictures/dog/{files[6].name}")
    ]
    single = {Path(row.path): row.label for row in predict(model, pictures, execution=EXECUTION)}
    assert [row.label for row in found] == [single[file] for file in (files[5], files[0], *files[:3], files[6])]
    with pytest.raises(UserError, match="1 ids occur more than once"):
        predict(model, [files[0], files[0]], execution=EXECUTION)
    with pytest.raises(UserError, match=r"'nowhere\.png', 'none\.png' cannot be read"):
        predict(model, [files[0], "nowhere.png", "none.png"], execution=EXECUTION)
    with pytest.raises(UserError, match="no images were named"):
        predict(model, [], execution=EXECUTION)


def test_what_was_stopped_goes_on(model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second half is made by the second call, the first half only by the first; the file is that of an unbroken call."""
    (pictures / "broken.png").write_bytes(b"no picture")
    monkeypatch.setattr(answering, "PART_ROWS", 3)
    predict(model, pictures, tmp_path / "whole.csv", execution=EXECUTION)
    asked: list[Any] = []

    class StoppedNetwork(module.ByNetwork):
        def __call__(self, rows: np.ndarray, read: Any) -> Any:
            asked.append(rows.tolist())
            if len(asked) == 3:
                raise KeyboardInterrupt
            return super().__call__(rows, read)

    monkeypatch.setattr(module, "ByNetwork", StoppedNetwork)
    out = tmp_path / "broken.csv"
    with pytest.raises(KeyboardInterrupt):
        predict(model, pictures, out, execution=EXECUTION)
    assert not out.exists()
    write_model(tmp_path / "other", names=("a", "b"))
    with pytest.raises(UserError, match="was stopped with another model, other images or other options"):
        predict(tmp_path / "other", pictures, out, execution=EXECUTION)
    with pytest.raises(UserError, match="other options"):
        predict(model, pictures, out, top_k=1, execution=EXECUTION)
    predict(model, pictures, out, execution=EXECUTION)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert asked == [[0, 1, 2], [3, 4, 5], [6, 7], [6, 7]]
    assert not list(tmp_path.glob("*.parts"))


def test_images_none_of_which_can_be_read_leave_nothing_behind(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"")
    for out in (None, tmp_path / "out.csv"):
        with pytest.raises(UserError, match="none of the 1 images can be read; the first: zero bytes"):
            predict(model, tmp_path / "bad", out, execution=EXECUTION)  # type: ignore[call-overload]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "model"]


def test_predictions_corrected_by_hand_are_a_labeled_source(model: Path, pictures: Path, tmp_path: Path) -> None:
    """Each picture with the class that its row gives it, wherever the table lies."""
    odd = pictures / "cat" / os.fsdecode(b'new\nline \xff; \\ ~".png')
    odd.write_bytes((pictures / "cat" / '0, "so".png').read_bytes())
    (tmp_path / "elsewhere").mkdir()
    for name in ("labels.csv", "labels.parquet"):
        out = tmp_path / "elsewhere" / name
        predict(str(model), pictures, out, execution=EXECUTION)
        if name == "labels.csv":
            with out.open(newline="") as file:
                header, *rows = csv.reader(file)
            corrected = [[path, "dog" if "cat" in path else "cat", *rest] for path, _, *rest in rows]
            with out.open("w", newline="") as file:
                csv.writer(file, delimiter=";").writerows([header, *corrected])  # as a spreadsheet in Europe saves it
        found = read_source(out, split="train", labels="required" if name == "labels.csv" else "optional")
        plain = read_source(pictures, split="train", labels="required")
        assert found.table["uri"].equals(plain.table["uri"])
        assert found.table["id"].equals(plain.table["id"])
        if name == "labels.csv":
            swapped = ["dog" if plain.class_names[label] == "cat" else "cat" for label in plain.labels]
            assert [found.class_names[label] for label in found.labels] == swapped


def test_predictions_of_shards_and_tables_can_be_given_back_too(model: Path, pictures: Path, tmp_path: Path) -> None:
    files = sorted(pictures.rglob("*.png"))
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for number, path in enumerate(files):
            tar.add(path, f"{number}.png")
    pq.write_table(pa.table({"image": [path.read_bytes() for path in files]}), tmp_path / "t.parquet")
    for source in ("s.tar", "t.parquet"):
        out = tmp_path / f"{source}.csv"
        predict(model, tmp_path / source, out, execution=EXECUTION)
        back = read_source(out, split="train", labels="optional")
        assert [read_bytes(uri) for uri in back.table["uri"].to_pylist()] == [path.read_bytes() for path in files]
