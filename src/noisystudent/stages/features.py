"""What a pretrained network sees in the images of a run, embedded once; and the linear classifiers fitted on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from noisystudent import processes
from noisystudent.config import Config, Training
from noisystudent.data.class_balance import balancing_copies, log_shares
from noisystudent.data.images import Skipped, image_set
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError, changed_since
from noisystudent.features.embedding import read_features, write_features
from noisystudent.features.heads import ByFeatures, check_head
from noisystudent.features.probe import Probe, Scaling, cross_validate, fit_probe
from noisystudent.models.classifier import Classifier
from noisystudent.run_plan import embedding_stage, features_folder
from noisystudent.rundir import RunDir
from noisystudent.seeds import derive_seed
from noisystudent.stages.preparation import write_skipped

Record = dict[str, Any]
STRENGTH = 10.0  # of the regularization, where no two classes have the two images that cross-validation needs
MOST_FITTED = 50_000  # pseudo-labeled images that a linear classifier is fitted on: 256 MB of 1,280 features each


def embed(run: RunDir, config: Config, training: Training, build: Callable[[], Classifier]) -> Record:
    """Embed the labeled images and those held out, and choose the regularization of classifiers on them on the labels alone.

    Args:
        run: the run folder; receives `features/`.
        config: of the run.
        training: names the pretrained network and its view.
        build: makes that network, as it is.

    Returns:
        `strength` and `temperature` for the classifiers, and `accuracy`, in percent, on `images` labeled images that took no part in a
        fit; None where no two classes have two images.
    """

    def work() -> Record:
        classifier = build()
        classifier.network.eval()
        check_head(classifier, training.model)
        for split in ("labeled", "val", "test"):
            if run.manifest(split).exists():
                skipped = _embed_split(run, config, training, classifier, split)
                if skipped:
                    raise UserError([changed_since(row.id, row.reason) for row in skipped])
        values, labels = _labeled(run, training)
        found = processes.from_first(lambda: cross_validate(values, labels, seed=derive_seed(config.seed, "probe")))
        if found is None:
            return {"strength": STRENGTH, "temperature": 1.0, "accuracy": None, "images": 0}
        return {
            "strength": found.strength,
            "temperature": round(found.temperature, 4),
            "accuracy": found.accuracy,
            "images": len(found.right),
        }

    return run.stage(embedding_stage(training, "labeled"), work, shared=True)


def embed_unlabeled(run: RunDir, config: Config, training: Training, build: Callable[[], Classifier]) -> None:
    """Embed the images without labels; arguments as for `embed`."""

    def work() -> Record:
        classifier = build()
        classifier.network.eval()
        skipped = _embed_split(run, config, training, classifier, "unlabeled")
        processes.from_first(lambda: write_skipped(run, "embed", skipped))
        return {"skipped": len(skipped)}

    run.stage(embedding_stage(training, "unlabeled"), work, shared=True)


def _embed_split(run: RunDir, config: Config, training: Training, classifier: Classifier, split: str) -> list[Skipped]:
    images = image_set(Manifest.load(run.manifest(split)), classifier.preprocessing, config.execution)
    folder = run.path / features_folder(training) / split
    return write_features(classifier, images, folder, execution=config.execution, description=f"embedding: {split}")


def probe(run: RunDir, config: Config, training: Training, name: str, selected: pa.Table | None) -> Probe:
    """A linear classifier on the network's features: of the labels, and for a student of its pseudo-labels too.

    The pseudo-labeled images count together `unlabeled_ratio` times as much as the labeled ones, as in the batches of a training.

    Args:
        run: the run folder.
        config: of the run.
        training: names the network; its ratio.
        name: of the network's folder, which decides the sample of many pseudo-labeled images.
        selected: of a student, its selection.
    """
    chosen = run.record(embedding_stage(training, "labeled"))
    assert chosen is not None, "the labeled images were embedded"
    values, labels = _labeled(run, training)
    scaling, classes = Scaling.of(values), int(labels.max()) + 1
    weights = balancing_copies(labels) if training.class_balance == "sampling" else np.ones(len(labels))
    weights = weights * len(labels) / weights.sum()
    if selected is not None:
        pseudo, pseudo_labels, counted = _pseudo_labeled(run, config, training, name, selected)
        weights = np.concatenate([weights * counted.sum() / (training.unlabeled_ratio * len(labels)), counted])
        values, labels = np.concatenate([values, pseudo]), np.concatenate([labels, pseudo_labels])
    temperature = chosen["temperature"] if selected is None else 1.0  # it was found without pseudo-labels
    fitted = fit_probe(
        values, labels, strength=chosen["strength"], scaling=scaling, temperature=temperature, weights=weights
    )
    if training.class_balance == "logits":
        fitted = fitted._replace(bias=fitted.bias - log_shares(labels, classes, weights).astype(np.float32))
    return fitted


def _pseudo_labeled(
    run: RunDir, config: Config, training: Training, name: str, selected: pa.Table
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features float32 [n, D], labels int [n] and weights float64 [n] of the images that a student is given, or of a sample of them."""
    drawn = np.random.default_rng(derive_seed(config.seed, "probe", name))
    table = selected.take(np.sort(drawn.permutation(len(selected))[:MOST_FITTED]))
    values = read_features(run.path / features_folder(training) / "unlabeled", table["id"].to_pylist())
    weights = table["copies"].to_numpy().astype(np.float64)
    if training.sampling == "confidence":
        weights = weights * table["confidence"].to_numpy()
    return values, table["label"].to_numpy(), weights


def by_features(run: RunDir, training: Training, classifier: Classifier, split: str, manifest: Manifest) -> ByFeatures:
    """The answers of a classifier on features for images of a split, without another look at them."""
    return ByFeatures(classifier, run.path / features_folder(training) / split, manifest)


def _labeled(run: RunDir, training: Training) -> tuple[np.ndarray, np.ndarray]:
    manifest = Manifest.load(run.manifest("labeled"))
    return read_features(run.path / features_folder(training) / "labeled", manifest.ids), manifest.labels
