import numpy as np
import pytest
import torch
from torch import nn

from noisystudent.training.ema import moving_average


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9999])
def test_weights_and_batchnorm_statistics_follow_as_in_tensorflow(decay: float) -> None:
    net = network().train()
    average = moving_average(net, decay)
    reference = {name: tensor.numpy().astype(np.float64) for name, tensor in net.state_dict().items()}
    draw = torch.Generator().manual_seed(1)
    for t in range(25):
        with torch.no_grad():
            for parameter in net.parameters():
                parameter += torch.randn(parameter.shape, generator=draw)
            net(torch.randn(4, 2, 4, 4, generator=draw) * 3 + 1)  # moves the running statistics
        average.update_parameters(net)
        d = min(decay, (1 + t) / (10 + t))
        for name, tensor in net.state_dict().items():
            current = tensor.numpy().astype(np.float64)
            reference[name] = current if "num_batches" in name else d * reference[name] + (1 - d) * current
    for name, tensor in average.module.state_dict().items():
        assert tensor.numpy() == pytest.approx(reference[name], rel=1e-4, abs=1e-5), name
    assert any("running_var" in name for name in reference)
    assert int(average.module.state_dict()["1.num_batches_tracked"]) == 25


def test_the_warm_up_weighs_the_first_updates_more() -> None:
    net = nn.Linear(1, 1, bias=False)
    average = moving_average(net, 0.99)
    nn.init.zeros_(average.module.weight)
    nn.init.ones_(net.weight)
    shares = []
    for _ in range(3):
        average.update_parameters(net)
        shares.append(1 - average.module.weight.item())
    assert shares == pytest.approx([1 / 10, 1 / 10 * 2 / 11, 1 / 10 * 2 / 11 * 3 / 12], rel=1e-5)


def test_the_average_is_a_copy_and_goes_on_from_a_state_dict() -> None:
    net = network()
    average = moving_average(net, 0.9)
    before = average.module[0].weight.clone()
    with torch.no_grad():
        net[0].weight += 1
    assert torch.equal(average.module[0].weight, before)
    average.update_parameters(net)
    other = moving_average(network(), 0.9)
    other.load_state_dict(average.state_dict())
    with torch.no_grad():
        net[0].weight *= 2
    average.update_parameters(net)
    other.update_parameters(net)
    assert torch.equal(other.module[0].weight, average.module[0].weight)
