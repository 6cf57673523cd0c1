from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from noisystudent.report.pseudo_labels import BINS, read_pseudo_labels
from noisystudent.report.run_reader import read_run

NewRun = Callable[..., Any]


def test_the_histogram_counts_every_prediction_once(new_run: NewRun) -> None:
    writer = new_run()
    histogram = read_pseudo_labels(read_run(writer.write()))[0].histogram
    labels, confidences = writer.predicted(1)
    right = labels == np.arange(60) % 3
    edges = np.linspace(0, 1, BINS + 1)
    assert histogram is not None
    assert histogram.right.tolist() == np.histogram(confidences[right], edges)[0].tolist()
    assert histogram.wrong.tolist() == np.histogram(confidences[~right], edges)[0].tolist()
    assert histogram.unknown.sum() == 0


def test_without_known_classes_all_are_unknown(new_run: NewRun) -> None:
    pseudo = read_pseudo_labels(read_run(new_run(known=False).write()))[0]
    assert pseudo.histogram is not None
    assert pseudo.histogram.unknown.sum() == 60
    assert pseudo.accuracy is None


def test_of_many_classes_the_largest_deviations_are_shown(new_run: NewRun) -> None:
    # 90 images in 50 classes; each has one or two, give or take the mistakes.
    pseudo = read_pseudo_labels(read_run(new_run(class_names=[str(n) for n in range(50)], images=90).write()))[0]
    mean = np.mean([row.candidates for row in pseudo.classes])
    shown = {row.name for row in pseudo.shown}
    hidden = [abs(row.candidates - mean) for row in pseudo.classes if row.name not in shown]
    assert len(shown) == 30
    assert max(hidden) <= max(abs(row.candidates - mean) for row in pseudo.shown)


def test_a_run_folder_may_have_any_name(new_run: NewRun) -> None:
    run = new_run().write()
    odd = run.rename(run.with_name("a[1] *?{b} 'c\""))
    assert read_pseudo_labels(read_run(odd))[0].histogram is not None
