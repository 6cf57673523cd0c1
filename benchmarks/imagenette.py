"""Imagenette with 10 labels a class: from scratch at 96 px, and fine-tuning a pretrained EfficientNet-Lite0.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/imagenette.py --seeds 3

100 labeled images, the other training images without labels, the validation images as test. ImageNet-pretrained weights have seen
most of these training images, so the second table says how the loop behaves on fine-tuning, not how little one needs to know.
"""

from __future__ import annotations

import sys

from seeded_runs import arguments, data_folder, on_splits, publish, run_variants, tables_of

LABELS_PER_CLASS = 10


RECIPES = {"scratch": "photos-scratch", "pretrained": "photos-fast"}


def main() -> None:
    more = {"--only": "scratch or pretrained; without it both"}
    options = arguments(__doc__, seeds=3, work="imagenette", splits=True, more=more)
    source = data_folder("imagenette128")
    test = source / "val-00000-of-00001.parquet"
    if options.only and options.only not in RECIPES:
        sys.exit(f"--only {options.only}: {' or '.join(RECIPES)}")
    for kind in [options.only] if options.only else RECIPES:
        name, recipe = f"imagenette_{kind}", RECIPES[kind]
        of_seed = on_splits(
            recipe,
            source,
            test,
            labels_per_class=LABELS_PER_CLASS,
            work=options.work,
            held_out=options.held_out,
            settings=options.set,
        )
        work = options.work / name
        results = run_variants(of_seed, options.variants, seeds=options.seeds, work=work, jobs=options.jobs)
        command = f"{options.command} --only {kind}"
        publish(name, command, tables_of(results), results)


if __name__ == "__main__":
    main()
