"""The last layer of a network as a linear classifier on its features: read, replaced, and applied to features on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn

from noisystudent.data.parts import read_skipped
from noisystudent.errors import UserError
from noisystudent.features.probe import Probe
from noisystudent.models.classifier import Classifier
from noisystudent.pseudo.label import Predicted, finite_probabilities


@torch.inference_mode()
def check_head(classifier: Classifier, model: str) -> None:
    """Raise UserError when the network's last layer is not linear in the features that it hands out."""
    view = classifier.preprocessing
    drawn = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (2, view.channels, view.image_size, view.image_size), generator=drawn, dtype=torch.uint8
    )
    head = _head(classifier)
    linear = isinstance(head, nn.Linear)
    features = classifier.features(images) if linear else torch.empty(0)
    if (
        not linear
        or features.shape != (2, head.in_features)
        or not torch.allclose(
            head(features.to(head.weight.device)).cpu(), classifier.logits(images).cpu(), atol=1e-3, rtol=1e-3
        )
    ):
        raise UserError(
            f"the last layer of {model} is not a linear one on its features, so that no linear classifier can take its place: "
            "set frozen_features=false and start=zero, or take another network"
        )


def _head(classifier: Classifier) -> Any:
    network: Any = classifier.network
    return network.get_classifier()


def put_head(classifier: Classifier, probe: Probe) -> None:
    """Give the network the linear classifier as its last layer."""
    head = _head(classifier)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(probe.weight))
        head.bias.copy_(torch.from_numpy(probe.bias))


def head_of(classifier: Classifier) -> Probe:
    """The network's last layer."""
    head = _head(classifier)
    return Probe(head.weight.detach().cpu().numpy(), head.bias.detach().cpu().numpy())


def predict_features(classifier: Classifier, folder: Path) -> Iterator[Predicted]:
    """Apply the network's last layer to a features table.

    Args:
        classifier: the network that made the features, with any last layer.
        folder: of `write_features`.
    """
    head = head_of(classifier)
    for part in sorted(folder.glob("part-*.parquet")):
        table = pq.read_table(part)
        values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        logits = head.logits(values.reshape(len(table), -1))
        yield Predicted(
            table["id"].to_pylist(),
            finite_probabilities(torch.from_numpy(logits)),
            table["dhash"].to_numpy(),
            read_skipped(part),
        )
