import pytest
import timm
import torch
from timm.layers import DropPath
from torch import nn

from noisystudent.models import small_resnets

SMALL = sorted(small_resnets.__all__)

# Millions of parameters in the papers: He et al. 2016, table 6; Zagoruyko and Komodakis 2016 and the tables that cite them.
PUBLISHED = {
    "cifar_resnet20": 0.27,
    "cifar_resnet32": 0.46,
    "cifar_resnet44": 0.66,
    "cifar_resnet56": 0.85,
    "wrn_16_2": 0.69,
    "wrn_28_2": 1.47,
}
BLOCKS = {"cifar_resnet20": 9, "cifar_resnet56": 27, "wrn_16_2": 6, "wrn_28_2": 12, "resnet9_8": 2}


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("name", "millions"), PUBLISHED.items())
def test_parameters_are_as_many_as_published(name: str, millions: float) -> None:
    assert round(parameters(timm.create_model(name)) / 1e6, 2) == millions


def test_resnet9_has_the_parameters_of_its_layers() -> None:
    def conv(inputs: int, outputs: int) -> int:
        return 9 * inputs * outputs + 2 * outputs  # and BatchNorm's two

    w = 64
    layers = [(3, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)]
    layers += [(8 * w, 8 * w), (8 * w, 8 * w)]
    assert len(layers) + 1 == 9  # and the classifier
    assert parameters(timm.create_model("resnet9_64")) == sum(conv(*pair) for pair in layers) + 8 * w * 10 + 10


@pytest.mark.parametrize("name", SMALL)
def test_every_small_network_is_one_of_timms_and_maps_images_to_logits(name: str) -> None:
    assert timm.is_model(name)
    model = timm.create_model(name, num_classes=7, in_chans=1).eval()
    side = 16 if name.startswith("resnet9") else 32
    images = torch.randn(2, 1, side, side)
    with torch.inference_mode():
        assert model(images).shape == (2, 7)
        assert torch.equal(model.forward_head(model.forward_features(images)), model(images))
        assert model.forward_head(model.forward_features(images), pre_logits=True).shape == (2, model.num_features)
    assert model.pretrained_cfg["input_size"] == (3, 32, 32)


@pytest.mark.parametrize("name", ["cifar_resnet20", "wrn_16_2", "resnet9_8"])
def test_a_classifier_can_be_taken_off_and_put_on(name: str) -> None:
    model = timm.create_model(name, num_classes=0).eval()
    images = torch.randn(2, 3, 32, 32)
    assert model(images).shape == (2, model.num_features)
    model.reset_classifier(3)
    assert model(images).shape == (2, 3)
    assert model.get_classifier().out_features == 3


@pytest.mark.parametrize(("name", "blocks"), BLOCKS.items())
def test_drop_rates_grow_linearly_over_the_blocks(name: str, blocks: int) -> None:
    # Spec 1.2: drop_i = rate * i / N for i = 0 ... N - 1, so that the last block has 0.2 (N - 1) / N.
    model = timm.create_model(name, drop_path_rate=0.2)
    rates = [module.drop_prob for module in model.modules() if isinstance(module, DropPath)]
    assert rates == pytest.approx([0.2 * i / blocks for i in range(blocks)])


def test_the_papers_networks_stop_below_the_full_rate() -> None:
    # Spec 1.2: 0.1875 for B0's 16 blocks, 0.1964 for B7's 55, 0.1977 for L2's 88.
    last = [round(small_resnets.linear_drop_path(0.2, blocks)[-1], 4) for blocks in (16, 55, 88)]
    assert last == [0.1875, 0.1964, 0.1977]
    assert small_resnets.linear_drop_path(0.2, 0) == []


@pytest.mark.parametrize("name", ["cifar_resnet20", "wrn_16_2", "resnet9_8"])
def test_drop_path_and_dropout_act_in_training_only(name: str) -> None:
    model = timm.create_model(name, drop_rate=0.5, drop_path_rate=0.5)
    images = torch.randn(2, 3, 32, 32)
    plain = timm.create_model(name)
    plain.load_state_dict(model.state_dict())
    with torch.inference_mode():
        assert torch.equal(model.eval()(images), plain.eval()(images))
        model.train()
        for module in model.modules():  # what varies is not BatchNorm
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        assert not torch.equal(model(images), model(images))


@pytest.mark.parametrize("block", ["PlainResidual", "PostActivationBlock", "PreActivationBlock"])
def test_a_dropped_block_is_its_shortcut_and_a_kept_one_is_scaled_up(block: str) -> None:
    torch.manual_seed(0)
    rate = 0.75
    make = getattr(small_resnets, block)
    module = make(4, rate) if block == "PlainResidual" else make(4, 4, 1, rate)
    x = torch.rand(1, 4, 5, 5)  # positive, so that a last ReLU leaves the shortcut alone
    module.eval()
    with torch.inference_mode():
        residual = module(x) - x  # eval: shortcut plus residual; zero where a last ReLU cut it off
        module.drop_path.train()
        outputs = [module(x) for _ in range(40)]
    dropped = [output for output in outputs if torch.allclose(output, x)]
    kept = [output for output in outputs if not torch.allclose(output, x)]
    assert 15 < len(dropped) < 40
    for output in kept:
        if block != "PostActivationBlock":
            assert torch.allclose(output - x, residual / (1 - rate), rtol=1e-3, atol=1e-5)
        assert torch.equal(output, kept[0])


def test_the_shortcut_of_a_cifar_resnet_has_no_parameters() -> None:
    """Option A of He et al.: every second pixel, new channels of zeros."""
    block = small_resnets.PostActivationBlock(2, 4, 2, 0.0)
    nn.init.zeros_(block.bn2.weight)  # nothing but the shortcut
    x = torch.rand(1, 2, 6, 6)
    out = block.eval()(x)
    assert torch.equal(out[:, :2], x[:, :, ::2, ::2])
    assert out[:, 2:].abs().sum() == 0


def test_convolutions_start_as_he_et_al_say() -> None:
    torch.manual_seed(0)
    weight = timm.create_model("wrn_28_2").features[-3].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (9 * weight.shape[0])) ** 0.5, rel=0.02)
