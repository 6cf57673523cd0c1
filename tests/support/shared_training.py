"""Train a small network in float64 with labels and pseudo-labels; alone, or as one of the processes that `torchrun` starts.

    python shared_training.py IMAGES OUT [LOOKS]

LOOKS: the first process is killed (SIGKILL) when it has looked at the network so often, every second step.
"""

import dataclasses
import itertools
import os
import signal
import sys
from pathlib import Path

import torch

from noisystudent.config import Execution, Noise, RandAugment, Training
from noisystudent.data.images import ImageSet
from noisystudent.data.joint_batches import Examples
from noisystudent.data.sources import read_source
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.training.loop import fit
from noisystudent.training.loss import label_targets


def main(images: str, out: str, looks: int = 1_000) -> None:
    torch.set_default_dtype(torch.float64)
    training = Training(
        model="resnet9_8",
        image_size=8,
        noise=Noise(crop_padding=1, randaugment=RandAugment(num_ops=1), cutout=2),
        steps=20,
        batch_size=5,
        unlabeled_ratio=1.6,
        learning_rate=0.05,
        drop_rate=0.3,
        drop_path_rate=0.3,
        ema_decay=0.9,
        warmup_steps=2,
    )
    manifest = read_source(images, split="train", labels="ignored")
    pictures = ImageSet(manifest, size=8, channels=1, workers=1, in_memory=True)
    classifier = build_classifier(training, class_names=("a", "b", "c"), channels=1, mean=[0.5], std=[0.25], seed=3)
    number = itertools.count(1)

    def look(_: Classifier) -> dict[str, float]:
        if next(number) == looks:
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    given = torch.softmax(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    fit(
        dataclasses.replace(classifier, network=classifier.network.double()),
        training,
        Examples(pictures, label_targets(torch.arange(10) % 3, 3, 0.1).__getitem__),
        Examples(pictures, given.__getitem__),
        folder=Path(out),
        seed=7,
        execution=Execution(device="cpu", log_steps=1, checkpoint_seconds=0, workers=1),
        validate=look,
    )


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
