"""A training of a tiny network on ten pictures of chance, under all kinds of noise."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from noisystudent.config import Execution, Noise, RandAugment, Training
from noisystudent.data.images import ImageSet
from noisystudent.data.joint_batches import Examples
from noisystudent.data.sources import read_source
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.training import loop
from noisystudent.training.loss import label_targets

NOISE = Noise(crop_padding=1, randaugment=RandAugment(num_ops=1), cutout=2)
TRAINING = Training(
    model="resnet9_8",
    image_size=8,
    noise=NOISE,
    steps=6,
    batch_size=4,
    unlabeled_ratio=1.5,
    learning_rate=0.05,
    drop_rate=0.3,
    drop_path_rate=0.3,
    ema_decay=0.9,
    warmup_steps=2,
)
EVERY_STEP = Execution(device="cpu", checkpoint_seconds=0, log_steps=2, workers=1)


def write_pictures(folder: Path) -> Path:
    draw = np.random.default_rng(0)
    for i in range(10):
        Image.fromarray(draw.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def pictures(folder: Path) -> ImageSet:
    manifest = read_source(str(folder), split="train", labels="ignored")
    return ImageSet(manifest, size=8, channels=1, workers=1, in_memory=True)


def classifier(training: Training = TRAINING) -> Classifier:
    return build_classifier(training, class_names=("a", "b", "c"), channels=1, mean=[0.5], std=[0.25], seed=3)


def fit(images: ImageSet, folder: Path, training: Training = TRAINING, **settings: object) -> Classifier:
    labels = torch.arange(10) % 3
    labeled = Examples(images, label_targets(labels, 3, 0.1).__getitem__)
    pseudo = Examples(
        images, torch.softmax(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)), dim=1).__getitem__
    )
    arguments = {"seed": 7, "execution": EVERY_STEP, **settings}
    return loop.fit(classifier(training), training, labeled, pseudo, folder=folder, **arguments)  # type: ignore[arg-type]
