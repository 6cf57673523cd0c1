"""A batch in micro-batches, in one process or in several, trains as the whole does."""

import contextlib
from pathlib import Path

import pytest
import torch
from launched import launched
from timm.layers import DropPath
from tiny_training import write_pictures
from torch import nn
from torch.nn import functional as F

from noisystudent.config import Execution, Noise, RandAugment, Training
from noisystudent.data.joint_batches import Batch
from noisystudent.models.classifier import Classifier, Preprocessing
from noisystudent.training import forward_backward
from noisystudent.training.ema import moving_average
from noisystudent.training.forward_backward import ForwardBackward, losses_of_steps
from noisystudent.training.metrics_log import read_metrics
from noisystudent.training.optimizer import build_optimizer
from noisystudent.training.whole_batch import WholeBatch

SHARED_TRAINING = Path(__file__).parents[1] / "support" / "shared_training.py"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return write_pictures(folder)


@pytest.mark.slow
def test_losses_of_several_processes_are_those_of_one_and_another_number_goes_on(images: Path, tmp_path: Path) -> None:
    """BatchNorm, RandAugment, cutout, dropout and stochastic depth, 20 steps in float64; of two, one is killed after twelve."""
    assert launched(1, SHARED_TRAINING, images, "one", folder=tmp_path).returncode == 0
    assert launched(2, SHARED_TRAINING, images, "several", 6, folder=tmp_path).returncode != 0
    assert max(line["step"] for line in read_metrics(tmp_path / "several" / "metrics.jsonl")) == 12
    assert launched(3, SHARED_TRAINING, images, "several", folder=tmp_path).returncode == 0
    one, several = (
        {line["step"]: line["loss"] for line in read_metrics(tmp_path / out / "metrics.jsonl") if "loss" in line}
        for out in ("one", "several")
    )
    assert sorted(one) == sorted(several) == list(range(1, 21))
    assert max(abs(one[step] - several[step]) for step in one) < 1e-9
    states = [torch.load(tmp_path / out / "checkpoints" / "last.pt") for out in ("one", "several")]
    for name, value in states[0]["average"].items():
        assert torch.allclose(value.double(), states[1]["average"][name].double(), atol=1e-8), name


def learner(network: nn.Module, training: Training) -> ForwardBackward:
    view = Preprocessing(8, 3, 1.0, (0.5,) * 3, (0.25,) * 3)
    classifier = Classifier(network.train(), ("a", "b", "c"), view, "x", {})
    return ForwardBackward(classifier, training, Execution(device="cpu"), seed=1, log_shares=None)


@pytest.mark.parametrize("objective", ["mean", "sum"])
@pytest.mark.parametrize("of", [2, 3, 9])
def test_the_gradients_of_pieces_add_up_to_those_of_the_batch(objective: str, of: int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GELU(), DropPath(0.4), nn.Flatten(), nn.Dropout(0.3), nn.Linear(288, 3)
    )
    noise = Noise(crop="pad", crop_padding=1, randaugment=RandAugment(num_ops=1), cutout=2)
    training = Training(model="x", image_size=8, batch_size=4, unlabeled_ratio=1.25, noise=noise, objective=objective)
    images = torch.randint(256, (9, 3, 8, 8), dtype=torch.uint8)
    targets = torch.softmax(torch.randn(9, 3), dim=1)
    learn = learner(network, training)
    whole = learn(5, Batch(images, targets, 4, 9), more=False)
    expected = [parameter.grad.clone() for parameter in network.parameters()]
    network.zero_grad()
    losses = []
    for number in range(of):
        here = torch.arange(number, 9, of)
        micro_batch = Batch(images[here], targets[here], int((here < 4).sum()), 9, here)
        losses.append(learn(5, micro_batch, more=number < of - 1))
    assert losses_of_steps(losses, of).tolist() == pytest.approx([whole.item()], rel=1e-5)
    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "rmsproptf"])
@pytest.mark.parametrize("semantics", ["official", "clamped"])
def test_a_step_waits_for_nothing_that_a_gpu_computes(
    optimizer: str, semantics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's meta device stands in for one: it has no values, and who asks for one fails."""
    device = torch.device("meta")
    monkeypatch.setattr(forward_backward, "compute_device", lambda _: device)
    monkeypatch.setattr(forward_backward, "training_precision", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(forward_backward, "seed_draws", lambda *_: None)
    noise = Noise(crop="pad", crop_padding=1, cutout=2, randaugment=RandAugment(num_ops=2, semantics=semantics))
    training = Training(
        model="x", image_size=8, batch_size=40, unlabeled_ratio=1.0, noise=noise, mixup=0.5, optimizer=optimizer
    )
    with device:
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(), nn.Linear(144, 3))
    learn, average = learner(network, training), moving_average(network, 0.9)
    steps = build_optimizer(network, training)
    for step in range(3):
        batch = Batch(torch.zeros(80, 3, 8, 8, dtype=torch.uint8), torch.full((80, 3), 1 / 3), 40, 80)
        assert learn(step, batch, more=False).device == device
        steps.step()
        average.update_parameters(network)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_piece_draws_what_it_draws_in_the_whole_batch(layout: torch.memory_format) -> None:
    images = torch.rand(7, 4, 5, 6).contiguous(memory_format=layout)
    here = torch.tensor([1, 4, 5])
    for layer in (
        DropPath(0.5).train(),
        nn.Dropout(0.5),
        nn.Dropout2d(0.0),
        lambda x: F.dropout(x, 0.2, inplace=False),
    ):
        torch.manual_seed(3)
        whole = layer(images)
        torch.manual_seed(3)
        with WholeBatch(7, here):
            micro_batch = layer(images[here].contiguous(memory_format=layout))
        assert torch.equal(micro_batch, whole[here])


def test_what_is_not_trained_draws_nothing() -> None:
    images = torch.rand(2, 3, 4, 4)
    with WholeBatch(5, torch.tensor([0, 3])):
        assert torch.equal(F.dropout(images, 0.5, training=False), images)
        assert torch.equal(nn.Dropout(0.5).eval()(images), images)
