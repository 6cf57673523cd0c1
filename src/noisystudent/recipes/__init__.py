"""Named recipes: functions that return a whole configuration but for the data. Each says its command, its cost and what to expect."""

from __future__ import annotations

from collections.abc import Callable

from noisystudent.config import Config
from noisystudent.errors import UserError, meant
from noisystudent.recipes import photos, published, small_images

RECIPES: dict[str, Callable[[], Config]] = {
    "photos-fast": photos.photos_fast,
    "photos-instant": photos.photos_instant,
    "photos-scratch": photos.photos_scratch,
    "cifar10": small_images.cifar10,
    "cifar10-gpu": small_images.cifar10_gpu,
    "fashion-mnist": small_images.fashion_mnist,
    "digits": small_images.digits,
    **published.RECIPES,
}


def recipe(name: str) -> Config:
    """The configuration of a named recipe.

    Raises:
        UserError: there is none of that name.
    """
    if name not in RECIPES:
        raise UserError(f"there is no recipe {name!r}{meant(name, RECIPES)}; there are {', '.join(RECIPES)}")
    return RECIPES[name]()


def summary(name: str) -> str:
    """What a recipe is for: the first line of its docstring."""
    return (RECIPES[name].__doc__ or "").strip().splitlines()[0]


def sources(name: str) -> dict[str, str]:
    """Where the values of a published recipe come from, by the name of the setting; empty for our own."""
    return published.SOURCES if name in published.RECIPES else {}
