import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from noisystudent.config import Execution, Training
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError
from noisystudent.evaluation import clean
from noisystudent.evaluation.clean import Answers, align_labels, answers, evaluate, judge, measure, score
from noisystudent.evaluation.intervals import bootstrap_interval, mean_of_rates_interval, wilson_interval
from noisystudent.models.classifier import Classifier, Preprocessing, build_classifier
from noisystudent.pseudo.label import Predicted


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


PROBABILITIES = np.array(
    [
        [0.40, 0.20, 0.15, 0.10, 0.08, 0.04, 0.03],
        [0.05, 0.60, 0.10, 0.09, 0.07, 0.06, 0.03],
        [0.30, 0.25, 0.20, 0.10, 0.08, 0.04, 0.03],
        [0.02, 0.03, 0.05, 0.10, 0.10, 0.20, 0.50],
    ]
)
LABELS = np.array([0, 6, 1, 1])


def test_top1_top5_and_nll_by_hand() -> None:
    metrics, ci95 = measure(score(PROBABILITIES, LABELS))
    # ranks of the truth: 1, 7, 2, 6
    assert metrics["top1"] == 25
    assert metrics["top5"] == 50
    assert metrics["nll"] == pytest.approx(-(math.log(0.4) + math.log(0.03) + math.log(0.25) + math.log(0.03)) / 4)
    assert ci95["top1"] == wilson_interval(1, 4)
    assert ci95["top5"] == wilson_interval(2, 4)
    assert ci95["nll"][0] < metrics["nll"] < ci95["nll"][1]
    assert set(ci95) == {"top1", "top5", "balanced_accuracy", "nll"}


def test_two_hundred_daisies_do_not_hide_that_no_rose_was_recognized() -> None:
    labels = np.array([0] * 200 + [1] * 2)
    metrics, ci95 = measure(score(np.tile([0.9, 0.1], (202, 1)), labels))
    assert metrics["top1"] == pytest.approx(100 * 200 / 202)
    assert metrics["balanced_accuracy"] == 50
    low, high = ci95["balanced_accuracy"]
    assert 40 < low < 50 < 75 < high < 90  # of two roses, a third and more may be right


def test_a_class_without_images_counts_for_nothing_and_has_no_recall() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    probabilities = np.array([[0.8, 0.1, 0.1]] * 3 + [[0.1, 0.8, 0.1]] * 2)
    evaluation = judge(Answers(list("abcde"), score(probabilities, labels), []), ("daisy", "rose", "tulip"))
    assert evaluation.metrics["balanced_accuracy"] == pytest.approx((75 + 100) / 2)
    assert evaluation.as_json()["per_class"] == [
        {"name": "daisy", "n": 4, "recall": 75.0},
        {"name": "rose", "n": 1, "recall": 100.0},
        {"name": "tulip", "n": 0, "recall": None},
    ]


def test_the_interval_of_one_class_is_wilsons_and_many_classes_narrow_it() -> None:
    assert mean_of_rates_interval(np.array([37]), np.array([50])) == pytest.approx(wilson_interval(37, 50))
    assert mean_of_rates_interval(np.array([5, 5]), np.array([5, 5]))[1] == 100
    narrow, wide = (mean_of_rates_interval(np.full(k, 8), np.full(k, 10)) for k in (100, 4))
    assert wide[0] < narrow[0] < 80 < narrow[1] < wide[1]


def test_top5_is_left_out_for_five_classes_or_fewer() -> None:
    for classes, present in ((5, False), (6, True)):
        metrics, ci95 = measure(score(np.full((3, classes), 1 / classes), np.array([0, 1, 2])))
        assert ("top5" in metrics) == present
        assert ("top5" in ci95) == present


def test_of_equal_probabilities_the_first_class_is_the_prediction() -> None:
    even = np.full((6, 6), 1 / 6)
    metrics, _ = measure(score(even, np.arange(6)))
    assert metrics["top1"] == pytest.approx(100 / 6)  # as arg-max would
    assert metrics["top5"] == pytest.approx(500 / 6)


def test_a_truth_that_was_given_no_probability_has_a_large_but_finite_loss() -> None:
    metrics, _ = measure(score(np.array([[1.0, 0.0]]), np.array([1])))
    assert metrics["nll"] == pytest.approx(-math.log(1e-12))


def test_calibration_error_by_hand() -> None:
    # Fifteen bins: 0.8 and 0.82 share one (0.8 to 0.8667), 0.55 is in another, 0.95 in a third.
    confidences = np.array([0.82, 0.82, 0.82, 0.55, 0.95])
    right = np.array([True, True, False, False, True])
    probabilities = np.stack([confidences, 1 - confidences], axis=1)
    metrics, _ = measure(score(probabilities, np.where(right, 0, 1)))
    by_hand = 3 / 5 * abs(2 / 3 - 0.82) + 1 / 5 * 0.55 + 1 / 5 * 0.05
    assert metrics["ece"] == pytest.approx(100 * by_hand, rel=1e-5)


def test_calibration_error_is_the_sum_over_fifteen_bins() -> None:
    draw = np.random.default_rng(0)
    probabilities = softmax(draw.normal(size=(400, 4)) * 2)
    labels = draw.integers(0, 4, 400)
    confidences, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    total = 0.0
    for k in range(15):
        inside = (confidences > k / 15) & (confidences <= (k + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidences[inside].mean())
    assert measure(score(probabilities, labels))[0]["ece"] == pytest.approx(100 * total, rel=1e-4)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (1, 2), (37, 50), (9500, 10_000)])
def test_wilsons_interval_is_its_closed_form(k: int, n: int) -> None:
    z = 1.959963984540054
    p = k / n
    center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson_interval(k, n) == pytest.approx((100 * (center - half), 100 * (center + half)), abs=1e-9)


def test_the_bootstrap_is_seeded_and_as_wide_as_the_normal_interval() -> None:
    values = np.random.default_rng(0).exponential(size=400)
    low, high = bootstrap_interval(values, seed=1)
    assert (low, high) == bootstrap_interval(values, seed=1)
    assert (low, high) != bootstrap_interval(values, seed=2)
    half = 1.96 * values.std() / math.sqrt(400)
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)
    assert bootstrap_interval(np.full(5, 3.0), seed=0) == (3.0, 3.0)


def manifest(names: tuple[str, ...], labels: list[int]) -> Manifest:
    ids = [f"{i}.png" for i in range(len(labels))]
    columns = {"id": ids, "uri": ids, "label": labels, "split": ["test"] * len(labels)}
    return Manifest(pa.table(columns, SCHEMA), names)


def classifier(names: tuple[str, ...]) -> Classifier:
    return Classifier(torch.nn.Identity(), names, Preprocessing(8, 1, 1.0, (0.5,), (0.5,)), "x", {})


def test_labels_are_matched_by_the_name_of_the_class() -> None:
    aligned = align_labels(manifest(("dog", "cat"), [0, 1, 1]), classifier(("bird", "cat", "dog")), source="--data d")
    assert aligned.labels.tolist() == [2, 1, 1]
    assert aligned.class_names == ("bird", "cat", "dog")
    assert aligned.table.schema.equals(SCHEMA)
    assert aligned.ids == ["0.png", "1.png", "2.png"]


def test_images_without_a_label_stay_without_one() -> None:
    aligned = align_labels(manifest(("cat", "dog"), [None, 1]), classifier(("bird", "cat", "dog")), source="--data d")
    assert aligned.labels.tolist() == [-1, 2]


def test_whole_numbers_are_indices_when_the_model_has_other_names() -> None:
    aligned = align_labels(manifest(("0", "2"), [1, 0]), classifier(("bird", "cat", "dog")), source="--data d")
    assert aligned.labels.tolist() == [2, 0]


def test_whole_numbers_are_names_when_the_model_has_these_names() -> None:
    aligned = align_labels(manifest(("1", "2"), [1, 0]), classifier(("2", "1")), source="--data d")
    assert aligned.labels.tolist() == [0, 1]


@pytest.mark.parametrize("names", [("cat", "wolf"), ("wolf", "fox"), ("0", "3"), ("cat", "0")])
def test_classes_that_the_model_does_not_know_are_named_beside_its_own(names: tuple[str, ...]) -> None:
    model = classifier(("bird", "cat", "dog"))
    with pytest.raises(UserError) as caught:
        align_labels(manifest(names, [0, 1]), model, source="--data wolves")
    message = str(caught.value)
    assert message.startswith("--data wolves has classes that the model does not know")
    assert all(repr(name) in message for name in set(names) - {"cat"})
    assert "'bird', 'cat', 'dog'" in message


def test_long_lists_of_classes_are_cut_short() -> None:
    names = tuple(f"class-{i:03d}" for i in range(30))
    with pytest.raises(UserError, match="'class-009' and 20 more"):
        align_labels(manifest(names, [0, 1]), classifier(("a", "b")), source="d")


def test_evaluation_measures_the_unnoised_network_in_fp32_and_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for i in range(10):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{i}.png")
    (tmp_path / "a" / "broken.png").write_bytes(b"no")
    images = ImageSet(
        read_source(str(tmp_path), split="test", labels="required"), size=8, channels=1, workers=1, in_memory=False
    )
    training = Training(model="resnet9_8", drop_rate=0.5)
    model = build_classifier(training, class_names="ab", channels=1, mean=[0.5], std=[0.25], seed=0)
    model.network.eval()
    execution = Execution(device="cpu", labeling_precision="bf16", workers=1, label_batch_size=4)
    evaluation = evaluate(model, images, execution=execution)

    rows = np.array([row for row, id in enumerate(images.manifest.ids) if "broken" not in id])
    labels = images.manifest.labels[rows]
    logits = model.logits(images.fetch(rows)).double().numpy()
    probabilities = softmax(logits)
    table = evaluation.predictions.to_pydict()
    assert table["id"] == [images.manifest.ids[row] for row in rows]
    assert table["label"] == labels.tolist()
    assert table["predicted"] == probabilities.argmax(axis=1).tolist()
    assert table["confidence"] == pytest.approx(probabilities.max(axis=1).tolist(), abs=1e-5)
    assert table["correct"] == pytest.approx(probabilities[np.arange(10), labels].tolist(), abs=1e-5)
    assert evaluation.metrics["top1"] == pytest.approx(100 * (probabilities.argmax(axis=1) == labels).mean())
    assert [(row.id, row.stage) for row in evaluation.skipped] == [("a/broken.png", "evaluate")]
    assert evaluation.as_json()["n"] == 10


def test_images_of_which_none_can_be_read_are_the_users_mistake(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(b"no")
    images = ImageSet(
        read_source(str(tmp_path), split="test", labels="required"), size=8, channels=1, workers=1, in_memory=False
    )
    model = build_classifier(Training(model="resnet9_8"), class_names="ab", channels=1, mean=[0.5], std=[0.25], seed=0)
    model.network.eval()
    with pytest.raises(UserError, match="none of the 2 images"):
        evaluate(model, images, execution=Execution(device="cpu", workers=1))


def many(number: int, classes: int) -> Iterator[Predicted]:
    """Answers to so many images, fifty at a time."""
    for start in range(0, number, 50):
        ids = [str(i) for i in range(start, start + 50)]
        probabilities = softmax(np.random.default_rng(start).normal(size=(50, classes)))
        yield Predicted(ids, probabilities, np.zeros(50, np.uint64), [])


@dataclass
class Sized:
    """Images that nobody looks at."""

    manifest: Any

    def __len__(self) -> int:
        return len(self.manifest.ids)


@pytest.mark.parametrize("whole", [False, True])
def test_memory_is_not_that_of_all_probabilities_in_float64(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    number, classes = 4000, 1000
    monkeypatch.setattr(clean, "all_answers", lambda _, __, keep, **___: map(keep, many(number, classes)))
    labels = np.random.default_rng(0).integers(0, classes, number)
    manifest = SimpleNamespace(ids=[str(i) for i in range(number)], labels=labels)
    classifier = SimpleNamespace(class_names=tuple(map(str, range(classes))))
    everything = np.concatenate([part.probabilities for part in many(number, classes)])
    wanted = score(everything, labels)
    del everything
    tracemalloc.start()
    given = answers(classifier, Sized(manifest), execution=Execution(), description="", whole=whole)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (0.6 if whole else 0.15) * 8 * number * classes
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(given.scores, wanted, strict=True))
    if whole:
        assert np.allclose(given.whole(), np.concatenate([part.probabilities for part in many(number, classes)]))
