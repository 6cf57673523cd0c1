"""Find the images of a run that are worth a person's minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent.config import Config, Execution
from noisystudent.data.corrections import NO_CLASS
from noisystudent.data.images import ImageSet
from noisystudent.data.manifest import Manifest
from noisystudent.data.uris import path_or_uri
from noisystudent.errors import UserError
from noisystudent.report.pseudo_labels import predicted_files
from noisystudent.report.run_reader import read_run
from noisystudent.report.visible import short
from noisystudent.review.doubts import Doubts
from noisystudent.review.findings import Finding, chosen
from noisystudent.review.looked_at import LookedAt
from noisystudent.review.same_pictures import torn, unlike_their_twins
from noisystudent.review.wrong_labels import wrong_labels
from noisystudent.rundir import locked
from noisystudent.seeds import derive_seed
from noisystudent.stages.preparation import as_the_teacher_sees

TEXT, SHARE = pa.string(), pa.float64()
SCHEMA = pa.schema(
    [(name, TEXT) for name in ("path", "label", "why", "given", "says")]
    + [("confidence", SHARE), ("second", TEXT), ("second_confidence", SHARE)]
    + [(name, TEXT) for name in ("split", "id", "run")]
)
RULES = {
    "wrong_label": "confident learning (cleanlab) on a cross-validated linear classifier; the least probable label first",
    "same_picture": "copies, nearly or exactly, that have different labels, or of which the network says another class than the label",
    "disagreed": "the network that is handed on says another class than the teacher it learned from; where both are surest first",
    "unsure": "the two most probable classes are less than 0.5 apart; the closest first",
    "changed": "teachers of one generation after the other said other classes; the most changes first",
    "no_class": "less like the nearest class mean, in what the network sees, than 99 % of images of known classes; the farthest first",
}


class Review(NamedTuple):
    """What a person is to be asked.

    Attributes:
        rows: a row for each image, with the columns of `SCHEMA`; `label` is empty, for the answer.
        uris: the address of each image.
        class_names: of the run.
        channels: of its pictures.
        about: what was found and how, a JSON value.
    """

    rows: pa.Table
    uris: list[str]
    class_names: tuple[str, ...]
    channels: int
    about: dict[str, Any]


def find(run: Path, work: Path, *, most: int, execution: Execution | None = None) -> Review:
    """Find the images of a run, finished or not, that are worth a look.

    Args:
        run: the run folder, of which nothing is changed.
        work: a folder for what is found on the way, which goes on with what was begun there; it is not removed.
        most: images.
        execution: device and precision; without it the run's own.

    Raises:
        UserError: it is no run, or no network of it is trained yet.
    """
    reading = read_run(run)
    execution = execution or reading.config.execution
    looked = LookedAt(reading, work, execution)
    if NO_CLASS in looked.classifier.class_names:
        raise UserError(f"a class is called {NO_CLASS!r}, which is the answer for a picture of no class: rename it")
    with locked(work):
        looked.look()
        found, about_labels = _findings(looked, most, execution)
        images = chosen(found.values(), most)
        rows, uris = _rows(looked, images)
    about = {
        "network": looked.network,
        "images": len(images),
        "found": {kind: len(some) for kind, some in found.items()},
        "rules": RULES,
        "labels": about_labels,
        "skipped": looked.skipped,
    }
    return Review(rows, uris, looked.classifier.class_names, reading.config.data.channels, about)


def _findings(looked: LookedAt, most: int, execution: Execution) -> tuple[dict[str, list[Finding]], str]:
    """By kind, `most` of each at most and the most worthwhile first; and how labels were judged."""
    config, hashes = looked.run.config, looked.said_of_labeled["dhash"].to_numpy()
    found, about_labels = _wrong_labels(looked)
    same = torn(looked.labeled, hashes, execution, view=lambda m: _view(m, config))
    kinds = {"wrong_label": found, "same_picture": same}
    if looked.unlabeled is not None:
        said = _without_held_out_twins(looked)
        kinds["same_picture"] = same + unlike_their_twins(
            looked.unlabeled, said, looked.labeled, hashes, execution, view=lambda m: _view(m, config)
        )
        doubts = _doubts(looked, most)
        kinds |= {"disagreed": doubts.disagreed(looked.number or 0), "unsure": doubts.unsure()}
        kinds |= {"changed": doubts.changed(), "no_class": doubts.of_no_class(looked.least_likeness())}
    return {kind: some[:most] for kind, some in kinds.items()}, about_labels


def _view(manifest: Manifest, config: Config) -> ImageSet:
    return as_the_teacher_sees(manifest, config)


def _doubts(looked: LookedAt, most: int) -> Doubts:
    run = looked.run
    generations = [predicted_files(run, number) for number in range(1, len(run.config.generations) + 1)]
    left_out = [leaks for leaks in [_leaks(looked)] if leaks.exists()]
    names = looked.classifier.class_names
    return Doubts(looked.unlabeled_files, [files for files in generations if files], left_out, names, most)


def _without_held_out_twins(looked: LookedAt) -> pa.Table:
    """What the network says of the unlabeled images that no held-out image shows too: those must not become labeled ones."""
    said = looked.said_of_unlabeled()
    if not _leaks(looked).exists():
        return said
    leaked = pq.read_table(_leaks(looked), columns=["id"])["id"].combine_chunks()
    return said.filter(pc.invert(pc.is_in(said["id"], value_set=leaked)))


def _leaks(looked: LookedAt) -> Path:
    return looked.run.folder.path / "data" / "leaks.parquet"


def _wrong_labels(looked: LookedAt) -> tuple[list[Finding], str]:
    labels, names, table = looked.labeled.labels, looked.labeled.class_names, looked.labeled.table
    values, by = looked.independent_features()
    found = wrong_labels(values, labels, seed=derive_seed(looked.run.config.seed, "review"))
    findings = []
    for row, instead, probability in zip(
        found.rows.tolist(), found.instead.tolist(), found.probability.tolist(), strict=True
    ):
        given, other = short(names[labels[row]]), short(names[instead])
        why = f"labeled {given}; by the other labels it is {other} ({probability:.2f})"
        findings.append(Finding(table["split"][row].as_py(), table["id"][row].as_py(), why))
    return findings, f"{found.asked:,} of {len(labels):,} labels were looked at, {by}"


def _rows(looked: LookedAt, images: dict[tuple[str, str], list[str]]) -> tuple[pa.Table, list[str]]:
    """The rows of a review, and the address of each image."""
    names = looked.classifier.class_names
    described = _described(looked, {id for _, id in images})
    rows, uris = [], []
    for (split, id), why in images.items():
        image, said = described[split, id]
        uris.append(image["uri"])
        rows.append(
            {
                "path": path_or_uri(image["uri"]),
                "why": "; ".join(why),
                "given": None if split == "unlabeled" else names[image["label"]],
                "says": names[said["label"]],
                "confidence": round(said["confidence"], 4),
                "second": names[said["second"]],
                "second_confidence": round(said["second_confidence"], 4),
                "split": split,
                "id": id,
                "run": str(looked.run.folder.path.resolve()),
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA), uris


def _described(looked: LookedAt, ids: set[str]) -> dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]]:
    """By split and id, an image's row of the manifest and what the network says of it."""
    wanted = pa.array(sorted(ids), pa.string())
    rows = pc.indices_nonzero(pc.is_in(looked.labeled.table["id"], value_set=wanted))
    pairs = [(looked.labeled.table.take(rows), looked.said_of_labeled.take(rows))]
    if looked.unlabeled is not None:
        said = looked.said_of_unlabeled()
        said = said.filter(pc.is_in(said["id"], value_set=wanted))
        at = pc.index_in(said["id"], value_set=looked.unlabeled.table["id"].combine_chunks())
        pairs.append((looked.unlabeled.table.take(at), said))
    return {
        (image["split"], image["id"]): (image, row)
        for images, said in pairs
        for image, row in zip(images.to_pylist(), said.to_pylist(), strict=True)
    }
