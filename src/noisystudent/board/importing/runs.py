"""The layer of runs, as `board export --format runs` writes it: what was measured, each beside the claim that it stands for.

It comes in behind the tables that have the claims. A run that stands already is no second one; it stays apart from what papers claim.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from noisystudent.board.catalogue.change import Change, Result
from noisystudent.board.importing.addresses import address, links
from noisystudent.board.importing.fields import Fields, KnownKeys
from noisystudent.board.importing.loss import Loss
from noisystudent.board.importing.names import is_name, name, names, one_line, values
from noisystudent.board.importing.parts import Part
from noisystudent.board.importing.results import Results
from noisystudent.board.queries.protocols import Kind

SIGN = "over_seeds"  # what values and seeds say, for other readers than this one
KEYS = {
    "": (
        *("task", "dataset", "subdatasets", "model_name", "paper_title", "paper_url", "metrics", "seeds", SIGN),
        *("images", "claim", "objections", "evaluated_on", "extra_data", "source_url", "locator", "external_id"),
        *("code_links", "model_links", "tags", "folder", "command", "git_commit", "config", "environment", "intervals"),
    ),
    "claim": ("model_name", "paper_title", "paper_url", "metrics"),
    "objections": ("reason", "source_url"),
}
# Model, paper and values of a result, identity of a run.
Said = tuple[str, int | None, tuple[tuple[str, str], ...], str | None]


class Environment(BaseModel):
    """What verdicts read of a run's environment; the rest is kept as it is."""

    model_config = ConfigDict(extra="allow", strict=True)
    runs: list[dict[str, Any]] = []
    baseline: dict[str, FiniteFloat] = {}
    costs: list[str] = []
    proxies: dict[str, str] = {}
    classes: int | None = None
    protocol: Kind | None = None


# How each is read, what it should be, what stands where it is not.
STRUCTURED: dict[str, tuple[TypeAdapter[Any], str, Any]] = {
    "seeds": (TypeAdapter(list[int]), "a list of whole numbers", []),
    "environment": (TypeAdapter(Environment), "what a run's environment is", {}),
    "intervals": (TypeAdapter(dict[str, tuple[FiniteFloat, FiniteFloat]]), "a low and a high end of each metric", {}),
}


class Loader:
    """Runs, whichever of them stand in a part."""

    def __init__(self) -> None:
        self.known = KnownKeys(KEYS)
        # Runs that this file has added or met: one more of it that says the same is another one.
        self.said = set[int]()

    def load(self, change: Change, part: Part) -> None:
        runs = _Runs(change, part.report, self)
        for fields in part.items:
            self.known.check(fields)
            runs.add(fields)


class _Runs:
    def __init__(self, change: Change, report: Loss, file: Loader) -> None:
        self.change = change
        self.report = report
        self.known = file.known
        self.said = file.said
        self.results = Results(change, report, set())
        self._standing: dict[tuple[int, str], dict[Said, list[int]]] = {}

    def add(self, fields: Fields) -> None:
        leaderboard = self.leaderboard(fields)
        model = one_line(fields, "model_name")
        if leaderboard is None or not is_name(model, "model_name", fields):
            return
        fields.where = f"{fields.where}, {model}"
        self.report.recognised()
        run = self.result(fields, leaderboard, model)
        same = self.standing(leaderboard, "run").get(_said(model, run.paper, run.values, run.external_id))
        if same:
            self.said.add(same.pop(0))
            self.report.there("run")
            return
        result = self.change.add_result(run, supersedes=self.of_identity(leaderboard, run.external_id))
        self.said.add(result)
        self.report.places[result] = fields.where
        claim = self.claim(fields, leaderboard)
        self.change.insert("run", result_id=result, claim_id=claim, **_details(fields))
        for position, objection in enumerate(fields.parts("objections")):
            self.known.check(objection, "objections")
            about = {"reason": objection.text("reason"), "source_url": address(objection, "source_url")}
            self.change.insert("objection", result_id=result, position=position, **about)

    def leaderboard(self, fields: Fields) -> int | None:
        """The leaderboard of a run, made where there is none; None where task or data set have no name."""
        task, whole = name(fields, "task"), name(fields, "dataset")
        if not task or not whole:
            return None
        dataset = self.change.dataset(whole)
        for part in names(fields, "subdatasets"):
            dataset = self.change.dataset(part, dataset)
        return self.change.leaderboard(self.change.task(task), dataset)

    def result(self, fields: Fields, leaderboard: int, model: str) -> Result:
        metrics, extra = fields.part("metrics"), fields.item.get("extra_data")
        return Result(
            leaderboard=leaderboard,
            model=model,
            values=values(metrics.item, fields) if metrics else {},
            paper=self.results.paper(fields.line("paper_title"), address(fields, "paper_url"), None),
            kind="run",
            extra_data=None if extra is None else fields.flag("extra_data"),
            evaluated_on=fields.date("evaluated_on"),
            source_url=address(fields, "source_url") or None,
            locator=one_line(fields, "locator"),
            code_links=links(fields, "code_links"),
            model_links=links(fields, "model_links"),
            tags=fields.lines("tags"),
            external_id=fields.line("external_id") or None,
        )

    def claim(self, fields: Fields, leaderboard: int) -> int | None:
        """The claim that a run stands beside; one that is not on the leaderboard is reported."""
        claim = fields.part("claim")
        if claim is None:
            return None
        self.known.check(claim, "claim")
        metrics, url = claim.part("metrics"), address(claim, "paper_url")
        paper = self.change.find_paper(url=url, title=claim.line("paper_title")) if url else None
        raw = values(metrics.item, claim) if metrics else {}
        found = self.standing(leaderboard, "claim").get(_said(one_line(claim, "model_name"), paper, raw))
        if not found:
            self.report.lost("claim", fields.where, "it does not stand on this leaderboard: import its table first")
        return found[0] if found else None

    def standing(self, leaderboard: int, kind: str) -> dict[Said, list[int]]:
        """The results of a kind on a leaderboard by what they say, without those that the file has named before."""
        if (leaderboard, kind) not in self._standing:
            texts: dict[int, dict[str, str]] = defaultdict(dict)
            where = "r.leaderboard_id = ? AND r.kind = ? AND r.retired_by IS NULL"
            for row in self.change.connection.execute(
                "SELECT v.result_id, k.name, v.raw FROM result r JOIN value v ON v.result_id = r.id "
                f"JOIN metric k ON k.id = v.metric_id WHERE {where}",
                (leaderboard, kind),
            ):
                texts[row["result_id"]][row["name"]] = row["raw"]
            found: dict[Said, list[int]] = defaultdict(list)
            for row in self.change.connection.execute(
                "SELECT r.id, m.name, r.paper_id, r.external_id FROM result r JOIN model m ON m.id = r.model_id "
                f"WHERE {where} ORDER BY r.position, r.id",
                (leaderboard, kind),
            ):
                identity = row["external_id"] if kind == "run" else None
                if row["id"] not in self.said:
                    found[_said(row["name"], row["paper_id"], texts[row["id"]], identity)].append(row["id"])
            self._standing[leaderboard, kind] = found
        return self._standing[leaderboard, kind]

    def of_identity(self, leaderboard: int, external_id: str | None) -> int | None:
        """The run of that identity, which has other values now."""
        row = self.change.connection.execute(
            "SELECT id FROM result WHERE leaderboard_id = ? AND external_id = ? AND retired_by IS NULL",
            (leaderboard, external_id),
        ).fetchone()
        return row["id"] if row else None


def _details(fields: Fields) -> dict[str, Any]:
    """The columns of the run itself."""
    return {
        **{key: fields.line(key) for key in ("folder", "command", "git_commit")},
        "config": _whole_text(fields, "config"),
        "images": fields.whole("images"),
        **{key: _structured(fields, key) for key in STRUCTURED},
    }


def _whole_text(fields: Fields, key: str) -> str:
    """A text of several lines with the end of its last one, where it has one."""
    text, value = fields.text(key), fields.item.get(key)
    return f"{text}\n" if text and isinstance(value, str) and value.endswith("\n") else text


def _structured(fields: Fields, key: str) -> str:
    """A field that is kept as JSON, if it is what it should be."""
    read, expected, otherwise = STRUCTURED[key]
    value = fields.item.get(key) or otherwise
    try:
        read.validate_json(json.dumps(value))
    except (ValidationError, ValueError):
        fields.report.lost(key, fields.where, f"{str(value)[:60]!r} is not {expected}")
        value = otherwise
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _said(model: str, paper: int | None, raw: Mapping[str, str], identity: str | None = None) -> Said:
    return model, paper, tuple(sorted(raw.items())), identity
