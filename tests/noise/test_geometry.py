import math

import numpy as np
import pytest
import torch

from noisystudent.noise import geometry


def picture(height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 2, height, width), dtype=np.uint8))


def test_quarter_turns_are_exact_permutations_of_the_pixels() -> None:
    square = picture(7, 7)
    for quarters in range(-3, 4):
        turned = geometry.rotation(torch.tensor([quarters * math.pi / 2]), 7, 7)
        # A positive angle looks up the pixel that is turned from x towards y, so the picture turns the other way.
        expected = torch.rot90(square, quarters, dims=(2, 3))
        assert torch.equal(geometry.bilinear(square, turned), expected)
        assert torch.equal(geometry.nearest(square, turned, fill=128), expected)


def test_a_turn_keeps_the_center_of_an_oblong_picture() -> None:
    x, y = geometry.rotation(torch.tensor([0.7, -2.0]), 5, 9)
    assert torch.allclose(x[:, 2, 4], torch.tensor(4.0), atol=1e-5)
    assert torch.allclose(y[:, 2, 4], torch.tensor(2.0), atol=1e-5)


def test_positions_are_the_published_transforms() -> None:
    amounts = torch.tensor([0.25, -1.5])
    of = {
        name: torch.broadcast_tensors(*getattr(geometry, name)(amounts, 3, 4), torch.empty(2, 3, 4))
        for name in ("shear_x", "shear_y", "translation_x", "translation_y")
    }
    for image, amount in enumerate(amounts.tolist()):
        for y in range(3):
            for x in range(4):
                seen = {name: (float(xs[image, y, x]), float(ys[image, y, x])) for name, (xs, ys, _) in of.items()}
                assert seen == {
                    "shear_x": (x + amount * y, y),
                    "shear_y": (x, y + amount * x),
                    "translation_x": (x + amount, y),
                    "translation_y": (x, y + amount),
                }


def test_each_image_of_a_batch_has_its_own_positions() -> None:
    images = picture(6, 6).expand(3, -1, -1, -1)
    moved = geometry.nearest(images, geometry.translation_x(torch.tensor([0.0, 2.0, -1.0]), 6, 6), fill=9)
    assert torch.equal(moved[0], images[0])
    assert torch.equal(moved[1, :, :, :4], images[0, :, :, 2:])
    assert torch.equal(moved[2, :, :, 1:], images[0, :, :, :5])
    assert moved[1, :, :, 4:].unique().tolist() == [9]
    assert moved[2, :, :, 0].unique().tolist() == [9]


def test_bilinear_sampling_averages_the_neighbors() -> None:
    row = torch.tensor([0, 100, 200, 50], dtype=torch.uint8).view(1, 1, 1, 4).expand(1, 1, 2, 4).contiguous()
    moved = geometry.bilinear(row, geometry.translation_x(torch.tensor([0.25]), 2, 4))
    assert moved[0, 0, 0].tolist() == [25, 125, 162, 50]  # 162.5 is rounded to even; the border is continued
    assert torch.equal(geometry.slide_rows(row, torch.tensor([0.25]).view(1, 1, 1)), moved)


@pytest.mark.parametrize("amount", [-40.0, -2.75, -0.5, 0.0, 0.3, 1.0, 7.25, 40.0])
def test_rows_and_columns_slide_as_bilinear_sampling_moves_them(amount: float) -> None:
    images = torch.cat((picture(9, 13), picture(9, 13).flip(3)))
    pixels = torch.tensor([amount, -amount / 3])
    along_x = geometry.bilinear(images, geometry.translation_x(pixels, 9, 13)).int()
    along_y = geometry.bilinear(images, geometry.translation_y(pixels, 9, 13)).int()
    # grid_sample counts positions as shares of the side: its float32 now and then rounds the other way.
    assert int((geometry.slide_rows(images, pixels.view(2, 1, 1)).int() - along_x).abs().max()) <= 1
    assert int((geometry.slide_columns(images, pixels.view(2, 1, 1)).int() - along_y).abs().max()) <= 1


def test_each_row_or_column_slides_by_its_own_pixels() -> None:
    images = picture(5, 6)
    rows = geometry.slide_rows(images, torch.arange(5.0).view(1, 5, 1))
    columns = geometry.slide_columns(images, -torch.arange(6.0).view(1, 1, 6))
    for y in range(5):
        for x in range(6):
            assert torch.equal(rows[..., y, x], images[..., y, min(x + y, 5)])
            assert torch.equal(columns[..., y, x], images[..., max(y - x, 0), x])


def test_images_of_more_places_than_an_int32_numbers_slide_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(256, (2, 3, 9, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pixels = torch.tensor([1.25, -2.5]).view(2, 1, 1)
    few = [slide(images, pixels) for slide in (geometry.slide_rows, geometry.slide_columns)]
    monkeypatch.setattr(geometry, "MOST_PLACES", images.numel() - 1)
    for slide, wanted in zip((geometry.slide_rows, geometry.slide_columns), few, strict=True):
        assert torch.equal(slide(images, pixels), wanted)
