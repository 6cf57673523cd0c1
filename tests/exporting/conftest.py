"""A small classifier and pictures to ask it about."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_classifier import small_classifier

from noisystudent.models.classifier import Classifier


@pytest.fixture
def classifier() -> Classifier:
    return small_classifier()


@pytest.fixture
def model(classifier: Classifier, tmp_path: Path) -> Path:
    classifier.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two cats, two dogs and a file that is no picture."""
    for number, name in enumerate(("cat/a", "cat/b", "dog/c", "dog/d")):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(path)
    (tmp_path / "pictures" / "dog" / "e.png").write_bytes(b"not one")
    return tmp_path / "pictures"
