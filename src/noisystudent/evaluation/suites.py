"""The suites of `noisystudent evaluate`: what each needs of the images, and what it measures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from noisystudent import extras
from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Skipped, image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source
from noisystudent.errors import UserError, meant
from noisystudent.evaluation import calibration, corruption_error, flip_rate
from noisystudent.evaluation.attacked_images import evaluate_attacks
from noisystudent.evaluation.cells import Cells
from noisystudent.evaluation.clean import Answers, Scores, align_labels, answers, judge, measure, nll, score
from noisystudent.evaluation.corruption_error import Normalizers
from noisystudent.evaluation.intervals import wilson_interval
from noisystudent.evaluation.label_subsets import among, check_subset, real_accuracy, subset_classes
from noisystudent.evaluation.robustness import Robustness
from noisystudent.models.classifier import Classifier
from noisystudent.progress import logger
from noisystudent.pseudo.temperature import at_temperature, fit_temperature, row_blocks

SUITES = {
    "clean": "top-1, top-5, NLL, calibration error",
    "a": "ImageNet-A, among its 200 classes",
    "r": "ImageNet-R, among its 200 classes",
    "v2": "ImageNet-V2",
    "sketch": "ImageNet-Sketch",
    "real": "the ReaL labels of ImageNet's validation images",
    "c": "corruptions: the files of ImageNet-C, or made here of clean images",
    "p": "perturbation sequences: the videos of ImageNet-P, or made here of clean images",
    "adversarial": "FGSM and PGD",
    "calibration": "calibration errors, and with --val the best temperature",
}
THOUSAND = 1000


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Args:
        data: an image source with labels, or a folder laid out as ImageNet-C or ImageNet-P.
        suites: of `SUITES`.
        val: validation images with labels, for the temperature; "" for none.
        normalizers: of the corruption errors; None takes AlexNet's, and none for small images.
        seed: of the bootstrap and of all that is drawn.
        cells: where finished parts are kept; None keeps nothing.
    """

    data: str
    suites: tuple[str, ...] = ("clean",)
    val: str = ""
    normalizers: Normalizers | None = None
    seed: int = 0
    cells: Path | None = None


class Found:
    """Collects what the suites found, as `results.json` has it."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.ci95: dict[str, tuple[float, float]] = {}
        self.about: dict[str, Any] = {}
        self.scores: dict[str, pa.Table] = {}
        self.skipped: list[Skipped] = []
        self.n = 0

    def add(self, suite: str, result: Robustness) -> None:
        self.metrics |= result.metrics
        self.ci95 |= result.ci95
        self.about[suite] = result.about
        if result.scores is not None:
            self.scores[suite] = result.scores
            self.n = self.n or result.scores.num_rows  # of released files no clean images were seen


def evaluate_suites(
    classifier: Classifier, request: Request, *, identity: dict[str, Any], execution: Execution
) -> Found:
    """Measure a classifier by some suites, of a request that was checked.

    Args:
        classifier: in evaluation mode.
        request: what to measure.
        identity: of the model, for the parts that are kept.
        execution: device, batch size, threads.

    Raises:
        UserError: naming what is wrong with the images.
    """
    layout = _released_layout(request)
    if not layout:
        val = labeled_images(request.val, classifier, "--val") if request.val else None
        return evaluate_images(
            classifier,
            labeled_images(request.data, classifier),
            request,
            val=val,
            identity=identity,
            execution=execution,
        )
    cells, found = _cells(request, identity, None), Found()
    measure_released = _corruptions if layout == "c" else _sequences
    measure_released(classifier, None, request, cells, execution, found)
    return found


def evaluate_images(
    classifier: Classifier,
    manifest: Manifest,
    request: Request,
    *,
    val: Manifest | None,
    identity: dict[str, Any],
    execution: Execution,
) -> Found:
    """As `evaluate_suites`, of clean images that were read already; labels are indices of the classifier's classes."""
    for suite in ("a", "r"):
        if suite in request.suites:
            used = [classifier.class_names[label] for label in np.unique(manifest.labels)]
            check_subset(suite, used, classifier.class_names, source=f"--data {request.data}")
    whole = [suite for suite in ("v2", "sketch", "real") if suite in request.suites]
    if whole and len(classifier.class_names) != THOUSAND:
        raise UserError(
            f"--suite {','.join(whole)} needs a model of ImageNet's thousand classes; this one has {len(classifier.class_names)}"
        )
    cells, found = _cells(request, identity, manifest), Found()
    images = image_set(manifest, classifier.preprocessing, execution)
    more_than_scores = not {"a", "r"}.isdisjoint(request.suites) or (
        "calibration" in request.suites and val is not None
    )
    given = answers(classifier, images, execution=execution, description="evaluating", whole=more_than_scores)
    found.n, found.skipped = len(given.ids), given.skipped
    for suite in ("clean", "a", "r", "v2", "sketch", "real"):
        if suite in request.suites:
            found.add(suite, _of_answers(suite, given, classifier, request.seed))
    if "calibration" in request.suites:
        found.add("calibration", _calibration(given, classifier, val, execution))
    if "c" in request.suites:
        _corruptions(classifier, manifest, request, cells, execution, found, given)
    if "p" in request.suites:
        _sequences(classifier, manifest, request, cells, execution, found)
    if "adversarial" in request.suites:
        found.add("adversarial", evaluate_attacks(classifier, images, cells, execution=execution))
    return found


def check(request: Request) -> None:
    """Raise UserError naming every mistake that can be seen before anything is opened."""
    unknown = [suite for suite in request.suites if suite not in SUITES]
    mistakes = [
        f"--suite: there is no {suite!r}{meant(suite, SUITES)}; there are {', '.join(SUITES)}" for suite in unknown
    ]
    if not request.suites:
        mistakes.append(f"--suite: name one of {', '.join(SUITES)}")
    if {"c", "p"} & set(request.suites) and extras.missing("robustness"):
        mistakes.append(f"--suite c and p need the package OpenCV: {extras.how_to_install('robustness')}")
    if request.normalizers is not None:
        missing = [name for name in corruption_error.MAIN if name not in request.normalizers.errors]
        if missing:
            mistakes.append(f"--normalizers {request.normalizers.name}: no error for {', '.join(missing)}")
    if request.val and "calibration" not in request.suites:
        mistakes.append("--val is for --suite calibration, which is not asked for")
    if mistakes:
        raise UserError(mistakes)


def _released_layout(request: Request) -> str:
    """ "c" or "p" when the data are laid out as that release is; "" for clean images."""
    folder = Path(request.data)
    for suite, names, name in (("c", corruption_error.MAIN, "ImageNet-C"), ("p", flip_rate.MAIN, "ImageNet-P")):
        if suite in request.suites and any((folder / part).is_dir() for part in names):
            if request.suites != (suite,):
                raise UserError(f"--data {request.data} is laid out as {name} is: only --suite {suite} goes with it")
            return suite
    return ""


def labeled_images(source: str, classifier: Classifier, option: str = "--data") -> Manifest:
    """The images of a source, each with a label that is a number of the classifier's classes.

    Raises:
        UserError: images without a label, or classes that the model does not know; the message names `option`.
    """
    manifest = read_source(source, split="test", labels="optional")  # one class alone can be measured, if not learned
    for note in manifest.notes:
        logger.warning(note)
    unknown = int((manifest.labels < 0).sum())
    if unknown:
        raise UserError(
            f"{option} {source}: {unknown} of {len(manifest)} images have no label: class folders or a column 'label' give it"
        )
    return align_labels(manifest, classifier, source=f"{option} {source}")


def _cells(request: Request, identity: dict[str, Any], manifest: Manifest | None) -> Cells:
    ids = manifest.ids if manifest else []
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    images = {"data": request.data, "ids_sha256": digest, "frost": find_spec("imagecorruptions") is not None}
    return Cells(request.cells, {**identity, **images, "seed": request.seed})


def _of_answers(suite: str, given: Answers, classifier: Classifier, seed: int) -> Robustness:
    """What clean answers alone tell."""
    if suite == "clean":
        evaluation = judge(given, classifier.class_names, seed=seed)
        shares = pa.table({"id": given.ids, "score": 100.0 * given.scores.right})
        return Robustness(
            evaluation.metrics, evaluation.ci95, {"n": len(given.ids), "per_class": evaluation.per_class}, shares
        )
    if suite == "real":
        right, n = real_accuracy(given.ids, given.scores.predicted)
        return Robustness({"top1_real": 100 * right / n}, {"top1_real": wilson_interval(right, n)}, {"n": n}, None)
    scores = given.scores
    if suite in ("a", "r"):
        columns = np.sort([classifier.class_names.index(name) for name in subset_classes(suite)])
        scores = score(*among(given.whole(), scores.labels, columns))
    metrics, ci95 = measure(scores, seed=seed)
    kept = ("top1", "top5")
    return Robustness(
        {f"{name}_{suite}": metrics[name] for name in kept}, {f"{name}_{suite}": ci95[name] for name in kept}, {}, None
    )


def _calibration(given: Answers, classifier: Classifier, val: Manifest | None, execution: Execution) -> Robustness:
    def errors(scores: Scores, suffix: str) -> dict[str, float]:
        said = scores.confidence, scores.right
        bins = {equal: calibration.reliability(*said, equal=equal) for equal in ("width", "mass")}
        about[f"reliability{suffix}"] = [bin._asdict() for bin in bins["width"]]
        return {
            f"ece{suffix}": calibration.calibration_error(bins["width"]),
            f"ece_mass{suffix}": calibration.calibration_error(bins["mass"]),
        }

    about: dict[str, Any] = {"bins": calibration.BINS}
    metrics = errors(given.scores, "")
    if val is not None:
        images = image_set(val, classifier.preprocessing, execution)
        validation = answers(classifier, images, execution=execution, description="validation images", whole=True)
        temperature = fit_temperature(validation.whole(), validation.scores.labels)
        cooled = Scores.joined(
            score(at_temperature(given.whole()[rows], temperature), given.scores.labels[rows])
            for rows in row_blocks(len(given.ids))
        )
        metrics["temperature"] = temperature
        metrics |= errors(cooled, "_scaled")
        metrics["nll_scaled"] = float(nll(cooled).mean())
    return Robustness(metrics, {}, about, None)


def _corruptions(
    classifier: Classifier,
    manifest: Manifest | None,
    request: Request,
    cells: Cells,
    execution: Execution,
    found: Found,
    given: Answers | None = None,
) -> None:
    """Of clean images, to which these answers were given, or of the released files."""
    from noisystudent.evaluation import corrupted_images as corrupted  # needs OpenCV
    from noisystudent.evaluation.corruptions.constants import SMALL

    side = classifier.preprocessing.image_size
    if manifest:
        images = image_set(manifest, classifier.preprocessing, execution, often=True)
        of_cell = corrupted.corrupted_here(images, seed=request.seed, workers=execution.decoders)
        about = corrupted.how_made_here(side)
    else:
        # The paper resized the released images to the size that the network was trained at, whole (spec 5.2).
        def released(folder: Path) -> ImageSet:
            return image_set(labeled_images(str(folder), classifier), classifier.preprocessing, execution, crop_pct=1.0)

        folders = corrupted.released_folders(Path(request.data))
        of_cell = {cell: (lambda folder=folder: released(folder)) for cell, folder in folders.items()}  # type: ignore[misc]
        about = {"images": "released files", "resized_to": str(side)}
    small = manifest is not None and side < SMALL  # the strengths are those of CIFAR-10-C then
    normalizers = request.normalizers or (corruption_error.UNNORMALIZED if small else corruption_error.ALEXNET)
    result = corrupted.evaluate_corruptions(
        classifier,
        of_cell,
        cells,
        execution=execution,
        clean_error=100 * float((~given.scores.right).mean()) if given else None,
        normalizers=normalizers,
        about=about,
        seed=request.seed,
    )
    found.add("c", result)


def _sequences(
    classifier: Classifier,
    manifest: Manifest | None,
    request: Request,
    cells: Cells,
    execution: Execution,
    found: Found,
) -> None:
    """Of clean images, or of the released videos."""
    from noisystudent.evaluation import perturbed_sequences as perturbed  # needs OpenCV
    from noisystudent.evaluation.corruptions.constants import SMALL

    size = classifier.preprocessing.image_size
    if manifest:
        # Frames are the middle of the picture that the evaluation crop is cut from, so that what moves in is real.
        whole = round(size / classifier.preprocessing.crop_pct)
        images = image_set(manifest, classifier.preprocessing, execution, size=whole, crop_pct=1.0, often=True)
        sequences = perturbed.perturbed_here(images, size=size, seed=request.seed, workers=execution.decoders)
        about = {"sequences": "made here", "strengths": "CIFAR-10-P" if size < SMALL else "ImageNet-P"}
    else:
        sequences = perturbed.released_videos(Path(request.data), size=size)
        about = {"sequences": "released videos", "resized_to": str(size)}
    small = manifest is not None and size < SMALL
    result, skipped = perturbed.evaluate_sequences(
        classifier,
        sequences,
        cells,
        execution=execution,
        normalizers=flip_rate.UNNORMALIZED if small else flip_rate.ALEXNET_FLIPS,
        about={**about, "normalizers": "none" if small else "AlexNet"},
        seed=request.seed,
    )
    found.add("p", result)
    found.skipped = [*found.skipped, *skipped]


def suite_names(text: str) -> Sequence[str]:
    """`clean,c` as the names in it."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
