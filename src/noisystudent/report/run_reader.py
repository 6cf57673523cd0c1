"""What a run folder holds, as far as the run has come. Nothing here needs a stage to be done."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from noisystudent.config import Config, load_config
from noisystudent.data.manifest import Manifest
from noisystudent.errors import UserError
from noisystudent.evaluation.answer import answer, is_clear
from noisystudent.evaluation.choice import choose
from noisystudent.evaluation.paired import paired_difference
from noisystudent.run_plan import run_networks, run_stages
from noisystudent.rundir import RunDir
from noisystudent.training.metrics_log import read_metrics

Row = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A network of the run: the frozen features, the teacher, a student or the baseline.

    Attributes:
        name: such as "student 2".
        folder: where it is.
        results: its `results.json`; None when it has not been measured.
        curve: the lines of its `metrics.jsonl`, perhaps none.
    """

    name: str
    folder: Path
    results: Row | None
    curve: list[Row]

    @property
    def top1(self) -> float | None:
        return None if self.results is None else self.results["metrics"].get("top1")

    @property
    def generation(self) -> int | None:
        """A student's number; None for the others."""
        return int(self.name.split()[1]) if self.name.startswith("student ") else None

    @property
    def is_baseline(self) -> bool:
        """Whether it is the baseline, or what that was before its resolution fix."""
        return self.name.startswith("baseline")

    def predictions(self, split: str) -> Path:
        """Its predictions on an evaluation split."""
        return self.folder / "evaluation" / f"{split}.parquet"


@dataclass(frozen=True)
class Difference:
    """How many points of top-1 accuracy one network has over another on the same images.

    Attributes:
        points: percentage points, above 0 when the first is better.
        low, high: the 95 % interval.
        p: of McNemar's exact test.
        n: images.
    """

    points: float
    low: float
    high: float
    p: float
    n: int

    @property
    def clear(self) -> bool:
        """Whether it is more than chance."""
        return is_clear(self.points, (self.low, self.high), self.p)


@dataclass(frozen=True)
class Run:
    """A run folder, read.

    Attributes:
        folder: its layout.
        config: its configuration.
        networks: those that were begun: frozen features, teacher, students, baseline, in this order.
        records: what each finished stage recorded, by the stage's name.
    """

    folder: RunDir
    config: Config
    networks: list[Network]
    records: dict[str, Row]

    @cached_property
    def class_names(self) -> list[str]:
        """The names of the classes, in order; [] before the images have been read."""
        path = self.folder.manifest("labeled")
        return list(Manifest.load(path).class_names) if path.exists() else []

    @property
    def images(self) -> dict[str, int]:
        """How many images each split has."""
        counts: dict[str, int] = self.records.get("prepare", {}).get("images", {})
        return counts

    @property
    def measured(self) -> list[Network]:
        return [network for network in self.networks if network.top1 is not None]

    @property
    def split(self) -> str | None:
        """The split that the figures are of: test, else val; None when nothing has been measured."""
        return self.measured[0].results["split"] if self.measured and self.measured[0].results else None

    @property
    def baseline(self) -> Network | None:
        return next((network for network in self.measured if network.name == "baseline"), None)

    @property
    def teacher(self) -> Network | None:
        """The network of generation 0, which the frozen features may be."""
        return next((network for network in self.measured if network.folder.name == "gen-0"), None)

    @property
    def students(self) -> list[Network]:
        return [network for network in self.measured if network.generation]

    @cached_property
    def choice(self) -> Row | None:
        """Which generation is handed on and why (`evaluation.choice`); before the run is finished, of those there are."""
        generations = {n.name: n.folder for n in self.networks if n.results is not None and n.name != "baseline"}
        if not generations:
            return None
        if not self.finished:
            return choose(generations, seed=self.config.seed)
        results = json.loads(self.text("results.json"))
        name = next((name for name, folder in generations.items() if folder.name == results["best"]), None)
        earlier = {"network": name, "folder": results["best"], "why": "chosen when the run ended"}
        choice: Row = results.get("choice") or {**earlier, "n": None, "p": None, "split": None}
        return choice if name else None

    @cached_property
    def answer(self) -> Row | None:
        """Whether the unlabeled images helped (`evaluation.answer`); None before a generation has results."""
        if self.choice is None:
            return None
        folders = {n.name: n.folder for n in self.networks if n.results is not None}
        start = self.folder.how_decided(self.config)
        return answer(folders, self.choice, unlabeled=self.images.get("unlabeled"), seed=self.config.seed, start=start)

    @cached_property
    def cost(self) -> dict[str, float] | None:
        """What the run has cost (`evaluation.spent`); None before it is finished, and of one of an earlier version."""
        cost: dict[str, float] | None = json.loads(self.text("results.json")).get("cost") if self.finished else None
        return cost

    @cached_property
    def costs(self) -> dict[str, dict[str, float]]:
        """By network, what was spent until there was it; empty as `cost` is None."""
        rows = json.loads(self.text("results.json"))["rows"] if self.finished else []
        return {row["name"]: row["cost"] for row in rows if "cost" in row}

    @property
    def best(self) -> Network | None:
        """The generation that is handed on."""
        return next((n for n in self.networks if self.choice and n.name == self.choice["network"]), None)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end: its table of results is written last."""
        return (self.folder.path / "results.json").exists()

    def done(self, stage: str) -> bool:
        """Whether a stage is done. (A copy of a finished run may lack the records, which are in a hidden folder.)"""
        return self.finished or stage in self.records

    @property
    def missing(self) -> list[str]:
        """The stages that are not done yet; the last is the summary of the run."""
        return [
            stage
            for stage in [*run_stages(self.config, held_out=self.folder.held_out), "summary"]
            if not self.done(stage)
        ]

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """Each stage's warnings, as (stage, warning)."""
        return [(stage, text) for stage, record in self.records.items() for text in record.get("warnings", ())]

    def difference(self, first: Network, second: Network) -> Difference | None:
        """The paired difference in accuracy, as in the run's `results.json`; None when the predictions are not there."""
        paths = [network.predictions(self.split or "") for network in (first, second)]
        if not all(path.exists() for path in paths):
            return None
        found = paired_difference(*(pq.read_table(path) for path in paths), seed=self.config.seed)
        low, high = found["ci95"]
        return Difference(points=found["points"], low=low, high=high, p=found["p"], n=found["n"])

    @cached_property
    def skipped(self) -> list[Row]:
        """The images that could not be used: id, stage, reason."""
        return _rows(self.folder.path / "skipped.parquet")

    @property
    def skipped_reasons(self) -> list[tuple[str, str, int]]:
        """(stage, reason, images), the most frequent first."""
        counts = Counter((row["stage"], row["reason"]) for row in self.skipped)
        return [(*key, count) for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]

    @cached_property
    def leaks(self) -> list[Row]:
        """The unlabeled images that are held-out images too: id, split, twin, exact."""
        return _rows(self.folder.path / "data" / "leaks.parquet")

    def text(self, name: str) -> str:
        """A text file of the run; "" when it is not there."""
        path = self.folder.path / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def read_run(path: Path) -> Run:
    """Read a run folder, finished or not.

    Args:
        path: the folder.

    Raises:
        UserError: it is not a run folder, or its configuration cannot be read.

    Example:
        >>> read_run(Path("run")).missing  # doctest: +SKIP
        ['gen-2/train', 'gen-2/evaluate', 'summary']
    """
    if not (path / "config.toml").is_file():
        raise UserError(f"{path} is not a run folder: it has no config.toml. Give the --out of `noisystudent run`")
    folder = RunDir(path)
    config = folder.decided(load_config(path / "config.toml"))
    networks = [
        _read_network(network.name, path / network.folder) for network in run_networks(config, held_out=folder.held_out)
    ]
    begun = [network for network in networks if network.results or network.curve]
    return Run(folder, config, begun, folder.records())


def _read_network(name: str, folder: Path) -> Network:
    path = folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return Network(name, folder, results, read_metrics(folder / "metrics.jsonl"))


def _rows(path: Path) -> list[Row]:
    rows: list[Row] = pq.read_table(path).to_pylist() if path.exists() else []
    return rows
