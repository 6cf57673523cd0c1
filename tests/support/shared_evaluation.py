"""Measure a small network by several suites; alone, or as one of the processes that `torchrun` starts.

    python shared_evaluation.py PICTURES OUT

Each process writes OUT/NUMBER.json: what it was told, and how many images its network looked at.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from noisystudent import commands, processes
from noisystudent.config import Execution, Training
from noisystudent.evaluation import corrupted_images
from noisystudent.models.classifier import build_classifier

corrupted_images.SEVERITIES = (1,)  # of five
SUITES = ("clean", "calibration", "adversarial", "c", "p")


def main(pictures: str, out: str) -> None:
    mean, names = [0.5, 0.5, 0.5], ("0", "1", "2", "3", "4", "5")
    training = Training(model="resnet9_8", image_size=16)
    classifier = build_classifier(training, class_names=names, channels=3, mean=mean, std=mean, seed=0)
    looked = 0

    def count(_: nn.Module, given: tuple[torch.Tensor]) -> None:
        nonlocal looked
        looked += len(given[0])

    classifier.network.eval().register_forward_pre_hook(count)
    execution = Execution(device="cpu", workers=1, label_batch_size=2)
    cells = Path(out) / "cells"
    found: dict[str, Any] = commands.evaluate(
        classifier, pictures, suites=SUITES, val=pictures, cells=cells, execution=execution
    )
    (Path(out) / f"{processes.number()}.json").write_text(json.dumps({"found": found, "looked": looked}))


if __name__ == "__main__":
    main(*sys.argv[1:])
