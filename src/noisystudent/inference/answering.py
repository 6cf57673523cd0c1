"""A model is asked about images, and its answers go to a file, to standard output, or back to the program."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noisystudent import atomic, processes
from noisystudent.config import Execution
from noisystudent.data.images import ImageSet, Skipped, image_set
from noisystudent.data.manifest import Manifest
from noisystudent.data.parts import read_skipped
from noisystudent.data.sources import read_sources
from noisystudent.data.uris import path_or_uri
from noisystudent.device import compute_device
from noisystudent.errors import UserError
from noisystudent.inference.row_files import Write, as_objects, row_file, standard_output
from noisystudent.models.classifier import Classifier
from noisystudent.models.loading import load_classifier, model_identity, stands_for
from noisystudent.processes import from_first
from noisystudent.progress import Advance, logger, track, warn
from noisystudent.rundir import locked

Sources: TypeAlias = str | Path | Sequence[str | Path]
Batch = tuple[pa.Table, list[Skipped]]  # what was made of some images in a row, and those that could not be read
GIVEN = "given"
PART_ROWS = 10_000  # what a kill can cost: a minute or two of two cores


@dataclass(frozen=True)
class Question:
    """A model and the images that it is asked about.

    Args:
        classifier: in evaluation mode.
        model: what it was called; "given" where a program handed it over.
        sources: of the images, as they were named.
        manifest: the images.
        pictures: the same as the network wants them.
        execution: how it is computed.
    """

    classifier: Classifier
    model: str
    sources: list[str]
    manifest: Manifest
    pictures: ImageSet
    execution: Execution

    def identity(self) -> dict[str, Any]:
        """Of model and images, a JSON value; to have it the weights are read once more."""
        return {
            **model_identity(self.model, self.classifier),
            "images": self.sources,
            "ids_sha256": hashlib.sha256("\n".join(self.manifest.ids).encode()).hexdigest(),
            "class_names": list(self.classifier.class_names),
        }

    @property
    def used(self) -> str:
        """Which network is asked, in words."""
        return self.classifier.architecture if self.model == GIVEN else stands_for(self.model)


def question(model: str | Path | Classifier, images: Sources, execution: Execution | None) -> Question:
    """Open the model and list the images.

    Raises:
        UserError: no model, no images, or no such device.
    """
    execution = execution or Execution()
    compute_device(execution)
    classifier = model if isinstance(model, Classifier) else load_classifier(model)
    name = GIVEN if isinstance(model, Classifier) else os.fspath(model)
    named = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    manifest = read_sources(named, split="unlabeled")
    pictures = image_set(manifest, classifier.preprocessing, execution)
    asked = Question(classifier, name, [os.fspath(source) for source in named], manifest, pictures, execution)
    logger.info("the model is %s", asked.used)
    warn(manifest.notes)
    return asked


@dataclass(frozen=True)
class Answers:
    """How a question is answered.

    Args:
        question: what is asked.
        doing: for the progress shown, such as "predicting".
        identity: what decides the answers beside the question, a JSON value.
        schema: of the rows that the user gets.
        batches: makes the answers batch after batch, each told to the progress shown.
        write_parts: makes them into a folder, and goes on with one that is begun (`data.parts`); returns what could not be read.
        rows: the user's rows of a batch, of which the first argument has the answers and the second each image's path.
        about: what a command says of how they were made, a JSON value; it is empty where the model never abstains.
    """

    question: Question
    doing: str
    identity: dict[str, Any]
    schema: pa.Schema
    batches: Callable[[Advance], Iterable[Batch]]
    write_parts: Callable[[Path, Execution], list[Skipped]]
    rows: Callable[[pa.Table, pa.Array], pa.Table]
    about: dict[str, Any] = field(default_factory=dict)

    def deliver(self, out: str, kind: str, *, as_json: bool) -> dict[str, Any] | None:
        """As a command does: to the file `out`; "" to standard output as `kind`, or as a part of what the command says in JSON."""
        if out:
            return self.to_file(Path(out))
        if as_json:
            rows, said = self.collected()
            return {**said, "rows": [row for some in rows for row in as_objects(some)]}
        self.to_standard_output(kind)
        return None

    def to_file(self, out: Path) -> dict[str, Any]:
        """Write them to a file that is not there yet. Until it is whole finished parts lie beside it, and the same call goes on.

        Returns:
            What a command says it did.

        Raises:
            UserError: none of the images can be read, or the parts are of another question.
        """
        parts = out.with_name(f"{out.name}.parts")
        with locked(parts):
            from_first(lambda: self._begin(parts))
            execution = self.question.execution
            most = {"part_rows": min(execution.part_rows, PART_ROWS)}
            try:
                self.write_parts(parts, execution.model_copy(update=most))
            except UserError:  # none can be read
                from_first(lambda: shutil.rmtree(parts, ignore_errors=True))
                raise
            said = from_first(lambda: self._put_together(parts, out))
        from_first(lambda: shutil.rmtree(parts))
        return {"out": str(out), **said}

    def to_standard_output(self, kind: str) -> None:
        """Print them as they come; `kind` is "csv" or "jsonl"."""
        if processes.count() > 1:
            raise UserError("several processes cannot print together: give --out FILE")
        with standard_output(kind, self.schema) as write:
            self._write_all(self._made(shown=not sys.stdout.isatty()), write)

    def collected(self) -> tuple[list[pa.Table], dict[str, Any]]:
        """All rows in memory, and what a command says it did."""
        rows: list[pa.Table] = []
        return rows, self._write_all(self._made(), rows.append)

    def _begin(self, parts: Path) -> None:
        recorded = parts / "question.json"
        if not atomic.is_as_recorded(recorded, {**self.question.identity(), **self.identity}):
            raise UserError(
                f"{parts} holds what was stopped with another model, other images or other options ({recorded}): "
                "delete it to begin anew, or give another --out"
            )

    def _put_together(self, parts: Path, out: Path) -> dict[str, Any]:
        files = sorted(parts.glob("part-*.parquet"))
        with row_file(out, self.schema) as write:
            return self._write_all(((pq.read_table(file), read_skipped(file)) for file in files), write)

    def _made(self, *, shown: bool = True) -> Iterator[Batch]:
        with track(self.doing if shown else "", len(self.question.manifest)) as advance:
            yield from self.batches(advance)

    def _write_all(self, batches: Iterable[Batch], write: Write) -> dict[str, Any]:
        """Write the rows in the order of the manifest, without images that cannot be read; returns what a command says it did."""
        skipped: list[Skipped] = []
        first = abstained = 0
        for answers, unread in batches:
            here = self.question.manifest.table.slice(first, answers.num_rows + len(unread))
            uris = here["uri"].take(pc.index_in(answers["id"], here["id"].combine_chunks()))
            rows = self.rows(answers, pa.array([path_or_uri(uri) for uri in uris.to_pylist()], pa.string()))
            write(rows)
            first += here.num_rows
            skipped += unread
            abstained += rows["label"].null_count if self.about else 0
        if len(skipped) == first:
            raise UserError(f"none of the {first} images can be read; the first: {skipped[0].reason}")
        if skipped:
            named = "; ".join(f"{row.id!r}: {row.reason}" for row in skipped[:5])
            logger.warning("%d images cannot be read and are left out: %s", len(skipped), named)
        return {
            "model": self.question.used,
            "images": first - len(skipped),
            **({**self.about, "abstained": abstained} if self.about else {}),
            "skipped": [row._asdict() for row in skipped],
        }
