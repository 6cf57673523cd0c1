import math

import numpy as np
import torch

from noisystudent.noise.geometry import (
    affine_bilinear,
    affine_nearest,
    rotation,
    shear_x,
    shear_y,
    translation,
)


def picture(height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 2, height, width), dtype=np.uint8))


def test_quarter_turns_are_exact_permutations_of_the_pixels() -> None:
    square = picture(7, 7)
    for quarters in range(-3, 4):
        matrices = rotation(torch.tensor([quarters * math.pi / 2]), 7, 7)
        for warp in (affine_bilinear, lambda images, m: affine_nearest(images, m, fill=128)):
            # A positive angle looks up the pixel that is turned from x towards y, so the picture turns the other way.
            assert torch.equal(warp(square, matrices), torch.rot90(square, quarters, dims=(2, 3)))


def test_a_turn_keeps_the_center_of_an_oblong_picture() -> None:
    matrices = rotation(torch.tensor([0.7, -2.0]), 5, 9)
    center = torch.tensor([4.0, 2.0, 1.0])
    assert torch.allclose(matrices @ center, torch.tensor([4.0, 2.0]).expand(2, 2), atol=1e-5)


def test_matrices_are_the_published_transforms() -> None:
    amounts = torch.tensor([0.25, -1.5])
    assert shear_x(amounts).tolist() == [[[1, a, 0], [0, 1, 0]] for a in (0.25, -1.5)]
    assert shear_y(amounts).tolist() == [[[1, 0, 0], [a, 1, 0]] for a in (0.25, -1.5)]
    assert translation(amounts, amounts.flip(0)).tolist() == [
        [[1, 0, 0.25], [0, 1, -1.5]],
        [[1, 0, -1.5], [0, 1, 0.25]],
    ]


def test_each_image_of_a_batch_has_its_own_matrix() -> None:
    images = picture(6, 6).expand(3, -1, -1, -1)
    offsets = torch.tensor([0.0, 2.0, -1.0])
    moved = affine_nearest(images, translation(offsets, torch.zeros(3)), fill=9)
    assert torch.equal(moved[0], images[0])
    assert torch.equal(moved[1, :, :, :4], images[0, :, :, 2:])
    assert torch.equal(moved[2, :, :, 1:], images[0, :, :, :5])
    assert moved[1, :, :, 4:].unique().tolist() == [9]
    assert moved[2, :, :, 0].unique().tolist() == [9]


def test_bilinear_sampling_averages_the_neighbors() -> None:
    row = torch.tensor([0, 100, 200, 50], dtype=torch.uint8).view(1, 1, 1, 4).expand(1, 1, 2, 4)
    moved = affine_bilinear(row.contiguous(), translation(torch.tensor([0.25]), torch.tensor([0.0])))
    assert moved[0, 0, 0].tolist() == [25, 125, 162, 50]  # 162.5 is rounded to even; the border is continued
