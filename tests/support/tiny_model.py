"""A model of two classes in 8 grey pixels, pictures for it, and what it says of them by itself."""

from pathlib import Path

import numpy as np
from PIL import Image

from noisystudent.config import Training
from noisystudent.data.images import ImageSet
from noisystudent.data.sources import read_source
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.models.loading import load_classifier

NAMES = ("cat", "dog")


def write_model(folder: Path, *, names: tuple[str, ...] = NAMES) -> Path:
    training = Training(model="resnet9_8", image_size=8)
    classifier = build_classifier(training, class_names=names, channels=1, mean=[0.5], std=[0.25], seed=0)
    classifier.network.eval()
    classifier.save(folder)
    return folder


def write_cats_and_dogs(folder: Path) -> Path:
    """Three cats and four dogs."""
    for i in range(7):
        path = folder / ("cat" if i < 3 else "dog") / f'{i}, "so".png'
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def expected(model: Path, pictures: Path) -> tuple[list[str], np.ndarray]:
    """Ids and probabilities, straight from the network."""
    classifier: Classifier = load_classifier(str(model))
    manifest = read_source(str(pictures), split="x", labels="ignored")
    images = ImageSet(manifest, size=8, channels=1, workers=1, in_memory=False).fetch(np.arange(len(manifest)))
    powers = np.exp(classifier.logits(images).double().numpy())
    return manifest.ids, powers / powers.sum(axis=1, keepdims=True)
