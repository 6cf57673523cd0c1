"""FGSM and PGD against closed forms on a linear network, and against `torchattacks` where it is installed."""

import importlib.util

import pytest
import torch
from torch import Tensor, nn

from noisystudent.evaluation.adversarial import fgsm, pgd
from noisystudent.models.classifier import Classifier, Preprocessing

MEAN, STD = (0.4, 0.5, 0.3), (0.2, 0.25, 0.3)


def classifier(network: nn.Module) -> Classifier:
    view = Preprocessing(8, 3, 1.0, MEAN, STD)
    return Classifier(network.eval(), ("a", "b", "c"), view, "test", {})


def convolutional() -> Classifier:
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Tanh(),
        nn.Conv2d(8, 8, 3, 2),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(72, 3),
    ]
    return classifier(nn.Sequential(*layers))


def pictures(n: int = 6) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    return torch.randint(256, (n, 3, 8, 8), generator=draw, dtype=torch.uint8), torch.arange(n) % 3


def test_one_step_on_a_linear_network_is_the_sign_of_its_weights() -> None:
    linear = nn.Linear(3 * 8 * 8, 2, bias=False)
    images = torch.full((1, 3, 8, 8), 100, dtype=torch.uint8)
    moved = fgsm(classifier(nn.Sequential(nn.Flatten(), linear)), images, torch.tensor([0]), epsilon=4.0)
    away = (linear.weight[1] - linear.weight[0]).sign().view(1, 3, 8, 8)
    assert torch.equal(moved, 100 + 4 * away)


def test_images_stay_in_range_and_near() -> None:
    images, labels = pictures()
    images[0], images[1] = 0, 255
    for attacked in (
        fgsm(convolutional(), images, labels, epsilon=8.0),
        pgd(convolutional(), images, labels, epsilon=8.0),
    ):
        assert attacked.dtype == torch.float32
        assert float(attacked.min()) >= 0
        assert float(attacked.max()) <= 255
        assert float((attacked - images).abs().max()) <= 8 + 1e-4


def test_attacks_do_not_depend_on_the_batch_and_leave_no_gradients() -> None:
    images, labels = pictures()
    model = convolutional()
    together = pgd(model, images, labels, epsilon=6.0)
    for row in range(len(images)):
        alone = pgd(model, images[row : row + 1], labels[row : row + 1], epsilon=6.0)
        assert torch.allclose(alone[0], together[row], atol=1e-3)
    assert all(parameter.grad is None for parameter in model.network.parameters())


def test_ten_steps_raise_the_loss_at_least_as_much_as_one() -> None:
    images, labels = pictures(60)
    model = convolutional()

    def loss(pixels: Tensor) -> float:
        return float(nn.functional.cross_entropy(model.network(model.preprocessing.normalize(pixels)), labels))

    with torch.no_grad():
        losses = [
            loss(images.float()),
            loss(fgsm(model, images, labels, epsilon=8.0)),
            loss(pgd(model, images, labels, epsilon=8.0)),
        ]
    assert losses[0] < losses[1] <= losses[2] + 1e-4


@pytest.mark.skipif(importlib.util.find_spec("torchattacks") is None, reason="pip install --no-deps torchattacks")
@pytest.mark.parametrize("epsilon", [2.0, 16.0])
def test_attacks_are_those_of_torchattacks_to_the_image(epsilon: float) -> None:
    import torchattacks

    class Normalized(nn.Module):
        """From pixels in [0, 1], as torchattacks has them."""

        def __init__(self, model: Classifier) -> None:
            super().__init__()
            self.network, self.normalize = model.network, model.preprocessing.normalize

        def forward(self, pixels: Tensor) -> Tensor:
            return self.network(self.normalize(pixels * 255))

    images, labels = pictures()
    model = convolutional()
    theirs = Normalized(model).eval()
    one_step = torchattacks.FGSM(theirs, eps=epsilon / 255)
    ten_steps = torchattacks.PGD(theirs, eps=epsilon / 255, alpha=0.25 * epsilon / 255, steps=10, random_start=False)
    assert torch.allclose(fgsm(model, images, labels, epsilon=epsilon), one_step(images / 255, labels) * 255, atol=1e-2)
    assert torch.allclose(pgd(model, images, labels, epsilon=epsilon), ten_steps(images / 255, labels) * 255, atol=1e-2)
