"""Files of others into the catalogue, with a report of what could not be kept. A broken one changes nothing, a large one comes in parts."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from noisystudent.board.catalogue.doubts import doubtful
from noisystudent.board.catalogue.failures import message_of
from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import codesota, documents, runs, streams, timm_results
from noisystudent.board.importing.csv_tables import Columns
from noisystudent.board.importing.evaluation_tables import KEYS
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.parts import Part, at_intervals, cut
from noisystudent.errors import RunError, UserError
from noisystudent.stopping import Stopped


@dataclass(frozen=True)
class Layer:
    """Where the rows of a file come from, and under which licence they are passed on.

    Args:
        name: of the source; rows of one name are one layer.
        licence: its short name.
        attribution: the line that the licence asks for.
        url: of the source.
    """

    name: str
    licence: str = ""
    attribution: str = ""
    url: str = ""


ARCHIVE = Layer("PWC Archive", "CC-BY-SA 4.0", "Data from the Papers with Code archive, CC-BY-SA 4.0")
LAYERS = {  # of those that are not of the archive
    "model index": Layer("Model index files"),
    "model cards": Layer("Hugging Face model cards"),
    "OpenCodePapers": Layer("OpenCodePapers", ARCHIVE.licence, "Data from OpenCodePapers, CC-BY-SA 4.0"),
    "timm results": Layer("timm", "Apache-2.0", "", "https://github.com/huggingface/pytorch-image-models"),
    "CodeSOTA's data sets": Layer("CodeSOTA", "CC BY 4.0", "Data from CodeSOTA, CC BY 4.0", "https://www.codesota.com"),
    "CSV": Layer("CSV files"),
    "Markdown tables": Layer("Markdown tables"),
    "Every Eval Ever": Layer("Every Eval Ever", "", "", "https://github.com/evaleval/every_eval_ever"),
    "runs": Layer("Runs"),
}
# Each has a `Loader`, made anew for a file, whose `load(change, part)` is called with its parts in their order. Between two of them others
# write, and may remove rows: a loader keeps what the file has said so far, and which rows of its own that was, but counts on none of them.
LOADERS = {
    "evaluation tables": "evaluation_tables",
    "links between papers and code": "links",
    "papers with abstracts": "papers",
    "datasets": "datasets",
    "methods": "methods",
    "model index": "model_index",
    "model cards": "hugging_face",
    "Every Eval Ever": "every_eval_ever",
    "OpenCodePapers": "open_code_papers",
    "CodeSOTA's data sets": "codesota",
    "timm results": "timm_results",
    "CSV": "csv_tables",
    "Markdown tables": "markdown_tables",
    "runs": "runs",
}
TABLES = ("timm results", "CSV")  # of whose columns the user may say what they are
SECONDS_FOR_READERS = 10.0  # at most, before each part, while they keep the log from being shortened
_SIGNS = {  # keys of which an object of the format has one at least, and no object of a format further down; asked in this order
    "Every Eval Ever": {"evaluation_results", "eval_library"},
    "OpenCodePapers": {"task-hierarchy"},
    "CodeSOTA's data sets": {codesota.SIGN},
    "runs": {runs.SIGN},
    "evaluation tables": {"task"},
    "links between papers and code": {"repo_url"},
    "papers with abstracts": {"abstract", "url_abs", "authors"},
    "datasets": {"modalities", "data_loaders", "variants", "homepage", "languages"},
    "methods": {"collections", "code_snippet_url", "introduced_year", "full_name"},
}


def import_file(
    store: Store, path: Path, *, actor: str, layer: Layer | None = None, columns: Columns | None = None
) -> dict[str, Any]:
    """Import a file, or a folder of model-index files, of model cards or of JSON; where it is broken, nothing of it.

    The format is found out from what is in the file: one of the archive's five (as JSON, gzipped JSON or Parquet), a sota-extractor
    file, a record of Every Eval Ever, a model-index.yml, a Hugging Face model card. A large file comes in parts, each a change with an
    event of its own; the report of each of these events has the number of the first one as its `import`. When an import is killed, whole
    parts are there, and the same import again goes on.

    Args:
        actor: who imports it.
        layer: source and licence of the rows; without it, those of the format.
        columns: what the columns of a CSV file are, and of which task and data set its rows.

    Returns:
        The report: the format, the last event, how many rows are new in each table, what was lost, what was there already and which
        values are doubtful: they are kept, and `check` lists them, too.

    Raises:
        UserError: the file is broken or of no known format; it names file, position and reason, and nothing has changed.
        RunError: the disk is full, or the like, when some parts are there, which it says.
    """
    path = Path(path)
    called = path.name.encode("utf-8", "replace").decode()
    format, count, parts = _read(path)
    if not format:
        return {"file": called, "format": None, "event": None, "counts": {}, **Loss().as_dict()}
    of_format = layer or LAYERS.get(format, ARCHIVE)
    loader = _loader(format, called, columns)
    events: list[int] = []
    counts, report = Counter[str](), Loss()
    with _telling_what_is_there(called, count, events):
        for number, part in enumerate(at_intervals(parts), 1):
            if events:
                store.wait_for_readers(SECONDS_FOR_READERS)
            note = called if count == 1 else f"{called}, part {number} of {count}"
            with store.changing(actor, "import", note) as change:
                change.layer(**asdict(of_format))
                loader.load(change, part)
                _question(change.connection, part.report)
                if count == 1 and not part.report.recognises:
                    raise UserError(_nothing_recognised(path, format, part.report))
                told = {"file": called, "format": format, **change.report}
                change.report.update(told, **part.report.as_dict())
                if count > 1:
                    change.report["import"] = [*events, change.event][0]
            events.append(change.event)
            counts.update(change.counts)
            report.add(part.report)
    return {**told, **report.as_dict(), "event": events[-1], "counts": dict(counts)}


def _question(connection: sqlite3.Connection, report: Loss) -> None:
    """Say which values of a part are odd beside all that the catalogue has now."""
    for one in doubtful(connection, report.places):
        report.doubtful(f"{report.places[one.result]}, {one.model}", one.said)


def _loader(format: str, called: str, columns: Columns | None) -> Any:
    """What brings in the parts of a file, in their order."""
    if columns and format not in TABLES:
        raise UserError(f"{called}: --task, --dataset and --column are for CSV files; this is {format}")
    made = import_module(f"noisystudent.board.importing.{LOADERS[format]}").Loader
    if format == "timm results":
        return made(called, columns)
    return made(columns) if format == "CSV" else made()


def _is_foreign(format: str, item: Fields) -> bool:
    """Whether an object with a `task` has no tables but keys of another format."""
    keys = item.item.keys()
    return format == "evaluation tables" and not keys & {"datasets", "subtasks"} and not keys <= {*KEYS["task"]}


def _read(path: Path) -> tuple[str, int, Iterator[Part]]:
    """The format of a file, in how many parts it comes, and these; "" where there is nothing in it.

    One of several parts is read to its end here, so that a broken one is refused before anything has changed.
    """
    if documents.holds_documents(path):
        format, part = documents.read(path)
        return format, 1, iter([part])
    parts = cut(path)
    first = next(parts, None)
    if first is None:
        return "", 0, parts
    format, count = _format(path, first.items[0]), 1 + sum(1 for _ in parts)
    return format, count, iter([first]) if count == 1 else cut(path)


@contextmanager
def _telling_what_is_there(called: str, count: int, events: list[int]) -> Iterator[None]:
    """What ends an import after some of its parts says so."""
    try:
        yield
    except (UserError, Stopped, sqlite3.Error) as error:
        if not events:
            raise
        there = f"parts 1 to {len(events)} of the {count} of {called} are in the catalogue"
        if isinstance(error, Stopped):
            raise Stopped(f"{error}: {there}", error.number) from error
        if isinstance(error, UserError):
            raise UserError(f"{error}; {there}, and the same command goes on") from error
        if (message := message_of(error, there)) is None:
            raise
        raise RunError(f"{message} ({error})") from error


def _nothing_recognised(path: Path, format: str, report: Loss) -> str:
    lost = report.as_dict()["lost"]
    examples = [f"{kind}: {one['examples'][0]['reason']}" for kind, one in lost.items()]
    return f"{path}: taken for {format}, but nothing in it has a place in the catalogue. {'; '.join(examples) or 'It is empty'}"


def _format(path: Path, item: Fields) -> str:
    if streams.is_table(path):
        return "timm results" if item.item.keys() >= timm_results.SIGNS else "CSV"
    for format, signs in _SIGNS.items():
        if signs & item.item.keys() and not _is_foreign(format, item):
            return format
    known = "; ".join(f"{format}: {', '.join(sorted(signs))}" for format, signs in _SIGNS.items())
    keys = ", ".join(sorted(item.item)[:20]) or "none"
    raise UserError(
        f"{path}, {item.where}: no known format. Its keys: {keys}. One of these tells a format: {known}. "
        "YAML and model cards are known by their names: .yml, .yaml, .md"
    )
