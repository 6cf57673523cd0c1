"""Networks in files, asked by the programs that they are for."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from noisystudent.exporting.files import open_onnx, open_program, write_int8, write_onnx, write_program
from noisystudent.models.classifier import Classifier

PIXELS = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_onnx_runtime_gives_the_probabilities_of_any_number_of_images(classifier: Classifier, tmp_path: Path) -> None:
    write_onnx(classifier, tmp_path / "model.onnx")
    ask = open_onnx(tmp_path / "model.onnx")
    for count in (1, 7):
        expected = classifier.logits(PIXELS[:count]).softmax(dim=1).numpy()
        assert ask(PIXELS[:count]) == pytest.approx(expected, abs=1e-5)
    assert list(tmp_path.iterdir()) == [tmp_path / "model.onnx"]  # no file of weights beside it


@pytest.mark.parametrize("int8", [False, True])
def test_an_onnx_file_says_its_classes_and_how_a_picture_becomes_pixels(
    classifier: Classifier, tmp_path: Path, int8: bool
) -> None:
    path = tmp_path / "model.onnx"
    if int8:
        write_int8(classifier, path, PIXELS)
    else:
        write_onnx(classifier, path)
    about = onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map
    said = {key: json.loads(value) for key, value in about.items() if key in ("class_names", "image_size", "channels")}
    assert said == {"class_names": list(classifier.class_names), "image_size": 8, "channels": "RGB"}
    graph = onnx.load(path).graph
    assert [tensor.name for tensor in (*graph.input, *graph.output)] == ["images", "probabilities"]


def test_whole_numbers_are_near_and_leave_nothing_beside(classifier: Classifier, tmp_path: Path) -> None:
    write_onnx(classifier, tmp_path / "plain.onnx")
    write_int8(classifier, tmp_path / "small.onnx", PIXELS)
    plain, small = (open_onnx(tmp_path / name)(PIXELS) for name in ("plain.onnx", "small.onnx"))
    assert 0 < np.abs(plain - small).max() < 0.1
    operators = {node.op_type for node in onnx.load(tmp_path / "small.onnx").graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.onnx", "small.onnx"]


def test_pytorch_opens_a_program_without_our_python(classifier: Classifier, tmp_path: Path) -> None:
    write_program(classifier, tmp_path / "model.pt2")
    expected = classifier.logits(PIXELS).softmax(dim=1).numpy()
    assert open_program(tmp_path / "model.pt2")(PIXELS) == pytest.approx(expected, abs=1e-6)
    extra = {"about.json": ""}
    torch.export.load(tmp_path / "model.pt2", extra_files=extra)
    assert json.loads(extra["about.json"])["class_names"] == list(classifier.class_names)
