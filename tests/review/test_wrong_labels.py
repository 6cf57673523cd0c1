import numpy as np

from noisystudent.review.wrong_labels import wrong_labels


def clusters(images: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(images) % classes
    return (4 * np.eye(8)[labels] + rng.normal(size=(images, 8))).astype(np.float32), labels


def test_planted_wrong_labels_are_found_with_what_they_should_be() -> None:
    values, truth = clusters(150)
    planted = np.random.default_rng(1).permutation(150)[:12]
    labels = truth.copy()
    labels[planted] = (truth[planted] + 1) % 3
    found = wrong_labels(values, labels, seed=0)
    assert found.asked == 150
    hits = np.isin(found.rows, planted)
    assert hits.sum() >= 11
    assert hits.mean() >= 0.9
    assert (found.instead[hits] == truth[found.rows[hits]]).all()
    assert (found.instead != labels[found.rows]).all()
    again = wrong_labels(values, labels, seed=0)
    assert (again.rows == found.rows).all()


def test_right_labels_are_left_in_peace() -> None:
    values, labels = clusters(150)
    assert len(wrong_labels(values, labels, seed=0).rows) <= 2


def test_a_class_with_one_image_is_not_judged() -> None:
    values, labels = clusters(40, classes=2)
    labels = labels.copy()
    labels[5] = 7  # and classes 2 to 6 have none
    found = wrong_labels(values, labels, seed=0)
    assert found.asked == 39
    assert 5 not in found.rows


def test_where_nothing_can_be_held_out_nothing_is_said() -> None:
    values = np.eye(3, dtype=np.float32)
    assert wrong_labels(values, np.arange(3), seed=0).asked == 0
    assert len(wrong_labels(values, np.zeros(3, np.int64), seed=0).rows) == 0
