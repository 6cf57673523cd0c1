"""A classifier on perturbation sequences: the videos of ImageNet-P, or sequences made here as they pass."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pyarrow as pa
import torch

from noisystudent import processes
from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Skipped
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.evaluation.cells import Cells
from noisystudent.evaluation.corruptions import grey
from noisystudent.evaluation.flip_rate import ALEXNET_FLIPS, MAIN, flips, mean_flip_rate, top5_distance
from noisystudent.evaluation.intervals import bootstrap_interval
from noisystudent.evaluation.perturbations import sequence
from noisystudent.evaluation.robustness import Robustness
from noisystudent.models.classifier import Classifier
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.progress import as_of_all, track

TOP = 5  # classes without which there is no top-5 distance
CHUNK = 8  # sequences in the making at a time


class Sequence(NamedTuple):
    """The frames of a picture, uint8 [frames, S, S, 3], or why there are none."""

    id: str
    frames: np.ndarray | None
    reason: str = ""


class Sequences(NamedTuple):
    """The sequences of a perturbation: how many, and how to go through some of them by their places."""

    number: int
    each: Callable[[abc.Sequence[int]], Iterator[Sequence]]


def perturbed_here(images: ImageSet, *, size: int, seed: int, workers: int) -> dict[str, Sequences]:
    """The ten perturbations of clean pictures, which may be larger than the frames."""

    def sequences(name: str, places: abc.Sequence[int]) -> Iterator[Sequence]:
        with ThreadPoolExecutor(workers) as threads:
            for start in range(0, len(places), CHUNK):
                rows = np.array(places[start : start + CHUNK])
                pixels, unreadable = images.try_fetch(rows)
                pictures = pixels.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()
                ids = images.manifest.take(rows).ids
                made = threads.map(
                    lambda picture, id: sequence(picture, name, size=size, id=id, seed=seed), pictures, ids
                )
                for position, (id, frames) in enumerate(zip(ids, made, strict=True)):
                    reason = unreadable.get(position, "")
                    yield Sequence(id, None if reason else frames, reason)

    return {name: Sequences(len(images), partial(sequences, name)) for name in MAIN}


def released_videos(folder: Path, *, size: int) -> dict[str, Sequences]:
    """Of a folder laid out as ImageNet-P is, the videos of each perturbation: `snow/CLASS/NAME.mp4`. Empty: it is not laid out so.

    Raises:
        UserError: naming every perturbation of the ten that is missing or has no video.
    """
    present = [name for name in MAIN if (folder / name).is_dir()]
    if not present:
        return {}
    videos = {name: sorted((folder / name).rglob("*.mp4")) for name in present}
    missing = [name for name in MAIN if not videos.get(name)]
    if missing:
        raise UserError(f"{folder}: ImageNet-P has ten perturbations; without a video: {', '.join(missing)}")

    def read(name: str, places: abc.Sequence[int]) -> Iterator[Sequence]:
        for path in (videos[name][place] for place in places):
            yield _read_video(path, str(path.relative_to(folder / name)), size)

    return {name: Sequences(len(paths), partial(read, name)) for name, paths in videos.items()}


def evaluate_sequences(
    classifier: Classifier,
    sequences: Mapping[str, Sequences],
    cells: Cells,
    *,
    execution: Execution,
    normalizers: Mapping[str, float] = ALEXNET_FLIPS,
    about: Mapping[str, str],
    seed: int = 0,
) -> tuple[Robustness, list[Skipped]]:
    """Classify every frame, and count how often the answer changes.

    Args:
        classifier: in evaluation mode.
        sequences: of each perturbation.
        cells: where finished perturbations are kept.
        normalizers: flip probabilities to divide by, in percent.
        about: how the frames were made.
        seed: of the bootstrap.

    Returns:
        `mfr`, `fr_<perturbation>`, and from five classes on `t5d_<perturbation>`, the top-5 distance itself: normalizers for its mean
        were published nowhere (spec 5.3). The interval of `mfr` is that over pictures. And what could not be read.
    """
    tables: dict[str, pa.Table] = {}
    skipped: list[Skipped] = []
    for name, of_name in sequences.items():
        tables[name] = cells.table(name, partial(_steadiness, classifier, name, of_name, execution, skipped))
    flipped = {name: table["flips"].to_numpy() for name, table in tables.items()}
    metrics = mean_flip_rate({name: 100 * float(values.mean()) for name, values in flipped.items()}, normalizers)
    if len(classifier.class_names) >= TOP:
        metrics |= {f"t5d_{name}": float(table["top5_distance"].to_numpy().mean()) for name, table in tables.items()}
    scores = _scores(tables, normalizers)
    ci95 = {"mfr": bootstrap_interval(scores["score"].to_numpy(), seed=seed)}
    details = {**about, "flip_probability": {name: 100 * float(values.mean()) for name, values in flipped.items()}}
    return Robustness(metrics, ci95, details, scores), skipped


def _steadiness(
    classifier: Classifier, name: str, sequences: Sequences, execution: Execution, skipped: list[Skipped]
) -> pa.Table:
    """id, the share of frames whose answer differs, and the top-5 distance (0 below five classes), of each sequence."""
    enough = len(classifier.class_names) >= TOP

    def looked_at(own: abc.Sequence[int]) -> Iterator[dict[str, object] | Skipped]:
        tell = as_of_all(advance, len(own), sequences.number)
        for one in sequences.each(own):
            if one.frames is None:
                yield Skipped(one.id, f"evaluate {name}", one.reason)
            else:
                scores = _scores_of_frames(classifier, one.frames, execution)
                distance = top5_distance(scores, name) if enough else 0.0
                yield {"id": one.id, "flips": flips(scores, name), "top5_distance": distance}
            tell(1, "")

    with track(name, sequences.number, unit="sequences") as advance:
        found = list(processes.shared(range(sequences.number), looked_at))
    skipped += [row for row in found if isinstance(row, Skipped)]
    rows = [row for row in found if not isinstance(row, Skipped)]
    if not rows:
        raise UserError(
            f"none of the {sequences.number} sequences of {name} can be read; the first: {skipped[-1].reason}"
        )
    return pa.Table.from_pylist(rows)


def _scores_of_frames(classifier: Classifier, frames: np.ndarray, execution: Execution) -> np.ndarray:
    pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    if classifier.preprocessing.channels == 1:
        pixels = grey(pixels)
    classifier.network.to(compute_device(execution))
    batches = torch.split(pixels, execution.label_batch_size)
    return np.concatenate([finite_probabilities(classifier.logits(batch)) for batch in batches])


def _read_video(path: Path, id: str, size: int) -> Sequence:
    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    expected = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    if len(frames) < 2 or len(frames) < expected:
        return Sequence(id, None, f"the video is cut off or broken: {len(frames)} frames of {max(expected, 2)}")
    if frames[0].shape[:2] != (size, size):
        frames = [cv2.resize(frame, (size, size), interpolation=cv2.INTER_CUBIC) for frame in frames]
    return Sequence(id, np.stack(frames))


def _scores(tables: Mapping[str, pa.Table], normalizers: Mapping[str, float]) -> pa.Table:
    """The mean flip rate as a mean over pictures: of each picture in all perturbations, its own."""
    of = {name: dict(zip(t["id"].to_pylist(), t["flips"].to_pylist(), strict=True)) for name, t in tables.items()}
    everywhere = [id for id in next(iter(of.values())) if all(id in known for known in of.values())]
    scores = [
        sum(100 * 100 * known[id] / normalizers[name] for name, known in of.items()) / len(of) for id in everywhere
    ]
    return pa.table({"id": everywhere, "score": scores})
