"""A teacher that labels under noise: the ablation that shows why the paper's does not (table 6)."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from noisystudent.config import Training
from noisystudent.device import full_fp32, own_draws
from noisystudent.models.classifier import Classifier, Preprocessing, build_classifier, load_weights
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.seeds import derive_seed


@dataclasses.dataclass(frozen=True)
class NoisedTeacher:
    """A classifier that answers under the noise of its training: input noise, dropout and stochastic depth.

    BatchNorm uses what it learned, and random parts are left out: the teacher sees the evaluation view, noised.

    Args:
        classifier: with its dropout and stochastic depth.
        training: how it was trained.
        seed: with the images of a batch it decides every draw.
    """

    classifier: Classifier
    training: Training
    seed: int

    @property
    def network(self) -> nn.Module:
        return self.classifier.network

    @property
    def preprocessing(self) -> Preprocessing:
        return self.classifier.preprocessing

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """uint8 [N, C, S, S] to float32 [N, classes]."""
        seed = derive_seed(self.seed, hashlib.sha256(images.cpu().numpy().tobytes()).hexdigest())
        noised = add_input_noise(images, self.training.noise, seed=seed)
        device = next(self.network.parameters()).device
        with own_draws(device), full_fp32():
            torch.manual_seed(seed)
            output: Tensor = self.network(self.classifier.preprocessing.normalize(noised.to(device)))
        return output.float()


def noised_teacher(classifier: Classifier, model: Path, training: Training, *, seed: int) -> NoisedTeacher:
    """The teacher of a model folder, as `training` noised it.

    Args:
        classifier: the same teacher without noise.
        model: its folder.
        training: how it was trained.
        seed: of the noise.
    """
    view = classifier.preprocessing
    noised = build_classifier(
        training.model_copy(update={"pretrained": False}),
        class_names=classifier.class_names,
        channels=view.channels,
        mean=view.mean,
        std=view.std,
        seed=seed,
    )
    load_weights(noised, model)
    noised.network.train()
    for module in noised.network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return NoisedTeacher(noised, training, seed)
