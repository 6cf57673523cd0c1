"""The learning rate as a function of the step, and of nothing else: a resumed run needs no state for it."""

from __future__ import annotations

import math

from noisystudent.config import Training


def learning_rate(training: Training, step: int) -> float:
    """The learning rate of `step`, counted from 0.

    Warm-up is linear from one part in `warmup_steps` up to the full rate. After it: `linear` and `cosine` fall to 0 at the last
    step. `exponential` is the released code's (spec section 1.2): its warm-up begins at 0, and the rate is multiplied by `decay_rate`
    every `decay_steps` counted from step 0, as a staircase.

    Example:
        >>> training = Training(model="resnet18", steps=100, learning_rate=1.0, warmup_steps=10)
        >>> learning_rate(training, 0), learning_rate(training, 9), learning_rate(training, 55)
        (0.1, 1.0, 0.5)
    """
    if step < training.warmup_steps:
        reached = step if training.schedule == "exponential" else step + 1
        return training.learning_rate * reached / training.warmup_steps
    progress = (step - training.warmup_steps) / max(training.steps - training.warmup_steps, 1)
    match training.schedule:
        case "linear":
            share = 1 - progress
        case "cosine":
            share = 0.5 * (1 + math.cos(math.pi * progress))
        case "exponential":
            share = training.decay_rate ** (step // training.decay_steps)
        case "constant":
            share = 1.0
    return training.learning_rate * share
