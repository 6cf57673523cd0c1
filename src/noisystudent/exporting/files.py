"""A network in one file: for ONNX Runtime, in fp32 or in whole numbers, or for PyTorch without our Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noisystudent.exporting.comparing import Probabilities, of_network
from noisystudent.exporting.whole_network import traced
from noisystudent.models.classifier import Classifier

CALIBRATED_AT_A_TIME = 16


def write_onnx(classifier: Classifier, path: Path) -> None:
    """Write the whole network for ONNX Runtime: `images`, uint8 [N, C, S, S], to `probabilities`, float32 [N, K].

    How a picture becomes S x S pixels, and the names of the classes, are in the file's metadata.
    """
    import onnx

    program: Any = torch.onnx.export(
        traced(classifier), input_names=["images"], output_names=["probabilities"], dynamo=True, verbose=False
    )
    model = program.model_proto
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in _about(classifier).items()})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def write_int8(classifier: Classifier, path: Path, images: Tensor) -> None:
    """As `write_onnx`, computed in whole numbers of 8 bits, whose scales are those of some images.

    Args:
        images: uint8 [N, C, S, S], such as the network learned from.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    plain, prepared = path.with_suffix(".fp32"), path.with_suffix(".prepared")
    try:
        write_onnx(classifier, plain)
        quant_pre_process(str(plain), str(prepared))
        quantization.quantize_static(str(prepared), str(path), _Reader(images), per_channel=True)
    finally:
        plain.unlink(missing_ok=True)
        prepared.unlink(missing_ok=True)


def write_program(classifier: Classifier, path: Path) -> None:
    """Write the whole network as `torch.export` has it: `torch.export.load(path).module()` opens it."""
    torch.export.save(traced(classifier), path, extra_files={"about.json": json.dumps(_about(classifier))})


def open_onnx(path: Path) -> Probabilities:
    """What the file answers, by ONNX Runtime on the processor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"images": images.numpy()})[0]


def open_program(path: Path) -> Probabilities:
    """What the file answers, by PyTorch on the processor."""
    return of_network(torch.export.load(path).module())


def _about(classifier: Classifier) -> dict[str, Any]:
    view = classifier.preprocessing
    return {
        "class_names": list(classifier.class_names),
        "image_size": view.image_size,
        "crop_pct": view.crop_pct,  # the short side becomes image_size / crop_pct, and the middle is cut out
        "interpolation": "bicubic",
        "channels": "RGB" if view.channels == 3 else "grey",
        "architecture": classifier.architecture,
    }


class _Reader:
    """Images as ONNX Runtime's calibration asks for them."""

    def __init__(self, images: Tensor) -> None:
        self._parts: Iterator[Tensor] = iter(torch.split(images, CALIBRATED_AT_A_TIME))

    def get_next(self) -> dict[str, np.ndarray] | None:
        part = next(self._parts, None)
        return None if part is None else {"images": part.numpy()}
