"""Records of Every Eval Ever (schema 0.2 and 0.3): one of them is a model's scores, each with its metric, direction and data set.

What the schema has no field for, such as a paper, stands in `additional_details`, where our own export puts it, too. A record of a run
of ours that is on the board already is no second result.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from noisystudent.board.catalogue.change import Change, Link, Result
from noisystudent.board.catalogue.costs import parameters
from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.catalogue.values import SCALES, parse_value
from noisystudent.board.importing.addresses import address, is_address
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import name, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results

KEYS = {
    "record": (
        *("schema_version", "evaluation_id", "evaluation_timestamp", "retrieved_timestamp"),
        *("source_metadata", "model_info", "eval_library", "evaluation_results"),
    ),
    "source_metadata": (
        *("source_name", "source_type", "source_organization_name", "source_organization_url"),
        *("evaluator_relationship", "additional_details"),
    ),
    "source_metadata.additional_details": (
        *("kind", "paper", "paper_title", "paper_url", "paper_date", "source_url", "locator"),
        *("extra_training_data", "code_links", "model_links", "tags", "other_values"),
        *("verified_by", "verified_where"),
    ),
    "model_info": ("name", "id", "developer", "additional_details"),
    "model_info.additional_details": ("params_billions", "deployment_type", "model_availability"),
    "evaluation_results": (
        *("evaluation_result_id", "evaluation_name", "source_data", "evaluation_timestamp"),
        *("metric_config", "score_details"),
    ),
    "source_data": ("dataset_name", "source_type", "url", "hf_repo", "additional_details"),
    "source_data.additional_details": ("whole", "part"),
    "metric_config": ("metric_id", "metric_name", "metric_unit", "evaluation_description", "lower_is_better"),
    "score_details": ("score", "details"),
    "score_details.details": ("raw",),
}
OPEN = {"open_weights": 1, "closed_weights": 0}
LONGEST = 100_000  # characters of JSON within a text
LATEST = 4e9  # seconds since 1970; in the year 2096


class Loader:
    """Records, whichever of them stand in a part."""

    def __init__(self) -> None:
        self.said: set[int] = set()
        self.known = KnownKeys(KEYS)

    def load(self, change: Change, part: Part) -> None:
        records = _Records(change, part.report, self)
        for fields in part.items:
            records.record(fields)
        records.finish()


class _Records:
    def __init__(self, change: Change, report: Loss, file: Loader) -> None:
        self.change = change
        self.report = report
        self.known = file.known
        self.results = Results(change, report, file.said)
        self.rows: dict[int, list[Result]] = defaultdict(list)

    def record(self, fields: Fields) -> None:
        self.known.check(fields, "record")
        model, source = fields.part("model_info"), fields.part("source_metadata")
        called = name(model, "name") if model else ""
        if not model or not called:
            if not model:
                self.report.lost("record", fields.where, "it names no model")
            return
        fields.where = model.where = f"{fields.where}, {called}"
        self.report.recognised()
        self.known.check(model, "model_info")
        details = self.part(model, "additional_details", "model_info") or Fields({}, fields.where, self.report)
        source = source or Fields({}, fields.where, self.report)
        row = self.about(fields, source, model)
        if (weights := self.weights(model, details)) and not row.model_links:
            row = replace(row, model_links=[{"title": "weights", "url": weights}])
        found: dict[int, Result] = {}
        for result in fields.parts("evaluation_results"):
            self.known.check(result, "evaluation_results")
            leaderboard = self.leaderboard(result)
            if leaderboard is not None:
                before = found.get(leaderboard) or replace(
                    row,
                    leaderboard=leaderboard,
                    evaluated_on=row.evaluated_on or _day(result),
                    values=self.other_values(source),
                )
                found[leaderboard] = self.scored(result, before)
        for leaderboard, one in found.items():
            self.rows[leaderboard].append(one)
        if found:
            self.results.describe_model(
                self.change.model(called, row.paper),
                parameters=parameters("parameters (b)", one_line(details, "params_billions")),
                weights_url=weights or None,
                is_open=OPEN.get(one_line(details, "model_availability")),
            )

    def weights(self, model: Fields, details: Fields) -> str:
        """Where the weights are: the id of an open model is its name on Hugging Face's hub. Any other id is kept nowhere."""
        called, identity = one_line(model, "name"), one_line(model, "id")
        if OPEN.get(one_line(details, "model_availability")) and is_address(
            hub := f"https://huggingface.co/{identity}"
        ):
            return hub if identity.count("/") == 1 else ""
        if identity.rpartition("/")[2] not in (called, slugify(called)):
            self.report.lost("model_info.id", model.where, f"{identity} has no place in the catalogue")
        return ""

    def finish(self) -> None:
        """The rows of all records, but for those that are runs on the board."""
        for leaderboard, rows in self.rows.items():
            runs = self.runs(leaderboard)
            new = [
                row for row in rows if row.kind != "run" or (row.model, tuple(sorted(row.values.items()))) not in runs
            ]
            if len(new) < len(rows):
                self.report.there("run", len(rows) - len(new))
            self.results.add(leaderboard, [replace(row, kind="claim") for row in new])

    def runs(self, leaderboard: int) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        """Model and values of the runs on a leaderboard."""
        found: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
        for row in self.change.connection.execute(
            "SELECT r.id, m.name AS model, k.name, v.raw FROM result r JOIN model m ON m.id = r.model_id "
            "JOIN value v ON v.result_id = r.id JOIN metric k ON k.id = v.metric_id "
            "WHERE r.leaderboard_id = ? AND r.retired_by IS NULL AND r.kind = 'run'",
            (leaderboard,),
        ):
            found[row["id"], row["model"]].append((row["name"], row["raw"]))
        return {(model, tuple(sorted(raw))) for (_, model), raw in found.items()}

    def part(self, fields: Fields, key: str, of: str) -> Fields | None:
        """An object within another, whose keys are looked at."""
        found = fields.part(key)
        if found:
            self.known.check(found, f"{of}.{key}" if of else key)
        return found

    def about(self, fields: Fields, source: Fields, model: Fields) -> Result:
        """What a record says of all its scores."""
        self.known.check(source, "source_metadata")
        details = self.part(source, "additional_details", "source_metadata") or Fields({}, fields.where, self.report)
        title, published = details.line("paper_title"), details.date("paper_date")
        url = address(details, "paper_url" if details.item.get("paper_url") else "paper")
        relation = one_line(source, "evaluator_relationship").replace("_", " ")
        developer = one_line(model, "developer")
        of_source = [
            one_line(source, "source_type").replace("_", " "),
            relation,
            developer and f"developer: {developer}",
        ]
        tags = _listed(details, "tags") if details.item.get("kind") else [tag for tag in of_source if tag]
        return Result(
            leaderboard=0,
            model=one_line(model, "name"),
            values={},
            kind="run" if one_line(details, "kind") == "run" else "claim",
            paper=self.results.paper(title, url, published),
            paper_title=title,
            paper_url=url,
            paper_date=published,
            evaluated_on=_day(fields),
            extra_data={"true": True, "false": False}.get(one_line(details, "extra_training_data")),
            source_url=address(details, "source_url") or address(source, "source_organization_url") or None,
            locator=one_line(details, "locator")
            or ("" if details.item.get("kind") else one_line(source, "source_name")),
            code_links=_links(details, "code_links"),
            model_links=_links(details, "model_links"),
            tags=[tag for tag in tags if isinstance(tag, str)],
            where=fields.where,
            verified=(one_line(details, "verified_by"), one_line(details, "verified_where")),
        )

    def other_values(self, source: Fields) -> dict[str, str]:
        """Values of a row of ours that are no scores: they are not one number, or nobody knows their direction."""
        details = source.part("additional_details")
        found = _json(details, "other_values", dict) if details else None
        return values(found, source) if found else {}

    def leaderboard(self, fields: Fields) -> int | None:
        """The leaderboard of an evaluation on its data set; None where one of them has no name."""
        data = self.part(fields, "source_data", "")
        if data is None:
            self.report.lost("evaluation", fields.where, "it names no data set")
            return None
        details = self.part(data, "additional_details", "source_data")
        whole = name(details, "whole") if details and details.item.get("whole") else name(data, "dataset_name")
        task = name(fields, "evaluation_name")
        if not task or not whole:
            return None
        dataset = self.change.dataset(whole)
        if details and details.item.get("part") and (part := name(details, "part")):
            dataset = self.change.dataset(part, dataset)
        return self.change.leaderboard(self.change.task(task), dataset)

    def scored(self, fields: Fields, row: Result) -> Result:
        """A row with one score more."""
        config, score = self.part(fields, "metric_config", ""), self.part(fields, "score_details", "")
        if config is None or score is None:
            self.report.lost("score", fields.where, "there is no metric or no score")
            return row
        metric = _metric(config)
        details = self.part(score, "details", "score_details")
        found = values({metric: _raw(score, one_line(config, "metric_unit"), details)}, score)
        if metric in row.values and found:
            self.report.lost("score", fields.where, f"{metric} of this evaluation is given twice")
            return row
        lower = config.item.get("lower_is_better")
        if found and isinstance(lower, bool):
            self.change.metric(row.leaderboard, metric, higher_is_better=not lower)
        return replace(row, values={**row.values, **found})


def _metric(config: Fields) -> str:
    """The metric's name. Records of schema 0.2 have a description alone: "Overall accuracy on GAIA" is an "Overall accuracy"."""
    said = one_line(config, "metric_name") or one_line(config, "metric_id")
    described, on, _ = one_line(config, "evaluation_description").partition(" on ")
    return said or (described if on else "") or "Score"


def _raw(score: Fields, unit: str, details: Fields | None) -> Any:
    """The score as its source gave it, where the record still says so; else the number, with a unit that changes what it is."""
    given = score.item.get("score")
    raw = one_line(details, "raw") if details else ""
    if raw and isinstance(given, int | float) and parse_value(raw).number == given:
        return raw
    behind = "%" if unit == "percent" else unit if unit in SCALES else ""
    return f"{given}{behind}" if behind and isinstance(given, int | float) else given


def _day(fields: Fields) -> str | None:
    """The day of an evaluation, which is given in seconds since 1970 or as a date."""
    said = one_line(fields, "evaluation_timestamp")
    try:
        seconds = float(said)
    except ValueError:
        return fields.date("evaluation_timestamp")
    if not 0 <= seconds <= LATEST:
        fields.report.lost("evaluation_timestamp", fields.where, f"{said!r} is no time")
        return None
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _listed(details: Fields, key: str) -> list[Any]:
    """A list that stands as JSON in a text."""
    found: list[Any] | None = _json(details, key, list)
    return found or []


def _json(details: Fields, key: str, kind: type) -> Any:
    """What stands as JSON in a text, since `additional_details` hold nothing but texts; None where there is none of that kind."""
    text = details.item.get(key)
    if not text:
        return None
    try:
        found = json.loads(text) if isinstance(text, str) and len(text) < LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        details.report.lost(key, details.where, f"{str(text)[:60]!r} is no {kind.__name__} as JSON")
        return None
    return found


def _links(details: Fields, key: str) -> list[Link]:
    found = [link for link in _listed(details, key) if isinstance(link, dict)]
    return [
        {"title": str(link.get("title", "")), "url": str(link["url"])}
        for link in found
        if is_address(str(link.get("url", "")))
    ]
