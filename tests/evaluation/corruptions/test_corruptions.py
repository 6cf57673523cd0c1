"""Corruptions against the package `imagecorruptions`, and what they must keep to."""

import numpy as np
import pytest
import torch
from imagecorruptions_package import published_corruptions
from PIL import Image

from noisystudent.evaluation import corruptions
from noisystudent.evaluation.corruptions import CORRUPTIONS, EXTRA, MAIN, SEVERITIES, as_bytes, corrupt
from noisystudent.evaluation.corruptions.constants import CIFAR_10_C, IMAGENET_C, strengths

IDENTICAL = ("defocus_blur", "contrast", "pixelate", "jpeg_compression")
# The package goes to HSV and back, or smooths in another order: a rounding of 1 here and there.
ROUNDED = ("zoom_blur", "gaussian_blur", "brightness", "saturate")
# The elastic transform of the package has strengths of its own and no affine map; its fog and frost differ most from draw to draw.
RANDOM = {
    "gaussian_noise": 0.02,
    "shot_noise": 0.02,
    "impulse_noise": 0.05,
    "speckle_noise": 0.02,
    "glass_blur": 0.1,
    "motion_blur": 0.15,
    "snow": 0.1,
    "spatter": 0.4,
    "fog": 0.25,
}


def picture(side: int = 224, seed: int = 0) -> np.ndarray:
    """Soft shapes, a bright and a dark corner, some grain: uint8 [side, side, 3]."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (7, 7, 3), dtype=np.uint8)).resize((side, side), Image.BICUBIC)
    image = np.asarray(coarse) + draw.normal(scale=6, size=(side, side, 3))
    image[: side // 8, : side // 8] = 0
    image[-side // 8 :, -side // 8 :] = 255
    return image.clip(0, 255).astype(np.uint8)


def ours(name: str, image: np.ndarray, severity: int, seed: int = 0) -> np.ndarray:
    strong = IMAGENET_C[name][severity - 1]
    return as_bytes(CORRUPTIONS[name](image, np.random.default_rng(seed), *strong))


def theirs(name: str, image: np.ndarray, severity: int, seed: int = 0) -> np.ndarray:
    function = getattr(published_corruptions(), name)
    np.random.seed(seed)
    return np.uint8(function(Image.fromarray(image), severity))


def test_there_are_the_fifteen_and_the_four() -> None:
    assert list(MAIN) == [
        *("gaussian_noise", "shot_noise", "impulse_noise"),
        *("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
        *("snow", "frost", "fog", "brightness"),
        *("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
    ]
    assert list(EXTRA) == ["speckle_noise", "gaussian_blur", "spatter", "saturate"]


def test_small_images_meet_the_strengths_of_cifar_10_c() -> None:
    assert strengths(32) == ("CIFAR-10-C", CIFAR_10_C)
    assert strengths(224) == ("ImageNet-C", IMAGENET_C)
    for table in (IMAGENET_C, CIFAR_10_C):
        assert list(table) == list(CORRUPTIONS)
        assert all(len(levels) == len(SEVERITIES) for levels in table.values())
    grey = torch.full((1, 3, 32, 32), 100, dtype=torch.uint8)
    assert corrupt(grey, "brightness", 1, ids=["a"]).unique().tolist() == [112]
    assert corrupt(grey.repeat(1, 1, 3, 3), "brightness", 1, ids=["a"]).unique().tolist() == [125]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", IDENTICAL)
def test_what_draws_nothing_is_the_packages_to_the_bit(name: str, severity: int) -> None:
    assert np.array_equal(ours(name, picture(), severity), theirs(name, picture(), severity))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", ROUNDED)
def test_what_draws_nothing_differs_by_a_rounding_at_most(name: str, severity: int) -> None:
    difference = np.abs(ours(name, picture(), severity).astype(int) - theirs(name, picture(), severity))
    assert difference.max() <= 1
    assert difference.mean() < 0.1


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_has_the_packages_statistics(name: str, severity: int) -> None:
    image, draws = picture(), 2 if name == "glass_blur" else 8  # the package takes a second for one of glass
    first, second = (
        np.stack([make(name, image, severity, seed) for seed in range(draws)]).astype(float) for make in (ours, theirs)
    )
    scale = np.abs(second - image).mean()
    assert np.abs(first - image).mean() == pytest.approx(scale, rel=RANDOM[name])
    assert first.mean() == pytest.approx(second.mean(), abs=max(1.0, RANDOM[name] * scale))
    assert first.std() == pytest.approx(second.std(), rel=0.15 if name == "fog" else 0.05)


def test_frost_is_one_of_the_packages_photographs() -> None:
    published_corruptions()
    assert corruptions.frost_origin() == "imagecorruptions"
    image = np.zeros((224, 224, 3), dtype=np.uint8)
    first, second = (
        np.stack([make("frost", image, 3, seed) for seed in range(60)]).astype(float) for make in (ours, theirs)
    )
    assert first.mean() == pytest.approx(second.mean(), rel=0.1)
    assert first[..., 2].mean() > first[..., 0].mean()  # bluish: the channels are in order


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_an_image_is_corrupted_alike_whatever_the_batch_the_order_and_the_workers(name: str) -> None:
    images = torch.stack([torch.from_numpy(picture(40, seed)).permute(2, 0, 1) for seed in range(4)])
    ids = ["a", "b/c.jpg", "d e", "ü"]
    together = corrupt(images, name, 2, ids=ids, seed=5)
    assert together.shape == images.shape
    assert together.dtype == torch.uint8
    assert torch.equal(corrupt(images, name, 2, ids=ids, seed=5, workers=3), together)
    backwards = corrupt(images.flip(0), name, 2, ids=ids[::-1], seed=5)
    assert torch.equal(backwards.flip(0), together)
    for row, id in enumerate(ids):
        assert torch.equal(corrupt(images[row : row + 1], name, 2, ids=[id], seed=5)[0], together[row])


@pytest.mark.parametrize("name", [*RANDOM, "frost", "elastic_transform"])
def test_ids_and_seeds_decide_the_draws(name: str) -> None:
    image = torch.from_numpy(picture(64)).permute(2, 0, 1)[None]
    first = corrupt(image, name, 5, ids=["a"])
    assert not torch.equal(corrupt(image, name, 5, ids=["b"]), first)
    assert not torch.equal(corrupt(image, name, 5, ids=["a"], seed=1), first)


@pytest.mark.parametrize("name", [name for name in MAIN if name not in ("elastic_transform", "glass_blur")])
def test_a_higher_severity_is_farther_from_the_image(name: str) -> None:
    image = picture(96)
    distances = [np.abs(ours(name, image, severity).astype(float) - image).mean() for severity in (1, 3, 5)]
    assert distances[0] < distances[1] or name == "frost"
    assert distances[0] < distances[2] or name == "frost"


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 32, 32), (3, 20, 33)])
def test_any_size_and_grey_pictures(name: str, shape: tuple[int, int, int]) -> None:
    draw = np.random.default_rng(0)
    images = torch.from_numpy(draw.integers(0, 256, (2, *shape), dtype=np.uint8))
    for severity in SEVERITIES:
        corrupted = corrupt(images, name, severity, ids=["a", "b"])
        assert corrupted.shape == images.shape
        assert corrupted.dtype == torch.uint8


def test_black_pictures_stay_finite() -> None:
    black = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    for name in CORRUPTIONS:
        assert corrupt(black, name, 5, ids=["a"]).shape == black.shape
    assert corrupt(black, "brightness", 1, ids=["a"]).unique().tolist() == [12]
