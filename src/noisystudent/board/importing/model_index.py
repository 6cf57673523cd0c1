"""Model index files (`model-index.yml`, `metafile.yml`): models, their results, papers, code and weights.

A result's table is not ordered by rank here: models stand in the order of their files.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from noisystudent.board.catalogue.change import Change, Link, Result
from noisystudent.board.catalogue.costs import multiply_adds, parameters
from noisystudent.board.importing.addresses import address
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import name, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results

KEYS = {
    "file": ("models", "collections", "import", "file"),
    "collection": ("name", "paper", "code"),
    "model": ("name", "metadata", "in collection", "results", "weights", "paper", "code", "config"),
    "metadata": ("parameters", "flops"),
    "result": ("task", "dataset", "metrics"),
}


class Loader:
    """The models of all files; a collection may stand in another file than its models."""

    def load(self, change: Change, part: Part) -> None:
        index = _Index(change, part.report)
        documents = [_fields(document.item, document.where, part.report) for document in part.items]
        for document in documents:
            for collection in _parts(document, "collections"):
                if called := name(collection, "name"):
                    index.collections[called] = collection
                    index.known.check(collection, "collection")
        for document in documents:
            index.known.check(document, "file")
            for model in _parts(document, "models"):
                index.model(model)
        for leaderboard, rows in index.rows.items():
            index.results.add(leaderboard, rows)
        change.report["read"] = {"files": len(documents), "collections": len(index.collections), **index.read}


class _Index:
    def __init__(self, change: Change, report: Loss) -> None:
        self.change = change
        self.report = report
        self.results = Results(change, report, set())
        self.rows: dict[int, list[Result]] = defaultdict(list)
        self.collections: dict[str, Fields] = {}
        self.read = {"models": 0, "results": 0}
        self.known = KnownKeys(KEYS)

    def model(self, fields: Fields) -> None:
        called = name(fields, "name")
        if not called:
            return
        fields.where = f"{fields.where}, {called}"
        self.report.recognised()
        self.known.check(fields, "model")
        collection = one_line(fields, "in collection")
        above = self.collections.get(collection)
        if collection and not above:
            self.report.lost("in collection", fields.where, f"there is no collection {collection}")
        title, url = _named(fields, "paper") or (above and _named(above, "paper")) or ("", "")
        code = _named(fields, "code") or (above and _named(above, "code")) or ("", "")
        paper = self.results.paper(title, url, None)
        weights = address(fields, "weights")
        self.describe(fields, self.change.model(called, paper), weights)
        self.read["models"] += 1
        for result in _parts(fields, "results"):
            self.known.check(result, "result")
            task, dataset = name(result, "task"), name(result, "dataset")
            if not task or not dataset:
                continue
            leaderboard = self.change.leaderboard(self.change.task(task), self.change.dataset(dataset))
            self.rows[leaderboard].append(
                Result(
                    leaderboard=leaderboard,
                    model=called,
                    values=_metrics(result),
                    paper=paper,
                    paper_title=title,
                    paper_url=url,
                    locator=one_line(fields, "config"),
                    code_links=_link("code", code[1]),
                    model_links=_link("weights", weights),
                    tags=[collection] if above else [],
                    where=result.where,
                )
            )
            self.read["results"] += 1

    def describe(self, fields: Fields, model: int, weights: str) -> None:
        """What the catalogue keeps of a model itself."""
        metadata = fields.part("metadata")
        if metadata:
            metadata = _fields(metadata.item, fields.where, self.report)
            self.known.check(metadata, "metadata")
        self.results.describe_model(
            model,
            parameters=metadata and parameters("parameters", one_line(metadata, "parameters")),
            multiply_adds=metadata and multiply_adds("flops", one_line(metadata, "flops")),
            weights_url=weights or None,
            is_open=1 if weights else None,
        )


def _metrics(result: Fields) -> dict[str, str]:
    """The metrics of a result: a mapping, or a list of {Name, Value}."""
    given = result.item.get("metrics")
    if isinstance(given, list):
        parts = _parts(result, "metrics")
        return values({one_line(part, "name"): part.item.get("value") for part in parts}, result)
    found = result.part("metrics")
    return values(found.item, result) if found else {}


def _named(fields: Fields, key: str) -> tuple[str, str] | None:
    """Title and address of a paper or of code, which is either an address or {Title, URL}; None where neither is there."""
    if isinstance(fields.item.get(key), dict):
        part = _fields(fields.item[key], fields.where, fields.report)
        found = part.line("title"), address(part, "url")
    else:
        found = "", address(fields, key)
    return found if any(found) else None


def _link(title: str, url: str) -> list[Link]:
    return [{"title": title, "url": url}] if url else []


def _parts(fields: Fields, key: str) -> list[Fields]:
    """A list of mappings, or one; with their keys in small letters."""
    if isinstance(fields.item.get(key), dict):
        return [_fields(fields.item[key], fields.where, fields.report)]
    return [_fields(part.item, part.where, part.report) for part in fields.parts(key)]


def _fields(item: dict[Any, Any], where: str, report: Loss) -> Fields:
    """The format does not tell small letters from capitals in keys."""
    return Fields({str(key).lower(): value for key, value in item.items()}, where, report)
