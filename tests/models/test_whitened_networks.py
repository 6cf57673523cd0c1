import numpy as np
import pytest
import timm
import torch
from timm.layers import DropPath
from torch.nn import functional as F

from noisystudent.config import Training
from noisystudent.models import whitened_networks
from noisystudent.models.classifier import build_classifier
from noisystudent.training.optimizer import build_optimizer

ALL = sorted(whitened_networks.__all__)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_one_is_one_of_timms_and_maps_images_to_logits(name: str, channels: int) -> None:
    assert timm.is_model(name)
    model = timm.create_model(name, num_classes=7, in_chans=channels).eval()
    images = torch.randn(2, channels, 32, 32)
    with torch.inference_mode():
        assert model(images).shape == (2, 7)
        assert torch.equal(model.forward_head(model.forward_features(images)), model(images))
        assert model.forward_head(model.forward_features(images), pre_logits=True).shape == (2, model.num_features)
    model.reset_classifier(0)
    assert model.eval()(images).shape == (2, model.num_features)


def test_whitened_pixels_of_a_natural_image_have_one_size_and_are_hardly_correlated() -> None:
    draw = torch.Generator().manual_seed(0)
    # Neighbouring pixels and the three colors are alike, as in photos.
    grey = F.interpolate(torch.randn(16, 1, 10, 10, generator=draw), 40, mode="bilinear")
    images = grey + 0.3 * F.interpolate(torch.randn(16, 3, 20, 20, generator=draw), 40, mode="bilinear")
    images = images + 0.1 * torch.randn(images.shape, generator=draw)
    seen = whitened_networks.Whitening(3).train()(images)
    assert seen.shape == (16, 24, 39, 39)
    torch.testing.assert_close(seen[:, :12], -seen[:, 12:])
    flat = seen[:, :12].transpose(0, 1).flatten(1).numpy()
    np.testing.assert_allclose(flat.std(axis=1), 1, atol=0.05)
    correlated = np.abs(np.corrcoef(flat) - np.eye(12))
    raw = np.abs(np.corrcoef(images.transpose(0, 1).flatten(1).numpy()) - np.eye(3))
    assert correlated.max() < 0.35 < 0.8 < raw.max()


def test_the_first_layer_stays_as_it_is_and_shifts_learn_fast() -> None:
    training = Training(model="whitened_48_96", learning_rate=0.01, momentum=0.0, weight_decay=0.1)
    classifier = build_classifier(training, class_names=["a", "b"], channels=3, mean=(0.5,) * 3, std=(0.2,) * 3, seed=0)
    network = classifier.network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = build_optimizer(network, training)
    F.cross_entropy(network(torch.randn(8, 3, 32, 32)), torch.tensor([0, 1] * 4)).backward()
    optimizer.step()
    after = network.state_dict()
    assert torch.equal(after["features.0.conv.weight"], before["features.0.conv.weight"])
    assert all(torch.equal(after[name], before[name]) for name in after if name.endswith(".smaller.2.weight"))
    norm = whitened_networks.ShiftedNorm(2)
    plain = torch.nn.BatchNorm2d(2)
    for layer in (norm, plain):
        layer.bias.data.fill_(1.0)
        layer(torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(1))).square().sum().backward()
    assert norm.bias.grad is not None
    assert plain.bias.grad is not None
    speed = whitened_networks.SHIFT_SPEED
    torch.testing.assert_close(norm.bias.grad, plain.bias.grad * speed * speed)  # of a value that is as much larger
    assert norm.num_batches_tracked == 1


def test_convolutions_begin_as_the_identity() -> None:
    images = torch.randn(1, 4, 5, 5)
    torch.testing.assert_close(whitened_networks.identity_conv3x3(4, 6)(images)[:, :4], images)


def test_stochastic_depth_is_of_the_residual_blocks() -> None:
    def rates(name: str) -> list[float]:
        model = timm.create_model(name, drop_path_rate=0.2)
        return [module.drop_prob for module in model.modules() if isinstance(module, DropPath)]

    assert rates("whitened_48_96") == [0.0, 0.1]
    assert rates("whitened_32_128_128") == []
