"""Train one network: a teacher, a student or the baseline. The loop reads from top to bottom."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from noisystudent.config import Execution, Training
from noisystudent.data.joint_batches import Examples, joint_batches
from noisystudent.data.micro_batches import own_micro_batches
from noisystudent.device import compute_device, own_draws
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier
from noisystudent.processes import any_of_them, is_first, wait_for_all
from noisystudent.progress import track
from noisystudent.stopping import stop_requests
from noisystudent.training.checkpoint import load_checkpoint, save_checkpoint
from noisystudent.training.ema import moving_average
from noisystudent.training.forward_backward import ForwardBackward, losses_of_steps
from noisystudent.training.freezing import freeze
from noisystudent.training.metrics_log import MetricsLog
from noisystudent.training.optimizer import build_optimizer
from noisystudent.training.schedule import learning_rate

VALIDATIONS = 10  # points of the learning curve
CHECKED = 8  # images that a network must have an answer to before it is kept
Validate = Callable[[Classifier], dict[str, float]]


def fit(
    classifier: Classifier,
    training: Training,
    labeled: Examples,
    pseudo: Examples | None,
    *,
    folder: Path,
    seed: int,
    execution: Execution,
    validate: Validate | None = None,
    description: str = "training",
    schedule: Training | None = None,
    frozen: Sequence[str] = (),
    log_shares: Tensor | None = None,
    also_logged: Callable[[dict[str, float]], None] | None = None,
) -> Classifier:
    """Train under noise and save the moving average of the weights to `folder/model`.

    Given again on the same folder it goes on from `checkpoints/last.pt`, and ends with the same weights, bit by bit on a CPU. Several
    processes share each batch; it may go on with another number of them.

    Args:
        classifier: the new network; its weights are changed.
        training: how.
        labeled: labeled images.
        pseudo: pseudo-labeled images, or None.
        folder: receives `checkpoints/`, `metrics.jsonl` and `model/`.
        seed: decides the order, the crops, the noise and the dropout.
        execution: device, precision, how often to save.
        validate: metrics of the averaged network, asked for ten times on the way; they choose nothing.
        description: for the progress shown.
        schedule: a longer training, of whose learning rates this one takes the last; None: its own.
        frozen: modules of the network that stay as they are.
        log_shares: [K], added to the logits of the labeled images (`data.class_balance`); None: nothing.
        also_logged: told of what is written to `metrics.jsonl`, a line at a time; None: nobody.

    Returns:
        The averaged network in evaluation mode.

    Raises:
        RunError: the loss is not finite; the last checkpoint before it is kept.
        Stopped: Ctrl-C or SIGTERM came, and the checkpoint of the step then under way is written.
    """
    device = compute_device(execution)
    network = classifier.network.to(device).train()
    freeze(network, frozen)
    average = moving_average(network, training.ema_decay)
    optimizer = build_optimizer(network, training)
    averaged = dataclasses.replace(classifier, network=average.module.eval())

    checkpoint = folder / "checkpoints" / "last.pt"
    start = load_checkpoint(checkpoint, network=network, average=average, optimizer=optimizer)
    log = MetricsLog(folder / "metrics.jsonl", done=start, also=also_logged)
    micro_batches = own_micro_batches(training.images_a_step(pseudo=pseudo is not None), execution)
    batches = joint_batches(
        training, labeled, pseudo, seed=seed, start=start, micro_batches=micro_batches, device=device
    )
    learn = ForwardBackward(classifier, training, execution, seed=seed, log_shares=log_shares)
    schedule = schedule or training
    skipped = schedule.steps - training.steps
    losses: list[Tensor] = []
    logged = saved = time.monotonic()

    progress = track(description, training.steps, done=start, unit="steps")
    with progress as advance, own_draws(device), stop_requests() as request:
        for step in range(start, training.steps):
            request.wait()
            rate = learning_rate(schedule, skipped + step)
            for group in optimizer.param_groups:
                group["lr"] = rate

            optimizer.zero_grad()
            for left, batch in zip(reversed(range(len(micro_batches))), batches, strict=False):
                losses.append(learn(step, batch, more=left > 0))
            optimizer.step()
            average.update_parameters(network)
            advance(1, "")

            done = step + 1
            last = done == training.steps
            late = time.monotonic() - saved >= execution.checkpoint_seconds
            stopping, due = any_of_them(request.came, request.came or late)
            validating = validate is not None and (last or done % math.ceil(training.steps / VALIDATIONS) == 0)
            if last or due or done % execution.log_steps == 0:
                of_steps = losses_of_steps(losses, len(micro_batches))
                mean = _finite_mean(of_steps.tolist(), done)
                speed = batch.total * len(of_steps) / (time.monotonic() - logged)
                log.append({"step": done, "loss": mean, "learning_rate": rate, "images_per_second": speed})
                advance(0, f"loss {mean:.3f}")
                losses, logged = [], time.monotonic()
            if validate is not None and validating:
                began = time.monotonic()
                metrics = _validated(averaged, validate, done)
                log.append({"step": done, **{f"val_{name}": value for name, value in metrics.items()}})
                logged += time.monotonic() - began  # images_per_second is of training alone
            if (last or due) and is_first():
                _check_network(averaged, batch.images, done)
                save_checkpoint(checkpoint, step=done, network=network, average=average, optimizer=optimizer)
            if last or due:
                saved = time.monotonic()
            if stopping:
                wait_for_all()  # the first has saved it
                request.stop(f"stopped at step {done} of {training.steps}", anyway=True)

    if is_first():
        averaged.save(folder / "model")
    return averaged


BROKEN = "the network's outputs became infinite or not a number"
ADVICE = (
    "the checkpoint before it, if there was one, is kept. "
    "Try a lower learning_rate, more warmup_steps, or fp32 instead of bf16, with another --out"
)


def _finite_mean(losses: list[float], done: int) -> float:
    """The mean of the losses since the last look, or an error that names the step of the first that is not a number."""
    for number, value in enumerate(losses, start=done - len(losses) + 1):
        if not math.isfinite(value):
            raise RunError(f"the loss became {value} at step {number}: {ADVICE}")
    return sum(losses) / len(losses)


def _validated(averaged: Classifier, validate: Validate, done: int) -> dict[str, float]:
    try:
        return validate(averaged)
    except RunError:
        raise RunError(f"{BROKEN} at step {done}: {ADVICE}") from None


def _check_network(averaged: Classifier, images: Tensor, done: int) -> None:
    """The update after a finite loss can still make a network that says nothing; neither it nor its checkpoint would be of use.

    The average holds a part of every weight since the first step, so that one look at it is enough, at a few of the images: with all of
    them it would take about a third of a step.
    """
    if not bool(torch.isfinite(averaged.logits(images[:CHECKED])).all()):
        raise RunError(f"{BROKEN} at step {done}: {ADVICE}")
