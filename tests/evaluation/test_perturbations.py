import numpy as np
import pytest
from PIL import Image

from noisystudent.evaluation import flip_rate, perturbations
from noisystudent.evaluation.perturbations import PERTURBATIONS, sequence

MARGIN = 256 / 224  # of the pictures that the released frames are the middle of


def picture(side: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    return np.asarray(coarse.resize((side, side), Image.BICUBIC))


def middle(image: np.ndarray, size: int) -> np.ndarray:
    start = (len(image) - size) // 2
    return image[start : start + size, start : start + size]


def test_there_are_the_ten() -> None:
    assert tuple(PERTURBATIONS) == flip_rate.MAIN


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("size", [32, 96])
def test_sequences_have_the_published_lengths_and_depend_on_the_id_alone(name: str, size: int) -> None:
    image = picture(round(size * MARGIN))
    frames = sequence(image, name, size=size, id="a")
    small = {"motion_blur": 21, "translate": 16}
    assert len(frames) == (small.get(name, 31) if size == 32 else {"translate": 41}.get(name, 31))
    assert frames.shape[1:] == (size, size, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(sequence(image, name, size=size, id="a"), frames)
    if name in ("gaussian_noise", "shot_noise", "snow"):
        assert not np.array_equal(sequence(image, name, size=size, id="b"), frames)
        assert not np.array_equal(sequence(image, name, size=size, id="a", seed=1), frames)


@pytest.mark.parametrize(
    ("name", "frame"),
    [("gaussian_noise", 0), ("shot_noise", 0), ("zoom_blur", 0), ("translate", 20), ("rotate", 15), ("scale", 24)],
)
def test_one_frame_is_the_picture_itself(name: str, frame: int) -> None:
    image = picture(110)
    assert np.array_equal(sequence(image, name, size=96, id="a")[frame], middle(image, 96))


def test_the_middle_frames_of_brightness_and_tilt_are_nearly_the_picture() -> None:
    image = picture(110)
    for name in ("brightness", "tilt"):
        difference = np.abs(sequence(image, name, size=96, id="a")[15].astype(int) - middle(image, 96))
        assert difference.max() <= 6  # a rounding; and a depth of one pixel in the published matrices
        assert difference.mean() < 1.5


def test_a_translation_of_i_pixels_shows_the_picture_i_pixels_away() -> None:
    image = picture(110)
    frames = sequence(image, "translate", size=70, id="a")
    for i in (0, 7, 33, 40):
        assert np.array_equal(frames[i], image[20:90, 20 - (i - 20) : 90 - (i - 20)])


def test_noise_has_the_published_deviation() -> None:
    grey = np.full((128, 128, 3), 128, dtype=np.uint8)
    gaussian = sequence(grey, "gaussian_noise", size=112, id="a")[1:] / 255
    assert gaussian.std() == pytest.approx(0.03, rel=0.02)
    shot = sequence(grey, "shot_noise", size=112, id="a")[1:] / 255
    assert shot.std() == pytest.approx((128 / 255 / 300) ** 0.5, rel=0.02)
    assert sequence(grey, "gaussian_noise", size=32, id="a")[1:].std() / 255 == pytest.approx(0.02, rel=0.03)


def test_frames_move_away_from_the_middle_step_by_step() -> None:
    image = picture(110)
    for name in ("rotate", "tilt", "brightness"):
        frames = sequence(image, name, size=96, id="a").astype(float)
        away = [np.abs(frames[15 + i] - frames[15]).mean() for i in (0, 3, 6, 10, 15)]
        assert away == sorted(away), name


@pytest.mark.parametrize(("size", "zoom"), [(32, 2), (63, 2), (64, 3), (224, 3)])
def test_flakes_of_snow_are_as_large_as_published(size: int, zoom: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # make_cifar_p.py enlarges them twice, make_imagenet_p.py three times.
    seen = []

    def snowflakes(shape: tuple[int, int], draw: np.random.Generator, *strength: float) -> np.ndarray:
        seen.append(strength)
        return np.zeros(shape, np.float32)

    monkeypatch.setattr(perturbations, "snowflakes", snowflakes)
    sequence(picture(size), "snow", size=size, id="a")
    assert seen == [(0.05, 0.3, zoom, 0.5)]
