"""The paper's own recipes, as the released code has them (spec sections 1.2, 2.3 and 4).

They need the paper's data and machines. The objective is the released code's, `sum`: RMSProp with an epsilon of 1e-3 follows the size of
the loss, so that the mean over both kinds of images, which the author states, would train them several times more slowly (spec section 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from noisystudent.config import Config, Data, Generation, Noise, RandAugment, ResolutionFix, Selection, Training

STEPS = 109_474  # main.py:75-86, the default of both data sets
WARMUP_EPOCHS = 5
RATE_PER_256 = 0.016
DECAY = 0.97

# Where each value comes from; P4 is arXiv 1911.04252v4, the files are those of google-research/noisystudent at aac52bf.
SOURCES = {
    "teacher": "unpublished for SVHN; the student's settings without pseudo-labels",
    "model": "P4 section 3.1; for SVHN efficientnet_builder.py:134-136",
    "model_args.bn_momentum": "1 - 0.99: efficientnet_builder.py:138",
    "drop_rate": "efficientnet_builder.py:36-44",
    "drop_path_rate": "1 - 0.8, P4 section 3.1; efficientnet_builder.py:123-148",
    "crop_pct": "size / (size + 32): preprocessing.py:104-134",
    "noise.crop": "preprocessing.py:81-101; for SVHN 189-224",
    "noise.randaugment": "imagenet/train.sh:37-76, svhn/run.sh:32-33; P4 section 3.1: two operations, 27 for B7 and L2",
    "noise.cutout": "preprocessing.py:189-224",
    "steps": "main.py:75-86; twice as many for B0 to B4: main.py:705-709",
    "batch_size": "main.py:88-89; svhn/run.sh:21",
    "unlabeled_ratio": "imagenet/train.sh:37-76; svhn/run.sh:30",
    "pseudo_labels": "soft: P4 section 3.1",
    "label_smoothing": "main.py:186",
    "optimizer": "utils.py:77-93",
    "learning_rate": "0.016 x batch_size / 256: main.py:173-176",
    "objective": "labeled + unlabeled_ratio x pseudo-labeled: main.py:547-550",
    "weight_decay": "1e-5, for SVHN 1e-4: main.py:182, svhn/run.sh; in the loss beside the sum: main.py:552-555",
    "schedule": "utils.py:52-56: x 0.97 every 2.4 labeled epochs, twice that for B0 to B4; for SVHN by final_base_lr, main.py:569-573",
    "warmup_steps": "5 labeled epochs: main.py:583",
    "ema_decay": "main.py:178",
    "resolution_fix": "1.5 epochs at 800 pixels, P4 table 8; the tail of the schedule: main.py:582, utils.py:51; "
    "how many layers were frozen is unpublished",
    "select": "P4 section 3.1; imagenet/filter_unlabel.sh:27-40, svhn/filter_unlabel.sh:27-40",
    "reassign": "later teachers label the images selected first: predict_label.py:96-105, 204-249",
}


class Published(NamedTuple):
    """What the released scripts say of an ImageNet model, and what it reached."""

    size: int
    dropout: float
    magnitude: int  # 0: no RandAugment
    ratio: int
    accuracy: str


L2 = Published(475, 0.5, 27, 14, "87.6 % at 14 : 1, then 88.1 % at 14 : 1, then 88.4 % at 28 : 1")
L2_TEST_SIZE = 800
FIX_EPOCHS = 1.5

IMAGENET_IMAGES = 1_281_167
IMAGENET = {
    "b0": Published(224, 0.2, 0, 1, "77.3 % supervised, 78.1 % as its own student, 78.8 % taught by L2"),
    "b1": Published(240, 0.2, 0, 3, "79.2 % supervised, 80.2 % as its own student, 81.5 % taught by L2"),
    "b2": Published(260, 0.3, 6, 3, "80.0 % supervised, 81.1 % as its own student, 82.4 % taught by L2"),
    "b3": Published(300, 0.3, 12, 3, "81.7 % supervised, 82.5 % as its own student, 84.1 % taught by L2"),
    "b4": Published(380, 0.4, 15, 3, "83.2 % supervised, 84.4 % as its own student, 85.3 % taught by L2"),
    "b5": Published(456, 0.4, 18, 3, "84.0 % supervised, 85.1 % as its own student, 86.1 % taught by L2"),
    "b6": Published(528, 0.5, 24, 3, "84.5 % supervised, 85.6 % as its own student, 86.4 % taught by L2"),
    "b7": Published(600, 0.5, 27, 3, "85.0 % supervised, 86.4 % as its own student, 86.9 % taught by L2"),
}
SMALLER = ("b0", "b1", "b2", "b3", "b4")  # trained for 700 epochs instead of 350


IMAGENET_BATCH = 4096
IMAGENET_EPOCH = IMAGENET_IMAGES / IMAGENET_BATCH  # steps
IMAGENET_SELECTION = Selection(threshold=0.3, per_class=130_000, mode="official")


def _imagenet_training(name: str, model: Published) -> Training:
    """Labels alone."""
    longer = 2 if name in SMALLER else 1
    randaugment = RandAugment(magnitude=model.magnitude, semantics="official") if model.magnitude else None
    return Training(
        model=f"tf_efficientnet_{name}",
        model_args={"bn_momentum": 0.01},
        image_size=model.size,
        crop_pct=model.size / (model.size + 32),
        drop_rate=model.dropout,
        drop_path_rate=0.2,
        noise=Noise(crop="official", flip=True, randaugment=randaugment),
        steps=STEPS * longer,
        batch_size=IMAGENET_BATCH,
        objective="sum",
        label_smoothing=0.1,
        optimizer="rmsproptf",
        learning_rate=RATE_PER_256 * IMAGENET_BATCH / 256,
        weight_decay=1e-5,
        schedule="exponential",
        warmup_steps=round(WARMUP_EPOCHS * IMAGENET_EPOCH),
        decay_steps=2.4 * longer * IMAGENET_EPOCH,
        decay_rate=DECAY,
        ema_decay=0.9999,
    )


def _imagenet(name: str) -> Config:
    teacher = _imagenet_training(name, IMAGENET[name])
    student = _student(teacher, ratio=IMAGENET[name].ratio)
    return _published(f"imagenet-{name}", Data(), teacher, [student], IMAGENET_SELECTION)


def imagenet_l2() -> Config:
    """ImageNet and 300 million unlabeled photos, B7 and then three generations of L2: the paper's best model.

    noisystudent run --recipe imagenet-l2 --labeled train/ --unlabeled photos/ --test val/ --out run/

    Every network takes 109,474 steps of 4,096 labeled images; the three L2 see 26 billion images of 475 pixels. The paper's took six days
    each on 2,048 TPU cores. It has not been run here. Published top-1, after the fix at 800 pixels: 87.6 % at 14 : 1, then 88.1 % at
    14 : 1, then 88.4 % at 28 : 1. Which layers were frozen in the fix was not published: none are here.
    """
    largest = _imagenet_training("l2", L2).model_copy(
        update={
            "resolution_fix": ResolutionFix(
                image_size=L2_TEST_SIZE,
                crop_pct=L2_TEST_SIZE / (L2_TEST_SIZE + 32),
                steps=round(FIX_EPOCHS * IMAGENET_EPOCH),
            )
        }
    )
    students = [_student(largest, ratio=ratio) for ratio in (L2.ratio, L2.ratio, 2 * L2.ratio)]
    teacher = _imagenet_training("b7", IMAGENET["b7"])
    return _published("imagenet-l2", Data(), teacher, students, IMAGENET_SELECTION)


def svhn_b0() -> Config:
    """SVHN with its extra images as unlabeled ones: the only recipe that the authors released whole.

    noisystudent run --recipe svhn-b0 --labeled train/ --unlabeled extra/ --test test/ --out run/

    109,474 steps a network; the student sees 84 million images of 32 pixels. It has not been run here. Published: teacher 97.9 %,
    student 98.6 +- 0.1 % of the 26,032 test images.
    """
    images, batch_size, final_rate = 69_257, 128, 0.0002
    epoch = images / batch_size
    decays = math.log(final_rate / RATE_PER_256) / math.log(DECAY)
    teacher = Training(
        model="tf_efficientnet_b0_small_images",
        model_args={"bn_momentum": 0.01},
        image_size=32,
        drop_rate=0.2,
        drop_path_rate=0.2,
        noise=Noise(
            crop="pad",
            crop_padding=4,
            flip=False,
            randaugment=RandAugment(magnitude=5, semantics="official"),
            cutout=16,
        ),
        steps=STEPS,
        batch_size=batch_size,
        objective="sum",
        label_smoothing=0.1,
        optimizer="rmsproptf",
        learning_rate=RATE_PER_256 * batch_size / 256,
        weight_decay=1e-4,
        schedule="exponential",
        warmup_steps=round(WARMUP_EPOCHS * epoch),
        decay_steps=(STEPS / epoch - WARMUP_EPOCHS) / decays * epoch,
        decay_rate=DECAY,
        ema_decay=0.9999,
    )
    select = Selection(threshold=0.3, per_class=53_113, mode="official")
    # The released code holds 4,000 of 73,257 training images out.
    return _published("svhn-b0", Data(val_fraction=4000 / 73_257), teacher, [_student(teacher, ratio=5)], select)


def _student(supervised: Training, *, ratio: int) -> Training:
    """The same network and settings with pseudo-labels."""
    return supervised.model_copy(update={"unlabeled_ratio": float(ratio)})


def _published(name: str, data: Data, teacher: Training, students: list[Training], select: Selection) -> Config:
    """One recipe. Images are filtered and balanced once; later teachers label the same ones (spec section 2.2, step 4)."""
    generations = tuple(
        Generation(student=student, select=select.model_copy(update={"reassign": number > 0}))
        for number, student in enumerate(students)
    )
    return Config(recipe=name, data=data, teacher=teacher, generations=generations, baseline=False)


def _imagenet_recipe(name: str) -> Callable[[], Config]:
    def recipe() -> Config:
        return _imagenet(name)

    model = IMAGENET[name]
    steps = STEPS * (2 if name in SMALLER else 1)
    seen = steps * 4096 * (2 + model.ratio) / 1e9
    recipe.__doc__ = f"""ImageNet and unlabeled photos, EfficientNet-{name.upper()} as its own student: the paper's figure 2.

    noisystudent run --recipe imagenet-{name} --labeled train/ --unlabeled photos/ --test val/ --out run/

    {steps:,} steps for teacher and student each, {seen:.1f} billion images of {model.size} pixels in all: work for a cluster. It has
    not been run here. Published top-1: {model.accuracy}.
    """
    return recipe


RECIPES: dict[str, Callable[[], Config]] = {
    "svhn-b0": svhn_b0,
    **{f"imagenet-{name}": _imagenet_recipe(name) for name in IMAGENET},
    "imagenet-l2": imagenet_l2,
}
