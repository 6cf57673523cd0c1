"""The authors' archives as timm's networks: names and shapes written out here as the released code makes them."""

import io
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from tensorflow_layout import write_checkpoint

from noisystudent.errors import UserError
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.models.tensorflow_checkpoint import read_checkpoint
from noisystudent.models.tensorflow_efficientnet import load_tensorflow, tensorflow_names

Shapes = dict[str, tuple[int, ...]]
# Kernel, expansion, channels out, repeats of each stage (spec section 7), for B0.
STAGES = [
    (3, 1, 16, 1),
    (3, 6, 24, 2),
    (5, 6, 40, 2),
    (3, 6, 80, 3),
    (5, 6, 112, 3),
    (5, 6, 192, 4),
    (3, 6, 320, 1),
]


def batchnorm(name: str, channels: int) -> Shapes:
    return {f"{name}/{part}": (channels,) for part in ("gamma", "beta", "moving_mean", "moving_variance")}


def b0(classes: int = 1000) -> Shapes:
    """Names and shapes of the variables of the released code's B0."""
    shapes: Shapes = {"stem/conv2d/kernel": (3, 3, 3, 32), **batchnorm("stem/tpu_batch_normalization", 32)}
    channels, number = 32, 0
    for kernel, expansion, out, repeats in STAGES:
        for _ in range(repeats):
            wide, squeezed, here = channels * expansion, channels // 4, f"blocks_{number}"
            convolution, normalization = 0, 0

            def name(kind: str, count: int, here: str = here) -> str:
                return f"{here}/{kind}" + (f"_{count}" if count else "")

            if expansion > 1:
                shapes[f"{name('conv2d', convolution)}/kernel"] = (1, 1, channels, wide)
                shapes |= batchnorm(name("tpu_batch_normalization", normalization), wide)
                convolution, normalization = 1, 1
            shapes[f"{here}/depthwise_conv2d/depthwise_kernel"] = (kernel, kernel, wide, 1)
            shapes |= batchnorm(name("tpu_batch_normalization", normalization), wide)
            shapes |= {f"{here}/se/conv2d/kernel": (1, 1, wide, squeezed), f"{here}/se/conv2d/bias": (squeezed,)}
            shapes |= {f"{here}/se/conv2d_1/kernel": (1, 1, squeezed, wide), f"{here}/se/conv2d_1/bias": (wide,)}
            shapes[f"{name('conv2d', convolution)}/kernel"] = (1, 1, wide, out)
            shapes |= batchnorm(name("tpu_batch_normalization", normalization + 1), out)
            channels, number = out, number + 1
    head = {"head/conv2d/kernel": (1, 1, 320, 1280), **batchnorm("head/tpu_batch_normalization", 1280)}
    return shapes | head | {"head/dense/kernel": (1280, classes), "head/dense/bias": (classes,)}


def checkpoint(classes: int = 1000) -> dict[str, np.ndarray]:
    """Random values for the variables and, different ones, for their moving averages."""
    draw = np.random.default_rng(0)
    found = {}
    for name, shape in b0(classes).items():
        for ending in ("", "/ExponentialMovingAverage"):
            value = draw.normal(size=shape, scale=1 / math.sqrt(math.prod(shape[:-1]) or 1)).astype(np.float32)
            found[f"efficientnet-b0/{name}{ending}"] = np.abs(value) if name.endswith("variance") else value
    return found | {"global_step": np.array(3)}


def archive(path: Path, tensors: dict[str, np.ndarray]) -> Path:
    """As the authors': a folder with the checkpoint and what TensorFlow keeps beside it."""
    folder = path.parent / "noisy_student_efficientnet-b0"
    write_checkpoint(folder / "model.ckpt", tensors)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt"\n')
    (folder / "model.ckpt.meta").write_bytes(b"a graph")
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(folder, folder.name)
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("published") / "noisy_student_efficientnet-b0.tar.gz", checkpoint())


def test_every_tensor_of_timms_network_comes_from_its_moving_average(published: Path) -> None:
    classifier = load_classifier(str(published))
    state, written = classifier.network.state_dict(), checkpoint()
    assert (classifier.architecture, len(classifier.class_names)) == ("tf_efficientnet_b0", 1000)
    assert not classifier.network.training
    assert classifier.preprocessing.image_size == 224
    assert classifier.preprocessing.crop_pct == 0.875

    def average(name: str) -> torch.Tensor:
        return torch.from_numpy(written[f"efficientnet-b0/{name}/ExponentialMovingAverage"])

    assert torch.equal(state["conv_stem.weight"], average("stem/conv2d/kernel").permute(3, 2, 0, 1))
    dw = "blocks_1/depthwise_conv2d/depthwise_kernel"
    assert torch.equal(state["blocks.1.0.conv_dw.weight"][:, 0], average(dw)[..., 0].permute(2, 0, 1))
    assert torch.equal(state["blocks.0.0.conv_pw.weight"][..., 0, 0], average("blocks_0/conv2d/kernel")[0, 0].T)
    assert torch.equal(state["blocks.1.0.conv_pw.weight"][..., 0, 0], average("blocks_1/conv2d/kernel")[0, 0].T)
    assert torch.equal(state["blocks.1.0.conv_pwl.weight"][..., 0, 0], average("blocks_1/conv2d_1/kernel")[0, 0].T)
    assert torch.equal(
        state["blocks.6.0.bn3.running_var"], average("blocks_15/tpu_batch_normalization_2/moving_variance")
    )
    assert torch.equal(state["classifier.weight"], average("head/dense/kernel").T)


def test_names_and_shapes_are_those_of_the_released_code_one_to_one() -> None:
    state = timm.create_model("tf_efficientnet_b0").state_dict()
    names = dict(tensorflow_names(state))
    assert len(set(names.values())) == len(names)
    assert set(names.values()) == set(b0())
    for key, name in names.items():
        assert math.prod(state[key].shape) == math.prod(b0()[name])


@pytest.mark.parametrize("model", ["tf_efficientnet_b7", "tf_efficientnet_l2"])
def test_the_larger_networks_have_as_many_names_as_tensors(model: str) -> None:
    with torch.device("meta"):
        state = timm.create_model(model).state_dict()
    names = [name for _, name in tensorflow_names(state)]
    assert len(set(names)) == len(names) == sum(not key.endswith("num_batches_tracked") for key in state)


def test_an_unpacked_checkpoint_opens_by_its_prefix_or_any_of_its_files(published: Path) -> None:
    folder = published.parent / "noisy_student_efficientnet-b0"
    packed = load_tensorflow(published).network.state_dict()
    for name in ("model.ckpt", "model.ckpt.index", "model.ckpt.data-00000-of-00001"):
        state = load_classifier(str(folder / name)).network.state_dict()
        assert all(torch.equal(state[key], value) for key, value in packed.items())
    identity = model_identity(str(published), load_tensorflow(published))
    assert identity["architecture"] == "tf_efficientnet_b0"
    assert len(identity["sha256"]) == 64


def test_a_checkpoint_without_averages_gives_its_weights(tmp_path: Path) -> None:
    plain = {name: value for name, value in checkpoint(7).items() if not name.endswith("Average")}
    write_checkpoint(tmp_path / "model.ckpt", plain)
    classifier = load_classifier(str(tmp_path / "model.ckpt"))
    assert classifier.class_names == tuple("0123456")
    bias = classifier.network.state_dict()["classifier.bias"].numpy()
    assert np.array_equal(bias, plain["efficientnet-b0/head/dense/bias"])


def test_what_is_no_whole_efficientnet_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "other.ckpt", {"resnet/kernel": np.zeros(3, np.float32)})
    with pytest.raises(UserError, match="no checkpoint of one EfficientNet: it holds resnet/kernel"):
        load_classifier(str(tmp_path / "other.ckpt"))
    tensors = checkpoint(2)
    for ending in ("", "/ExponentialMovingAverage"):
        del tensors[f"efficientnet-b0/head/conv2d/kernel{ending}"]
    write_checkpoint(tmp_path / "part.ckpt", tensors)
    with pytest.raises(UserError, match="lacks 1 tensors of tf_efficientnet_b0, such as efficientnet-b0/head/conv2d"):
        load_classifier(str(tmp_path / "part.ckpt"))
    renamed = {name.replace("-b0/", "-b9/"): value for name, value in checkpoint(2).items()}
    write_checkpoint(tmp_path / "b9.ckpt", renamed)
    with pytest.raises(UserError, match="efficientnet-b9, which timm does not have"):
        load_classifier(str(tmp_path / "b9.ckpt"))


def test_broken_and_foreign_archives_are_the_users_mistake(tmp_path: Path, published: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(published.read_bytes()[:5000])
    with pytest.raises(UserError, match="cannot be unpacked"):
        load_classifier(str(broken))
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("photo.jpg"), io.BytesIO())
    with pytest.raises(UserError, match="holds no TensorFlow checkpoint"):
        load_classifier(str(tmp_path / "photos.tar"))
    with pytest.raises(UserError, match=r"none\.tar\.gz"):
        load_classifier(str(tmp_path / "none.tar.gz"))


def test_an_archive_cannot_write_outside(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "in" / "model.ckpt", checkpoint(2))
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as tar:
        for file in (tmp_path / "in").iterdir():
            tar.add(file, f"../../../{tmp_path}/escaped/{file.name}")
    load_classifier(str(evil))
    assert not (tmp_path / "escaped").exists()
    assert read_checkpoint(tmp_path / "in" / "model.ckpt")
