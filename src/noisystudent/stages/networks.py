"""Train a network of a run, and measure it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from noisystudent import atomic
from noisystudent.config import Config, ResolutionFix, Training
from noisystudent.data.class_balance import balancing_copies, log_shares
from noisystudent.data.images import image_set
from noisystudent.data.joint_batches import Examples
from noisystudent.data.manifest import Manifest
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.evaluation.clean import Evaluation, evaluate, gathered, judge
from noisystudent.evaluation.cost import multiply_adds
from noisystudent.features.heads import put_head
from noisystudent.models.classifier import (
    Classifier,
    build_classifier,
    check_model_name,
    check_modules,
    check_single_image,
    load_weights,
)
from noisystudent.models.loading import load_classifier
from noisystudent.models.weights import check_weights
from noisystudent.noise.randaugment import operation_names
from noisystudent.processes import from_first
from noisystudent.progress import logger
from noisystudent.pseudo.label import all_answers
from noisystudent.pseudo.quality import check_teacher
from noisystudent.pseudo.selections import read_selection
from noisystudent.run_plan import FROZEN, baseline_training, first_to_embed, run_networks
from noisystudent.rundir import RunDir
from noisystudent.seeds import derive_seed
from noisystudent.stages.features import by_features, embed, embed_unlabeled, probe
from noisystudent.stages.pseudo_labels import selected_examples, selection_folder
from noisystudent.tracking import Trackers, check_trackers, followed
from noisystudent.training.loop import Validate, fit
from noisystudent.training.targets import LabelTargets
from noisystudent.trial import check_room


def check_networks(config: Config) -> None:
    """Find out before anything is done whether the networks, operations, modules, device and trackers that the configuration names exist.

    Raises:
        UserError: naming all that do not.
    """
    problems: list[str] = []
    for look in (lambda: compute_device(config.execution), lambda: check_trackers(config.execution.trackers)):
        try:
            look()
        except UserError as error:
            problems += error.problems
    networks = [network for network in run_networks(config) if network.key]
    for _, _, where, training, number in networks:
        checks: list[Callable[[], object]] = [functools.partial(check_model_name, training.model)]
        if training.noise.randaugment is not None:
            checks.append(functools.partial(operation_names, training.noise.randaugment.ops))
        if training.resolution_fix is not None:
            checks.append(functools.partial(check_modules, training, training.resolution_fix.frozen))
            if training.batch_size == 1:
                checks.append(
                    functools.partial(check_single_image, training.at_full_resolution(), config.data.channels)
                )
        if training.images_a_step(pseudo=bool(number)) == 1:  # a teacher sees labels only
            checks.append(functools.partial(check_single_image, training, config.data.channels))
        for attempt in checks:
            try:
                attempt()
            except UserError as error:
                problems += [f"{where}: {problem}" for problem in error.problems]
    for before, network in itertools.pairwise(networks):
        teacher, student, where = before.training, network.training, network.key
        if student.warm_start and (student.model, student.model_args) != (teacher.model, teacher.model_args):
            problems.append(
                f"{where}: warm_start needs the teacher's network, which is {teacher.model} and not {student.model}, with its model_args: "
                "give both the same, or set student.warm_start=false"
            )
    if config.teacher.warm_start:
        problems.append("teacher: warm_start is for students: the teacher has no teacher")
    if problems:
        raise UserError(list(dict.fromkeys(problems)))


def look_for_weights(config: Config, run: Path | None = None) -> dict[str, str]:
    """Find out before anything is done where the pretrained weights are of the networks that have yet to be trained.

    Args:
        config: of the run.
        run: its folder, whose trained networks need none any more; None: nothing is trained yet.

    Returns:
        by network, where its weights are, in words; without those that need none.

    Raises:
        UserError: some are nowhere, and what helps.
    """
    trained = []
    if run is not None:
        config = RunDir(run).decided(config)
        trained = [network.folder for network in run_networks(config) if RunDir(run).done(f"{network.folder}/train")]
    return check_weights(
        {
            network.name: (network.training.model, network.training.weights)
            for network in run_networks(config)
            if network.training.pretrained and not network.training.warm_start and network.folder not in trained
        }
    )


def train(run: RunDir, config: Config, data: dict[str, Any], number: int, training: Training) -> Path:
    """Train and measure the network of generation `number`; 0, the teacher, learns from labels alone.

    Returns:
        the folder of its model.
    """
    folder = run.generation(number)
    name = "the teacher" if number == 0 else f"student {number}"
    pseudo = None if number == 0 else (lambda: selected_examples(run, config, number, training))
    selected = None if number == 0 else (lambda: read_selection(selection_folder(run, number)).table)
    start = run.generation(number - 1) / "model" if training.warm_start else None
    fit_and_measure(run, config, data, folder, training, pseudo, name, start=start, selected=selected)
    return folder / "model"


def choose_start(run: RunDir, config: Config, data: dict[str, Any]) -> Config:
    """Find out on the labels alone whether frozen features suffice, where the configuration asks; what is left to do."""
    if config.known_classes is None:
        return config
    probe = config.teacher.probe()
    network = _Network(run, config, data, run.frozen, probe, FROZEN, Trackers(config, run.path, probe))
    embed(run, config, probe, lambda: _build(network, probe))
    logger.info(run.how_decided(config))
    return run.decided(config)


def measure_frozen_features(run: RunDir, config: Config, data: dict[str, Any]) -> None:
    """Fit and measure a linear classifier on the teacher's pretrained network as it is, where `run_networks` has one."""
    for network in run_networks(config):
        if network.name == FROZEN and network.number is None:
            fit_and_measure(run, config, data, run.frozen, network.training, None, f"the {FROZEN}")


def train_baseline(run: RunDir, config: Config, data: dict[str, Any]) -> None:
    """Train and measure the compute-matched baseline."""
    fit_and_measure(run, config, data, run.baseline, baseline_training(config), None, "the baseline")


@dataclass(frozen=True)
class _Network:
    """A network of a run: its folder, how it is trained, and what the user reads of it; `data` is what `prepare` returned.

    `selected` gives the selection that a student learns from; `trackers` follow it.
    """

    run: RunDir
    config: Config
    data: dict[str, Any]
    folder: Path
    training: Training
    name: str
    trackers: Trackers
    selected: Callable[[], pa.Table] | None = None

    @functools.cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Of the labeled images and of those held out."""
        paths = {split: self.run.manifest(split) for split in ("labeled", "val", "test")}
        return {split: Manifest.load(path) for split, path in paths.items() if path.exists()}


def fit_and_measure(
    run: RunDir,
    config: Config,
    data: dict[str, Any],
    folder: Path,
    training: Training,
    pseudo: Callable[[], Examples] | None,
    name: str,
    *,
    start: Path | None = None,
    selected: Callable[[], pa.Table] | None = None,
) -> None:
    """Train one network and measure it on the held-out images that there are, as two stages; as three with a resolution fix.

    Args:
        run: the run folder.
        config: of the run.
        data: what `prepare` returned.
        folder: of the network, in the run folder.
        training: how it is trained.
        pseudo: gives its pseudo-labeled images; None: labels only.
        name: for the user to read.
        start: the model whose weights it starts from; None: random or pretrained ones.
        selected: gives a student's selection; None: labels only.
    """
    with followed(config, run.path, training) as trackers:
        network = _Network(run, config, data, folder, training, name, trackers, selected)
        trained = _train(network, pseudo, start)
        run.stage(f"{folder.name}/evaluate", lambda: _measure(network, trained))


def _train(network: _Network, pseudo: Callable[[], Examples] | None, start: Path | None) -> dict[str, Any]:
    """The stages before it can be measured; what they found, with the seconds of all of them."""
    run, config, folder = network.run, network.config, network.folder
    training, fix = network.training, network.training.resolution_fix
    # With a resolution fix, what it begins with is kept: the paper measures ImageNet-C and -P without it.
    first = folder / "before-resolution-fix" if fix else folder

    def fit_first() -> dict[str, Any]:
        part = training.model_copy(update={"resolution_fix": None})
        images = pseudo() if pseudo and not part.frozen else None
        return _fit(network, part, first, start, images, description=f"training {network.name}")

    def fix_resolution(fix: ResolutionFix) -> dict[str, Any]:
        part, begin = training.at_full_resolution(), first / "model"
        about = f"training {network.name} at {fix.image_size} pixels"
        return _fit(network, part, folder, begin, None, schedule=training, frozen=fix.frozen, description=about)

    seconds = 0.0
    if training.start == "probe":
        embedded = embed(run, config, training, lambda: _build(network, training))
        if network.selected is not None:
            embed_unlabeled(run, config, training, lambda: _build(network, training))
        if first_to_embed(config, training).folder == folder.name:
            seconds = embedded["seconds"]
    trained = run.stage(f"{folder.name}/train", fit_first, shared=True)
    seconds += trained["seconds"]
    if fix is not None:
        trained = run.stage(f"{folder.name}/resolution-fix", lambda: fix_resolution(fix), shared=True)
        seconds += trained["seconds"]
    return {**trained, "seconds": round(seconds, 3)}


def _fit(
    network: _Network, part: Training, into: Path, start: Path | None, pseudo: Examples | None, **how: Any
) -> dict[str, Any]:
    """Train as `part` says, which is the network's training or its end; `how` goes to the training loop."""
    config, labeled = network.config, network.manifests["labeled"]
    seed = derive_seed(config.seed, network.folder.name)
    classifier = _build(network, part)
    if start is not None:
        load_weights(classifier, start)
    elif part.start == "probe":
        table = network.selected() if network.selected else None
        put_head(classifier, from_first(lambda: probe(network.run, config, part, network.folder.name, table)))
    parameters = {"parameters": sum(parameter.numel() for parameter in classifier.network.parameters())}
    if part.frozen:
        from_first(lambda: classifier.save(into / "model"))
        return parameters
    classes = len(labeled.class_names)
    shares = torch.from_numpy(log_shares(labeled.labels, classes)).float() if part.class_balance == "logits" else None
    if not how.get("frozen"):  # what stays as it is keeps nothing for the backward pass
        images = part.images_a_step(pseudo=pseudo is not None)
        check_room(part, config.execution, config.data.channels, classes, images)
    fit(
        classifier,
        part,
        Examples(
            image_set(labeled, classifier.preprocessing, config.execution, often=not part.noise.shows_parts),
            LabelTargets(labeled.labels, classes, part.label_smoothing),
            balancing_copies(labeled.labels) if part.class_balance == "sampling" else np.empty(0, np.int64),
        ),
        pseudo,
        folder=into,
        seed=seed,
        execution=config.execution,
        validate=_validation(network.manifests.get("val"), classifier, config),
        log_shares=shares,
        also_logged=functools.partial(network.trackers.log, into),
        **how,
    )
    return parameters


def _build(network: _Network, part: Training) -> Classifier:
    config, data = network.config, network.data
    return build_classifier(
        part,
        class_names=data["class_names"],
        channels=config.data.channels,
        mean=data["mean"],
        std=data["std"],
        seed=derive_seed(config.seed, network.folder.name),
    )


def _measure(network: _Network, trained: dict[str, Any]) -> dict[str, Any]:
    """Write `results.json` and the predictions on held-out images; the teacher's warnings."""
    config, folder, manifests = network.config, network.folder, network.manifests
    classifier = load_classifier(str(folder / "model"))
    results: dict[str, Any] = {
        "model": classifier.architecture,
        "data": config.data.test or config.data.val or config.data.labeled,
        "split": "test" if "test" in manifests else "val" if "val" in manifests else None,
        "metrics": {"params": trained["parameters"], "macs": _multiply_adds(classifier)},
        "ci95": {},
        "n": 0,
        "seed": config.seed,
        "seconds": trained["seconds"],
        "provenance": {"run": str(network.run.path), "folder": folder.name, "recipe": config.recipe},
    }
    for split in [split for split in ("val", "test") if split in manifests]:
        evaluation = _evaluation(network, classifier, split)
        with atomic.replacing(folder / "evaluation" / f"{split}.parquet") as temporary:
            pq.write_table(evaluation.predictions, temporary)
        results[split] = evaluation.as_json()
    if results["split"]:
        main = results[results["split"]]
        results |= {"metrics": {**main["metrics"], **results["metrics"]}, "ci95": main["ci95"], "n": main["n"]}
    atomic.write_json(folder / "results.json", results)
    network.trackers.log(folder, _in_the_end(network.training, results))
    return {"warnings": _teacher_warnings(network, classifier, results) if folder.name == "gen-0" else []}


def _in_the_end(training: Training, results: dict[str, Any]) -> dict[str, float]:
    """What trackers are told of a network when it is measured, at its last step."""
    last = training.at_full_resolution() if training.resolution_fix else training
    found = {
        f"{split}_{name}": value
        for split in ("val", "test")
        if split in results
        for name, value in results[split]["metrics"].items()
    }
    return {"step": 0 if training.frozen else last.steps, **found}


def _evaluation(network: _Network, classifier: Classifier, split: str) -> Evaluation:
    config, manifest = network.config, network.manifests[split]
    if network.training.frozen:
        answer = by_features(network.run, network.training, classifier, split, manifest)
        given = gathered(all_answers(answer, config.execution), manifest, classes=len(classifier.class_names))
        return judge(given, classifier.class_names, seed=config.seed)
    return evaluate(
        classifier,
        image_set(manifest, classifier.preprocessing, config.execution, often=True),
        execution=config.execution,
        seed=config.seed,
        description=f"evaluating {network.name} on {split}",
    )


def _validation(manifest: Manifest | None, trained: Classifier, config: Config) -> Validate | None:
    if manifest is None:
        return None
    images = image_set(manifest, trained.preprocessing, config.execution, often=True)

    def validate(classifier: Classifier) -> dict[str, float]:
        metrics = evaluate(classifier, images, execution=config.execution, description="").metrics
        return {"top1": metrics["top1"], "nll": metrics["nll"]}

    return validate


def _multiply_adds(classifier: Classifier) -> float:
    view = classifier.preprocessing
    return multiply_adds(classifier.network, channels=view.channels, size=view.image_size)


def _teacher_warnings(network: _Network, classifier: Classifier, results: dict[str, Any]) -> list[str]:
    """Is the teacher better than guessing? Asked of validation data; of the labeled images, when there are no others."""
    classes = len(classifier.class_names)
    if "val" in results:
        found, kind = results["val"], "validation"
    else:
        labeled, execution = network.manifests["labeled"], network.config.execution
        images = image_set(labeled, classifier.preprocessing, execution, often=True)
        found, kind = evaluate(classifier, images, execution=execution, description="").as_json(), "labeled"
    return check_teacher(found["metrics"]["top1"], found["ci95"]["top1"][1], found["n"], classes, measured_on=kind)
