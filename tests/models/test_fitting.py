"""Images that are too many for a GPU's memory; a network that says so stands in for one."""

import pytest
import torch
from torch import nn

from noisystudent.errors import RunError
from noisystudent.models.fitting import in_parts_that_fit


class Small(nn.Module):
    """As if the memory held so many images."""

    def __init__(self, holds: int) -> None:
        super().__init__()
        self.holds, self.tried = holds, []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.tried.append(len(images))
        if len(images) > self.holds:
            raise torch.OutOfMemoryError
        return images.flatten(1).sum(dim=1)


def test_images_are_asked_about_in_parts_that_fit_and_their_number_is_remembered() -> None:
    images = torch.arange(22.0).view(11, 1, 1, 2)
    network = Small(holds=4)
    wanted = images.sum(dim=(1, 2, 3))
    assert torch.equal(in_parts_that_fit(network, images, network), wanted)
    assert network.tried == [11, 6, 3, 3, 3, 2]
    network.tried.clear()
    assert torch.equal(in_parts_that_fit(network, images[:7], network), wanted[:7])
    assert network.tried == [3, 3, 1]
    assert in_parts_that_fit(network, images[:0], network).shape == (0,)


def test_an_image_that_does_not_fit_is_told_with_a_way_out() -> None:
    network = Small(holds=0)
    with pytest.raises(RunError, match=r"an image of 2 pixels is too large for the GPU's memory .*--device cpu"):
        in_parts_that_fit(network, torch.zeros(5, 1, 2, 2), network)


def test_what_else_goes_wrong_is_not_a_matter_of_memory() -> None:
    def broken(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        in_parts_that_fit(Small(holds=1), torch.zeros(2, 1, 1, 1), broken)
