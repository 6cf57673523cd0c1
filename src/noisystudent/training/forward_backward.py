"""The gradients of a step: the network under noise, forward and backward, on the batch or on a micro-batch of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from noisystudent import processes
from noisystudent.config import Execution, Training
from noisystudent.data.joint_batches import Batch
from noisystudent.device import compute_device, moved, seed_draws, training_precision
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.seeds import derive_seed
from noisystudent.training.loss import batch_loss
from noisystudent.training.mixup import mixup
from noisystudent.training.whole_batch import WholeBatch


class ForwardBackward:
    """Adds to the gradients of a network.

    Args:
        classifier: its network is in training mode, on the device of `execution`.
        training: noise, MixUp, objective.
        execution: device and precision.
        seed: of the training.
        log_shares: [K], added to the logits of the labeled images; None: nothing.
    """

    def __init__(
        self, classifier: Classifier, training: Training, execution: Execution, *, seed: int, log_shares: Tensor | None
    ) -> None:
        self._training, self._execution, self._seed = training, execution, seed
        self._device = compute_device(execution)
        self._preprocessing = classifier.preprocessing
        self._network = _shared(classifier.network)
        self._log_shares = None if log_shares is None else log_shares.to(self._device)

    def __call__(self, step: int, batch: Batch, *, more: bool) -> Tensor:
        """Forward and backward; the batch's loss, of a micro-batch its part of it, detached.

        Args:
            step: decides the noise.
            batch: or a micro-batch of it.
            more: more micro-batches of the step follow here, so that the processes' gradients need not be added up yet.

        Raises:
            RunError: they are too many for the GPU's memory.
        """
        try:
            return self._added(step, batch, more=more)
        except torch.OutOfMemoryError:
            images = len(batch.images)
            raise RunError(too_many(images, "the GPU's memory", fitting=images // 2)) from None

    def _added(self, step: int, batch: Batch, *, more: bool) -> Tensor:
        training, device = self._training, self._device
        images, targets = moved(batch.images, device), moved(batch.targets, device)
        seed = derive_seed(self._seed, "noise", step)
        images = add_input_noise(images, training.noise, seed=seed, total=batch.total, here=batch.here)
        seed_draws(derive_seed(self._seed, "dropout", step), device)
        pixels = self._preprocessing.normalize(images)
        if training.mixup:  # with an image of the same micro-batch
            micro_batch = [] if batch.here is None else [int(batch.here[0])]
            pixels, targets = mixup(
                pixels, targets, training.mixup, seed=derive_seed(self._seed, "mixup", step, *micro_batch)
            )
        whole = contextlib.nullcontext() if batch.here is None else WholeBatch(batch.total, batch.here)
        with self._apart(more):
            with whole, training_precision(self._execution, device):
                logits = self._network(pixels)
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
            loss = batch_loss(
                logits, targets, training, labeled=batch.labeled, total=batch.total, log_shares=self._log_shares
            )
            (loss * processes.count()).backward()  # type: ignore[no-untyped-call]  # the processes take the mean
        return loss.detach()

    def _apart(self, more: bool) -> AbstractContextManager[None]:
        if more and isinstance(self._network, DistributedDataParallel):
            return self._network.no_sync()
        return contextlib.nullcontext()


def too_many(images: int, memory: str, *, fitting: int) -> str:
    """What a user can do about images that do not fit into a memory together; `fitting`: how many may."""
    said = f"{images} images at a time are too many for {memory}: "
    if fitting < 2:  # BatchNorm wants two
        return said + "train a smaller network or smaller images (image_size), or on a device with more"
    return said + (
        f"give the command again with --set execution.images_at_a_time={fitting}, and it goes on: gradients are added up to those of "
        "the whole batch, and BatchNorm sees so many images at a time"
    )


def _shared(network: nn.Module) -> nn.Module:
    """The network, which takes the mean of all processes' gradients."""
    if processes.count() == 1:
        return network
    processes.together()
    return DistributedDataParallel(network)


def losses_of_steps(losses: Sequence[Tensor], micro_batches: int) -> Tensor:
    """The loss of each step, [steps], of the parts that so many micro-batches a step had here, and of those of the other processes."""
    sums = torch.stack(list(losses)).view(-1, micro_batches).sum(dim=1)
    if processes.count() > 1:
        processes.together().all_reduce(sums)
    return sums
