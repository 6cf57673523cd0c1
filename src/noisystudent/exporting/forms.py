"""The forms in which a network is handed to other programs: written, compared with the network on real pictures, and kept or refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from noisystudent import atomic
from noisystudent.config import Execution
from noisystudent.data.images import image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source
from noisystudent.errors import RunError, UserError
from noisystudent.evaluation.clean import align_labels
from noisystudent.exporting.comparing import Probabilities, compared, of_network
from noisystudent.exporting.files import open_onnx, open_program, write_int8, write_onnx, write_program
from noisystudent.exporting.hub_folder import write_hub_folder
from noisystudent.exporting.whole_network import WholeNetwork
from noisystudent.extras import needing
from noisystudent.models.classifier import Classifier
from noisystudent.models.loading import load_classifier, stands_for
from noisystudent.progress import logger
from noisystudent.rundir import RunDir, check_new, run_of

MOST_COMPARED = 2_000  # images: a share of them is known to a percent
CALIBRATING = 128  # images whose values say how wide the scales of 8 bits must be
LARGEST_DIFFERENCE = 1e-4  # of a probability, where the arithmetic is to be the same
COMPARED = ("test", "val", "labeled")  # of a run, the first of these that it has
Pixels = tuple[Tensor, np.ndarray]  # uint8 [n, C, S, S]; labels, int [n], below 0 where there is none


@dataclass(frozen=True)
class FileForm:
    """A network in one file.

    Attributes:
        write: the classifier to the path; to images, [n, C, S, S], scales are fitted where there are any to fit.
        open: gives what asks the file.
        exact: whether its answers are to be the network's.
        extra: the packages that it needs.
    """

    write: Callable[[Classifier, Path, Tensor], None]
    open: Callable[[Path], Probabilities]
    exact: bool = True
    extra: str = "export"


FILES = {
    "onnx": FileForm(lambda classifier, path, _: write_onnx(classifier, path), open_onnx),
    "onnx-int8": FileForm(write_int8, open_onnx, exact=False),
    "pt2": FileForm(lambda classifier, path, _: write_program(classifier, path), open_program, extra="train"),
}
FOLDERS: dict[str, Callable[[Classifier, Path, str | Path], None]] = {
    "timm": lambda classifier, path, _: classifier.save(path),
    "hub": write_hub_folder,
}


def export(
    model: str | Path, form: str, out: str | Path, *, data: str | Path = "", execution: Execution | None = None
) -> dict[str, Any]:
    """Write a network in another form.

    Args:
        model: as for `label`.
        form: `timm`, the folder that `timm.create_model("local-dir:...")` opens; `hub`, the same with a model card; `onnx`, `onnx-int8` or
            `pt2` (`torch.export`), a file from pixels to probabilities.
        out: a new folder, or a new file.
        data: images on which a file is compared with the network, labeled ones if accuracy is to be measured; of a run, without it, its
            test images, else those for validation, else the labeled ones.
        execution: threads that decode.

    Returns:
        `out`, `model`; of a file also what `Comparison` has.

    Raises:
        UserError: no model; no such form; `out` is there; there are no images to compare on, or packages are missing.
        RunError: the file answers otherwise than the network.

    Example:
        >>> export("run", "onnx", "model.onnx")["largest_difference"] < 1e-4  # doctest: +SKIP
        True
    """
    if form not in (*FOLDERS, *FILES):
        raise UserError(f"--format: there is no {form!r}; there are {', '.join((*FOLDERS, *FILES))}")
    out, run = Path(os.path.expanduser(out)), run_of(model)
    check_new(out)
    if form in FOLDERS:
        FOLDERS[form](load_classifier(model), out, model)
        return {"out": str(out), "format": form, "model": stands_for(model)}
    if not data and run is None:
        raise UserError(f"--data is missing: images on which the file can be compared with the network {model}")
    with needing(FILES[form].extra):
        return _file(model, form, out, run, data, execution or Execution())


def _file(
    model: str | Path, form: str, out: Path, run: RunDir | None, data: str | Path, execution: Execution
) -> dict[str, Any]:
    classifier = load_classifier(model)
    images, labels = _fetched(_compared_on(classifier, run, data), classifier, execution, MOST_COMPARED)
    calibrating = images
    if run is not None and not FILES[form].exact:  # not the images on which accuracy is measured
        calibrating, _ = _fetched(Manifest.load(run.manifest("labeled")), classifier, execution, CALIBRATING)
    network = of_network(WholeNetwork(classifier).eval())
    with atomic.replacing(out) as temporary:
        FILES[form].write(classifier, temporary, calibrating[:CALIBRATING])
        found = compared(network, FILES[form].open(temporary), images, labels)
        if FILES[form].exact and not found.largest_difference <= LARGEST_DIFFERENCE:
            raise RunError(
                f"{out} is not written: of {found.images} images, probabilities differ from the network's by up to "
                f"{found.largest_difference:.2g}, more than {LARGEST_DIFFERENCE:g}"
            )
    return {"out": str(out), "format": form, "model": stands_for(model), "bytes": out.stat().st_size, **asdict(found)}


def _compared_on(classifier: Classifier, run: RunDir | None, data: str | Path) -> Manifest:
    if not data:
        assert run is not None
        return Manifest.load(next(path for split in COMPARED if (path := run.manifest(split)).exists()))
    manifest = read_source(data, split="test", labels="optional")
    return align_labels(manifest, classifier, source=f"--data {data}") if manifest.class_names else manifest


def _fetched(manifest: Manifest, classifier: Classifier, execution: Execution, most: int) -> Pixels:
    """Some of the images, drawn evenly, as the network sees them; what cannot be read is left out."""
    rows = np.linspace(0, len(manifest) - 1, min(most, len(manifest))).round().astype(np.int64)
    images, unreadable = image_set(manifest, classifier.preprocessing, execution).try_fetch(rows)
    if len(unreadable) == len(rows):
        raise UserError(
            f"none of {len(rows)} images can be read ({next(iter(unreadable.values()), 'there are none')}): give --data others"
        )
    if unreadable:
        logger.warning("%d of %d images cannot be read and are not compared on", len(unreadable), len(rows))
    there = np.setdiff1d(np.arange(len(rows)), list(unreadable))
    return images[there], manifest.labels[rows[there]]
