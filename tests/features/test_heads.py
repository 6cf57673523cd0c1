from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from says import asked
from torch import nn
from user_inputs import KINDS, write_pictures

from noisystudent.config import Execution, Training
from noisystudent.data.images import image_set
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.features.embedding import features_table, read_features, take, write_features
from noisystudent.features.heads import ByFeatures, check_head, head_of, put_head
from noisystudent.features.probe import Probe
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.models.loading import load_classifier

EXECUTION = Execution(device="cpu", labeling_precision="fp32", workers=1, label_batch_size=3, part_rows=5)


def classifier(model: str = "test_resnet", classes: str = "abc", **settings: object) -> Classifier:
    training = Training.model_validate({"model": model, "image_size": 32, "drop_rate": 0.0, **settings})
    built = build_classifier(training, class_names=classes, channels=3, mean=(0.5,) * 3, std=(0.2,) * 3, seed=0)
    built.network.eval()
    return built


@pytest.mark.parametrize(
    "model", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050", "test_vit", "test_convnext", "resnet9_16"]
)
def test_the_last_layer_is_linear_in_the_features(model: str) -> None:
    built = classifier(model, **({"image_size": 160} if "vit" in model else {}))
    check_head(built, model)
    side = built.preprocessing.image_size
    images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    features = built.features(images).numpy()
    np.testing.assert_allclose(head_of(built).logits(features), built.logits(images).numpy(), atol=1e-4)


def test_a_last_layer_that_is_not_linear_is_told_with_what_helps() -> None:
    built = classifier()
    built.network.reset_classifier(0)  # type: ignore[operator]
    with pytest.raises(UserError, match=r"test_resnet is not a linear one .* set frozen_features=false"):
        check_head(built, "test_resnet")
    other = classifier()
    other.network.fc = nn.Sequential(nn.ReLU(), other.network.fc)
    with pytest.raises(UserError, match="is not a linear one"):
        check_head(other, "test_resnet")


def test_a_probe_becomes_the_last_layer_and_opens_from_the_saved_folder(tmp_path: Path) -> None:
    built = classifier()
    width = head_of(built).weight.shape[1]
    rng = np.random.default_rng(0)
    probe = Probe(rng.normal(size=(3, width)).astype(np.float32), rng.normal(size=3).astype(np.float32))
    put_head(built, probe)
    built.save(tmp_path / "model")
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    expected = probe.logits(built.features(images).numpy())
    np.testing.assert_allclose(load_classifier(tmp_path / "model").logits(images).numpy(), expected, atol=1e-4)


def test_features_on_disk_answer_as_the_images_do(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", 4, kinds=KINDS[:3])
    (folder / KINDS[0] / "002.png").write_bytes(b"no picture")
    manifest = read_source(folder, split="labeled", labels="required")
    built = classifier()
    images = image_set(manifest, built.preprocessing, EXECUTION)
    skipped = write_features(built, images, tmp_path / "features", execution=EXECUTION)
    assert [Path(row.id).name for row in skipped] == ["002.png"]
    there = [id for id in manifest.ids if id != skipped[0].id]

    answer = ByFeatures(built, tmp_path / "features", manifest)
    parts = [asked(answer, rows) for rows in np.array_split(np.arange(len(answer)), 4)]  # across the parts of the table
    assert [id for part in parts for id in part.ids] == there
    assert [row.id for part in parts for row in part.skipped] == [skipped[0].id]
    rows = np.array([row for row, id in enumerate(manifest.ids) if id != skipped[0].id])
    pixels, _ = images.try_fetch(rows)
    expected = torch.softmax(built.logits(pixels), dim=1).numpy()
    found = np.concatenate([part.probabilities for part in parts])
    np.testing.assert_allclose(found, expected, atol=2e-3)  # features are kept in half precision


def test_features_of_some_pictures_come_in_the_order_asked_for(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", 3)
    manifest = read_source(folder, split="labeled", labels="required")
    built = classifier(classes="ab")
    write_features(
        built, image_set(manifest, built.preprocessing, EXECUTION), tmp_path / "features", execution=EXECUTION
    )
    some = np.array([5, 0, 3])
    few = asked(ByFeatures(built, tmp_path / "features", manifest.take(some)), np.arange(3))
    whole = asked(ByFeatures(built, tmp_path / "features", manifest), some)
    assert few.ids == whole.ids == [manifest.ids[row] for row in some]
    assert np.array_equal(few.probabilities, whole.probabilities)
    two = [manifest.ids[4], manifest.ids[0]]
    everything = read_features(tmp_path / "features", manifest.ids)
    assert np.array_equal(read_features(tmp_path / "features", two), everything[[4, 0]])
    table = features_table(tmp_path / "features")
    assert table.find(pa.array(["nowhere", manifest.ids[5]])).tolist() == [-1, 5]
    assert [len(found) for found in take(table, np.array([], dtype=np.int64))] == [0, 0]
