"""Train a small network in float64 with labels and pseudo-labels; alone, or as one of the processes that `torchrun` starts.

    python shared_training.py IMAGES OUT [LOOKS]

LOOKS: the first process is killed (SIGKILL) when it has looked at the network so often, every second step.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

import torch
from tiny_training import EVERY_STEP, TRAINING, fit, pictures

from noisystudent import processes
from noisystudent.models.classifier import Classifier


def main(images: str, out: str, looks: int = 1_000) -> None:
    torch.set_default_dtype(torch.float64)
    training = TRAINING.model_copy(update={"steps": 20, "batch_size": 5, "unlabeled_ratio": 1.6})
    number = itertools.count(1)

    def look(_: Classifier) -> dict[str, float]:
        if next(number) == looks and processes.is_first():
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    each = EVERY_STEP.model_copy(update={"log_steps": 1})
    averaged = fit(pictures(Path(images)), Path(out), training, execution=each, validate=look)
    assert {value.dtype for value in averaged.network.parameters()} == {torch.float64}


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
