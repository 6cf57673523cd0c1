"""Results as records of Every Eval Ever, schema 0.3: a file a result, where its datastore has it.

The schema wants a direction and a number for every score: one without them is counted as left out. It stands in `additional_details`, as
everything does that the schema has no field for, where our own importer finds it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from noisystudent.board.catalogue.slugs import slugify
from noisystudent.board.exporting.standing import Standing, hub_model, standing

SCHEMA = "0.3.0"  # github.com/evaleval/every_eval_ever, every_eval_ever/schemas/eval.schema.json
DEVELOPER = "developer: "  # how a tag begins that names one
NO_DEVELOPER = "unknown"
_OWNER = re.compile(r"https://git(?:hub|lab)\.com/([\w.-]+)/[\w.-]+", re.ASCII)
_NO_PATH = re.compile(r'[<>:"\\|?*\x00-\x1f]')


def files(connection: sqlite3.Connection, left_out: Counter[str]) -> Iterator[tuple[str, bytes]]:
    """The records, each with the path of its file."""
    taken: Counter[str] = Counter()
    for one in standing(connection):
        scores = _scores(one, left_out)
        if not scores:
            left_out["result without a score"] += 1
            continue
        model = _model_info(one)
        retrieved = _seconds(one.row["added_at"])
        identity = f"{one.row['leaderboard']}/{model['id'].replace('/', '_')}/{retrieved}"
        taken[identity] += 1
        if taken[identity] > 1:  # a model that stands there twice
            identity += f"-{taken[identity]}"
        day = one.row["evaluated_on"]
        record = {
            "schema_version": SCHEMA,
            "evaluation_id": identity,
            **({"evaluation_timestamp": day} if day else {}),
            "retrieved_timestamp": retrieved,
            "source_metadata": _source(one),
            "eval_library": _library(one),
            "model_info": model,
            "evaluation_results": scores,
        }
        text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        yield f"data/{one.row['leaderboard']}/{model['id']}/{_uuid(identity)}.json", text.encode()


def _scores(one: Standing, left_out: Counter[str]) -> list[dict[str, Any]]:
    found = []
    for value in one.values:
        if not _is_score(value):
            without = "number" if value["number"] is None else "direction"
            left_out[f"score without a {without}, which only this project reads"] += 1
            continue
        found.append(
            {
                "evaluation_result_id": slugify(f"{one.row['leaderboard']} {value['name']}"),
                "evaluation_name": one.row["task"],
                "source_data": _dataset(one),
                "metric_config": {
                    "metric_id": slugify(value["name"]).replace("-", "_"),
                    "metric_name": value["name"],
                    **_unit(value["unit"]),
                    "lower_is_better": not value["higher_is_better"],
                },
                "score_details": _score(one, value),
            }
        )
    return found


def _is_score(value: sqlite3.Row) -> bool:
    return value["number"] is not None and value["higher_is_better"] is not None


def _score(one: Standing, value: sqlite3.Row) -> dict[str, Any]:
    """The number; the text where it says more; of a run its interval, of how many images it is, and what it says over seeds.

    The schema's own `standard_deviation` is one over samples: that over seeds stands in `details`.
    """
    number = value["number"]
    details = {} if value["raw"] == str(number) else {"raw": value["raw"]}
    said = one.over_seeds(value)
    if said and said.trainings > 1:
        details |= {"mean_of_trainings": str(said.trainings), "seeds": one.row["seeds"]}
    if said and said.deviation is not None:
        details["standard_deviation_over_seeds"] = str(said.deviation)
    uncertainty: dict[str, Any] = {}
    if said and said.interval:
        low, high = said.interval
        uncertainty["confidence_interval"] = {"lower": low, "upper": high, "confidence_level": 0.95}
    if said and said.interval and one.row["images"]:
        uncertainty["num_samples"] = one.row["images"]
    return {
        "score": number,
        **({"details": details} if details else {}),
        **({"uncertainty": uncertainty} if uncertainty else {}),
    }


def _unit(unit: str) -> dict[str, str]:
    return {"metric_unit": "percent" if unit == "%" else unit} if unit else {}


def _dataset(one: Standing) -> dict[str, Any]:
    """The data set; of a part of another, both names."""
    details = {"whole": one.row["whole"], "part": one.row["part"]} if one.row["whole"] else {}
    about: dict[str, Any] = {"dataset_name": one.row["dataset"]}
    if one.hub_dataset:
        about |= {"source_type": "hf_dataset", "hf_repo": one.hub_dataset}
    elif one.row["homepage"]:
        about |= {"source_type": "url", "url": [one.row["homepage"]]}
    else:
        about |= {"source_type": "other"}
    return about | ({"additional_details": details} if details else {})


def _source(one: Standing) -> dict[str, Any]:
    """Who says it: a claim is what a paper says of its own model, a run is what was measured here."""
    row = one.row
    is_run = row["kind"] == "run"
    said = {"paper_title": row["paper_title"], "paper_url": row["paper_url"], "paper_date": row["paper_date"]}
    if not any(said.values()):
        said = {"paper_title": row["paper"], "paper_url": row["paper_address"], "paper_date": None}
    extra = row["extra_data"]
    others = {value["name"]: value["raw"] for value in one.values if not _is_score(value)}
    details = {
        "kind": row["kind"],
        **said,
        **{key: row[key] for key in ("source_url", "locator", "verified_by", "verified_where")},
        "extra_training_data": None if extra is None else ("true" if extra else "false"),
        **{key: row[key] for key in ("code_links", "model_links", "tags") if one.listed(key)},
        "other_values": json.dumps(others, ensure_ascii=False) if others else None,
        **{key: row[key] for key in ("command", "git_commit") if is_run},
    }
    return {
        "source_name": f"{row['task']} on {row['dataset']}",
        "source_type": "evaluation_run" if is_run else "documentation",
        "source_organization_name": row["layer"] or "unknown",
        "evaluator_relationship": "third_party" if is_run else "first_party" if row["paper_id"] else "other",
        "additional_details": {key: str(value) for key, value in details.items() if value},
    }


def _library(one: Standing) -> dict[str, str]:
    if one.row["kind"] != "run":
        return {"name": "unknown", "version": "unknown"}
    versions = json.loads(one.row["environment"] or "{}").get("versions", {})
    version = versions.get("noisystudent") if isinstance(versions, dict) else None
    return {"name": "noisystudent", "version": str(version or "unknown")}


def _model_info(one: Standing) -> dict[str, Any]:
    """The model, under its name on Hugging Face's hub where a link leads there."""
    row = one.row
    places = [row["weights_url"] or "", *(link["url"] for link in one.listed("model_links"))]
    named = next((found for found in map(hub_model, places) if found and not _NO_PATH.search(found)), "")
    is_open = {None: "unknown", 0: "closed_weights", 1: "open_weights"}[row["is_open"]]
    developer = named.partition("/")[0] or _developer(one)
    details = {"deployment_type": "unknown", "model_availability": is_open}
    if row["parameters"]:
        details["params_billions"] = f"{row['parameters'] / 1e9:.12g}"
    return {
        "name": row["model"] or "unknown",
        "id": named or f"{developer}/{slugify(row['model'])}",
        "developer": developer,
        "additional_details": details,
    }


def _developer(one: Standing) -> str:
    """Who provides a model: whom a tag names, else the owner of its code, else the first author of its paper."""
    said = next((tag.removeprefix(DEVELOPER) for tag in one.listed("tags") if tag.startswith(DEVELOPER)), "")
    owner = next(filter(None, (_OWNER.match(link["url"]) for link in one.listed("code_links"))), None)
    return slugify(said) if said else owner[1] if owner else one.row["author"] or NO_DEVELOPER


def _seconds(at: str) -> str:
    """An event's time in seconds since 1970, as the schema wants it."""
    return f"{datetime.fromisoformat(at).timestamp():.6f}"


def _uuid(identity: str) -> uuid.UUID:
    """The same for the same record, in the form of a random one, which the datastore asks for."""
    return uuid.UUID(bytes=hashlib.sha256(identity.encode()).digest()[:16], version=4)
