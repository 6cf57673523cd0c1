"""Named recipes: functions that return a whole configuration but for the data. Each says its command, its cost and what to expect."""

from __future__ import annotations

from collections.abc import Callable

from noisystudent.config import Config, Data, Generation, Noise, RandAugment, Selection, Training
from noisystudent.errors import UserError


def digits() -> Config:
    """The demo: scikit-learn's 8-pixel digits, 20 of them labeled.

    noisystudent demo

    About a minute of one core. Of 500 test pictures (mean of 5 draws of the labels): teacher 86 %, students 91, 91, 92, 93 and 94 %
    (the last from 91 to 95), baseline 83 %; without noise the last student reaches 91 %. `benchmarks/digits.py` measures it.
    """
    moved_and_shaded = RandAugment(magnitude=8, ops=(*MOVES, "brightness", "contrast"))
    # Digits already go from black to white, so that auto_contrast leaves them as they are: one draw in six does nothing.
    moved = RandAugment(magnitude=4, ops=(*MOVES, "auto_contrast"))
    teacher = Training(
        model="resnet9_16",
        model_args={"blocks": [0, 0, 0]},
        image_size=16,
        drop_rate=0.2,
        noise=Noise(crop="none", flip=False, randaugment=moved_and_shaded),
        steps=300,
        batch_size=32,
        learning_rate=0.05,
        warmup_steps=30,
        ema_decay=0.98,
    )
    student = teacher.model_copy(
        update={
            "image_size": 8,
            "unlabeled_ratio": 3.0,
            "noise": Noise(crop="none", flip=False, randaugment=moved, cutout=2),
        }
    )
    # Two labels a class make a poor teacher, but the third of each class that it is surest of is nearly all right. Every
    # student is a better judge than its teacher was, and hands on more.
    return Config(
        recipe="digits",
        data=Data(channels=1),
        teacher=teacher,
        generations=tuple(
            Generation(student=student, select=Selection(threshold=0.0, per_class=surest))
            for surest in (40, 60, 84, 104, 120)
        ),
    )


MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")


def fashion_mnist() -> Config:
    """Grey 28-pixel pictures of clothes; a start for any small grey images.

    noisystudent run --recipe fashion-mnist --labeled labeled/ --unlabeled unlabeled/ --out run/

    About 15 minutes on two cores. Its accuracy has not been measured yet.
    """
    noise = Noise(crop="pad", crop_padding=2, flip=True, cutout=8, randaugment=RandAugment(magnitude=3, num_ops=1))
    teacher = Training(
        model="resnet9_16",
        image_size=28,
        drop_rate=0.1,
        noise=noise,
        steps=600,
        batch_size=64,
        learning_rate=0.1,
        warmup_steps=60,
        ema_decay=0.99,
    )
    first = teacher.model_copy(update={"steps": 1500, "batch_size": 32, "unlabeled_ratio": 3.0})
    second = first.model_copy(update={"model": "resnet9_24", "drop_path_rate": 0.1})
    balanced = Selection(threshold=0.0, per_class="mean")
    return Config(
        recipe="fashion-mnist",
        data=Data(channels=1),
        teacher=teacher,
        generations=tuple(Generation(student=student, select=balanced) for student in (first, second)),
    )


def cifar10() -> Config:
    """Small color pictures; a start for any images of about 32 pixels, with some hundred labels a class.

    noisystudent run --recipe cifar10 --labeled labeled/ --unlabeled unlabeled/ --out run/

    About 45 minutes of one core. With 4,000 labels of CIFAR-10 (one seed, test images): teacher 73.8 %, students 75.2 and 75.5 %, and
    the compute-matched baseline 77.3 %: at this budget the unlabeled images do not pay yet (docs/small-images.md).
    """
    noise = Noise(crop="pad", crop_padding=4, cutout=10, randaugment=RandAugment(magnitude=10, num_ops=1))
    teacher = Training(
        model="resnet8_16",
        image_size=32,
        noise=noise,
        steps=2000,
        batch_size=128,
        learning_rate=0.1,
        warmup_steps=200,
        ema_decay=0.99,
    )
    first = teacher.model_copy(update={"steps": 3500, "batch_size": 16, "unlabeled_ratio": 7.0, "warmup_steps": 350})
    second = first.model_copy(update={"model": "resnet8_24", "steps": 3000, "warmup_steps": 300})
    everything = Selection(threshold=0.0)
    return Config(
        recipe="cifar10",
        teacher=teacher,
        generations=tuple(Generation(student=student, select=everything) for student in (first, second)),
    )


def photos_fast() -> Config:
    """Photos, fine-tuning networks that were pretrained on ImageNet: the default of `run`.

    noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/

    About half an hour on two cores, two minutes on a GPU. timm downloads the weights (10 and 22 MB) once.
    Its accuracy has not been measured yet.
    """
    noise = Noise(crop="random-resized", crop_scale=(0.25, 1.0), randaugment=RandAugment(magnitude=7))
    teacher = Training(
        model="mobilenetv3_small_100.lamb_in1k",
        pretrained=True,
        image_size=160,
        crop_pct=160 / 192,  # size / (size + 32), spec section 1.4
        drop_rate=0.2,
        noise=noise,
        steps=200,
        batch_size=32,
        label_smoothing=0.1,
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.02,
        schedule="cosine",
        warmup_steps=20,
        ema_decay=0.99,
    )
    student = teacher.model_copy(
        update={
            "model": "mobilenetv3_large_100.ra_in1k",
            "drop_path_rate": 0.1,
            "steps": 400,
            "batch_size": 16,
            "unlabeled_ratio": 3.0,
        }
    )
    balanced = Selection(threshold=0.3, per_class="mean")
    return Config(
        recipe="photos-fast",
        teacher=teacher,
        generations=tuple(Generation(student=student, select=balanced) for _ in range(2)),
    )


def photos_scratch() -> Config:
    """Photos or other pictures that ImageNet does not resemble, from random weights; wants more labels and more time.

    noisystudent run --recipe photos-scratch --labeled labeled/ --unlabeled unlabeled/ --out run/

    About two hours on two cores, ten minutes on a GPU. Its accuracy has not been measured yet.
    """
    noise = Noise(crop="random-resized", crop_scale=(0.25, 1.0), randaugment=RandAugment(magnitude=5))
    teacher = Training(
        model="resnet10t",
        image_size=96,
        crop_pct=96 / 128,
        drop_rate=0.2,
        noise=noise,
        steps=600,
        batch_size=64,
        label_smoothing=0.1,
        learning_rate=0.05,
        schedule="cosine",
        warmup_steps=60,
        ema_decay=0.99,
    )
    first = teacher.model_copy(update={"steps": 1200, "batch_size": 32, "unlabeled_ratio": 3.0})
    second = first.model_copy(update={"model": "resnet14t", "drop_path_rate": 0.1})
    balanced = Selection(threshold=0.3, per_class="mean")
    return Config(
        recipe="photos-scratch",
        teacher=teacher,
        generations=tuple(Generation(student=student, select=balanced) for student in (first, second)),
    )


RECIPES: dict[str, Callable[[], Config]] = {
    "photos-fast": photos_fast,
    "photos-scratch": photos_scratch,
    "cifar10": cifar10,
    "fashion-mnist": fashion_mnist,
    "digits": digits,
}


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
