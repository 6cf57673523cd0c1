"""The last layer of a network as a linear classifier on its features: read, replaced, and applied to features on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from noisystudent.data.images import Skipped
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.features.embedding import Embedded
from noisystudent.features.probe import Probe
from noisystudent.models.classifier import Classifier
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.pseudo.label import Predicted


def check_head(classifier: Classifier, model: str) -> None:
    """Raise UserError when the network's last layer is not linear in the features that it hands out."""
    if not has_linear_head(classifier):
        raise UserError(
            f"the last layer of {model} is not a linear one on its features, so that no linear classifier can take its place: "
            "set frozen_features=false and start=zero, or take another network"
        )


@torch.inference_mode()
def has_linear_head(classifier: Classifier) -> bool:
    """Whether the network's last layer is linear in the features that it hands out, tried on two pictures."""
    view = classifier.preprocessing
    drawn = torch.Generator().manual_seed(0)
    images = torch.randint(
        0, 256, (2, view.channels, view.image_size, view.image_size), generator=drawn, dtype=torch.uint8
    )
    head = _head(classifier)
    if not isinstance(head, nn.Linear):
        return False
    features = classifier.features(images)
    return features.shape == (2, head.in_features) and torch.allclose(
        head(features.to(head.weight.device)).cpu(), classifier.logits(images).cpu(), atol=1e-3, rtol=1e-3
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


class ByFeatures:
    """The last layer of a network, which answers by what was embedded, without a look at the images.

    Args:
        classifier: the network that made the features, with any last layer.
        folder: of `write_features`.
        manifest: the rows that are asked about; all that could be read were embedded.
    """

    image_size = 1  # nothing is looked at

    def __init__(self, classifier: Classifier, folder: Path, manifest: Manifest) -> None:
        self._head, self._embedded = head_of(classifier), Embedded(folder, manifest)
        self.read = self._embedded.read

    def __len__(self) -> int:
        return len(self._embedded)

    def __call__(self, rows: np.ndarray, read: tuple[np.ndarray, np.ndarray]) -> Predicted:
        values, hashes = read
        ids, absent = self._embedded.ids(rows)
        probabilities = finite_probabilities(torch.from_numpy(self._head.logits(values)))
        skipped = [Skipped(id, "label", self._embedded.unread[id]) for id in absent]
        return Predicted(ids, probabilities, hashes, skipped)
