"""Pictures that a Python program has in its hands, one or many, as a network wants them."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image

from noisystudent.addresses import scheme
from noisystudent.data.decoding import UnreadableImage, decoded, eval_view, opened_picture, read_bytes
from noisystudent.data.images import Viewing
from noisystudent.data.written_paths import written_uris
from noisystudent.errors import UserError, some

GivenImage: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | np.ndarray | torch.Tensor
CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency


def each_of(images: GivenImage | Iterable[GivenImage]) -> tuple[list[GivenImage], bool]:
    """The images given, and whether it was a single one.

    One is a path, an address, encoded bytes, a picture of Pillow's, an array [H, W] or [H, W, C], a tensor [H, W] or [C, H, W]. Many are
    any of them in a list or the like, an array [N, H, W, C], a tensor [N, C, H, W].

    Raises:
        UserError: an array or tensor of another shape.

    Example:
        >>> len(each_of(np.zeros((5, 8, 8, 3), np.uint8))[0]), each_of("cat.jpg")
        (5, (['cat.jpg'], True))
    """
    if isinstance(images, (str, bytes, os.PathLike, Image.Image)):
        return [images], True
    if isinstance(images, (np.ndarray, torch.Tensor)) and not _holds_objects(images):
        one = images.ndim < 4
        return [images] if one else list(images), one
    return list(images), False


def _holds_objects(images: np.ndarray | torch.Tensor) -> bool:
    """An array of paths or of pictures is a list of them."""
    return isinstance(images, np.ndarray) and images.dtype.kind in "OUS"


def given_pixels(images: Sequence[GivenImage], view: Viewing, *, first: int = 0, threads: int = 1) -> torch.Tensor:
    """The pictures as `view` has a network see them: decoded, cut and resized as those of a source are.

    Args:
        images: as `each_of` gives them.
        view: how the network wants them.
        first: the number of the first, for messages.
        threads: that decode.

    Returns:
        uint8 [n, channels, size, size].

    Raises:
        UserError: naming those that cannot be read, with the reasons.

    Example:
        >>> from types import SimpleNamespace
        >>> view = SimpleNamespace(image_size=2, channels=1, crop_pct=1.0)
        >>> given_pixels([np.full((2, 2), 7, np.uint8), torch.zeros(3, 4, 4)], view).flatten().tolist()
        [7, 7, 7, 7, 0, 0, 0, 0]
    """
    pixels = np.zeros((len(images), view.channels, view.image_size, view.image_size), np.uint8)
    problems: dict[int, str] = {}

    def fill(position: int) -> None:
        try:
            pixels[position] = _seen(images[position], view).transpose(2, 0, 1)
        except UnreadableImage as reason:
            problems[position] = f"{_named(images[position], first + position)}: {reason}"

    if threads > 1 and len(images) > 1:
        with ThreadPoolExecutor(min(threads, len(images)), "decode") as pool:
            list(pool.map(fill, range(len(images))))
    else:
        for position in range(len(images)):
            fill(position)
    if problems:
        raise UserError([problems[position] for position in sorted(problems)])
    return torch.from_numpy(pixels)


def encoded(image: GivenImage) -> bytes:
    """The picture as a source can hold it: a file's own bytes, and of pixels a PNG, which keeps every one of them.

    Raises:
        UnreadableImage: it is none.

    Example:
        >>> encoded(np.zeros((2, 2), np.uint8))[1:4]
        b'PNG'
    """
    if isinstance(image, (str, os.PathLike)):
        return read_bytes(_address(image))
    if isinstance(image, bytes):
        return image
    picture = _opened(image)
    buffer = io.BytesIO()
    opened_picture(picture, channels=1 if picture.mode == "L" else 3).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _opened(image: GivenImage) -> Image.Image:
    """A picture of Pillow's, of one or of pixels."""
    if isinstance(image, (np.ndarray, torch.Tensor)):
        return _picture(_in_rows(image))
    if isinstance(image, Image.Image):
        return image
    raise UnreadableImage(
        f"{type(image).__name__} is no image: give a path, bytes, a Pillow image, an array or a tensor"
    )


def _named(image: GivenImage, number: int) -> str:
    return some([os.fspath(image)]) if isinstance(image, (str, os.PathLike)) else f"image {number}"


def _seen(image: GivenImage, view: Viewing) -> np.ndarray:
    """uint8 [size, size, channels]."""
    if isinstance(image, (str, os.PathLike)):
        image = read_bytes(_address(image))
    if isinstance(image, bytes):
        at_least = math.ceil(view.image_size / view.crop_pct)
        with decoded(image, channels=view.channels, at_least=at_least) as picture:
            return eval_view(picture, size=view.image_size, crop_pct=view.crop_pct)
    picture = opened_picture(_opened(image), channels=view.channels)
    return eval_view(picture, size=view.image_size, crop_pct=view.crop_pct)


def _address(path: str | os.PathLike[str]) -> str:
    """The address of a file on this machine, named as a row of a table would name it."""
    name = os.fspath(path)
    if scheme(name):
        raise UnreadableImage("is on another machine: download it first")
    if os.path.isdir(os.path.expanduser(name)):
        raise UnreadableImage("is a folder: noisystudent.predict takes folders, tables and shards")
    (address,), _ = written_uris(os.getcwd(), [name])
    return address


def _in_rows(image: np.ndarray | torch.Tensor) -> np.ndarray:
    """[H, W] or [H, W, C], of an array so laid out, or of a tensor [C, H, W] as torchvision has them."""
    shape = tuple(image.shape)
    if isinstance(image, torch.Tensor):
        if image.ndim == 3 and shape[0] not in CHANNELS:
            raise UnreadableImage(
                f"a tensor {list(shape)} is no image [C, H, W] of 1, 3 or 4 channels; many are [N, C, H, W]"
            )
        image = (image.movedim(0, -1) if image.ndim == 3 else image).detach().cpu().numpy()
    elif image.ndim == 3 and shape[-1] not in CHANNELS:
        raise UnreadableImage(
            f"an array {list(shape)} is no image [H, W, C] of 1, 3 or 4 channels; many are [N, H, W, C]"
        )
    if image.ndim not in (2, 3):
        raise UnreadableImage(f"{list(shape)} is not the shape of an image")
    return image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image


def _picture(pixels: np.ndarray) -> Image.Image:
    """Of bytes as they are, or of floats between 0 and 1."""
    if 0 in pixels.shape:
        raise UnreadableImage("no pixels")
    if pixels.dtype.kind == "f":
        if not (pixels.min() >= 0 and pixels.max() <= 1):  # so written that NaN is refused as well
            raise UnreadableImage("floats are taken between 0 and 1, not normalized: that the classifier does")
        pixels = np.round(np.asarray(pixels, np.float64) * 255).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise UnreadableImage(f"pixels of type {pixels.dtype}: give uint8, or floats between 0 and 1")
    return Image.fromarray(np.ascontiguousarray(pixels))
