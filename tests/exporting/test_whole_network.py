"""The network with what surrounds it: what the classifier says, as probabilities, for any number of images."""

import pytest
import torch

from noisystudent.exporting.whole_network import WholeNetwork, traced
from noisystudent.models.classifier import Classifier


@pytest.mark.parametrize("images", [1, 5])
def test_it_says_what_the_classifier_says(classifier: Classifier, images: int) -> None:
    pixels = torch.randint(0, 256, (images, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = classifier.logits(pixels).softmax(dim=1)
    for whole in (WholeNetwork(classifier).eval(), traced(classifier).module()):
        assert torch.allclose(whole(pixels), expected, atol=1e-6)
