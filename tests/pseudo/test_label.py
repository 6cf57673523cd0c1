"""The teacher's predictions: their numbers, the files, and what a killed labeling leaves."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from says import asked

from noisystudent.config import Execution, Training
from noisystudent.data.duplicates import dhash
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.data.sources import read_source
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.pseudo.label import ByNetwork, predictions_schema, write_predictions

EXECUTION = Execution(device="cpu", labeling_precision="fp32", workers=1, label_batch_size=3, part_rows=5)
BROKEN = 4


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Twelve pictures of which the fifth is no picture."""
    folder = tmp_path_factory.mktemp("images")
    draw = np.random.default_rng(0)
    for i in range(12):
        path = folder / f"{i:02d}.png"
        if i == BROKEN:
            path.write_bytes(b"not a picture")
        else:
            Image.fromarray(draw.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    manifest = read_source(str(folder), split="unlabeled", labels="ignored")
    return ImageSet(manifest, size=8, channels=1, workers=1, in_memory=False)


@pytest.fixture(scope="module")
def teacher() -> Classifier:
    training = Training(model="resnet9_8", image_size=8, drop_rate=0.5, drop_path_rate=0.5)
    classifier = build_classifier(training, class_names="abc", channels=1, mean=[0.5], std=[0.25], seed=0)
    classifier.network.eval()
    return classifier


READ = [row for row in range(12) if row != BROKEN]


def test_predictions_are_the_softmax_of_the_unnoised_network(
    images: ImageSet, teacher: Classifier, tmp_path: Path
) -> None:
    skipped = write_predictions(ByNetwork(teacher, images, EXECUTION), tmp_path, execution=EXECUTION)
    table = pq.read_table(sorted(tmp_path.glob("part-*.parquet")))
    pixels = images.fetch(np.array(READ))
    with torch.inference_mode():
        logits = teacher.network(((pixels.float() / 255) - 0.5) / 0.25).double().numpy()
    powers = np.exp(logits)
    wanted = powers / powers.sum(axis=1, keepdims=True)
    assert table["id"].to_pylist() == [images.manifest.ids[row] for row in READ]
    assert table["label"].to_pylist() == wanted.argmax(axis=1).tolist()
    assert table["confidence"].to_numpy() == pytest.approx(wanted.max(axis=1), abs=1e-5)
    stored = np.array([[float(p) for p in row] for row in table["probabilities"].to_pylist()])
    assert stored == pytest.approx(wanted, abs=1e-3)  # half precision
    assert table["dhash"].to_pylist() == dhash(pixels).tolist()
    assert table.schema.equals(predictions_schema(3))
    assert [(row.id, row.stage) for row in skipped] == [(images.manifest.ids[BROKEN], "label")]


def test_parts_that_are_there_are_not_made_again(images: ImageSet, teacher: Classifier, tmp_path: Path) -> None:
    whole = write_predictions(ByNetwork(teacher, images, EXECUTION), tmp_path / "whole", execution=EXECUTION)
    write_predictions(ByNetwork(teacher, images, EXECUTION), tmp_path / "broken", execution=EXECUTION)
    parts = sorted((tmp_path / "broken").glob("part-*.parquet"))
    assert [part.name for part in parts] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert [pq.read_metadata(part).num_rows for part in parts] == [4, 5, 2]
    kept = parts[0].stat().st_mtime_ns
    parts[1].unlink()  # killed before it was written
    assert write_predictions(ByNetwork(teacher, images, EXECUTION), tmp_path / "broken", execution=EXECUTION) == whole
    assert parts[0].stat().st_mtime_ns == kept
    for part in parts:
        assert pq.read_table(part).equals(pq.read_table(tmp_path / "whole" / part.name))


def test_the_size_of_a_batch_changes_nothing(images: ImageSet, teacher: Classifier) -> None:
    whole = asked(ByNetwork(teacher, images, EXECUTION), np.arange(12))
    parts = [asked(ByNetwork(teacher, images, EXECUTION), np.array([row])) for row in range(12)]
    assert whole.ids == [id for part in parts for id in part.ids]
    assert np.allclose(whole.probabilities, np.concatenate([part.probabilities for part in parts]), atol=1e-6)
    assert whole.skipped == [Skipped(images.manifest.ids[BROKEN], "label", whole.skipped[0].reason)]
    assert whole.probabilities.sum(axis=1) == pytest.approx(np.ones(11))


def test_rows_come_in_the_order_asked_for(images: ImageSet, teacher: Classifier) -> None:
    predicted = asked(ByNetwork(teacher, images, EXECUTION), np.array([9, 2, BROKEN, 7]))
    assert predicted.ids == [images.manifest.ids[row] for row in (9, 2, 7)]
    alone = asked(ByNetwork(teacher, images, EXECUTION), np.array([7]))
    assert np.allclose(predicted.probabilities[2], alone.probabilities[0], atol=1e-6)
    assert predicted.hashes[2] == alone.hashes[0]
