"""scikit-learn's own checks of an estimator. They give tables of numbers; a test makes images of the rows.

Not checked: array API input, for which scikit-learn itself is off unless SCIPY_ARRAY_API is set.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data
from user_inputs import SIZE, quick

from noisystudent.sklearn_classifier import NoisyStudentClassifier

EXCEPTIONS = {
    "check_classifiers_classes": "it names a class -1, which here, as for SelfTrainingClassifier, is no label",
    "check_methods_subset_invariance": "of a part of a batch fp32 convolutions differ in the seventh digit",
}


class OfRows(NoisyStudentClassifier):
    """Draws each row of numbers as vertical stripes, black to white over the range of its column in training."""

    def _images(self, X: Any, *, fitting: bool) -> list[Any]:
        rows = validate_data(self, X, reset=fitting)
        if fitting:
            self.low_, self.range_ = rows.min(axis=0), np.ptp(rows, axis=0) + 1e-12
        stripes = np.clip((rows - self.low_) / self.range_, 0, 1)
        wide = np.repeat(stripes, max(SIZE // stripes.shape[1], 1), axis=1)[:, :SIZE]
        return [np.tile(line, (SIZE, 1)) for line in np.pad(wide, ((0, 0), (0, SIZE - wide.shape[1])))]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


def failed(folder: Path, *settings: str) -> set[str]:
    path = folder / "quick.toml"
    config = quick("data.val_fraction=0.0", "data.channels=1", "teacher.warmup_steps=0", *settings, generations=0)
    path.write_text(config.to_toml())
    results = check_estimator(OfRows(path, random_state=0), on_skip=None, on_fail=None)
    assert len(results) > 40
    return {result["check_name"] for result in results if result["status"] not in ("passed", "skipped")}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass_but_for_the_exceptions(tmp_path: Path) -> None:
    learning = ["teacher.steps=25", "teacher.learning_rate=0.03", "teacher.ema_decay=0.8", "teacher.batch_size=32"]
    assert failed(tmp_path, *learning, "teacher.noise.randaugment=false") <= set(EXCEPTIONS)


def test_an_estimator_of_images_says_that_it_takes_no_tables_unless_it_can() -> None:
    assert not NoisyStudentClassifier().__sklearn_tags__().input_tags.two_d_array
    assert NoisyStudentClassifier(image_shape=(8, 8)).__sklearn_tags__().input_tags.two_d_array
