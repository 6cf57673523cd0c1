"""A frozen part of a network does not change while the rest learns."""

import torch
from torch import nn

from noisystudent.training.freezing import freeze


def test_weights_and_statistics_of_a_frozen_part_stay_and_the_rest_learns() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)), nn.Linear(4, 4), nn.BatchNorm1d(4)
    ).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    freeze(network, ["0"])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1, momentum=0.9)
    x = torch.randn(8, 3)
    assert torch.equal(network[0](x), network[0](x))  # no dropout
    network(x).square().sum().backward()
    optimizer.step()
    after = network.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(name.startswith("0.") for name in changed)
    assert {"1.weight", "2.running_mean", "2.running_var", "2.num_batches_tracked"} <= changed
