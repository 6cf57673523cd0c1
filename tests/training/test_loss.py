import math
from typing import Any

import numpy as np
import pytest
import torch

from noisystudent.config import Training
from noisystudent.training.loss import batch_loss, label_targets, soft_cross_entropy, soft_targets


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> list[float]:
    losses = []
    for row, target in zip(logits.astype(np.float64), targets.astype(np.float64), strict=True):
        total = sum(math.exp(value) for value in row)
        losses.append(-sum(t * math.log(math.exp(value) / total) for value, t in zip(row, target, strict=True)))
    return losses


def batch(n: int, classes: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return (
        torch.randn(n, classes, generator=draw) * 3,
        torch.softmax(torch.randn(n, classes, generator=draw), dim=1),
    )


def test_the_loss_is_the_mean_cross_entropy_of_the_concatenated_batch() -> None:
    logits, targets = batch(12)
    assert soft_cross_entropy(logits, targets).item() == pytest.approx(
        float(np.mean(cross_entropy(logits.numpy(), targets.numpy()))), rel=1e-5
    )


@pytest.mark.parametrize("ratio", [1, 3, 5])
@pytest.mark.parametrize("objective", ["mean", "sum"])
def test_the_sum_is_the_released_codes_and_one_plus_the_ratio_times_the_mean(ratio: int, objective: str) -> None:
    # Spec 3: L_lab + rho L_unl = (1 + rho) times the mean over the concatenated batch.
    labeled, unlabeled = batch(4), batch(4 * ratio, seed=1)
    logits, targets = (torch.cat(pair) for pair in zip(labeled, unlabeled, strict=True))
    training = Training(model="x", batch_size=4, unlabeled_ratio=ratio, objective=objective)
    loss = batch_loss(logits, targets, training, labeled=4, total=4 + 4 * ratio)
    released = soft_cross_entropy(*labeled) + ratio * soft_cross_entropy(*unlabeled)
    assert loss.item() == pytest.approx(released.item() / (1 if objective == "sum" else 1 + ratio), rel=1e-5)


def test_the_sum_weighs_by_the_ratio_asked_for_where_the_batch_rounds_it() -> None:
    labeled, unlabeled = batch(3), batch(5, seed=1)  # 3 x 1.5 is 4.5 images
    logits, targets = (torch.cat(pair) for pair in zip(labeled, unlabeled, strict=True))
    training = Training(model="x", batch_size=3, unlabeled_ratio=1.5, objective="sum")
    loss = batch_loss(logits, targets, training, labeled=3, total=8)
    assert loss.item() == pytest.approx(
        (soft_cross_entropy(*labeled) + 1.5 * soft_cross_entropy(*unlabeled)).item(), rel=1e-5
    )


@pytest.mark.parametrize(
    ("images", "settings"),
    [
        (4, {"unlabeled_ratio": 3.0}),  # labels alone, by a training with a ratio
        (4, {"unlabeled_ratio": 0.0}),  # a teacher, a baseline, a resolution fix
        (16, {"unlabeled_ratio": 3.0, "joint": False}),  # one kind after the other
    ],
)
def test_a_batch_of_one_kind_has_its_mean_by_either_objective(images: int, settings: dict[str, Any]) -> None:
    logits, targets = batch(images)
    for objective in ("mean", "sum"):
        training = Training(model="x", batch_size=4, objective=objective, **settings)
        loss = batch_loss(logits, targets, training, labeled=images, total=images)
        assert torch.equal(loss, soft_cross_entropy(logits, targets))


@pytest.mark.parametrize("objective", ["mean", "sum"])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_losses_of_pieces_add_up_to_that_of_the_batch(objective: str, count: int) -> None:
    logits, targets = batch(14)
    training = Training(model="x", batch_size=4, unlabeled_ratio=2.5, objective=objective)
    shares = torch.log(torch.full((logits.shape[1],), 0.3))
    whole = batch_loss(logits, targets, training, labeled=4, total=14, log_shares=shares)
    parts = [torch.arange(14)[first::count] for first in range(count)]
    losses = [
        batch_loss(logits[own], targets[own], training, labeled=int((own < 4).sum()), total=14, log_shares=shares)
        for own in parts
    ]
    assert sum(losses).item() == pytest.approx(whole.item(), rel=1e-5)


def test_the_gradient_of_the_logits_is_softmax_minus_targets_over_the_batch() -> None:
    logits, targets = batch(6)
    logits.requires_grad_()
    soft_cross_entropy(logits, targets).backward()
    assert torch.allclose(logits.grad, (logits.detach().softmax(dim=1) - targets) / 6, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_gives_each_class_its_share_and_sums_to_1(smoothing: float) -> None:
    targets = label_targets(torch.tensor([2, 0]), 4, smoothing)
    for row, label in zip(targets.tolist(), (2, 0), strict=True):
        for index, value in enumerate(row):
            assert value == pytest.approx((1 - smoothing) * (index == label) + smoothing / 4)
    assert targets.sum(dim=1).tolist() == pytest.approx([1, 1])


def test_the_papers_smoothing_of_0_1_over_1000_classes() -> None:
    targets = label_targets(torch.tensor([7]), 1000, 0.1)[0]
    assert targets[7].item() == pytest.approx(0.9001)
    assert targets[8].item() == pytest.approx(0.0001)


@pytest.mark.parametrize("temperature", [0.25, 0.5, 1.0, 2.0])
def test_soft_targets_are_powers_made_to_sum_to_1(temperature: float) -> None:
    _, probabilities = batch(7)
    sharpened = soft_targets(probabilities, temperature)
    for row, ours in zip(probabilities.tolist(), sharpened.tolist(), strict=True):
        powers = [p ** (1 / temperature) for p in row]
        assert ours == pytest.approx([power / sum(powers) for power in powers], rel=1e-4)


def test_the_power_is_the_softmax_of_the_logits_at_that_temperature() -> None:
    logits, _ = batch(7)
    ours = soft_targets(logits.softmax(dim=1), 0.5)
    assert torch.allclose(ours, (logits / 0.5).softmax(dim=1), atol=1e-5)


def test_rounded_half_precision_probabilities_sum_to_1_again() -> None:
    stored = torch.tensor([[0.3333, 0.3333, 0.3333], [0.9995, 0.0004, 0.0]]).half()
    assert soft_targets(stored, 1.0).sum(dim=1).tolist() == pytest.approx([1, 1])
    assert soft_targets(stored, 1.0).dtype == torch.float32


@pytest.mark.parametrize(("classes", "temperature"), [(10, 0.1), (10, 0.02), (1000, 0.1), (1000, 0.06), (1000, 1e-3)])
def test_a_low_temperature_sharpens_without_underflow(classes: int, temperature: float) -> None:
    unsure = soft_targets(torch.full((1, classes), 1 / classes).half(), temperature)
    assert unsure[0].tolist() == pytest.approx([1 / classes] * classes)
    surer = torch.full((1, classes), 0.9 / (classes - 1)).half()
    surer[0, 3], surer[0, 4] = 0.1, 0.0
    sharpened = soft_targets(surer, temperature)
    assert sharpened.sum().item() == pytest.approx(1)
    assert sharpened[0, 4] == 0


def test_targets_at_temperature_1_are_the_stored_probabilities_over_their_sum() -> None:
    stored = batch(5)[1].half()
    assert torch.equal(soft_targets(stored, 1.0), stored.float() / stored.float().sum(dim=1, keepdim=True))


def test_adjusted_logits_are_those_of_the_labeled_images_alone() -> None:
    training = Training(model="resnet18", batch_size=1, unlabeled_ratio=1.0)
    logits, targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    shares = torch.log(torch.tensor([0.9, 0.1]))
    labeled = soft_cross_entropy(logits[:1] + shares, targets[:1])
    pseudo = soft_cross_entropy(logits[1:], targets[1:])
    loss = batch_loss(logits, targets, training, labeled=1, total=2, log_shares=shares)
    assert loss.item() == pytest.approx(((labeled + pseudo) / 2).item())


def test_adjusted_logits_make_the_optimum_one_of_classes_alike() -> None:
    """Of an image that is of a class in one of ten cases, as few as there are labels of it, nothing is to be said in its disfavor."""
    training = Training(model="resnet18", batch_size=10)
    targets = torch.eye(2)[[0] * 9 + [1]]
    logits = torch.zeros(1, 2, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=50)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        shares = torch.log(torch.tensor([0.9, 0.1]))
        loss = batch_loss(logits.expand(10, 2), targets, training, labeled=10, total=10, log_shares=shares)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert torch.allclose(torch.softmax(logits, dim=1), torch.full((1, 2), 0.5), atol=1e-3)
