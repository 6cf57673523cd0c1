"""Flowers, five kinds that ImageNet mostly does not know, 10 or 50 labels a class: the default recipe where it trains networks.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/flowers.py --labels 10 --seeds 3 --recipe-only

The other training images (3,761 or 3,561) have no labels; 500 images as test. The pictures have 128 pixels a side.
"""

from __future__ import annotations

from seeded_runs import arguments, data_folder, on_splits, publish, run_variants, tables_of


def main() -> None:
    more = {"--labels": "labeled images a class (10)"}
    options = arguments(__doc__, seeds=3, work="flowers", splits=True, more=more)
    labels = int(options.labels or 10)
    source = data_folder("flowers")
    of_seed = on_splits(
        "photos-fast",
        source,
        source / "test-00000-of-00001.parquet",
        labels_per_class=labels,
        work=options.work,
        held_out=options.held_out,
        settings=options.set,
    )
    work = options.work / f"flowers_{labels}"
    results = run_variants(of_seed, options.variants, seeds=options.seeds, work=work, jobs=options.jobs)
    command = f"{options.command} --labels {labels}"
    publish(f"flowers_{labels}", command, tables_of(results), results)


if __name__ == "__main__":
    main()
