"""What each command does beside the whole loop (`pipeline.run`): the stages, one at a time, on files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from noisystudent import atomic
from noisystudent.config import PREVIOUS, Config, Execution, Training
from noisystudent.data.images import image_set
from noisystudent.data.sources import read_source
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.evaluation.corruption_error import normalizers_called
from noisystudent.evaluation.cost import cost
from noisystudent.evaluation.published import compare, published
from noisystudent.evaluation.suites import Request, check, evaluate_suites
from noisystudent.models.classifier import Classifier
from noisystudent.models.loading import load_classifier, model_identity
from noisystudent.processes import from_first
from noisystudent.progress import logger, warn
from noisystudent.pseudo.label import ByNetwork, write_predictions
from noisystudent.pseudo.select import parts_glob
from noisystudent.pseudo.selections import check_classes, read_selection
from noisystudent.rundir import folder_called, locked, open_run
from noisystudent.stages import networks
from noisystudent.stages.networks import check_networks, fit_and_measure, look_for_weights
from noisystudent.stages.preparation import prepared
from noisystudent.stages.pseudo_labels import find_leaks, leaked_ids, pseudo_examples
from noisystudent.stages.summary import summarize


def train(config: Config, out: str | Path) -> dict[str, Any]:
    """Train the configuration's teacher, or a supervised baseline, into `out/gen-0`; the same again goes on.

    Returns:
        What `results.json` of the folder holds.
    """
    config = config.model_copy(update={"generations": (), "baseline": False, "known_classes": None})
    check_networks(config)
    look_for_weights(config, Path(out))
    with open_run(Path(out), config) as folder:
        data = prepared(folder, config)
        networks.measure_frozen_features(folder, config, data)
        networks.train(folder, config, data, 0, config.teacher)
        return from_first(lambda: summarize(folder, config))


def label(
    model: str | Path, images: str | Path, out: str | Path, *, execution: Execution | None = None, top_k: int = 0
) -> dict[str, Any]:
    """Write a predictions table of all images into `out`; the same again goes on.

    Args:
        model: a run, a generation, a model folder, a timm name or `hf-hub:owner/name`.
        images: an image source; labels it may have are not read.
        out: a new or an empty folder, or one begun with the same model.
        top_k: keep the probabilities of so many most probable classes; 0: of all.

    Raises:
        UserError: no model, no images, or `out` holds predictions of another model.
    """
    execution = _checked(execution)
    teacher = load_classifier(model)
    manifest = read_source(images, split="unlabeled", labels="ignored")
    warn(manifest.notes)
    identity = {
        **model_identity(model, teacher),
        "images": os.fspath(images),
        "ids_sha256": hashlib.sha256("\n".join(manifest.ids).encode()).hexdigest(),
        "class_names": list(teacher.class_names),
        **({"top_k": top_k} if top_k else {}),
    }
    with locked(Path(out)):
        from_first(lambda: _begin_predictions(Path(out), identity))
        images_of = image_set(manifest, teacher.preprocessing, execution)
        labeler = ByNetwork(teacher, images_of, execution)
        skipped = write_predictions(labeler, Path(out), execution=execution, top_k=top_k)
    return {"out": str(out), "images": len(manifest) - len(skipped), "skipped": [row._asdict() for row in skipped]}


def _begin_predictions(out: Path, identity: dict[str, Any]) -> None:
    """Write who makes the predictions, or find that it is the same as before."""
    recorded = out / "teacher.json"
    if not atomic.is_as_recorded(recorded, identity):
        raise UserError(
            f"--out {out} holds predictions of another model or other images ({recorded}): give another folder"
        )


def student(config: Config, selection: str | Path, out: str | Path) -> dict[str, Any]:
    """Train the configuration's first student on labels and a selection of pseudo-labels, into `out/gen-1`.

    Args:
        config: its `data` names the labeled images and the unlabeled ones that the selection was made of.
        selection: a folder that `select` wrote.
        out: a new or an empty folder, or one begun with the same.

    Raises:
        UserError: the selection is missing, or its classes are not those of the labeled images.
    """
    if not config.generations:
        raise UserError("the configuration has no generation, and so no student: choose another recipe")
    first = config.generations[0].model_copy(update={"teachers": (PREVIOUS,)})  # who labeled, the selection says
    alone = {"generations": (first,), "baseline": False, "frozen_features": False, "known_classes": None}
    config = config.model_copy(update=alone)
    check_networks(config)
    look_for_weights(config.model_copy(update={"teacher": config.generations[0].student}), Path(out))
    summary, table, digest = read_selection(Path(selection))
    training = config.generations[0].student
    start = _warm_start(summary["teacher"], training) if training.warm_start else None
    with open_run(Path(out), config, whole=False) as folder:
        data = prepared(folder, config)
        names = data["class_names"]
        check_classes(selection, summary, names, of="--labeled")
        begun = folder.stage("gen-1/selection", lambda: {"selection": str(selection), "sha256": digest})
        if begun["sha256"] != digest:
            raise UserError(f"--out {out} was begun with another selection ({begun['selection']}): give another folder")

        predictions = Path(selection) / summary["predictions"]
        parts_glob(predictions)
        find_leaks(folder, config, predictions)

        def selected() -> pa.Table:
            kept = table.filter(pc.invert(pc.is_in(table["id"], pa.array(leaked_ids(folder), pa.string()))))
            if kept.num_rows == 0:
                raise UserError(f"--selection {selection}: all of its images are validation or test images too")
            return kept

        def pseudo() -> Any:
            return pseudo_examples(folder, 1, selected(), predictions, training, config)

        into = folder.generation(1)
        fit_and_measure(folder, config, data, into, training, pseudo, "the student", start=start, selected=selected)
        return from_first(lambda: summarize(folder, config))


def _warm_start(teacher: dict[str, Any], training: Training) -> Path:
    """The folder of the teacher that a selection was labeled by, from whose weights the student starts.

    Raises:
        UserError: it is not where it was, it is another one now, or another network.
    """
    name = teacher["model"]
    advice = "put it back, or have the student start from its own weights with --set student.warm_start=false"
    try:
        folder = folder_called(name)
    except UserError:
        folder = None
    if folder is None or atomic.sha256(folder / "model.safetensors") != teacher["sha256"]:
        raise UserError(
            f"student: warm_start needs its teacher's weights, and {name} is not the model that labeled: {advice}"
        )
    named = not training.model.startswith(("hf-hub:", "local-dir:"))
    if named and teacher["architecture"] != training.model.split(".")[0]:
        raise UserError(
            f"student: warm_start needs the teacher's network, which is {teacher['architecture']} and not {training.model}: "
            "set student.model, or --set student.warm_start=false"
        )
    return folder


def evaluate(
    model: str | Path | Classifier,
    data: str | Path,
    *,
    suites: Sequence[str] = ("clean",),
    val: str | Path = "",
    normalizers: str | Path = "",
    seed: int = 0,
    cells: str | Path | None = None,
    reference: bool = False,
    execution: Execution | None = None,
) -> dict[str, Any]:
    """Measure a model on labeled images: accuracy, robustness, calibration, with 95 % intervals.

    Args:
        model: as for `label`; or a `Classifier`, with a network and a preprocessing of your own.
        data: an image source with labels, whose classes are matched with the model's by name; for the suites c and p also a folder
            laid out as ImageNet-C or ImageNet-P.
        suites: of `noisystudent.evaluation.suites.SUITES`.
        val: validation images, for the temperature of the suite calibration.
        normalizers: of the corruption errors: alexnet, none, or a .json file; empty takes AlexNet's, and none for images below 64 px.
        seed: of the bootstrap, and of what the suites draw.
        cells: a folder that keeps finished parts, so that the same call goes on; None keeps nothing.
        reference: set what was measured beside what timm's tables have of this model, a timm name with its tag.

    Raises:
        UserError: no model, no images, or classes that the model does not know.
    """
    execution = _checked(execution)
    divided_by = normalizers_called(os.fspath(normalizers))
    kept = Path(cells) if cells else None
    request = Request(os.path.expanduser(data), tuple(suites), os.path.expanduser(val), divided_by, seed, kept)
    check(request)
    if reference and not isinstance(model, Classifier):
        published(os.fspath(model))  # a name that the tables do not have is found out before the work
    classifier = model if isinstance(model, Classifier) else load_classifier(model)
    identity = model_identity("given" if isinstance(model, Classifier) else model, classifier)
    found = evaluate_suites(classifier, request, identity=identity, execution=execution)
    if found.skipped:
        logger.warning("%d images cannot be read and are left out", len(found.skipped))
    parameters = sum(parameter.numel() for parameter in classifier.network.parameters())
    return {
        "model": classifier.architecture,
        "data": request.data,
        "split": "test",
        "metrics": {**found.metrics, "params": parameters},
        "ci95": found.ci95,
        "n": found.n,
        "seed": seed,
        "suites": found.about,
        **({"reference": compare(str(model), found.metrics, found.ci95)} if reference else {}),
        "skipped": [row._asdict() for row in found.skipped],
        "provenance": identity,
    }


def profile(
    model: str | Path, *, size: int | None = None, batch: int = 32, execution: Execution | None = None
) -> dict[str, Any]:
    """What classifying an image costs: parameters, multiply-adds, images a second, memory (`noisystudent.evaluation.cost`).

    Args:
        model: as for `label`; of a timm name no weights are downloaded, since the cost does not depend on them.
        size: side of an image in pixels; without it the model's own.
        batch: images at a time.

    Raises:
        UserError: no model, or one that does not take images of that size.
    """
    execution = _checked(execution)
    classifier = load_classifier(model, weights=False)
    side = size or classifier.preprocessing.image_size
    try:
        found = cost(classifier, size=side, batch=batch, execution=execution)
    except (RuntimeError, AssertionError) as error:  # a network of fixed size says so in words of its own
        raise UserError(f"--size {side}: {classifier.architecture} does not take such images: {error}") from error
    return {"model": classifier.architecture, "size": side, "batch": batch, "metrics": found}


def _checked(execution: Execution | None) -> Execution:
    """What was given, or the default; its device is there."""
    execution = execution or Execution()
    compute_device(execution)
    return execution
