"""Networks in files, asked by the programs that they are for."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small_classifier import small_classifier

from noisystudent.exporting.files import open_onnx, open_program, write_int8, write_onnx, write_program
from noisystudent.models.classifier import Classifier

PIXELS = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return small_classifier()


@pytest.fixture(scope="module")
def written(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files of ONNX, which take seconds to write."""
    folder = tmp_path_factory.mktemp("onnx")
    write_onnx(classifier, folder / "plain.onnx")
    write_int8(classifier, folder / "int8.onnx", PIXELS)
    return folder


def test_onnx_runtime_gives_the_probabilities_of_any_number_of_images(classifier: Classifier, written: Path) -> None:
    ask = open_onnx(written / "plain.onnx")
    for count in (1, 7):
        expected = classifier.logits(PIXELS[:count]).softmax(dim=1).numpy()
        assert ask(PIXELS[:count]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["plain.onnx", "int8.onnx"])
def test_an_onnx_file_says_its_classes_and_how_a_picture_becomes_pixels(
    classifier: Classifier, written: Path, name: str
) -> None:
    about = onnxruntime.InferenceSession(str(written / name)).get_modelmeta().custom_metadata_map
    said = {key: json.loads(value) for key, value in about.items() if key in ("class_names", "image_size", "channels")}
    assert said == {"class_names": list(classifier.class_names), "image_size": 8, "channels": "RGB"}
    graph = onnx.load(written / name).graph
    assert [tensor.name for tensor in (*graph.input, *graph.output)] == ["images", "probabilities"]


def test_whole_numbers_are_near_and_nothing_is_left_beside(written: Path) -> None:
    plain, small = (open_onnx(written / name)(PIXELS) for name in ("plain.onnx", "int8.onnx"))
    assert 0 < np.abs(plain - small).max() < 0.1
    operators = {node.op_type for node in onnx.load(written / "int8.onnx").graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operators
    assert sorted(path.name for path in written.iterdir()) == ["int8.onnx", "plain.onnx"]


def test_pytorch_opens_a_program_without_our_python(classifier: Classifier, tmp_path: Path) -> None:
    write_program(classifier, tmp_path / "model.pt2")
    expected = classifier.logits(PIXELS).softmax(dim=1).numpy()
    assert open_program(tmp_path / "model.pt2")(PIXELS) == pytest.approx(expected, abs=1e-6)
    extra = {"about.json": ""}
    torch.export.load(tmp_path / "model.pt2", extra_files=extra)
    assert json.loads(extra["about.json"])["class_names"] == list(classifier.class_names)
