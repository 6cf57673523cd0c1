from pathlib import Path

import numpy as np
import pytest
from tiny_model import expected, write_cats_and_dogs, write_model

from noisystudent.config import Execution
from noisystudent.data.images import image_set
from noisystudent.data.parts import read_parts
from noisystudent.data.sources import read_source
from noisystudent.features.embedding import write_features
from noisystudent.models.loading import load_classifier
from noisystudent.review import looking
from noisystudent.review.known_classes import KnownClasses
from noisystudent.review.looking import ByFeatures, ByPixels, look, read_features

EXECUTION = Execution(device="cpu", labeling_precision="fp32", part_rows=3, label_batch_size=2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_cats_and_dogs(tmp_path / "pictures")


def by_pixels(model: Path, pictures: Path) -> ByPixels:
    classifier = load_classifier(str(model))
    manifest = read_source(str(pictures), split="unlabeled", labels="ignored")
    return ByPixels(classifier, image_set(manifest, classifier.preprocessing, EXECUTION), EXECUTION)


@pytest.mark.parametrize("linear", [True, False])
def test_it_says_what_the_network_says(
    model: Path, pictures: Path, tmp_path: Path, linear: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "has_linear_head", lambda classifier: linear)
    by_network = by_pixels(model, pictures)
    assert look(by_network, tmp_path / "seen", execution=EXECUTION, known=None, description="") == []
    ids, probabilities = expected(model, pictures)
    rows = read_parts(tmp_path / "seen", ["id", "label", "confidence", "second", "second_confidence"]).to_pylist()
    assert [row["id"] for row in rows] == ids
    for row, given in zip(rows, probabilities, strict=True):
        assert row["label"] == given.argmax()
        assert row["second"] == given.argmin()  # of two classes
        assert (row["confidence"], row["second_confidence"]) == pytest.approx((given.max(), given.min()), abs=1e-4)


def test_features_on_disk_say_the_same_as_the_pictures(model: Path, pictures: Path, tmp_path: Path) -> None:
    classifier = load_classifier(str(model))
    manifest = read_source(str(pictures), split="unlabeled", labels="ignored")
    images = image_set(manifest, classifier.preprocessing, EXECUTION)
    write_features(classifier, images, tmp_path / "features", execution=EXECUTION)
    kept = ByFeatures(classifier, tmp_path / "features", manifest)
    seen = by_pixels(model, pictures)
    rows = np.arange(len(seen))
    one, other = kept(rows, kept.read(rows)), seen(rows, seen.read(rows))
    assert one.ids == other.ids
    np.testing.assert_allclose(
        one.probabilities, other.probabilities, atol=2e-2
    )  # features on disk have half precision
    assert (one.hashes == other.hashes).all()


def test_what_cannot_be_read_is_told_and_the_rest_is_seen(model: Path, pictures: Path, tmp_path: Path) -> None:
    broken = next((pictures / "cat").iterdir())
    broken.write_bytes(b"no picture")
    skipped = look(by_pixels(model, pictures), tmp_path / "seen", execution=EXECUTION, known=None, description="")
    assert [(row.id, row.stage) for row in skipped] == [(f"cat/{broken.name}", "review")]
    ids = read_source(str(pictures), split="unlabeled", labels="ignored").table["id"]
    rows, values = read_features(tmp_path / "seen", ids)
    assert len(rows) == len(values) == 6
    assert f"cat/{broken.name}" not in [ids[int(row)].as_py() for row in rows]


def test_once_the_classes_are_known_the_likeness_to_them_is_kept(model: Path, pictures: Path, tmp_path: Path) -> None:
    seen = by_pixels(model, pictures)
    values = seen(np.arange(7), seen.read(np.arange(7))).values
    known = KnownClasses.of(values, np.array([0, 0, 0, 1, 1, 1, 1]))
    look(seen, tmp_path / "seen", execution=EXECUTION, known=known, description="")
    found = read_parts(tmp_path / "seen", ["likeness"])["likeness"].to_numpy()
    np.testing.assert_allclose(found, known.likeness(values), atol=1e-5)
