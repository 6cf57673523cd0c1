"""The training loop on a tiny network: what it saves, what it logs, and that it goes on where it stopped, bit by bit."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import EVERY_STEP, NOISE, TRAINING, classifier, fit, pictures, write_pictures

from noisystudent.config import Execution, Noise
from noisystudent.data.images import ImageSet
from noisystudent.data.joint_batches import Examples, joint_batches
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.seeds import derive_seed
from noisystudent.training import forward_backward, loop
from noisystudent.training.loss import label_targets
from noisystudent.training.metrics_log import read_metrics

STEPS = TRAINING.steps


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return pictures(write_pictures(tmp_path_factory.mktemp("images")))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def test_images_that_are_too_many_for_a_gpu_are_told_with_an_advice_that_helps(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook stands in for a GPU that holds three images."""

    def hold(network: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if network.training and given[0].ndim == 4 and len(given[0]) > 3:
            raise torch.OutOfMemoryError

    execution, advised = EVERY_STEP, []
    hook = torch.nn.modules.module.register_module_forward_pre_hook(hold)
    try:
        while len(advised) < 5:
            try:
                fit(images, tmp_path, execution=execution)
                break
            except RunError as error:
                advice = re.search(r"execution\.images_at_a_time=(\d+)", str(error))
                advised.append(int(advice.group(1)))  # type: ignore[union-attr]
                execution = EVERY_STEP.model_copy(update={"images_at_a_time": advised[-1]})
    finally:
        hook.remove()
    assert advised == [5, 2]  # of batches of ten
    assert read_metrics(tmp_path / "metrics.jsonl")[-1]["step"] == STEPS


class Killed(BaseException):
    """As a signal: nothing of ours catches it."""


def raise_at(step: int) -> object:
    """A validation that stops the process the `step`-th time it is asked, before that step is saved."""
    calls = iter(range(1, 1000))

    def validate(_: Classifier) -> dict[str, float]:
        if next(calls) == step:
            raise Killed
        return {"top1": 1.0}

    return validate


@pytest.mark.parametrize(
    ("optimizer", "precision"), [("sgd", "fp32"), ("rmsproptf", "fp32"), ("adamw", "fp32"), ("sgd", "bf16")]
)
def test_an_interrupted_training_ends_with_the_same_bits(
    images: ImageSet, tmp_path: Path, optimizer: str, precision: str
) -> None:
    training = TRAINING.model_copy(update={"optimizer": optimizer, "learning_rate": 0.01})
    execution = EVERY_STEP.model_copy(update={"precision": precision})
    fit(images, tmp_path / "whole", training, execution=execution)
    with pytest.raises(Killed):
        fit(images, tmp_path / "broken", training, execution=execution, validate=raise_at(3))
    assert torch.load(tmp_path / "broken/checkpoints/last.pt", weights_only=True)["step"] == 2
    with pytest.raises(Killed):  # and again, right after the start
        fit(images, tmp_path / "broken", training, execution=execution, validate=raise_at(1))
    fit(images, tmp_path / "broken", training, execution=execution, validate=lambda _: {"top1": 1.0})
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert whole.keys() == broken.keys()
    for name in whole:
        assert torch.equal(whole[name], broken[name]), name
    assert (tmp_path / "whole/model/model.safetensors").read_bytes() == (
        tmp_path / "broken/model/model.safetensors"
    ).read_bytes()


def test_a_resumed_training_logs_each_step_once(images: ImageSet, tmp_path: Path) -> None:
    fit(images, tmp_path / "whole", validate=lambda _: {"top1": 1.0})
    with pytest.raises(Killed):
        fit(images, tmp_path / "broken", validate=raise_at(4))
    lines = read_metrics(tmp_path / "broken/metrics.jsonl")
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4]  # 4 is done again
    fit(images, tmp_path / "broken", validate=lambda _: {"top1": 1.0})
    logs = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "broken")]
    for lines in logs:
        assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5, 6]
        assert [line["step"] for line in lines if "val_top1" in line] == [1, 2, 3, 4, 5, 6]
    assert [line.get("loss") for line in logs[0]] == [line.get("loss") for line in logs[1]]


def test_the_speed_that_is_logged_is_that_of_training_alone(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of the test's own: a batch takes two seconds, a look at the validation data a thousand."""
    now = 0.0

    def takes(seconds: float, result: object) -> object:
        nonlocal now
        now += seconds
        return result

    monkeypatch.setattr(loop.time, "monotonic", lambda: now)
    monkeypatch.setattr(forward_backward, "add_input_noise", lambda batch, *_, **__: takes(2, batch))
    monkeypatch.setattr(loop, "VALIDATIONS", 2)
    rarely = Execution(device="cpu", checkpoint_seconds=1e9, log_steps=2, workers=1)
    fit(images, tmp_path, execution=rarely, validate=lambda _: takes(1000, {"top1": 1.0}))
    lines = [line for line in read_metrics(tmp_path / "metrics.jsonl") if "loss" in line]
    assert [(line["step"], line["images_per_second"]) for line in lines] == [(2, 5.0), (4, 5.0), (6, 5.0)]


def test_a_finished_training_given_again_is_not_done_again(images: ImageSet, tmp_path: Path) -> None:
    fit(images, tmp_path)
    before = (tmp_path / "model/model.safetensors").read_bytes()
    (tmp_path / "model/model.safetensors").unlink()  # killed before the model was written
    asked: list[int] = []
    fit(images, tmp_path, validate=lambda _: asked.append(1) or {"top1": 1.0})
    assert (tmp_path / "model/model.safetensors").read_bytes() == before
    assert asked == []


def test_the_seed_decides_the_weights(images: ImageSet, tmp_path: Path) -> None:
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        fit(images, tmp_path / folder, seed=seed)
    name = "fc.weight"
    assert torch.equal(weights(tmp_path / "a")[name], weights(tmp_path / "b")[name])
    assert not torch.equal(weights(tmp_path / "a")[name], weights(tmp_path / "c")[name])


def test_the_callers_random_numbers_are_left_alone(images: ImageSet, tmp_path: Path) -> None:
    state = torch.random.get_rng_state()
    fit(images, tmp_path)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_one_step_is_the_gradient_of_the_mean_loss_on_the_noised_images(images: ImageSet, tmp_path: Path) -> None:
    """SGD without momentum, decay or dropout: the first step is w - lr * gradient, averaged with 0.1 of the initial weights."""
    training = TRAINING.model_copy(
        update={"steps": 1, "warmup_steps": 0, "momentum": 0.0, "weight_decay": 0.0, "drop_rate": 0.0}
        | {"drop_path_rate": 0.0, "batch_size": 10, "unlabeled_ratio": 1.0}
    )
    first = classifier(training)
    start = {name: p.detach().clone() for name, p in first.network.named_parameters()}
    pixels = images.fetch(np.arange(10))
    targets = label_targets(torch.arange(10) % 3, 3, 0.0)

    order = np.random.default_rng(derive_seed(derive_seed(7, "labeled"), "epoch", 0)).permutation(10)
    noised = add_input_noise(pixels[order], NOISE, seed=derive_seed(7, "noise", 0)).float()
    logits = first.network.train()((noised / 255 - 0.5) / 0.25)
    losses = -(torch.log_softmax(logits, dim=1) * targets[order]).sum(dim=1)
    gradients = torch.autograd.grad(losses.sum() / 10, list(first.network.parameters()))

    loop.fit(
        classifier(training),
        training,
        Examples(images, targets.__getitem__),
        None,
        folder=tmp_path,
        seed=7,
        execution=EVERY_STEP,
    )
    trained = weights(tmp_path)
    for (name, before), gradient in zip(start.items(), gradients, strict=True):
        after = before - 0.05 * gradient
        assert torch.allclose(trained[name], 0.1 * before + 0.9 * after, atol=1e-5), name
    assert read_metrics(tmp_path / "metrics.jsonl")[0]["loss"] == pytest.approx(losses.mean().item(), rel=1e-4)


@pytest.mark.parametrize("objective", ["sum", "mean"])
def test_by_the_sum_the_weights_go_where_the_released_code_takes_them(
    images: ImageSet, tmp_path: Path, objective: str
) -> None:
    """Five steps of TensorFlow's RMSProp on L_lab + ratio x L_unl + wd x sum(v^2) / 2, written out (spec sections 1.2 and 3)."""
    still = Noise(crop="none", flip=False, randaugment=None)
    training = TRAINING.model_copy(
        update={"objective": objective, "optimizer": "rmsproptf", "noise": still, "steps": 5, "warmup_steps": 0}
        | {"schedule": "constant", "learning_rate": 0.01, "weight_decay": 0.01, "ema_decay": 0.0}
        | {"drop_rate": 0.0, "drop_path_rate": 0.0, "unlabeled_ratio": 3.0}
    )
    network = classifier(training).network.train()
    decayed = [not isinstance(m, torch.nn.BatchNorm2d) for m in network.modules() for _ in m.parameters(recurse=False)]
    values = list(network.parameters())
    squares, momenta = [torch.ones_like(v) for v in values], [torch.zeros_like(v) for v in values]
    labeled = Examples(images, label_targets(torch.arange(10) % 3, 3, 0.1).__getitem__)
    pseudo = Examples(
        images, torch.softmax(torch.randn(10, 3, generator=torch.Generator().manual_seed(0)), dim=1).__getitem__
    )
    for pixels, targets, *_ in joint_batches(training, labeled, pseudo, seed=7):
        losses = -(torch.log_softmax(network((pixels.float() / 255 - 0.5) / 0.25), dim=1) * targets).sum(dim=1)
        loss = losses[:4].mean() + 3 * losses[4:].mean()
        loss = loss + 0.01 * sum(v.square().sum() for v, decays in zip(values, decayed, strict=True) if decays) / 2
        with torch.no_grad():
            gradients = torch.autograd.grad(loss, values)
            for v, g, square, momentum in zip(values, gradients, squares, momenta, strict=True):
                square.mul_(0.9).add_(0.1 * g**2)
                momentum.mul_(0.9).add_(0.01 * g / (square + 1e-3).sqrt())
                v.sub_(momentum)

    fit(images, tmp_path, training)
    ours = weights(tmp_path)
    furthest = max(float((ours[name] - v.detach()).abs().max()) for name, v in network.named_parameters())
    assert furthest < 1e-4 if objective == "sum" else furthest > 0.01  # and the mean over the batch goes elsewhere


def test_validation_sees_the_averaged_network_without_noise(images: ImageSet, tmp_path: Path) -> None:
    logits: list[torch.Tensor] = []

    def validate(averaged: Classifier) -> dict[str, float]:
        assert not any(module.training for module in averaged.network.modules())
        logits.append(averaged.logits(images.fetch(np.arange(10))))
        return {"nll": 2.5}

    trained = fit(images, tmp_path, validate=validate)
    assert len(logits) == STEPS  # fewer steps than the ten points of the curve: each of them
    assert torch.equal(logits[-1], trained.logits(images.fetch(np.arange(10))))
    assert not torch.equal(logits[0], logits[-1])
    assert read_metrics(tmp_path / "metrics.jsonl")[-1] == {"step": STEPS, "val_nll": 2.5}


def test_the_curve_has_ten_points_or_the_last_step_beside_them(images: ImageSet, tmp_path: Path) -> None:
    training = TRAINING.model_copy(update={"steps": 25, "batch_size": 1, "unlabeled_ratio": 1.0})
    fit(images, tmp_path, training, validate=lambda _: {"top1": 0.0}, execution=Execution(device="cpu", workers=1))
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if "val_top1" in line] == [3, 6, 9, 12, 15, 18, 21, 24, 25]
    assert [line["step"] for line in lines if "loss" in line] == [25]


def test_the_log_has_the_mean_loss_and_the_rate_of_the_step(images: ImageSet, tmp_path: Path) -> None:
    fit(images, tmp_path)
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["learning_rate"] for line in lines] == pytest.approx(
        [0.025, 0.05, 0.05, 0.0375, 0.025, 0.0125], rel=1e-9
    )
    fit(images, tmp_path / "rarely", execution=Execution(device="cpu", log_steps=4, workers=1))
    rare = read_metrics(tmp_path / "rarely/metrics.jsonl")
    assert [line["step"] for line in rare] == [4, 6]
    losses = [line["loss"] for line in lines]
    assert [line["loss"] for line in rare] == pytest.approx([np.mean(losses[:4]), np.mean(losses[4:])], rel=1e-5)


def test_an_update_that_overflows_stops_before_it_is_saved(images: ImageSet, tmp_path: Path) -> None:
    """The loss of step 1 is finite; what the step makes of the weights is not of use to anyone."""
    training = TRAINING.model_copy(update={"learning_rate": 1e38, "warmup_steps": 0})
    with pytest.raises(RunError, match=r"at step 1: .*learning_rate"):
        fit(images, tmp_path, training)
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [1]
    assert not (tmp_path / "checkpoints/last.pt").exists()
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("log_steps", "noticed"), [(1, 4), (2, 4), (100, 6)])
def test_the_first_step_whose_loss_is_not_finite_is_named_however_late_it_is_noticed(
    images: ImageSet, tmp_path: Path, log_steps: int, noticed: int
) -> None:
    targets = label_targets(torch.arange(10) % 3, 3, 0.0)
    training = TRAINING.model_copy(update={"batch_size": 2, "unlabeled_ratio": 0.0})
    order = np.random.default_rng(derive_seed(derive_seed(7, "labeled"), "epoch", 0)).permutation(10)
    targets[order[6]] = float("nan")  # the seventh image of the epoch: in step 4, counted from 1
    execution = Execution(device="cpu", checkpoint_seconds=1e6, log_steps=log_steps, workers=1)
    with pytest.raises(RunError, match=r"the loss became nan at step 4: .*learning_rate") as caught:
        loop.fit(
            classifier(training),
            training,
            Examples(images, targets.__getitem__),
            None,
            folder=tmp_path,
            seed=7,
            execution=execution,
        )
    assert "kept" in str(caught.value)
    assert not (tmp_path / "model").exists()
    logged = [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")]
    assert logged == [step for step in range(log_steps, noticed, log_steps) if step < 4]


def test_a_loss_that_is_not_finite_leaves_an_earlier_checkpoint_that_opens(images: ImageSet, tmp_path: Path) -> None:
    targets = label_targets(torch.arange(10) % 3, 3, 0.0)
    training = TRAINING.model_copy(update={"batch_size": 2, "unlabeled_ratio": 0.0})
    order = np.random.default_rng(derive_seed(derive_seed(7, "labeled"), "epoch", 0)).permutation(10)
    targets[order[6]] = float("inf")
    with pytest.raises(RunError, match="at step 4"):
        loop.fit(
            classifier(training),
            training,
            Examples(images, targets.__getitem__),
            None,
            folder=tmp_path,
            seed=7,
            execution=EVERY_STEP,
        )
    state = torch.load(tmp_path / "checkpoints/last.pt", weights_only=True)
    assert state["step"] == 3
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state["network"].values())


def test_the_returned_network_is_the_saved_one(images: ImageSet, tmp_path: Path) -> None:
    trained = fit(images, tmp_path)
    for name, tensor in trained.network.state_dict().items():
        assert torch.equal(tensor, weights(tmp_path)[name])
    assert not trained.network.training
    assert json.loads((tmp_path / "model/config.json").read_text())["label_names"] == ["a", "b", "c"]
