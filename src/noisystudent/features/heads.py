"""The last layer of a network as a linear classifier on its features: read, replaced, and applied to features on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import nn

from noisystudent.data.images import Skipped
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import read_parts, read_skipped
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


class ByFeatures:
    """The last layer of a network, which answers by what was embedded, without a look at the images.

    Args:
        classifier: the network that made the features, with any last layer.
        folder: of `write_features`.
        manifest: the rows that are asked about; all that could be read were embedded.
    """

    image_size = 1  # nothing is looked at

    def __init__(self, classifier: Classifier, folder: Path, manifest: Manifest) -> None:
        self._head, self._ids = head_of(classifier), manifest.table["id"]
        self._parts = sorted(folder.glob("part-*.parquet"))
        self._ends = np.cumsum([pq.read_metadata(part).num_rows for part in self._parts])
        embedded = read_parts(folder, ["id"])["id"].combine_chunks()
        self._at = pc.fill_null(pc.index_in(self._ids, value_set=embedded), -1).to_numpy()
        self._unread = {skipped.id: skipped.reason for part in self._parts for skipped in read_skipped(part)}
        self._opened: tuple[int, np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __call__(self, rows: np.ndarray) -> Predicted:
        ids = np.array(self._ids.take(pa.array(rows)).to_pylist(), dtype=object)
        at, width = self._at[rows], self._head.weight.shape[1]
        values, hashes = np.zeros((len(rows), width), np.float32), np.zeros(len(rows), np.uint64)
        read = at >= 0
        of_part = np.searchsorted(self._ends, at, side="right")
        for number in np.unique(of_part[read]).tolist():
            here = read & (of_part == number)
            first = int(self._ends[number - 1]) if number else 0
            features, dhashes = self._part(number)
            values[here], hashes[here] = features[at[here] - first], dhashes[at[here] - first]
        probabilities = finite_probabilities(torch.from_numpy(self._head.logits(values[read])))
        skipped = [Skipped(id, "label", self._unread[id]) for id in ids[~read].tolist()]
        return Predicted(ids[read].tolist(), probabilities, hashes[read], skipped)

    def _part(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        if self._opened is None or self._opened[0] != number:
            table = pq.read_table(self._parts[number], columns=["features", "dhash"])
            values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            self._opened = number, values.reshape(len(table), -1), table["dhash"].to_numpy()
        return self._opened[1:]
