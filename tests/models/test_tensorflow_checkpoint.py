"""Tensors out of checkpoints in TensorFlow's layout."""

from pathlib import Path

import numpy as np
import pytest
from tensorflow_layout import write_checkpoint

from noisystudent.errors import UserError
from noisystudent.models.tensorflow_checkpoint import read_checkpoint


def tensors() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    shapes = {f"net/blocks_{i}/conv2d/kernel": (3, 3, i + 1, 200) for i in range(20)}
    found = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return found | {"global_step": np.array(109_474), "net/empty": np.empty((0, 3), np.float32)}


@pytest.mark.parametrize("shards", [1, 3])
def test_every_tensor_is_read_as_it_was_written(tmp_path: Path, shards: int) -> None:
    write_checkpoint(tmp_path / "model.ckpt", tensors(), shards=shards)
    found = read_checkpoint(tmp_path / "model.ckpt")
    assert found.keys() == tensors().keys()
    for name, value in tensors().items():
        assert np.array_equal(found[name], value)
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape


def test_a_missing_checkpoint_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.ckpt\.index does not exist"):
        read_checkpoint(tmp_path / "model.ckpt")


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.ckpt", tensors(), shards=3)
    (tmp_path / "model.ckpt.data-00001-of-00003").unlink()
    with pytest.raises(UserError, match="data-00001-of-00003 is missing"):
        read_checkpoint(tmp_path / "model.ckpt")


def test_cut_off_values_are_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.ckpt", tensors())
    values = tmp_path / "model.ckpt.data-00000-of-00001"
    values.write_bytes(values.read_bytes()[:-1])
    with pytest.raises(UserError, match="is cut off"):
        read_checkpoint(tmp_path / "model.ckpt")


def test_a_damaged_index_is_the_users_mistake_wherever_it_is_cut(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.ckpt", tensors())
    index = tmp_path / "model.ckpt.index"
    whole = index.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1], whole[200:], b"x" * len(whole)):
        index.write_bytes(damaged)
        with pytest.raises(UserError, match=r"model\.ckpt\.index is no TensorFlow checkpoint index, or not whole"):
            read_checkpoint(tmp_path / "model.ckpt")
