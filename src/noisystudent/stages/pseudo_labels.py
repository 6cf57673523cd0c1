"""From teachers to the pseudo-labels that their student learns from: label, find leaks, select, join."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent import atomic, processes
from noisystudent.config import FROZEN_TEACHER, PREVIOUS, Config, Selection, Training, View
from noisystudent.data.images import image_set
from noisystudent.data.joint_batches import Examples
from noisystudent.data.leaks import held_out_twins
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import read_parts
from noisystudent.errors import UserError
from noisystudent.evaluation.clean import answered
from noisystudent.models.classifier import Classifier
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.pseudo.distributions import distributions
from noisystudent.pseudo.label import ByNetwork, Labeler, Teacher, write_predictions
from noisystudent.pseudo.mirrored_teacher import MirroredTeacher
from noisystudent.pseudo.noised_teacher import noised_teacher
from noisystudent.pseudo.quality import check_selection, known_accuracy, most_confident
from noisystudent.pseudo.select import choose, parts_glob, relabel
from noisystudent.pseudo.selections import read_selection, summary_of, write_selection
from noisystudent.pseudo.several_teachers import MeanOf
from noisystudent.pseudo.temperature import AtTemperature, fit_temperature
from noisystudent.run_plan import teachers_by_features
from noisystudent.rundir import RunDir
from noisystudent.seeds import derive_seed
from noisystudent.stages.features import by_features, embed_unlabeled
from noisystudent.stages.preparation import as_the_teacher_sees, write_skipped
from noisystudent.training.targets import LabelTargets, TeacherTargets

Record = dict[str, Any]


def label(run: RunDir, config: Config, number: int, teacher: Path) -> Record:
    """Have the teachers predict the unlabeled images, for generation `number`; who they were, and how many they could read.

    Those are all of them; where a selection is kept, the selected ones.

    Args:
        run: the run folder.
        config: of the run.
        number: of the generation.
        teacher: the model of the generation before.
    """
    generation = config.generations[number - 1]
    models = {name: _model(run, config, name, teacher) for name in generation.teachers}
    for name, network in teachers_by_features(config, number).items():
        embed_unlabeled(run, config, network, functools.partial(open_teacher, models[name], run))

    def work() -> Record:
        manifest = Manifest.load(run.manifest("unlabeled"))
        if generation.select.reassign:
            manifest = _take(manifest, read_selection(selection_folder(run, number - 1)).table["id"])
        teachers = [_Teacher(name, model, open_teacher(model, run)) for name, model in models.items()]
        labelers = [_labeler(run, config, number, teacher, manifest) for teacher in teachers]
        temperatures = [_temperature(run, config, number, t) for t in teachers] if generation.calibrated else []
        if generation.calibrated:
            labelers = list(map(AtTemperature, labelers, temperatures))
        skipped = write_predictions(
            labelers[0] if len(labelers) == 1 else MeanOf(labelers, votes=generation.mean_of == "votes"),
            predictions_folder(run, number),
            execution=config.execution,
            top_k=generation.top_k,
            description=f"labeling for student {number}",
        )
        processes.from_first(lambda: write_skipped(run, "label", skipped))
        identities = [model_identity(str(teacher.model), teacher.classifier) for teacher in teachers]
        return {
            "teacher": _identity(identities),
            "images": len(manifest) - len(skipped),
            "skipped": len(skipped),
            "temperatures": [round(temperature, 4) for temperature in temperatures],
        }

    return run.stage(f"gen-{number}/label", work, shared=True)


def _model(run: RunDir, config: Config, name: str, before: Path) -> str | Path:
    """The path or name of the model that labels under this name; `before` is that of the generation before."""
    frozen = run.generation(0) if config.teacher.frozen else run.frozen
    return {PREVIOUS: before, FROZEN_TEACHER: frozen / "model"}.get(name, name)


class _Teacher(NamedTuple):
    """One of a generation's teachers: what the configuration calls it, the path or name of its model, and the model."""

    name: str
    model: str | Path
    classifier: Classifier


def _labeler(
    run: RunDir, config: Config, number: int, teacher: _Teacher, manifest: Manifest, split: str = "unlabeled"
) -> Labeler:
    """What answers for the images of a manifest, which is that of `split` or a part of it."""
    classifier, network = teacher.classifier, teachers_by_features(config, number).get(teacher.name)
    if network is not None:
        return by_features(run, network, classifier, split, manifest)
    images = image_set(manifest, classifier.preprocessing, config.execution, often=True)
    looks: Teacher = classifier
    if config.generations[number - 1].noised_teacher:
        seed = derive_seed(config.seed, "noised teacher", number)
        looks = noised_teacher(classifier, Path(teacher.model), config.network_before(number), seed=seed)
    if config.generations[number - 1].mirrored:
        looks = MirroredTeacher(looks)
    return ByNetwork(looks, images, config.execution)


def _temperature(run: RunDir, config: Config, number: int, teacher: _Teacher) -> float:
    """That which makes a teacher as sure of the validation images as it is right."""
    val = Manifest.load(run.manifest("val"))
    labeler = _labeler(run, config, number, teacher, val, "val")
    given = answered(labeler, val, execution=config.execution, whole=True)
    return fit_temperature(given.whole(), given.scores.labels)


def _identity(teachers: list[Record]) -> Record:
    """Who made predictions: one model's identity, or that of several together, with each."""
    if len(teachers) == 1:
        return teachers[0]
    joined = {key: " + ".join(teacher[key] for teacher in teachers) for key in ("model", "architecture")}
    digest = hashlib.sha256("".join(teacher["sha256"] for teacher in teachers).encode()).hexdigest()
    return {**joined, "sha256": digest, "teachers": teachers}


def check_teachers(run: RunDir, config: Config) -> None:
    """Open the teachers that are no networks of the run, and look whether there are images to calibrate all of them on.

    Raises:
        UserError: one is nowhere, or knows other classes; there are no validation images.
    """
    calibrated = [
        f"generations.{n}.calibrated" for n, generation in enumerate(config.generations) if generation.calibrated
    ]
    if calibrated and not run.manifest("val").exists():
        raise UserError(
            f"{' and '.join(calibrated)}: a temperature is fitted on validation images, and there are none: "
            "hold some labels back with data.val_fraction=0.2, or give images with data.val"
        )
    for generation in config.generations:
        for name in generation.teachers:
            if name not in (PREVIOUS, FROZEN_TEACHER):
                open_teacher(name, run)


def find_leaks(run: RunDir, config: Config, predictions: Path | None = None) -> None:
    """Find the unlabeled images that are validation or test images too: the same picture, or nearly.

    Args:
        run: the run folder; receives `data/leaks.parquet`.
        config: of the run.
        predictions: a predictions folder, for the images' hashes; None: that of the first generation.

    Raises:
        UserError: all of them are.
    """

    def work() -> Record:
        manifest = Manifest.load(run.manifest("unlabeled"))
        held_out = pq.read_table(run.path / "data" / "hashes.parquet")
        predicted = read_parts(predictions or predictions_folder(run, 1), ["id", "dhash"])
        predicted = predicted.filter(pc.is_in(predicted["id"], manifest.table["id"]))
        leaks = held_out_twins(
            manifest, predicted, held_out, config.execution, view=lambda m: as_the_teacher_sees(m, config)
        )
        with atomic.replacing(run.path / "data" / "leaks.parquet") as temporary:
            pq.write_table(leaks, temporary)
        exact = sum(leaks["exact"].to_pylist())
        warnings = []
        if 0 < leaks.num_rows == predicted.num_rows:
            raise UserError(
                f"all {leaks.num_rows} unlabeled images are in the validation or test data too (the run's data/leaks.parquet lists them): "
                "give others with --unlabeled, and another --out"
            )
        if leaks.num_rows:
            warnings.append(
                f"unlabeled images found in the validation or test data too: {leaks.num_rows} ({exact} identical, "
                f"{leaks.num_rows - exact} nearly); they are left out, and the run's data/leaks.parquet lists them"
            )
        return {"leaks": leaks.num_rows, "exact": exact, "warnings": warnings}

    run.stage("leaks", work)


def select(run: RunDir, config: Config, data: Record, number: int, selection: Selection, predictions: Record) -> None:
    """Filter and balance the pseudo-labels of generation `number`, and say what is suspicious about them.

    Or keep the images and copies of the generation before, with the new labels: held-out images were left out of those.
    """

    def work() -> Record:
        names = data["class_names"]
        folder = predictions_folder(run, number)
        excluded = leaked_ids(run)
        seed = derive_seed(config.seed, "select", number)
        reassigned: Record = {}
        if selection.reassign:
            kept = read_selection(selection_folder(run, number - 1))
            reassigned = {"reassigned_from": kept.digest}
            selected = relabel(parts_glob(folder), kept.table, classes=len(names), execution=config.execution)
        else:
            selected = choose(
                parts_glob(folder),
                selection,
                classes=len(names),
                seed=seed,
                excluded=excluded,
                execution=config.execution,
            )
        labels = Manifest.load(run.manifest("labeled")).labels
        warnings = check_selection(
            selected,
            selection=selection,
            most_confident=lambda: most_confident(parts_glob(folder)),
            labeled_shares=np.bincount(labels, minlength=len(names)) / len(labels),
            class_names=names,
        )
        summary = summary_of(
            selected,
            names,
            teacher=predictions["teacher"],
            predictions=os.path.relpath(folder, selection_folder(run, number)),
            **selection.model_dump(exclude={"reassign"}),
            **reassigned,
            seed=seed,
            excluded=len(excluded),
            known_labels=known_accuracy(
                parts_glob(folder), selected, Manifest.load(run.manifest("unlabeled")), config.execution
            ),
            warnings=warnings,
        )
        write_selection(selection_folder(run, number), selected, summary)
        unique = sum(row["kept"] for row in selected.classes)
        return {"kept": unique, "rows": sum(row["rows"] for row in selected.classes), "warnings": warnings}

    run.stage(f"gen-{number}/select", work)


def leaked_ids(run: RunDir) -> list[str]:
    """The unlabeled images that `find_leaks` found."""
    ids: list[str] = pq.read_table(run.path / "data" / "leaks.parquet")["id"].to_pylist()
    return ids


def selected_examples(run: RunDir, config: Config, number: int, training: Training) -> Examples:
    """What student `number` learns from beside the labels."""
    selection = read_selection(selection_folder(run, number)).table
    return pseudo_examples(run, number, selection, predictions_folder(run, number), training, config)


def pseudo_examples(
    run: RunDir, number: int, selection: pa.Table, predictions: Path, training: Training, config: Config
) -> Examples:
    """The selected images with their pseudo-labels as targets: the teacher's distribution, or the arg-max smoothed like a label.

    Args:
        run: the run folder, on whose disk the distributions lie while a student learns from them.
        number: of the student.
        selection: the selection table.
        predictions: the predictions folder; only read for soft pseudo-labels.
        training: soft or hard, temperature, smoothing, sampling, image size.
        config: channels and execution.
    """
    chosen = _take(Manifest.load(run.manifest("unlabeled")), selection["id"])
    targets: LabelTargets | TeacherTargets
    classes = len(Manifest.load(run.manifest("labeled")).class_names)
    if training.pseudo_labels == "hard":
        targets = LabelTargets(selection["label"].to_numpy(), classes, training.label_smoothing)
    else:
        given = distributions(predictions, selection["id"], run.generation(number), classes=classes)
        targets = TeacherTargets(given, training.temperature)
    view = View(training.image_size, config.data.channels, training.crop_pct)  # of training, before a resolution fix
    images = image_set(chosen, view, config.execution, often=not training.noise.shows_parts)
    copies, sure = (selection[column].to_numpy() for column in ("copies", "confidence"))
    return Examples(images, targets, copies, sure if training.sampling == "confidence" else None)


def _take(unlabeled: Manifest, ids: pa.ChunkedArray) -> Manifest:
    """The selected images, in the selection's order."""
    if ids.equals(unlabeled.table["id"]):  # all of them: a copy would take as much again
        return unlabeled
    rows = pc.index_in(ids, value_set=unlabeled.table["id"])
    if rows.null_count:
        missing = ids.filter(pc.is_null(rows))
        raise UserError(
            f"{len(missing)} selected images are not among the unlabeled ones, such as {missing[0].as_py()!r}: give the same source"
        )
    return unlabeled.take(rows.to_numpy())


def open_teacher(model: str | Path, run: RunDir) -> Classifier:
    """The teacher of a run; its classes must be the run's, in order.

    Raises:
        UserError: it is missing, or it is another run's.
    """
    teacher = load_classifier(str(model))
    names = Manifest.load(run.manifest("labeled")).class_names
    if teacher.class_names != names:
        raise UserError(
            f"the teacher {model} knows the classes {teacher.class_names}, in this order, and the labels are {names}"
        )
    return teacher


def predictions_folder(run: RunDir, number: int) -> Path:
    return run.generation(number) / "predictions"


def selection_folder(run: RunDir, number: int) -> Path:
    return run.generation(number) / "selection"
