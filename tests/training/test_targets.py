"""Targets made for a batch are, bit by bit, the rows of those made for all images at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from noisystudent.data.row_file import RowFile
from noisystudent.training.loss import label_targets, soft_targets
from noisystudent.training.targets import LabelTargets, TeacherTargets

ROWS = np.array([5, 0, 5, 99])


def test_of_labels() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 100).astype(np.int32)
    everything = label_targets(torch.from_numpy(labels).long(), 10, 0.1)
    assert torch.equal(LabelTargets(labels, 10, 0.1)(ROWS), everything[ROWS])


@pytest.mark.parametrize("temperature", [1.0, 0.5, 1.67])
@pytest.mark.parametrize("classes", [10, 1000])
def test_of_a_teacher(tmp_path: Path, classes: int, temperature: float) -> None:
    given = np.random.default_rng(0).dirichlet(np.ones(classes), 100).astype(np.float16)
    file = RowFile(tmp_path, classes, np.float16)
    file.write(np.arange(100), given)
    everything = soft_targets(torch.from_numpy(given), temperature)
    assert torch.equal(TeacherTargets(file, temperature)(ROWS), everything[ROWS])
