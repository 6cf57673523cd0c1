import numpy as np
import pytest

from noisystudent.evaluation.corruptions import weather
from noisystudent.evaluation.corruptions.constants import IMAGENET_C


def test_plasma_is_reproducible_and_from_0_to_1() -> None:
    first, again = (weather.plasma_fractal(64, 2.0, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)
    assert (first.min(), first.max()) == (0.0, 1.0)


def test_plasma_is_smoother_with_a_higher_decay() -> None:
    def roughness(decay: float) -> float:
        fields = [weather.plasma_fractal(64, decay, np.random.default_rng(seed)) for seed in range(5)]
        return float(np.mean([np.abs(np.diff(field, axis=0)).mean() / field.std() for field in fields]))

    assert roughness(3.0) < roughness(2.0) < roughness(1.4)


def test_fog_keeps_the_brightest_value() -> None:
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    image[0, 0] = 204
    foggy = weather.fog(image, np.random.default_rng(0), 1.5, 2)
    assert foggy.max() <= 204 / 255 * (204 / 255 + 1.5) / (204 / 255 + 1.5) + 1e-12
    assert foggy.mean() > image.mean() / 255


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_frost_without_the_package_is_our_own(severity: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "_photographs", list)
    weather._covering.cache_clear()
    try:
        assert weather.frost_origin() == "procedural"
        frosted = weather.frost(
            np.full((64, 48, 3), 60, dtype=np.uint8), np.random.default_rng(0), *IMAGENET_C["frost"][severity - 1]
        )
    finally:
        weather._covering.cache_clear()
    assert frosted.shape == (64, 48, 3)
    assert frosted.mean() > 60 / 255
    assert frosted.std() > 0.02  # crystals, not a veil


def test_textures_are_at_least_as_large_as_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather, "_photographs", list)
    weather._covering.cache_clear()
    try:
        frosted = weather.frost(np.zeros((30, 1100, 3), dtype=np.uint8), np.random.default_rng(0), 1, 0.4, 0.2)
    finally:
        weather._covering.cache_clear()
    assert frosted.shape == (30, 1100, 3)


def test_water_drops_are_pale_turquoise_and_mud_is_brown() -> None:
    black = np.zeros((64, 64, 3), dtype=np.uint8)
    water = weather.spatter(black, np.random.default_rng(0), *IMAGENET_C["spatter"][2])
    wet = water[water.sum(axis=2) > 0.1]
    assert np.allclose(wet[:, 0] / wet[:, 1], 175 / 238, atol=1e-6)
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    mud = weather.spatter(white, np.random.default_rng(0), *IMAGENET_C["spatter"][4])
    darkest = mud.reshape(-1, 3)[mud.sum(axis=2).argmin()]
    assert darkest == pytest.approx(np.array([63, 42, 20]) / 255, abs=0.1)
