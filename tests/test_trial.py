"""What a network costs: counted on paper, and tried with smaller images where it does not fit."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from noisystudent import trial
from noisystudent.config import Execution, Noise, Training
from noisystudent.errors import RunError
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.trial import _SavedForBackward, calculated_cost, check_room, cost_an_image, cost_key

TRAINING = Training(model="resnet9_8", image_size=32, optimizer="adamw", noise=Noise(crop_padding=1))
CPU = Execution(device="cpu")


def test_what_is_kept_for_the_backward_pass_is_counted_once() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    saved = _SavedForBackward(network)
    images = torch.zeros(3, 4)
    with saved:
        network(images)
    # A linear layer keeps its input; ReLU keeps its output, which is the next layer's input.
    assert saved.bytes == 4 * (3 * 4 + 3 * 8)


def test_parameters_states_and_multiply_adds_are_counted() -> None:
    cost = cost_an_image(TRAINING.model_copy(update={"model": "resnet9_8", "image_size": 8}), CPU, 3, 10)
    # Stages of 8, 16, 32 and 64 channels at 8, 8, 4 and 2 pixels, blocks after the second and the last, and 10 classes.
    convolutions = 9 * (64 * (3 * 8 + 8 * 16) + 16 * (2 * 16 * 16 + 16 * 32) + 4 * 32 * 64 + 1 * 2 * 64 * 64)
    assert cost.multiply_adds == convolutions + 64 * 10
    assert cost.states == 4 * 5 * cost.parameters
    assert cost.training_seconds is not None
    assert cost.labeling_seconds is not None
    assert cost.training_seconds > 0 < cost.labeling_seconds


@pytest.mark.parametrize("optimizer", ["sgd", "rmsproptf", "adamw"])
def test_a_trial_learns_nothing_however_high_the_rate(monkeypatch: pytest.MonkeyPatch, optimizer: str) -> None:
    tried: list[tuple[Classifier, list[torch.Tensor]]] = []

    def kept(*arguments: Any, **options: Any) -> Classifier:
        classifier = build_classifier(*arguments, **options)
        tried.append((classifier, [parameter.detach().clone() for parameter in classifier.network.parameters()]))
        return classifier

    monkeypatch.setattr(trial, "build_classifier", kept)
    cost = cost_an_image(TRAINING.model_copy(update={"optimizer": optimizer, "learning_rate": 1e30}), CPU, 3, 10)
    assert cost.labeling_seconds is not None
    assert cost.labeling_seconds > 0
    [(classifier, before)] = tried
    for parameter, was in zip(classifier.network.parameters(), before, strict=True):
        torch.testing.assert_close(parameter, was, rtol=0, atol=0)


def test_an_untrained_network_need_not_be_finite_to_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Classifier:
        classifier = build_classifier(*arguments, **options)
        with torch.no_grad():
            for parameter in classifier.network.parameters():
                parameter.fill_(torch.inf)
        return classifier

    monkeypatch.setattr(trial, "build_classifier", broken)
    assert cost_an_image(TRAINING, CPU, 3, 10).labeling_seconds is not None


@pytest.mark.parametrize(
    ("seconds", "found", "times"),
    [([9, 0.4, 0.3, 0.5], 0.4, 4), ([0.6, 0.6, 0.8], 0.7, 3), ([11], 11, 1)],
    ids=["a slow first", "as slow as the rest", "long"],
)
def test_a_first_time_counts_only_where_it_is_long(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float], found: float, times: int
) -> None:
    clock, done = [0.0], []

    def work() -> None:
        clock[0] += seconds[len(done)]
        done.append(clock[0])

    monkeypatch.setattr(trial.time, "perf_counter", lambda: clock[0])
    assert trial.seconds_of(work, torch.device("cpu")) == pytest.approx(found)
    assert len(done) == times


def tried_sides(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sides: list[int] = []

    def timed(training: Training, *_: object) -> tuple[float, float]:
        sides.append(training.image_size)
        return 1.0, 0.5

    monkeypatch.setattr(trial, "_timed", timed)
    return sides


@pytest.mark.parametrize(("room_for", "side", "scale"), [(32, 32, 1), (16, 16, 4), (8, 8, 16), (0, None, None)])
def test_what_does_not_fit_is_tried_with_smaller_images(
    monkeypatch: pytest.MonkeyPatch, room_for: int, side: int | None, scale: int | None
) -> None:
    needs = trial._calculated(TRAINING, 3, 10, room_for) if room_for else None
    free = (needs.states + 4 * needs.activations) / trial.ROOM + 1 if needs else 1000
    monkeypatch.setattr(trial, "free_memory", lambda _: free)
    sides = tried_sides(monkeypatch)
    cost = cost_an_image(TRAINING, CPU, 3, 10)
    if side is None:
        assert (sides, cost.training_seconds, cost.labeling_seconds) == ([], None, None)
    else:
        assert sides == [side]
        assert cost.training_seconds == pytest.approx(scale, rel=0.01)
        assert cost.labeling_seconds == pytest.approx(scale / 2, rel=0.01)


def test_what_would_take_long_is_tried_with_smaller_images(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = tried_sides(monkeypatch)
    monkeypatch.setattr(trial, "MOST_OPERATIONS", 2 * trial._calculated(TRAINING, 3, 10, 16).multiply_adds)
    assert cost_an_image(TRAINING, CPU, 3, 10).training_seconds == pytest.approx(4, rel=0.01)
    assert sides == [16]


def test_steps_and_batches_do_not_change_what_an_image_costs() -> None:
    longer = TRAINING.model_copy(update={"steps": 7, "batch_size": 3, "unlabeled_ratio": 2.0, "weight_decay": 0.0})
    assert cost_key(longer) == cost_key(TRAINING)
    assert cost_key(TRAINING.model_copy(update={"image_size": 64})) != cost_key(TRAINING)


def free(monkeypatch: pytest.MonkeyPatch, count: float) -> None:
    """A machine that has room for the states and the activations of so many images."""
    cost = calculated_cost(TRAINING, 3, 10)
    monkeypatch.setattr(trial, "free_memory", lambda _: cost.states + count * trial.LEAST_IN_FP32 * cost.activations)
    monkeypatch.setattr(trial.psutil, "swap_memory", lambda: SimpleNamespace(free=0))


def test_images_that_are_too_many_for_the_memory_are_told_with_an_advice_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free(monkeypatch, 100)
    check_room(TRAINING, CPU, 3, 10, 100)
    with pytest.raises(
        RunError, match=r"^101 images at a time are too many for this machine's memory \(they take"
    ) as refused:
        check_room(TRAINING, CPU, 3, 10, 101)
    advised = int(re.findall(r"execution\.images_at_a_time=(\d+)", str(refused.value))[0])
    assert 50 < advised < 100
    check_room(TRAINING, CPU.model_copy(update={"images_at_a_time": advised}), 3, 10, 101)


def test_in_bf16_more_of_them_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 100)
    check_room(TRAINING, CPU.model_copy(update={"precision": "bf16"}), 3, 10, 150)


def test_where_not_even_two_images_fit_the_network_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1)
    with pytest.raises(RunError, match="train a smaller network or smaller images") as refused:
        check_room(TRAINING, CPU, 3, 10, 32)
    assert "images_at_a_time" not in str(refused.value)
