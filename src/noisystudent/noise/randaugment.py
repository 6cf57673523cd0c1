"""RandAugment (Cubuk et al. 2019, arXiv 1909.13719) on batches of uint8 images, in the two readings that matter.

`official` is what Noisy Student's released code does (spec section 1.5): every drawn operation is applied, levels above 10 are not
clamped, translations are absolute pixels, the contrast "mean" is the pixel count over 256, sampling is nearest-neighbour, and what is
moved in from outside is grey (128).

`clamped` is the sane variant: each image draws its level evenly from 0 to the magnitude (as FixMatch does, arXiv 2001.07685) or has the
magnitude itself (`level = "fixed"`), levels stop at 10, lengths are relative to the image, contrast uses the real mean, sampling is
bilinear and the border is continued. Level 0 changes no pixel and every operation grows with its level, but for those of WITHOUT_LEVEL,
which always do the same: a magnitude of 0 still inverts, equalizes and stretches; `ops` leaves them out.

Each image draws its own operations and signs; images that drew the same operation are changed together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from noisystudent.config import RandAugment
from noisystudent.errors import UserError
from noisystudent.noise.draws import Draws
from noisystudent.noise.geometry import (
    bilinear,
    nearest,
    rotation,
    shear_x,
    shear_y,
    slide_columns,
    slide_rows,
    translation_x,
    translation_y,
)
from noisystudent.noise.pixels import at_least, choose, histograms, look_up, to_bytes

GREY = 128
CPU = torch.device("cpu")
GREY_WEIGHTS = (0.2989, 0.587, 0.114)  # as in tf.image.rgb_to_grayscale
SMALL_IMAGE = (
    64  # the released code's small-image variant measures cutout and translation in eighths of the side (spec 1.4)
)


@dataclass(frozen=True)
class Level:
    """What an operation may need to know beside the images.

    `fractions` is each image's level over 10 and `signs` its direction, float64 [n, 1, 1, 1] on the processor: not every GPU has
    float64. What the methods make of them is on the images' `device`.
    """

    fractions: Tensor
    signs: Tensor
    official: bool
    draws: Draws
    device: torch.device = CPU

    def whole(self, scale: float) -> Tensor:
        """int(scale * level / 10) of each image, int32 [n, 1, 1, 1]."""
        return (scale * self.fractions).int().to(self.device)

    def nearest(self, scale: float) -> Tensor:
        """scale * level / 10 rounded, int32 [n, 1, 1, 1]."""
        return (scale * self.fractions).round().int().to(self.device)

    def factors(self) -> Tensor:
        """Enhancement factors [n, 1, 1, 1]: 1 leaves an image as it is."""
        factors = 1.8 * self.fractions + 0.1 if self.official else 1 + 0.9 * self.fractions * self.signs
        return factors.float().to(self.device)

    def signed(self, scale: float) -> Tensor:
        """scale * level / 10 in each image's direction, float32 [n]."""
        return (scale * self.fractions * self.signs).flatten().float().to(self.device)


Operation = Callable[[Tensor, Level], Tensor]


def augment(images: Tensor, config: RandAugment, draws: Draws) -> Tensor:
    """Apply RandAugment to a batch.

    Args:
        images: uint8 [N, C, H, W], C of 1 or 3, on any device.
        config: magnitude, number of operations an image, semantics, and which operations to draw from.
        draws: of the N images; on the processor, so that they do not depend on the device.

    Returns:
        uint8 [N, C, H, W], a new tensor.

    Raises:
        UserError: `config.ops` names an operation that does not exist.

    Example:
        >>> images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
        >>> augment(images, RandAugment(ops=("invert",), num_ops=1), Draws(torch.Generator(), 2)).unique().tolist()
        [255]
    """
    names = operation_names(config.ops)
    for _ in range(config.num_ops):
        drawn, of_operation = draws.split(len(names))
        signs = draws.integers(2).view(-1, 1, 1, 1).double() * 2 - 1
        fractions = _fractions(len(images), config, draws)
        # Images of the same operation lie together, and go back as one: index_select copies whole images twenty times as fast as
        # indexing and index_copy_ do.
        order = drawn.argsort(stable=True)
        counts = drawn.bincount(minlength=len(names)).tolist()
        by_operation = [
            torch.split(values.index_select(0, order.to(values.device)), counts)
            for values in (images, signs, fractions)
        ]
        changed = [
            OPERATIONS[name](group, Level(fraction, sign, config.semantics == "official", its, images.device))
            for name, its, group, sign, fraction in zip(names, of_operation, *by_operation, strict=True)
            if len(group) or (its.total and name in DRAWING)
        ]
        images = torch.cat(changed or [images]).index_select(0, order.argsort().to(images.device))
    return images


def _fractions(count: int, config: RandAugment, draws: Draws) -> Tensor:
    """Each image's level over 10, float64 [count, 1, 1, 1]."""
    magnitude = config.magnitude if config.semantics == "official" else min(config.magnitude, 10.0)
    if config.semantics == "official" or config.level == "fixed":
        return torch.full((count, 1, 1, 1), magnitude / 10, dtype=torch.float64)
    return draws.shares(torch.float64).view(-1, 1, 1, 1) * magnitude / 10


def operation_names(names: Sequence[str]) -> list[str]:
    """The operations to draw from; all of them when none is named."""
    unknown = [name for name in names if name not in OPERATIONS]
    if unknown:
        raise UserError(f"randaugment.ops: there is no {', '.join(unknown)}; there are {', '.join(OPERATIONS)}")
    return list(names) or list(OPERATIONS)


def auto_contrast(images: Tensor, _: Level) -> Tensor:
    """Stretch each channel to 0..255."""
    low = images.amin(dim=(2, 3), keepdim=True).float()
    high = images.amax(dim=(2, 3), keepdim=True).float()
    flat = high == low  # stays as it is
    scale = torch.where(flat, 1, 255 / (high - low))
    return to_bytes(images.float().mul_(scale).sub_(torch.where(flat, 0, low * scale)))


def equalize(images: Tensor, _: Level) -> Tensor:
    """Flatten each channel's histogram."""
    histogram = histograms(images)
    values = torch.arange(256, device=images.device)
    last = torch.where(histogram > 0, values, -1).amax(dim=1, keepdim=True)
    step = (images.shape[2] * images.shape[3] - histogram.gather(1, last)) // 255
    table = (histogram.cumsum(1) + step // 2) // step.clamp(min=1)
    table = F.pad(table[:, :-1], (1, 0)).clamp(0, 255)
    return look_up(torch.where(step > 0, table, values).to(torch.uint8), images)


def invert(images: Tensor, _: Level) -> Tensor:
    return 255 - images


def posterize(images: Tensor, level: Level) -> Tensor:
    """Keep the highest bits: int(4 L) of them as published (more with a higher level), 8 - round(4 L) in the sane variant."""
    shift = level.nearest(4)
    if level.official:
        # 9 or 10 bits make the uint8 shift wrap around; TensorFlow limits what is above 7 to 7, and so no bits at all too (spec 1.5).
        shift = ((8 - level.whole(4)) % 256).clamp(max=7)
    return (images >> shift.to(torch.uint8)) << shift.to(torch.uint8)


def solarize(images: Tensor, level: Level) -> Tensor:
    """Invert what is at least as bright as a threshold; as published the threshold wraps around at 256 (spec 1.5)."""
    threshold = level.whole(256) % 256 if level.official else 256 - level.whole(256)
    return images ^ at_least(images, threshold.short())  # 255 - x is x with all bits inverted


def solarize_add(images: Tensor, level: Level) -> Tensor:
    """Add to what is darker than 128."""
    added = (images.short() + level.whole(110).short()).clamp_(0, 255).to(torch.uint8)
    return choose(at_least(images, 128), images, added)


def color(images: Tensor, level: Level) -> Tensor:
    return blend(grey(images).float(), images, level.factors())


def contrast(images: Tensor, level: Level) -> Tensor:
    """Towards or away from one grey: the picture's mean, or as published its pixel count over 256 (spec 1.5)."""
    if level.official:
        mean = torch.full((len(images), 1, 1, 1), float(min(images[0, 0].numel() // 256, 255)), device=images.device)
    else:
        mean = grey(images).float().mean(dim=(1, 2, 3), keepdim=True).round()
    return blend(mean, images, level.factors())


def brightness(images: Tensor, level: Level) -> Tensor:
    return to_bytes(images.float().mul_(level.factors()))


def sharpness(images: Tensor, level: Level) -> Tensor:
    """Away from, or towards, a 3x3 smoothing; the outermost pixels stay as they are."""
    # The kernel is 1 all around and 5 in the middle, over 13. Whole numbers, so that a flat area stays what it is on every device.
    whole = images.short()
    rows = (whole[..., :-2] + whole[..., 1:-1]).add_(whole[..., 2:])
    sums = (rows[:, :, :-2] + rows[:, :, 1:-1]).add_(rows[:, :, 2:]).add_(whole[:, :, 1:-1, 1:-1], alpha=4)
    # The half keeps rounding from carrying an exact multiple of 13 below itself.
    smooth = sums.float().add_(0.5).div_(13).floor_()
    sharp = images.clone()
    sharp[:, :, 1:-1, 1:-1] = blend(smooth, images[:, :, 1:-1, 1:-1], level.factors())
    return sharp


def rotate(images: Tensor, level: Level) -> Tensor:
    positions = rotation(level.signed(math.radians(30)), *images.shape[2:])
    return nearest(images, positions, fill=GREY) if level.official else bilinear(images, positions)


def shear_along_x(images: Tensor, level: Level) -> Tensor:
    amounts = level.signed(0.3)
    if level.official:
        return nearest(images, shear_x(amounts, *images.shape[2:]), fill=GREY)
    return slide_rows(images, amounts.view(-1, 1, 1) * torch.arange(images.shape[2], device=images.device).view(-1, 1))


def shear_along_y(images: Tensor, level: Level) -> Tensor:
    amounts = level.signed(0.3)
    if level.official:
        return nearest(images, shear_y(amounts, *images.shape[2:]), fill=GREY)
    return slide_columns(images, amounts.view(-1, 1, 1) * torch.arange(images.shape[3], device=images.device))


def translate_x(images: Tensor, level: Level) -> Tensor:
    pixels = level.signed(_translation(images.shape[3], level))
    if level.official:
        return nearest(images, translation_x(pixels, *images.shape[2:]), fill=GREY)
    return slide_rows(images, pixels.view(-1, 1, 1))


def translate_y(images: Tensor, level: Level) -> Tensor:
    pixels = level.signed(_translation(images.shape[2], level))
    if level.official:
        return nearest(images, translation_y(pixels, *images.shape[2:]), fill=GREY)
    return slide_columns(images, pixels.view(-1, 1, 1))


def cutout(images: Tensor, level: Level) -> Tensor:
    """Grey out a square around a random pixel, cut off at the border: 2 int(40 L) wide, or up to 0.4 of the side."""
    side = min(images.shape[2:])
    published = level.whole(side // 8 if side <= SMALL_IMAGE else 40)
    half = published if level.official else level.nearest(0.2 * side)
    return grey_square(images, half, level.draws)


def grey_square(images: Tensor, half: int | Tensor, draws: Draws) -> Tensor:
    """Grey out, in each image, the square of side `2 * half` ([n, 1, 1, 1], or one for all) around a pixel drawn uniformly."""
    height, width = images.shape[2:]
    center_y = draws.integers(height).view(-1, 1, 1, 1).to(images.device)
    center_x = draws.integers(width).view(-1, 1, 1, 1).to(images.device)
    rows = torch.arange(height, device=images.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=images.device).view(1, 1, 1, -1)
    inside_y = ((rows >= center_y - half) & (rows < center_y + half)).to(torch.uint8) * 255
    inside_x = ((columns >= center_x - half) & (columns < center_x + half)).to(torch.uint8) * 255
    return choose(inside_y & inside_x, torch.tensor(GREY, dtype=torch.uint8, device=images.device), images)


def blend(degenerate: Tensor, images: Tensor, factors: Tensor) -> Tensor:
    """degenerate + factor (image - degenerate), cut off at 0 and 255 and towards zero, as the released code does."""
    return to_bytes(images.float().sub_(degenerate).mul_(factors).add_(degenerate))


def grey(images: Tensor) -> Tensor:
    """Luminance, uint8 [N, 1, H, W]; TensorFlow scales by 255.5 on the way back to integers."""
    if images.shape[1] == 1:
        return images
    red, green, blue = (images[:, i : i + 1].float().div_(255).mul_(weight) for i, weight in enumerate(GREY_WEIGHTS))
    return to_bytes(red.add_(green).add_(blue).mul_(255.5))


def _translation(side: int, level: Level) -> float:
    """Pixels at level 10."""
    if level.official:
        return side // 8 if side <= SMALL_IMAGE else 100
    return 0.45 * side


OPERATIONS: dict[str, Operation] = {
    "auto_contrast": auto_contrast,
    "equalize": equalize,
    "invert": invert,
    "rotate": rotate,
    "posterize": posterize,
    "solarize": solarize,
    "color": color,
    "contrast": contrast,
    "brightness": brightness,
    "sharpness": sharpness,
    "shear_x": shear_along_x,
    "shear_y": shear_along_y,
    "translate_x": translate_x,
    "translate_y": translate_y,
    "solarize_add": solarize_add,
    "cutout": cutout,
}
DRAWING = ("cutout",)  # draw for images of other micro-batches too
WITHOUT_LEVEL = ("auto_contrast", "equalize", "invert")
