"""Recipes for photos on one machine."""

from __future__ import annotations

from noisystudent.config import Config, Generation, Noise, RandAugment, Selection, Training


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
