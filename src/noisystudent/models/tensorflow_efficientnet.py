"""The checkpoints that the authors published, as timm's networks.

`noisy_student_efficientnet-b0.tar.gz` to `-b7`, `-l2_475` and `-l2` hold a TensorFlow checkpoint each (spec section 4.1). The moving
averages of the weights are what was published to be used, and what is read.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from timm.data import ImageNetInfo
from torch import Tensor

from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier, Preprocessing
from noisystudent.models.tensorflow_checkpoint import read_checkpoint

AVERAGE = "/ExponentialMovingAverage"
BATCHNORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
ARCHIVES = (".tar.gz", ".tgz", ".tar")


def is_tensorflow(path: Path) -> bool:
    """Whether a path names a checkpoint archive, or a checkpoint by the prefix of its files or by one of them."""
    return path.name.endswith(ARCHIVES) or _prefix(path).with_name(f"{_prefix(path).name}.index").exists()


def weights_file(path: Path) -> Path:
    """The archive, or the first file of values of a checkpoint."""
    if path.name.endswith(ARCHIVES):
        return path
    prefix = _prefix(path)
    return min(prefix.parent.glob(f"{prefix.name}.data-*"))


def load_tensorflow(path: Path) -> Classifier:
    """Open an archive or a checkpoint of the authors as one of timm's `tf_efficientnet_*`, in evaluation mode.

    Args:
        path: `noisy_student_efficientnet-b0.tar.gz`, or the checkpoint in it, `.../model.ckpt`.

    Raises:
        UserError: it is damaged, or not a checkpoint of an EfficientNet that timm has.
    """
    if not path.name.endswith(ARCHIVES):
        return _network(read_checkpoint(_prefix(path)), path)
    with tempfile.TemporaryDirectory() as folder:
        return _network(read_checkpoint(_unpack(path, Path(folder))), path)


def _prefix(path: Path) -> Path:
    return path.with_name(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path.name))


def _unpack(archive: Path, folder: Path) -> Path:
    """The checkpoint's files, under names of our own: an archive cannot make us write elsewhere."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                found = re.search(r"\.(index|data-\d{5}-of-\d{5})$", member.name)
                content = tar.extractfile(member) if found and member.isfile() else None
                if found and content:
                    with (folder / f"model.{found[1]}").open("wb") as file:
                        while chunk := content.read(2**24):
                            file.write(chunk)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{archive} cannot be unpacked: {error}") from None
    if not (folder / "model.index").exists():
        raise UserError(f"{archive} holds no TensorFlow checkpoint (a file that ends in .index)")
    return folder / "model"


def _network(tensors: Mapping[str, np.ndarray], path: Path) -> Classifier:
    scopes = {name.split("/")[0] for name in tensors if name.startswith("efficientnet-")}
    if len(scopes) != 1:
        raise UserError(f"{path} is no checkpoint of one EfficientNet: it holds {', '.join(sorted(tensors)[:5])}, ...")
    (scope,) = scopes
    architecture = f"tf_{scope.replace('-', '_')}"
    if not timm.is_model(architecture):
        raise UserError(f"{path} is a checkpoint of {scope}, which timm does not have as {architecture}")
    classes = tensors[f"{scope}/head/dense/bias"].shape[0] if f"{scope}/head/dense/bias" in tensors else 1000
    network: Any = timm.create_model(architecture, num_classes=classes)
    state = network.state_dict()
    wanted = {key: f"{scope}/{name}" for key, name in tensorflow_names(state)}
    missing = [name for name in wanted.values() if name not in tensors and name + AVERAGE not in tensors]
    if missing:
        raise UserError(f"{path} lacks {len(missing)} tensors of {architecture}, such as {missing[0]}")
    for key, name in wanted.items():
        value = as_timm(tensors[name + AVERAGE] if name + AVERAGE in tensors else tensors[name], name)
        if value.shape != state[key].shape:
            raise UserError(
                f"{path}: {name} is {tuple(value.shape)}, and {key} of {architecture} {tuple(state[key].shape)}"
            )
        state[key].copy_(value)
    size = _image_size(path, network.pretrained_cfg)
    view = Preprocessing(size, 3, size / (size + 32), network.pretrained_cfg["mean"], network.pretrained_cfg["std"])
    info = ImageNetInfo("imagenet-1k")
    names = info.label_names() if classes == 1000 else [str(c) for c in range(classes)]  # type: ignore[no-untyped-call]
    network = network.eval().to(memory_format=torch.channels_last)
    return Classifier(network, tuple(names), view, architecture, {})


def _image_size(path: Path, cfg: Mapping[str, Any]) -> int:
    """That of the training; `l2` without a size in its name was fixed at 800 pixels, and timm's default is that one."""
    named = re.search(r"_(\d{3})\b", path.name.removesuffix(".gz"))
    return int(named[1]) if named else int(cfg["input_size"][1])


def tensorflow_names(state: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """timm's names beside those of the released code, for every tensor but counters.

    A block of the released code numbers its convolutions and its normalizations in their order; the depthwise one and those of the
    squeeze-and-excitation are numbered apart.
    """
    blocks: list[str] = []
    layers: dict[tuple[str, str], list[str]] = {}  # of a part and a kind, in order

    def numbered(part: str, kind: str, name: str) -> str:
        order = layers.setdefault((part, kind), [])
        if name not in order:
            order.append(name)
        return f"{kind}_{order.index(name)}" if order.index(name) else kind

    for key in state:
        *path, name, tensor = key.split(".")
        if tensor == "num_batches_tracked":
            continue
        part = "stem" if name in ("conv_stem", "bn1") else "head"
        if path:
            block = ".".join(path[:3])  # blocks.STAGE.NUMBER
            if block not in blocks:
                blocks.append(block)
            part = f"blocks_{blocks.index(block)}"
        kernel = "kernel" if tensor == "weight" else "bias"
        if name.startswith("bn"):
            layer = f"{numbered(part, 'tpu_batch_normalization', name)}/{BATCHNORM[tensor]}"
        elif path[-1:] == ["se"]:
            layer = f"se/{numbered(f'{part}/se', 'conv2d', name)}/{kernel}"
        elif name == "conv_dw":
            layer = "depthwise_conv2d/depthwise_kernel"
        else:
            layer = f"{'dense' if name == 'classifier' else numbered(part, 'conv2d', name)}/{kernel}"
        yield key, f"{part}/{layer}"


def as_timm(value: np.ndarray, name: str) -> Tensor:
    """TensorFlow's order of dimensions to PyTorch's: kernels are height, width, in, out; depthwise ones have the two swapped."""
    if name.endswith("depthwise_kernel"):
        value = value.transpose(2, 3, 0, 1)
    elif name.endswith("kernel"):
        value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
    return torch.from_numpy(np.array(value, dtype=np.float32))
