"""A teacher that looks twice: at an image and at its mirror image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisystudent.models.classifier import Preprocessing
from noisystudent.pseudo.label import Teacher


@dataclass(frozen=True)
class MirroredTeacher:
    """The mean of what a teacher says of an image and of its mirror image.

    That is right more often than either, where a mirror image could be an image of the class: not for digits. Nothing is drawn, so that the
    teacher is un-noised still.

    Args:
        teacher: answers of each.
    """

    teacher: Teacher

    @property
    def network(self) -> nn.Module:
        return self.teacher.network

    @property
    def preprocessing(self) -> Preprocessing:
        return self.teacher.preprocessing

    def logits(self, images: Tensor) -> Tensor:
        """uint8 [N, C, S, S] to float32 [N, classes]: logarithms of the mean probabilities."""
        both = [F.log_softmax(self.teacher.logits(seen), dim=1) for seen in (images, images.flip(3))]
        return torch.logsumexp(torch.stack(both), dim=0) - math.log(2)
