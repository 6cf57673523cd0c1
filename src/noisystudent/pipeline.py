"""Noisy Student Training: the loop of the paper's Algorithm 1, each stage once, each stage resumable.

noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from noisystudent.addresses import scheme
from noisystudent.config import Config
from noisystudent.processes import from_first
from noisystudent.progress import logger
from noisystudent.run_mirror import mirrored
from noisystudent.run_plan import robustness_stage
from noisystudent.rundir import open_run
from noisystudent.stages.earlier_run import check_earlier, take_over
from noisystudent.stages.networks import (
    check_networks,
    choose_start,
    look_for_weights,
    measure_frozen_features,
    train,
    train_baseline,
)
from noisystudent.stages.preparation import prepared
from noisystudent.stages.pseudo_labels import check_teachers, find_leaks, label, select
from noisystudent.stages.robustness import check_robustness, measure_robustness
from noisystudent.stages.summary import summarize


def check(config: Config, out: str | Path) -> None:
    """Find out before anything is done what is wrong with the configuration.

    Raises:
        UserError: naming it.
    """
    check_networks(config)
    look_for_weights(config, Path(out))
    check_robustness(config)
    check_earlier(config, Path(out))


def run(config: Config, out: str | Path) -> dict[str, Any]:
    """Train a teacher, then generation after generation of students, and the supervised baseline.

    Given again with the same configuration on the same folder, it goes on where it stopped. Several processes, started by `torchrun`,
    share labeling, training and evaluation.

    Args:
        config: everything that decides the run.
        out: the run folder, new, empty or begun; or its address, such as `s3://bucket/run` (`run_mirror`).

    Returns:
        What `results.json` of the run holds.

    Raises:
        UserError: the configuration, a source or the folder is wrong.
        RunError: a training diverged.
    """
    with mirrored(out, config.execution) as folder:
        check(config, folder)
        return _run(config, folder, out)


def _run(config: Config, work: Path, out: str | Path) -> dict[str, Any]:
    with open_run(work, config) as folder:
        data = prepared(folder, config)
        take_over(folder, config)
        check_teachers(folder, config)
        config = choose_start(folder, config, data)  # by cross-validation on the labels

        measure_frozen_features(folder, config, data)
        teacher = train(folder, config, data, 0, config.teacher)
        for number, generation in enumerate(config.generations, start=1):
            predictions = label(folder, config, number, teacher)
            if number == 1:
                find_leaks(folder, config)  # by the hashes that the first labeling made
            select(folder, config, data, number, generation.select, predictions)
            teacher = train(folder, config, data, number, generation.student)
        if config.with_baseline:
            if folder.held_out:
                train_baseline(folder, config, data)
            else:
                logger.info("no baseline is trained: nothing was held out to compare the students with it on")

        if config.robustness:
            folder.stage(robustness_stage(config), lambda: measure_robustness(folder, config), shared=True)

        results = from_first(lambda: summarize(folder, config))
        from noisystudent.report.html import write_report  # half a second with Matplotlib, and needed last

        from_first(lambda: write_report(folder.path, out=out if scheme(out) else None))
    return results
