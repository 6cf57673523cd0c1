"""Models as repositories of Hugging Face's hub: of each a folder with a card (`model-index`) and, of the hub's data sets, `.eval_results`.

A card has a place for task, data set, configuration, metrics and one address; an entry of `.eval_results` for one value of a model on a
data set. What has none is counted as left out.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import yaml

from noisystudent.board.catalogue.slugs import arxiv_id, slugify
from noisystudent.board.exporting.standing import Standing, standing

ENTRIES = ".eval_results/board.yaml"


def files(connection: sqlite3.Connection, left_out: Counter[str]) -> Iterator[tuple[str, bytes]]:
    """Cards and entries, each with the path of its file, by the name of the model."""
    models: dict[int, list[Standing]] = defaultdict(list)
    for one in standing(connection):
        if one.values:
            models[one.row["model_id"]].append(one)
        else:
            left_out["result without a value"] += 1
    taken: Counter[str] = Counter()
    for results in sorted(models.values(), key=lambda of_model: (of_model[0].row["model"], of_model[0].row["id"])):
        slug = slugify(results[0].row["model"])
        taken[slug] += 1
        folder = slug if taken[slug] == 1 else f"{slug}-{taken[slug]}"
        yield f"{folder}/README.md", _card(results, left_out)
        if entries := _entries(results, left_out):
            yield f"{folder}/{ENTRIES}", _yaml(entries)


def _card(results: list[Standing], left_out: Counter[str]) -> bytes:
    name = results[0].row["model"]
    index = [{"name": name or "unknown", "results": [_result(one, left_out) for one in results]}]
    heading = " ".join(name.replace("<", "&lt;").split())
    return b"---\n" + _yaml({"model-index": index}) + f"---\n\n# {heading}\n".encode()


def _result(one: Standing, left_out: Counter[str]) -> dict[str, Any]:
    row = one.row
    split = row["locator"].removeprefix("split ") if row["locator"].startswith("split ") else ""
    is_run = row["kind"] == "run"
    url = row["source_url"] or ("" if is_run else row["paper_address"])
    for what, lost in {
        "place in its source": row["locator"] and not split,
        "word on extra training data": row["extra_data"] is not None,
        "paper that is not on arXiv": row["paper_id"] and not is_run and not arxiv_id(url),
        "link to code": one.listed("code_links"),
    }.items():
        left_out[what] += bool(lost)
    of_run = {"args": {"kind": "run", "seeds": one.listed("seeds"), "images": row["images"]}} if is_run else {}
    return {
        "task": {"type": slugify(row["task"]), "name": row["task"]},
        "dataset": {
            "type": one.hub_dataset or slugify(row["whole"] or row["part"]),
            "name": row["whole"] or row["part"],
            **({"config": row["part"]} if row["whole"] else {}),
            **({"split": split} if split else {}),
        },
        "metrics": [
            {"type": slugify(value["name"]), "value": _value(value), "name": value["name"], **of_run}
            for value in one.values
        ],
        **({"source": {"name": row["paper"] or row["layer"] or "source", "url": url}} if url else {}),
    }


def _entries(results: list[Standing], left_out: Counter[str]) -> list[dict[str, Any]]:
    """One value of each data set of the hub: that of the metric that ranks the leaderboard, where there is one."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in results:
        value = max(one.values, key=lambda value: int(value["ranks"]))  # else the first
        if not one.hub_dataset or value["number"] is None:
            continue
        key = (one.hub_dataset, one.row["part"] if one.row["whole"] else "default")
        if key in found:
            left_out["further value of a model on a data set, in .eval_results"] += 1
            continue
        url = one.row["source_url"] or one.row["paper_address"]
        found[key] = {
            "dataset": {"id": key[0], "task_id": key[1]},
            "value": value["number"],
            **({"date": one.row["evaluated_on"]} if one.row["evaluated_on"] else {}),
            **({"source": {"url": url}} if url else {}),
            "notes": f"metric: {value['name']}; task: {one.row['task']}; {one.row['kind']}{_spread(one, value)}",
        }
    return list(found.values())


def _spread(one: Standing, value: sqlite3.Row) -> str:
    """Of a run of several seeds, of how many the value is the mean, and how far they lie apart."""
    said = one.over_seeds(value)
    if said is None or said.trainings == 1:
        return ""
    apart = "" if said.deviation is None else f", standard deviation {said.deviation}"
    return f"; mean of {said.trainings} seeds{apart}"


def _value(value: sqlite3.Row) -> float | str:
    """A number where the text says no more than that."""
    raw = str(value["raw"])
    numbers = (value["number"], int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 15 else None)
    return next((number for number in numbers if number is not None and str(number) == raw), raw)


def _yaml(data: Any) -> bytes:
    return yaml.safe_dump(json.loads(json.dumps(data)), sort_keys=False, allow_unicode=True, width=10_000).encode()
