"""A network with what surrounds it in use, so that who has it in a file needs none of our Python: pixels in, probabilities out."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from noisystudent.models.classifier import Classifier


class WholeNetwork(nn.Module):
    """From uint8 [N, C, S, S] to probabilities, float32 [N, K]: normalization, the network, softmax.

    Args:
        classifier: its network is in evaluation mode, on the processor.

    Example:
        >>> from noisystudent.models.loading import load_classifier
        >>> whole = WholeNetwork(load_classifier("resnet10t", weights=False))
        >>> whole(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape
        torch.Size([2, 1000])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network = copy.deepcopy(classifier.network).to(
            memory_format=torch.contiguous_format
        )  # torch.export warns of others
        view = classifier.preprocessing
        self.register_buffer("mean", 255 * torch.tensor(view.mean).view(1, -1, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(view.std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        pixels = (images.float() - self.mean) / self.std
        logits: Tensor = self.network(pixels.contiguous(memory_format=torch.channels_last))
        return logits.softmax(dim=1)


def traced(classifier: Classifier) -> torch.export.ExportedProgram:
    """The whole network as PyTorch's exporter sees it, for any number of images."""
    view = classifier.preprocessing
    # Two: of one image the exporter makes a constant.
    images = torch.zeros(2, view.channels, view.image_size, view.image_size, dtype=torch.uint8)
    any_number = ({0: torch.export.Dim("images", min=1)},)
    return torch.export.export(WholeNetwork(classifier).eval(), (images,), dynamic_shapes=any_number)
