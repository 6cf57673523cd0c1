from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noisystudent.config import Execution, Selection
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.errors import UserError
from noisystudent.pseudo.quality import check_selection, check_teacher, known_accuracy, most_confident
from noisystudent.pseudo.select import Selected, choose


def selected(counts: list[int], candidates: list[int] | None = None) -> Selected:
    """So many images of each class kept, of so many."""
    rows = zip(counts, candidates or counts, strict=True)
    classes = [
        {"class": i, "candidates": c, "above_threshold": k, "kept": k, "rows": k} for i, (k, c) in enumerate(rows)
    ]
    return Selected(pa.table({"id": pa.array([], pa.string())}), classes)


def check(counts: list[int], candidates: list[int] | None = None, shares: list[float] | None = None) -> list[str]:
    labeled = np.array(shares or [1 / len(counts)] * len(counts))
    return check_selection(
        selected(counts, candidates),
        selection=Selection(threshold=0.3),
        most_confident=lambda: 0.25,
        labeled_shares=labeled,
        class_names="0123456789",
    )


def test_a_balanced_selection_is_not_remarked_upon() -> None:
    assert check([100, 90, 110]) == []


def test_nothing_above_the_threshold_is_an_error_that_says_what_was_seen() -> None:
    with pytest.raises(UserError, match=r"threshold 0\.3: of 30 images the most confident has 0\.25"):
        check([0, 0], [10, 20])


@pytest.mark.parametrize(("kept", "warned"), [(49, True), (50, False)])
def test_fewer_than_one_in_twenty_are_few(kept: int, warned: bool) -> None:
    warnings = check([kept, 0], [900, 100], [0.5, 0.5])
    assert any(f"only {kept} of 1000 images pass the threshold 0.3" in warning for warning in warnings) == warned


@pytest.mark.parametrize(("per_class", "warned"), [(4, True), (0.04, True), (5, False), (0, False)])
def test_where_the_cap_leaves_few_the_cap_is_named_and_not_the_threshold(per_class: float, warned: bool) -> None:
    """A hundred images of each class, all of which pass; five are not few."""
    selection = Selection(threshold=0.0, per_class=per_class)
    images = pa.table({"id": [f"i{i}" for i in range(200)], "label": [0, 1] * 100, "confidence": [0.9] * 200})
    warnings = check_selection(
        choose(images, selection, classes=2, seed=0),
        selection=selection,
        most_confident=lambda: 0.9,
        labeled_shares=np.array([0.5, 0.5]),
        class_names="01",
    )
    expected = (
        f"only 8 of 200 images are selected, no more of a class than select.per_class={per_class} allows "
        "(200 pass the threshold 0): the student learns little from the unlabeled images"
    )
    assert warnings == [expected] * warned


@pytest.mark.parametrize(
    ("counts", "shares", "flooded"),
    [
        ([91, 9], [0.9, 0.1], True),  # more than nine in ten, whatever the labels
        ([90, 10], [0.9, 0.1], False),
        ([60, 20, 20], [0.1, 0.45, 0.45], True),  # more than half and more than three times its share
        ([60, 20, 20], [0.2, 0.4, 0.4], False),  # just three times
        ([50, 25, 25], [0.1, 0.45, 0.45], False),
        ([60, 20, 20], [0.4, 0.3, 0.3], False),
    ],
)
def test_a_class_that_floods_the_pseudo_labels_is_named(counts: list[int], shares: list[float], flooded: bool) -> None:
    warnings = check(counts, shares=shares)
    assert len(warnings) == flooded
    if flooded:
        assert (
            f"class '0' makes up {counts[0]} % of the pseudo-labels and {100 * shares[0]:.0f} % of the labels"
            in warnings[0]
        )


def test_copies_count_when_a_class_floods() -> None:
    flood = selected([10, 10])
    flood.classes[0]["rows"] = 1000
    warnings = check_selection(
        flood,
        selection=Selection(threshold=0.3),
        most_confident=1.0,
        labeled_shares=np.array([0.5, 0.5]),
        class_names="01",
    )
    assert len(warnings) == 1
    assert "class '0' makes up 99 %" in warnings[0]


def test_classes_without_pseudo_labels_are_counted() -> None:
    assert check([50, 0, 50, 0]) == [
        "2 of 4 classes have no pseudo-label: the student sees them in the labeled images only"
    ]


@pytest.mark.parametrize(
    ("top1", "highest", "n", "classes", "warned"),
    [
        (10.0, 14.9, 200, 10, True),
        (12.0, 15.0, 100, 10, False),
        (20.0, 62.4, 5, 5, False),
        (0.2, 0.3, 1000, 1000, False),
    ],
)
def test_a_teacher_near_chance_beyond_doubt_is_warned_of(
    top1: float, highest: float, n: int, classes: int, warned: bool
) -> None:
    warnings = check_teacher(top1, highest, n, classes, measured_on="validation")
    assert len(warnings) == warned
    if warned:
        assert f"right on {top1:.1f} % of the {n} validation images" in warnings[0]
        assert f"guessing is right on {100 / classes:.1f} %" in warnings[0]


def test_known_accuracy_is_that_of_all_predictions_and_of_those_selected(tmp_path: Path) -> None:
    predictions = pa.table(
        {"id": list("abcde"), "label": pa.array([0, 1, 1, 0, 1], pa.int32()), "confidence": [0.9, 0.8, 0.7, 0.2, 0.6]}
    )
    chosen = choose(predictions, Selection(threshold=0.6), classes=2, seed=0)  # all but d

    def truth(**labels: int) -> Manifest:
        ids, given = list(labels) or ["z"], list(labels.values()) or [None]
        return Manifest(pa.table({"id": ids, "uri": ids, "label": given, "split": ids}, SCHEMA))

    assert known_accuracy(predictions, chosen, truth(a=0, b=0, c=1, d=0), Execution()) == {  # e is not known
        "n": 4,
        "accuracy": 75.0,
        "selected_n": 3,
        "selected_accuracy": pytest.approx(200 / 3),
    }
    assert known_accuracy(predictions, chosen, truth(e=0), Execution()) == {
        "n": 1,
        "accuracy": 0.0,
        "selected_n": 1,
        "selected_accuracy": 0.0,
    }
    assert known_accuracy(predictions, chosen, truth(d=0), Execution())["selected_accuracy"] is None
    assert known_accuracy(predictions, chosen, truth(), Execution()) is None
    assert most_confident(predictions) == 0.9
    assert most_confident(predictions.slice(0, 0)) == 0.0
    elsewhere = Execution(spill_folder=str(tmp_path / "nowhere"))  # the join keeps to the memory of tables, and spills
    with pytest.raises(UserError, match=r"spill_folder = '.*nowhere'"):
        known_accuracy(predictions, chosen, truth(a=0), elsewhere)


def unbalanced(counts: list[int], per_class: int | str) -> list[str]:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    table = pa.table({"id": [f"i{i}" for i in range(len(labels))], "label": labels, "confidence": [0.9] * len(labels)})
    chosen = choose(table, Selection(threshold=0.3, per_class=per_class), classes=len(counts), seed=0)
    return check_selection(
        chosen,
        selection=Selection(threshold=0.3),
        most_confident=lambda: 0.9,
        labeled_shares=np.full(len(counts), 1 / len(counts)),
        class_names=["daisy", "rose", "tulip"],
    )


def test_an_image_that_is_copied_hundreds_of_times_is_remarked_upon() -> None:
    (warning,) = unbalanced([1000, 1], "mean")
    assert "class 'rose' has 1 pseudo-labeled image, each copied 501 times" in warning
    assert "(1 is usual)" in warning
    (warning,) = unbalanced([1000, 900, 20], 640)
    assert "class 'tulip' has 20 pseudo-labeled images, each copied 32 times" in warning


def test_what_it_advises_helps() -> None:
    assert not any("copied" in warning for warning in unbalanced([1000, 1], 0))


@pytest.mark.parametrize(("counts", "per_class"), [([10, 12, 9], 3000), ([1000, 900, 60], 640), ([1, 2, 1], 2)])
def test_copies_that_are_usual_or_few_are_not(counts: list[int], per_class: int) -> None:
    assert unbalanced(counts, per_class) == []


def test_a_class_with_one_image_beside_large_ones_is_named() -> None:
    warnings = unbalanced([100, 1, 90], 0)
    assert warnings == ["class 'rose' has 1 pseudo-labeled image: look at whether it is right, or label images of it"]
