"""The demo's data set: scikit-learn's handwritten digits, 1,797 real pictures of 8x8 pixels, as PNG files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from noisystudent.errors import UserError

CLASSES = 10
TEST = 500
TEST_SEED = 0


def write_digits(folder: Path, *, labels: int = 20, seed: int = 0) -> None:
    """Write `labeled/`, `unlabeled/` and `test/`, each with a folder for every digit.

    `test/` has 500 pictures, each digit by its share, the same ones whatever the seed, so that what is chosen on the
    others never saw them. Of the other 1,297, `labels` are in `labeled/`, the same number of each digit, and the rest
    in `unlabeled/` (in class folders too, so that pseudo-labels can be scored). The file `NNNN.png` is picture NNNN of
    scikit-learn's set.

    Args:
        folder: is made; one that this function finished before, with the same arguments, is kept as it is.
        labels: labeled pictures, a multiple of 10.
        seed: chooses the labeled pictures.

    Raises:
        UserError: `labels` cannot be had, or `folder` holds something else.

    Example:
        >>> write_digits(Path("digits"), labels=20)  # doctest: +SKIP
    """
    settings = {"labels": labels, "seed": seed}
    if folder.exists() and _is_in_use(folder, settings):
        return
    digits = load_digits()
    pictures = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    parts = _parts(digits.target, labels, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        made = Path(temporary) / "digits"
        for part, rows in parts.items():
            for row in rows.tolist():
                path = made / part / str(digits.target[row]) / f"{row:04d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pictures[row]).save(path)
        (made / "digits.json").write_text(json.dumps(settings) + "\n")
        os.replace(made, folder)


def _is_in_use(folder: Path, settings: dict[str, int]) -> bool:
    """Whether the folder holds just what is wanted; False if it is empty."""
    record = folder / "digits.json"
    if record.is_file():
        found = json.loads(record.read_text())
        if found == settings:
            return True
        raise UserError(f"{folder} holds digits made with {found}, not {settings}: choose another folder or delete it")
    if not folder.is_dir() or any(folder.iterdir()):
        raise UserError(f"{folder} exists and holds something else: choose another folder")
    return False


def _parts(targets: np.ndarray, labels: int, seed: int) -> dict[str, np.ndarray]:
    """The rows of each part."""
    for_test, for_labels = np.random.default_rng(TEST_SEED), np.random.default_rng(seed)
    tests = _shares(np.bincount(targets, minlength=CLASSES), TEST)
    most = int((np.bincount(targets, minlength=CLASSES) - tests).min())
    if labels % CLASSES or not 0 < labels <= most * CLASSES:
        raise UserError(f"labels={labels}: give a multiple of {CLASSES}, from {CLASSES} to {most * CLASSES}")
    parts: dict[str, list[np.ndarray]] = {"labeled": [], "unlabeled": [], "test": []}
    for digit in range(CLASSES):
        test, pool = np.split(for_test.permutation(np.flatnonzero(targets == digit)), [tests[digit]])
        labeled, unlabeled = np.split(for_labels.permutation(pool), [labels // CLASSES])
        for part, chosen in (("test", test), ("labeled", labeled), ("unlabeled", unlabeled)):
            parts[part].append(chosen)
    return {part: np.concatenate(chosen) for part, chosen in parts.items()}


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers that add up to `total`, in proportion to `counts`: the largest remainders are rounded up."""
    exact = counts * total / counts.sum()
    shares: np.ndarray = np.floor(exact).astype(np.int64)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    return shares
