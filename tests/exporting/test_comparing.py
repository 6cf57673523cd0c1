"""Two sets of answers to the same pictures, by hand."""

import numpy as np
import torch

from noisystudent.exporting.comparing import compared

OURS = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]], np.float32)
THEIRS = np.array([[0.8, 0.2], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], np.float32)
PICTURES = torch.arange(4).view(4, 1, 1, 1)  # each is its number
LABELS = np.array([0, 0, 1, -1])


def test_differences_agreement_and_accuracy() -> None:
    found = compared(lambda images: OURS[images.flatten()], lambda images: THEIRS[images.flatten()], PICTURES, LABELS)
    assert (found.images, found.labeled) == (4, 3)
    assert round(found.largest_difference, 6) == 0.2
    assert found.agreement == 75.0
    assert (found.network_top1, found.file_top1) == (100.0, 66.67)
    assert found.milliseconds > 0


def test_without_labels_there_is_no_accuracy() -> None:
    found = compared(lambda images: OURS, lambda images: OURS, PICTURES, np.full(4, -1))
    assert (found.labeled, found.network_top1, found.file_top1, found.largest_difference) == (0, None, None, 0.0)
