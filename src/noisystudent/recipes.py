"""Named recipes: functions that return a whole configuration but for the data. Each says its command, its cost and what to expect."""

from __future__ import annotations

from collections.abc import Callable

from noisystudent.config import Config, Data, Generation, Noise, RandAugment, Selection, Training
from noisystudent.errors import UserError


def digits() -> Config:
    """noisystudent demo."""
    noise = Noise(
        crop="pad", crop_padding=2, flip=False, cutout=5, randaugment=RandAugment(magnitude=8, ops=HANDWRITING)
    )
    teacher = Training(
        model="resnet9_16",
        model_args={"blocks": [0, 0, 0]},
        image_size=16,
        drop_rate=0.2,
        noise=noise,
        steps=300,
        batch_size=32,
        learning_rate=0.05,
        warmup_steps=30,
        weight_decay=5e-4,
        ema_decay=0.98,
    )
    student = teacher.model_copy(update={"unlabeled_ratio": 3.0})
    wider = student.model_copy(update={"model": "resnet9_24"})
    return Config(
        recipe="digits",
        data=Data(channels=1),
        teacher=teacher,
        generations=tuple(Generation(student=s, select=Selection(threshold=0.0)) for s in (student, wider, wider)),
    )


HANDWRITING = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y", "brightness", "contrast")

RECIPES: dict[str, Callable[[], Config]] = {"digits": digits}


def recipe(name: str) -> Config:
    """The configuration of a named recipe.

    Raises:
        UserError: there is none of that name.
    """
    if name not in RECIPES:
        raise UserError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]()


def summary(name: str) -> str:
    """What a recipe is for: the first line of its docstring."""
    return (RECIPES[name].__doc__ or "").strip().splitlines()[0]
