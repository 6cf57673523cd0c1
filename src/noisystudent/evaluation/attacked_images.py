"""A classifier on images that were changed to mislead it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from noisystudent import processes
from noisystudent.config import Execution
from noisystudent.data.images import ImageSet
from noisystudent.device import compute_device, full_fp32
from noisystudent.evaluation.adversarial import EPSILONS, PGD_EPSILON, PGD_STEPS, fgsm, pgd
from noisystudent.evaluation.cells import Cells
from noisystudent.evaluation.intervals import wilson_interval
from noisystudent.evaluation.robustness import Robustness
from noisystudent.models.classifier import Classifier
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.progress import Advance, as_of_all, track

BATCH = 64  # the gradient needs the memory of a training

Attack = Callable[[Tensor, Tensor], Tensor]


def attacks(classifier: Classifier) -> dict[str, Attack]:
    """The attacks of the paper's section 3.4, by the name of their metric."""

    def one_step(epsilon: float) -> Attack:
        return lambda images, labels: fgsm(classifier, images, labels, epsilon=epsilon)

    steps: dict[str, Attack] = {f"fgsm_eps{epsilon:g}": one_step(epsilon) for epsilon in EPSILONS}
    return {**steps, f"pgd_eps{PGD_EPSILON:g}": lambda images, labels: pgd(classifier, images, labels)}


def evaluate_attacks(classifier: Classifier, images: ImageSet, cells: Cells, *, execution: Execution) -> Robustness:
    """Attack every image, and see what is still right.

    Args:
        classifier: in evaluation mode.
        images: labels are indices of the classifier's classes.
        cells: where finished attacks are kept.

    Returns:
        `fgsm_eps2` and so on, top-1 accuracy under each attack in percent, with Wilson's interval.
    """
    classifier.network.to(compute_device(execution))
    metrics, ci95 = {}, {}
    for name, attack in attacks(classifier).items():
        table = cells.table(name, partial(_attacked, classifier, images, attack, execution, name))
        right = table["label"].to_numpy() == table["predicted"].to_numpy()
        metrics[name] = 100 * float(right.mean())
        ci95[name] = wilson_interval(int(right.sum()), len(right))
    about = {
        "pixels": "0 to 255, before normalization",
        "pgd_steps": PGD_STEPS,
        "pgd_step": 2.5 * PGD_EPSILON / PGD_STEPS,
    }
    return Robustness(metrics, ci95, about, None)


def _attacked(classifier: Classifier, images: ImageSet, attack: Attack, execution: Execution, name: str) -> pa.Table:
    """id, label and the class predicted under attack, of every image that can be read."""
    with track(name, len(images)) as advance:
        size = min(BATCH, execution.label_batch_size)
        batches = np.array_split(np.arange(len(images)), math.ceil(len(images) / size))
        return pa.concat_tables(
            processes.shared(batches, lambda own: _tables(classifier, images, attack, own, advance))
        )


def _tables(
    classifier: Classifier, images: ImageSet, attack: Attack, batches: Sequence[np.ndarray], advance: Advance
) -> Iterator[pa.Table]:
    tell = as_of_all(advance, sum(map(len, batches)), len(images))
    for rows in batches:
        pixels, unreadable = images.try_fetch(rows)
        read = np.setdiff1d(np.arange(len(rows)), list(unreadable))
        manifest = images.manifest.take(rows[read])
        predicted = np.empty(0, np.int32)
        if len(read):
            with full_fp32():
                attacked = attack(pixels[torch.from_numpy(read)], torch.tensor(manifest.labels).long())
            predicted = finite_probabilities(classifier.logits(attacked)).argmax(axis=1).astype(np.int32)
        ids, labels = pa.array(manifest.ids, pa.string()), pa.array(manifest.labels, pa.int32())
        yield pa.table({"id": ids, "label": labels, "predicted": predicted})
        tell(len(rows), "")
