"""Noisy Student Training with scikit-learn's conventions: images with labels, and with -1 for those that have none."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted, column_or_1d

from noisystudent import atomic
from noisystudent.commands import train
from noisystudent.config import Config
from noisystudent.configuration import configure
from noisystudent.data.decoding import UnreadableImage
from noisystudent.data.given_images import GivenImage, encoded
from noisystudent.errors import UserError
from noisystudent.models.loading import load_classifier
from noisystudent.pipeline import run
from noisystudent.progress import unseen

UNLABELED = -1


class NoisyStudentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of images, trained on some with labels and many without, where `y` is -1, as for scikit-learn's SelfTrainingClassifier.

    `X` is a list of images, or of the paths of their files, in whatever form `Classifier.predict` takes them; an array [n, H, W] of grey
    ones or [n, H, W, C], a tensor [n, C, H, W]; or with `image_shape` a table with a row of pixels an image. Pixels are uint8, or floats
    between 0 and 1.

    Args:
        recipe: a name that `noisystudent recipes` lists, or a configuration's .toml file.
        settings: `KEY=VALUE`, as `--set` takes them, such as `"data.channels=1"` for grey pictures.
        image_shape: of a row of `X`, (H, W) or (H, W, C), where `X` is a table.
        out: a folder for the run, which is kept with its report, and goes on if `fit` was stopped; None: it is deleted when `fit` is done.
        random_state: the run's seed, or what it is drawn from.
        verbose: show progress.

    Attributes:
        classes_: the labels, sorted.
        classifier_: the `Classifier` that the run hands on, whose `class_names` are the labels as text.
        results_: what `results.json` of the run holds.
        transduction_: the label that each image of `X` had in the last training: its own, or a pseudo-label; -1 where it took no part.
        n_features_in_: pixels of a row, where `X` is a table.

    Example:
        >>> from sklearn.base import clone
        >>> clone(NoisyStudentClassifier("digits", image_shape=(8, 8))).image_shape
        (8, 8)
    """

    def __init__(
        self,
        recipe: str | Path = "photos-fast",
        *,
        settings: Sequence[str] = (),
        image_shape: tuple[int, ...] | None = None,
        out: str | Path | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ) -> None:
        self.recipe = recipe
        self.settings = settings
        self.image_shape = image_shape
        self.out = out
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> NoisyStudentClassifier:
        """Train teacher and students.

        Args:
            X: n images.
            y: n labels, -1 for an image that has none. Where labels are text, a list or an array of objects.

        Raises:
            ValueError: images or labels cannot be used.
        """
        images, labels = self._images(X, fitting=True), _labels(y)
        if len(images) != len(labels):
            raise UserError(f"X has {len(images)} images, and y {len(labels)} labels")
        self.classes_, numbers = _numbered(labels)
        with self._folder() as folder, contextlib.nullcontext() if self.verbose else unseen():
            config = self._config(folder, images, numbers)
            learn = run if config.generations else train
            self.results_ = learn(config, folder / "run")
            self.classifier_ = load_classifier(folder / "run")
            self.transduction_ = self._used(folder / "run", numbers)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each image: [n]."""
        numbers = self.predict_proba(X).argmax(axis=1)
        predicted: np.ndarray = self.classes_[numbers]
        return predicted

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each label, in the order of `classes_`: float64 [n, classes]."""
        check_is_fitted(self)
        return self.classifier_.predict_proba(self._images(X, fitting=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.image_shape is not None
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classifier_")

    def _images(self, X: Any, *, fitting: bool) -> list[GivenImage]:
        if isinstance(X, (str, bytes, os.PathLike)):
            raise UserError(f"X is one image, {X!r}: give a list of them")
        if hasattr(X, "__array__") and not isinstance(X, torch.Tensor):  # of pandas, too
            X = np.asarray(X)
        if isinstance(X, np.ndarray) and X.ndim == 2:
            return self._of_table(X, fitting=fitting)
        if isinstance(X, (np.ndarray, torch.Tensor)) and X.ndim == 0:
            raise UserError("X has no images")
        return list(X)

    def _of_table(self, table: np.ndarray, *, fitting: bool) -> list[GivenImage]:
        if table.dtype.kind in "OUS" and table.shape[1] == 1:  # a column of paths
            return list(table[:, 0])
        if self.image_shape is None:
            raise UserError(
                f"X is a table {list(table.shape)}: say with image_shape, such as (28, 28), how its rows are images"
            )
        wanted = int(np.prod(self.image_shape))
        if table.shape[1] != wanted:
            raise UserError(
                f"X has {table.shape[1]} features, but image_shape {self.image_shape} needs {wanted} features as input"
            )
        if fitting:
            self.n_features_in_ = wanted
        return list(table.reshape(len(table), *self.image_shape))

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Path]:
        if self.out is not None:
            yield Path(self.out).expanduser()
            return
        with tempfile.TemporaryDirectory(prefix="noisystudent-") as folder:
            yield Path(folder)

    def _config(self, folder: Path, images: list[GivenImage], numbers: np.ndarray) -> Config:
        """That of the run, its images written into the folder."""
        known = np.flatnonzero(numbers != UNLABELED)
        unknown = np.flatnonzero(numbers == UNLABELED)
        names = [str(label) for label in self.classes_]
        sources = {"labeled": _write(folder / "labeled.parquet", images, known, numbers, names)}
        if len(unknown):
            sources["unlabeled"] = _write(folder / "unlabeled.parquet", images, unknown, None, names)
        else:
            warnings.warn("y contains no unlabeled samples: only a teacher is trained", UserWarning, stacklevel=3)
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31 - 1)
        chosen = {"config": self.recipe} if str(self.recipe).endswith(".toml") else {"recipe": str(self.recipe)}
        config = configure(**chosen, settings=[f"seed={int(seed)}", *self.settings], **sources)  # type: ignore[arg-type]
        return config if len(unknown) else config.model_copy(update={"generations": ()})

    def _used(self, folder: Path, numbers: np.ndarray) -> np.ndarray:
        """The labels of the last training, of those in `classes_`; -1 where an image took no part."""
        used = numbers.copy()
        selections = sorted(folder.glob("gen-*/selection/selection.parquet"), key=lambda path: int(path.parts[-3][4:]))
        if selections:
            selected = pq.read_table(selections[-1], columns=["id", "label"])
            used[[int(id) for id in selected["id"].to_pylist()]] = selected["label"].to_numpy()
        dtype = self.classes_.dtype if self.classes_.dtype.kind in "iufO" else object
        labels = np.full(len(used), UNLABELED, dtype)
        labels[used != UNLABELED] = self.classes_[used[used != UNLABELED]]
        return labels


def _labels(y: Any) -> np.ndarray:
    """[n], -1 where there is none."""
    if y is None:
        raise UserError("NoisyStudentClassifier requires y to be passed, but the target y is None")
    if isinstance(y, (list, tuple)) and any(isinstance(label, str) for label in y):
        labels = np.empty(len(y), object)  # an array of text would make text of -1
        labels[:] = y
    else:
        labels = column_or_1d(y, warn=True)
    if labels.dtype.kind in "US" and (labels == str(UNLABELED)).any():
        raise UserError("y has dtype string, in which no label is '-1': give a list, or an array of dtype object")
    return labels


def _numbered(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels that there are, sorted, and for each image the number of its own; -1 where it has none."""
    assert_all_finite(labels, input_name="y")
    known = np.array([label != UNLABELED for label in labels], bool)
    given = labels[known]
    if given.dtype.kind == "O" and all(isinstance(label, str) for label in given):
        given = given.astype(str)
    check_classification_targets(given)
    classes, numbers = np.unique(given, return_inverse=True)
    if len(classes) < 2:
        raise UserError(f"y has {len(classes)} class, and a classifier needs two or more")
    found = np.full(len(labels), UNLABELED, np.int64)
    found[known] = numbers
    return classes, found


def _write(
    path: Path, images: list[GivenImage], rows: np.ndarray, numbers: np.ndarray | None, names: list[str]
) -> Path:
    """A table of encoded images, a source; the names of its classes as Hugging Face's `datasets` keeps them."""
    fields = [pa.field("id", pa.string()), pa.field("image", pa.binary())]
    if numbers is not None:
        fields.append(pa.field("label", pa.int64()))
    classes = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    schema = pa.schema(fields, {b"huggingface": json.dumps(classes).encode()} if numbers is not None else None)
    problems: list[str] = []
    with atomic.replacing(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="none") as writer:
            for some in np.array_split(rows, max(len(rows) // 256, 1)):
                columns = {"id": [str(row) for row in some], "image": _encoded(images, some, problems)}
                if numbers is not None:
                    columns["label"] = numbers[some]
                writer.write_table(pa.table(columns, schema))
        if path.exists() and atomic.sha256(path) != atomic.sha256(temporary):
            problems.append(f"{path.parent} holds a fit on other images or labels: give another `out`")
        if problems:
            raise UserError(problems)
    return path


def _encoded(images: list[GivenImage], rows: np.ndarray, problems: list[str]) -> list[bytes]:
    found = []
    for row in rows.tolist():
        try:
            found.append(encoded(images[row]))
        except UnreadableImage as reason:
            problems.append(f"X[{row}]: {reason}")
            found.append(b"")
    return found
