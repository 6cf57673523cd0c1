"""Recipes for photos on one machine."""

from __future__ import annotations

from noisystudent.config import Config, KnownClasses, Noise, RandAugment, Training
from noisystudent.recipes.growing import WITH_BF16, growing

SIZE = 160  # pixels; smaller pictures are enlarged, since the network was trained on larger ones
# Its weights come with a package that is installed with ours, so that no model hub is needed.
LITE = {"model": "tf_efficientnet_lite0", "pretrained": True, "image_size": SIZE, "crop_pct": SIZE / (SIZE + 32)}


def photos_fast() -> Config:
    """Photos: a pretrained network as it is where it knows the classes, else trained further. The default of `run`.

    noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/

    A minute of two cores for 7,000 images where it knows the classes, half an hour of one core where it does not. With 10 labels a class
    (mean of 3 draws): Imagenette, which the network has seen, frozen features 92.6 %, last student 93.8 %; flowers, frozen features
    54.6 %, teacher 56.3 %, students 63.2 and 63.4 %, baseline 57.5 % (benchmarks/results/imagenette_pretrained.md and
    benchmarks/results/flowers_10.md).
    """
    noise = Noise(crop="random-resized", crop_scale=(0.25, 1.0), randaugment=RandAugment(magnitude=7))
    teacher = Training(
        **LITE,
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
    # So short, students learn more when each begins where its teacher ended, not from ImageNet's weights anew.
    student = teacher.model_copy(
        update={
            "warm_start": True,
            "drop_path_rate": 0.1,
            "steps": 300,
            "batch_size": 8,
            "unlabeled_ratio": 3.0,
            "warmup_steps": 15,
        }
    )
    first, *later = growing({0.3: student, 0.9: student})
    # Two teachers that learned differently are right more often together.
    first = first.model_copy(update={"teachers": ("previous", "frozen")})
    return Config(
        recipe="photos-fast",
        teacher=teacher,
        generations=(first, *later),
        known_classes=KnownClasses(),
        execution=WITH_BF16,
    )


def photos_instant() -> Config:
    """Photos, in about a minute: a pretrained network stays as it is, and only its last layer learns, from labels and pseudo-labels.

    noisystudent run --recipe photos-instant --labeled labeled/ --unlabeled unlabeled/ --out run/

    What `photos-fast` does where the network knows the classes.
    """
    frozen = Training(**LITE, start="probe", steps=0, unlabeled_ratio=3.0)
    generations = growing(dict.fromkeys(KnownClasses().generations, frozen))
    return Config(recipe="photos-instant", teacher=frozen, generations=generations, execution=WITH_BF16)


def photos_scratch() -> Config:
    """Photos or other pictures that ImageNet does not resemble, from random weights; wants more labels and more time.

    noisystudent run --recipe photos-scratch --labeled labeled/ --unlabeled unlabeled/ --out run/

    About twenty minutes of one core. With 100 labels of Imagenette (mean of 3 draws of the labels, 1,000 test images): teacher 44.9 %,
    students 48.3 and 49.1 %, baseline 43.7 % (benchmarks/results/imagenette_scratch.md).
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
