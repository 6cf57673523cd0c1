"""What is written is compared with the network on real pictures, and kept only if it says the same."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm

from noisystudent.errors import RunError, UserError
from noisystudent.exporting import forms
from noisystudent.exporting.forms import export


@pytest.mark.parametrize("form", ["onnx", "onnx-int8", "pt2"])
def test_a_file_is_compared_on_the_pictures_that_can_be_read(
    form: str, model: Path, pictures: Path, tmp_path: Path, caplog: Any
) -> None:
    found = export(model, form, tmp_path / "file", data=pictures)
    assert (found["images"], found["labeled"], found["bytes"]) == (4, 4, (tmp_path / "file").stat().st_size)
    assert found["largest_difference"] < (0.2 if form == "onnx-int8" else 1e-5)
    assert "1 of 5 images cannot be read" in caplog.text


def test_labels_are_matched_by_name_and_may_be_missing(model: Path, pictures: Path, tmp_path: Path) -> None:
    table = tmp_path / "some.csv"
    table.write_text("path,label\npictures/cat/a.png,cat\npictures/cat/b.png,\npictures/dog/c.png,dog\n")
    found = export(model, "pt2", tmp_path / "one", data=table)
    assert (found["images"], found["labeled"]) == (3, 2)
    table.write_text("path\npictures/cat/a.png\n")
    assert export(model, "pt2", tmp_path / "two", data=table)["network_top1"] is None


@pytest.mark.parametrize("answer", [lambda ours: ours + 2e-4, lambda ours: ours * np.nan])
def test_a_file_that_answers_otherwise_is_refused(
    answer: Any, model: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(path: Path) -> Any:
        ask = forms.open_program(path)
        return lambda images: answer(ask(images))

    monkeypatch.setitem(forms.FILES, "pt2", dataclasses.replace(forms.FILES["pt2"], open=opened))
    with pytest.raises(RunError, match="is not written: of 4 images, probabilities differ"):
        export(model, "pt2", tmp_path / "file", data=pictures)
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("form", ["timm", "hub"])
def test_a_folder_opens_in_timm(form: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "folder"
    assert export(model, form, out)["out"] == str(out)
    assert timm.create_model(f"local-dir:{out}", pretrained=True).num_classes == 3


@pytest.mark.parametrize(
    ("form", "there", "data", "said"),
    [
        ("jar", None, "", "there is no 'jar'; there are timm, hub, onnx, onnx-int8, pt2"),
        ("pt2", None, "", "--data is missing"),
        ("pt2", "file", "pictures", "is there already"),
        ("hub", "folder", "", "is there already"),
        ("pt2", None, "unreadable", "none of 1 images can be read"),
        ("pt2", None, "other", "classes that the model does not know"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    form: str, there: str | None, data: str, said: str, model: Path, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "unreadable").mkdir()
    (tmp_path / "unreadable" / "x.png").write_bytes(b"no picture")
    (tmp_path / "other" / "horse").mkdir(parents=True)
    (pictures / "cat" / "a.png").rename(tmp_path / "other" / "horse" / "a.png")
    out = tmp_path / "out"
    if there == "folder":
        out.mkdir()
        (out / "mine").touch()
    elif there:
        out.write_text("mine")
    with pytest.raises(UserError, match=said):
        export(model, form, out, data=str(tmp_path / data) if data else "")
    if there is None:
        assert not out.exists()
    else:
        assert "mine" in ([path.name for path in out.iterdir()] if out.is_dir() else out.read_text())
