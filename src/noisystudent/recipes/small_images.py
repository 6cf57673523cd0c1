"""Recipes for images of 8 to 32 pixels, tuned on two processor cores."""

from __future__ import annotations

from noisystudent.config import Config, Data, Execution, Noise, RandAugment, Training
from noisystudent.recipes.growing import WITH_BF16, growing

MOVES = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")


def digits() -> Config:
    """The demo: scikit-learn's 8-pixel digits, 20 of them labeled.

    noisystudent demo

    About a minute of one core. Of 500 test pictures (mean of 5 draws of the labels): teacher 86 %, students 91, 91, 92, 93 and 94 %
    (the last from 92 to 96), baseline 83 %; without noise the last student reaches 91 %. `benchmarks/digits.py` measures it.
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
        # The same on every processor; with networks so small nothing is to be gained.
        execution=Execution(labeling_precision="fp32"),
        teacher=teacher,
        generations=growing(dict.fromkeys((40, 60, 84, 104, 120), student)),
    )


def fashion_mnist() -> Config:
    """Grey 28-pixel pictures of clothes; a start for any small grey images.

    noisystudent run --recipe fashion-mnist --labeled labeled/ --unlabeled unlabeled/ --out run/

    About ten minutes of one core. Of 10,000 test images of Fashion-MNIST (mean of 3 draws of the labels): with 200 labels teacher 78 %,
    students 80, 80 and 81 %, baseline 78 %; with 1,000 labels 85, 85, 85 and 86 %, and the baseline 86 %.
    """
    noise = Noise(crop="pad", crop_padding=2, flip=True, cutout=8, randaugment=RandAugment(magnitude=5, num_ops=1))
    teacher = Training(
        model="resnet8_16",
        image_size=28,
        noise=noise,
        steps=1500,
        batch_size=64,
        learning_rate=0.07,
        warmup_steps=150,
        ema_decay=0.99,
    )
    student = teacher.model_copy(update={"steps": 3000, "batch_size": 8, "unlabeled_ratio": 7.0, "warmup_steps": 300})
    larger = student.model_copy(update={"model": "resnet8_24"})
    return Config(
        recipe="fashion-mnist",
        data=Data(channels=1),
        teacher=teacher,
        generations=growing({0.25: student, 0.5: student, 0.75: larger}),
        execution=WITH_BF16,
    )


def cifar10() -> Config:
    """Small color pictures; a start for any images of about 32 pixels, with some hundred labels a class.

    noisystudent run --recipe cifar10 --labeled labeled/ --unlabeled unlabeled/ --out run/

    With 4,000 labels of CIFAR-10 (mean of 3 draws of the labels, 10,000 test images): teacher 78.5 %, students 82.0, 84.7 and 85.9 %,
    baseline 83.2 % (benchmarks/results/cifar10.md). 71 minutes of a core in bf16, and 31 more for the baseline (docs/small-images.md).
    """
    weak = Noise(crop="pad", crop_padding=4, cutout=8, randaugment=RandAugment(magnitude=5, num_ops=1))
    teacher = Training(
        model="whitened_48_96",
        image_size=32,
        noise=weak,
        steps=9600,
        batch_size=64,
        learning_rate=0.08,
        weight_decay=1e-3,
        warmup_steps=960,
        ema_decay=0.99,
    )
    # Noise costs accuracy in a short training and is paid back in a long one, with robustness besides: so the last student has it.
    moved = Noise(crop="pad", crop_padding=4, randaugment=None)
    last = teacher.model_copy(
        update={
            "model": "whitened_32_128_128",
            "steps": 11_800,
            "batch_size": 8,
            "unlabeled_ratio": 7.0,
            "warmup_steps": 1180,
        }
    )
    second = last.model_copy(update={"steps": 7100, "warmup_steps": 710, "noise": moved})
    first = second.model_copy(update={"model": "whitened_64_128", "steps": 11_800, "warmup_steps": 1180})
    generations = growing({0.6: first, 0.8: second, 0.9: last})
    return Config(
        recipe="cifar10",
        teacher=teacher,
        generations=tuple(generation.model_copy(update={"mirrored": True}) for generation in generations),
        execution=WITH_BF16,
    )


def cifar10_gpu() -> Config:
    """As `cifar10`, for a large GPU: airbench's widths, batches eight times as large. Not measured: nobody ran it on one yet.

    noisystudent run --recipe cifar10-gpu --labeled labeled/ --unlabeled unlabeled/ --out run/

    The aim is 90 % of CIFAR-10 with 4,000 labels after a minute of an H100: 2,500,000 images beside the baseline's, about 1,700 TFLOP.
    """
    wider = {"model": "whitened_64_256_256", "learning_rate": 0.2}  # of a small network 49 % after 150 steps, 40 at 0.5
    small = cifar10()

    def in_large_batches(training: Training, steps: int) -> Training:
        batch = {"batch_size": 8 * training.batch_size, "steps": steps, "warmup_steps": steps // 10}
        return training.model_copy(update={**wider, **batch})

    students = zip(small.generations, (1000, 1200, 2200), strict=True)
    return small.model_copy(
        update={
            "recipe": "cifar10-gpu",
            "teacher": in_large_batches(small.teacher, 400),
            "generations": tuple(
                generation.model_copy(update={"student": in_large_batches(generation.student, steps)})
                for generation, steps in students
            ),
        }
    )
