"""The images of a run as the network sees them that it hands on: those with labels, those held out, and those without labels."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noisystudent import atomic
from noisystudent.config import Execution, Training
from noisystudent.data.images import image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import read_parts
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.features.embedding import read_features as read_embedded
from noisystudent.features.probe import cross_validate
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.report.predictions import parts
from noisystudent.report.run_reader import Run
from noisystudent.review.known_classes import KnownClasses, least_likeness
from noisystudent.review.looking import ByFeatures, ByPixels, Looking, look, read_features
from noisystudent.review.pixels import SUFFICES, pixel_features
from noisystudent.run_plan import embedding_stage, features_folder, run_networks
from noisystudent.rundir import best_folder
from noisystudent.stages.preparation import as_the_teacher_sees

SAID = ["id", "label", "confidence", "second", "second_confidence", "dhash"]


class LookedAt:
    """The images of a run, and what its network says of each.

    Args:
        run: read; nothing of it is changed.
        work: a folder for what the network says, which goes on with what was begun there.
        execution: device and precision.

    Raises:
        UserError: no network of the run is trained yet.
    """

    def __init__(self, run: Run, work: Path, execution: Execution) -> None:
        compute_device(execution)
        self.run, self._work, self._execution = run, work, execution
        self.network, folder, self._training, self.number = _handed_on(run)
        self._model = folder / "model"
        self.classifier = load_classifier(self._model)
        self.skipped = 0
        there = [split for split in ("labeled", "val", "unlabeled") if run.folder.manifest(split).exists()]
        self._manifests = {split: Manifest.load(run.folder.manifest(split)) for split in there}

    def look(self) -> None:
        """Look at all images that were not looked at yet. Test images choose nothing, and are not.

        Raises:
            UserError: what was begun was begun with another network.
        """
        identity: dict[str, Any] = {**model_identity(str(self._model), self.classifier), "images": self.run.images}
        if not atomic.is_as_recorded(self._work / "review.json", identity):
            raise UserError(
                f"{self._work} holds what was stopped with another network: delete it, or give another --out"
            )
        for split in self._manifests:
            known = self._known if split == "unlabeled" else None
            about = f"looking at the images: {split}"
            looking = self._looking(split)
            folder = self._work / split
            self.skipped += len(look(looking, folder, execution=self._execution, known=known, description=about))

    def _looking(self, split: str) -> Looking:
        manifest = self._manifests[split]
        if self._training.frozen and (folder := _embedded(self.run, self._training, split)):
            return ByFeatures(self.classifier, folder, manifest)
        images = image_set(manifest, self.classifier.preprocessing, self._execution)
        return ByPixels(self.classifier, images, self._execution)

    @functools.cached_property
    def _kept(self) -> dict[str, tuple[Manifest, np.ndarray]]:
        """Of each split with labels the images that could be read now, and their features float32 [n, D]."""
        found = {}
        for split in [split for split in self._manifests if split != "unlabeled"]:
            rows, values = read_features(self._work / split, self._manifests[split].table["id"])
            found[split] = self._manifests[split].take(rows), values
        return found

    @functools.cached_property
    def labeled(self) -> Manifest:
        """The images with labels, N of them; those that are held out last."""
        tables = [manifest.table for manifest, _ in self._kept.values()]
        return Manifest(pa.concat_tables(tables).combine_chunks(), self.classifier.class_names)

    @functools.cached_property
    def said_of_labeled(self) -> pa.Table:
        """What the network says of them, in their order."""
        found = []
        for split, (manifest, _) in self._kept.items():
            said = read_parts(self._work / split, SAID)
            found.append(said.take(pc.index_in(manifest.table["id"], value_set=said["id"].combine_chunks())))
        return pa.concat_tables(found).combine_chunks()

    @property
    def unlabeled(self) -> Manifest | None:
        """The images without labels; None: the run has none."""
        return self._manifests.get("unlabeled")

    @property
    def unlabeled_files(self) -> list[Path]:
        """The table of what the network says of them (`looking.FIELDS`, `likeness`)."""
        return parts(self._work / "unlabeled")

    def said_of_unlabeled(self) -> pa.Table:
        """That table without the likeness."""
        return read_parts(self._work / "unlabeled", SAID)

    @functools.cached_property
    def _features(self) -> np.ndarray:
        return np.concatenate([values for _, values in self._kept.values()])

    @functools.cached_property
    def _known(self) -> KnownClasses:
        return KnownClasses.of(self._features, self.labeled.labels)

    def least_likeness(self) -> float:
        """Below which an unlabeled image is of no class (`known_classes`)."""
        held_out: np.ndarray = pc.equal(self.labeled.table["split"], "val").to_numpy(zero_copy_only=False)
        return least_likeness(self._features, self.labeled.labels, held_out)

    def independent_features(self) -> tuple[np.ndarray, str]:
        """float32 [N, D], what tells the images with labels apart and did not learn from these, where there is such; and what it is."""
        probes = [network.training for network in run_networks(self.run.config) if network.training.start == "probe"]
        for training in probes:
            folders = {split: _embedded(self.run, training, split) for split in self._kept}
            if all(folders.values()):
                seen = [read_embedded(folder, self._kept[split][0].ids) for split, folder in folders.items() if folder]
                return np.concatenate(
                    seen
                ), f"by what the pretrained {training.model} sees, which has not learned from them"
        pixels = pixel_features(as_the_teacher_sees(self.labeled, self.run.config))
        found = cross_validate(pixels, self.labeled.labels, seed=self.run.config.seed)
        if found and found.accuracy >= SUFFICES:
            return pixels, f"by their pixels, on which a linear classifier is right on {found.accuracy:.0f} % of them"
        return self._features, (
            f"by what {self.network} sees, which has learned from them: of wrong labels that it has learned fewer are found"
        )


def _handed_on(run: Run) -> tuple[str, Path, Training, int | None]:
    """The network that a run hands on, or so far the last of its generations: its name, folder, training and number.

    Raises:
        UserError: none is trained yet.
    """
    best = best_folder(run.folder.path).resolve().name if run.finished else ""
    generations = [network for network in run_networks(run.config) if network.number is not None]
    done = [n for n in run_networks(run.config) if n.folder == best] if run.finished else []
    done = done or [n for n in generations if run.folder.done(f"{n.folder}/train")]
    if not done:
        raise UserError(
            f"{run.folder.path}: no network of this run is trained yet: give the same `noisystudent run` again"
        )
    network = done[-1]
    name = network.name if network.number else f"the {network.name}"
    return name, run.folder.path / network.folder, network.training, network.number


def _embedded(run: Run, training: Training, split: str) -> Path | None:
    """Where the run has what the pretrained network sees in all images of a split."""
    stage = embedding_stage(training, "unlabeled" if split == "unlabeled" else "labeled")
    folder = run.folder.path / features_folder(training) / split
    return folder if run.folder.done(stage) and parts(folder) else None
