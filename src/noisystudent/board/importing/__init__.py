"""Files of others into the catalogue: each whole or not at all, with a report of what could not be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from noisystudent.board.catalogue.store import Store
from noisystudent.board.importing import documents, streams
from noisystudent.board.importing.loss import Loss
from noisystudent.errors import UserError


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
}
LOADERS = {
    "evaluation tables": "evaluation_tables",
    "links between papers and code": "links",
    "papers with abstracts": "papers",
    "datasets": "datasets",
    "methods": "methods",
    "model index": "model_index",
    "model cards": "hugging_face",
}
_SIGNS = {  # keys of which an object of the format has one at least, and no object of a format further down; asked in this order
    "evaluation tables": {"task"},
    "links between papers and code": {"repo_url"},
    "papers with abstracts": {"abstract", "url_abs", "authors"},
    "datasets": {"modalities", "data_loaders", "variants", "homepage", "languages"},
    "methods": {"collections", "code_snippet_url", "introduced_year", "full_name"},
}


def import_file(store: Store, path: Path, *, actor: str, layer: Layer | None = None) -> dict[str, Any]:
    """Import a file, or a folder of model-index files or of model cards: all of it or, where it is broken, nothing.

    The format is found out from what is in the file: one of the archive's five (as JSON, gzipped JSON or Parquet), a sota-extractor
    file, a model-index.yml, a Hugging Face model card.

    Args:
        actor: who imports it.
        layer: source and licence of the rows; without it, those of the format.

    Returns:
        The report: the format, the event, how many rows are new in each table, what was lost and what was there already.

    Raises:
        UserError: the file is broken or of no known format; it names file, position and reason, and nothing has changed.
    """
    path = Path(path)
    report, called = Loss(), path.name.encode("utf-8", "replace").decode()
    format, items = documents.read(path, report) if documents.holds_documents(path) else _of_stream(path)
    if not format:
        return {"file": called, "format": None, "event": None, "counts": {}, **report.as_dict()}
    of_format = layer or LAYERS.get(format, ARCHIVE)
    load = import_module(f"noisystudent.board.importing.{LOADERS[format]}").load
    with store.changing(actor, "import", called) as change:
        change.layer(**asdict(of_format))
        load(change, items, report)
        change.report.update(file=called, format=format, **report.as_dict())
    return {**change.report, "event": change.event, "counts": change.counts}


def _of_stream(path: Path) -> tuple[str, Iterator[dict[str, Any]]]:
    """The format of a file, by its first object, and all its objects; "" where there is none."""
    objects = streams.items(path)
    first = next(objects, None)
    if first is None:
        return "", iter(())
    where, item = first
    return _format(path, where, item), (item for _, item in chain([first], objects))


def _format(path: Path, where: str, item: dict[str, Any]) -> str:
    for format, signs in _SIGNS.items():
        if signs & item.keys():
            return format
    known = "; ".join(f"{format}: {', '.join(sorted(signs))}" for format, signs in _SIGNS.items())
    keys = ", ".join(sorted(item)[:20]) or "none"
    raise UserError(
        f"{path}, {where}: no known format. Its keys: {keys}. One of these tells a format: {known}. "
        "YAML and model cards are known by their names: .yml, .yaml, .md"
    )
