from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from noisystudent.features.probe import STRENGTHS, Scaling, cross_validate, fit_probe, folds_of


def clusters(images: int, *, classes: int = 3, apart: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features around a center for each class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    return (apart * np.eye(8)[labels] + rng.normal(size=(images, 8)) + 5).astype(np.float32), labels


def test_it_is_the_minimum_of_the_penalized_log_loss() -> None:
    values, labels = clusters(30)
    scaling, strength = Scaling.of(values), 2.0
    scaled = scaling.apply(values)

    def objective(flat: np.ndarray) -> float:
        weight, bias = flat[:24].reshape(3, 8), flat[24:]
        loss = -log_softmax(scaled @ weight.T + bias, axis=1)[np.arange(30), labels].sum()
        return float(0.5 * (weight**2).sum() + strength * loss)

    best = minimize(objective, np.zeros(27), options={"gtol": 1e-8}).x
    found = log_softmax(fit_probe(values, labels, strength=strength, scaling=scaling).logits(values), axis=1)
    expected = log_softmax(scaled @ best[:24].reshape(3, 8).T + best[24:], axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_two_classes_have_two_logits() -> None:
    values, labels = clusters(40, classes=2)
    probe = fit_probe(values, labels, strength=1.0, scaling=Scaling.of(values))
    assert probe.weight.shape == (2, 8)
    assert (probe.logits(values).argmax(axis=1) == labels).mean() > 0.9


def test_a_weight_of_two_is_an_image_twice() -> None:
    values, labels = clusters(30)
    scaling = Scaling.of(values)
    weights = np.where(np.arange(30) < 10, 2.0, 1.0)
    twice = fit_probe(
        np.concatenate([values, values[:10]]), np.concatenate([labels, labels[:10]]), strength=1.0, scaling=scaling
    )
    weighted = fit_probe(values, labels, strength=1.0, scaling=scaling, weights=weights)
    np.testing.assert_allclose(weighted.weight, twice.weight, atol=1e-3)


def test_a_temperature_divides_the_logits() -> None:
    values, labels = clusters(30)
    plain, cooled = (fit_probe(values, labels, strength=1.0, scaling=Scaling.of(values), temperature=t) for t in (1, 4))
    np.testing.assert_allclose(cooled.logits(values), plain.logits(values) / 4, rtol=1e-4)


def test_cross_validation_tells_what_new_images_will_show() -> None:
    values, labels = clusters(90, apart=2.0)
    found = cross_validate(values, labels, seed=0)
    assert found is not None
    new, truth = clusters(3000, apart=2.0, seed=1)
    probe = fit_probe(
        values, labels, strength=found.strength, scaling=Scaling.of(values), temperature=found.temperature
    )
    logits = log_softmax(probe.logits(new), axis=1)
    accuracy = 100 * float((logits.argmax(axis=1) == truth).mean())
    assert found.accuracy == pytest.approx(accuracy, abs=12)  # 90 images tell it within 10 points
    confidence = 100 * float(np.exp(logits.max(axis=1)).mean())
    assert confidence == pytest.approx(accuracy, abs=10)
    assert found == cross_validate(values, labels, seed=0)._replace(right=found.right, rows=found.rows)  # type: ignore[union-attr]


def test_noise_is_regularized_more_than_what_is_plain() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 50)).astype(np.float32)
    labels = np.arange(60) % 3
    found = cross_validate(noise, labels, seed=0)
    assert found is not None
    assert found.strength == min(STRENGTHS)
    assert found.temperature > 1


@pytest.mark.parametrize(("counts", "folds"), [([1, 1], 0), ([1, 2], 0), ([1, 2, 2], 2), ([3, 9], 3), ([50, 50], 5)])
def test_a_class_of_few_images_lowers_the_folds(counts: list[int], folds: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    assert folds_of(labels) == folds
    values = np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32)
    found = cross_validate(values, labels, seed=3)
    assert (found is None) == (folds == 0)


def test_many_labels_are_looked_at_in_part() -> None:
    values, labels = clusters(5000)
    found = cross_validate(values, labels, seed=0)
    assert found is not None
    assert len(found.right) == 2000
    assert len(set(found.rows.tolist())) == 2000
