"""A small run folder, written file by file as the contract says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from noisystudent.config import Config, Data, Execution, Generation, Selection, Training
from noisystudent.data.leaks import LEAK_SCHEMA
from noisystudent.data.manifest import SCHEMA, Manifest
from noisystudent.data.parts import SKIPPED_SCHEMA
from noisystudent.data.uris import file_uri
from noisystudent.evaluation.clean import wilson_interval
from noisystudent.pseudo.label import predictions_schema
from noisystudent.pseudo.quality import known_accuracy
from noisystudent.pseudo.select import choose

EVALUATED = 200
COSTS = tuple(
    {"seconds": 9.0, "training_pflop": training, "labeling_pflop": labeling}
    for training, labeling in ((0.001, 0.0), (0.02, 0.005), (0.05, 0.01), (0.03, 0.0))
)
RIGHT = {"gen-0": 120, "gen-1": 150, "gen-2": 160, "baseline": 158}  # of EVALUATED


@dataclass
class RunWriter:
    """Writes a finished run; what is to be missing is left out by a field or deleted afterwards."""

    path: Path
    class_names: list[str] = field(default_factory=lambda: ["ant", "bee", "cat"])
    generations: int = 2
    baseline: bool = True
    splits: tuple[str, ...] = ("test",)
    known: bool = True
    images: int = 60
    prefix: str = "image"
    threshold: float = 0.3
    right: dict[str, int] = field(default_factory=lambda: dict(RIGHT))

    def write(self) -> Path:
        self._write_config()
        self._write_data()
        folders = [f"gen-{number}" for number in range(self.generations + 1)]
        folders += ["baseline"] if self.baseline and self.generations else []
        for number in range(1, self.generations + 1):
            self._write_pseudo_labels(number)
        for folder in folders:
            self._write_network(folder)
        names = {folder: f"student {number}" for number, folder in enumerate(folders)}
        costs = [
            {"name": {"gen-0": "teacher", "baseline": "baseline"}.get(folder, names[folder]), "cost": cost}
            for folder, cost in zip(folders, COSTS, strict=False)
        ]
        self._json("results.json", {"best": f"gen-{self.generations}", "rows": costs, "differences": []})
        return self.path

    def record(self, stage: str, **values: Any) -> None:
        self._json(f".stages/{stage.replace('/', '.')}.json", {"seconds": 1.0, **values})

    def _json(self, name: str, value: Any) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))

    def _table(self, name: str, table: pa.Table) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)

    def _write_config(self) -> None:
        student = Training(model="resnet9_16", unlabeled_ratio=3.0)
        generation = Generation(student=student, select=Selection(threshold=self.threshold))
        config = Config(
            recipe="digits",
            seed=3,
            baseline=self.baseline,
            data=Data(channels=1),
            teacher=Training(model="resnet9_16"),
            generations=(generation,) * self.generations,
        )
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "config.toml").write_text(config.to_toml())
        self._json("environment.json", {"started": "2026-01-01T00:00:00+0000", "command": ["run", "<b>"]})

    def _write_data(self) -> None:
        ids = [f"{self.prefix}-{row:03d}.png" for row in range(self.images)]
        folder = self.path.parent / "pictures"
        folder.mkdir(exist_ok=True)
        for row in range(0, self.images, 2):  # every other image is missing
            Image.fromarray(np.full((8, 8), row % 256, dtype=np.uint8)).save(folder / f"{row}.png")
        uris = [file_uri(str(folder / f"{row}.png")) for row in range(self.images)]
        labels = (np.arange(self.images) % len(self.class_names)).tolist() if self.known else [None] * self.images
        names = tuple(self.class_names)
        columns = {"id": ids, "uri": uris, "label": labels, "split": ["unlabeled"] * self.images}
        labeled = {"id": ["a"], "uri": uris[:1], "label": [0], "split": ["train"]}
        Manifest(pa.table(labeled, SCHEMA), names).save(self.path / "data/labeled.parquet")
        for split in self.splits:
            held_out = {**labeled, "split": [split]}
            Manifest(pa.table(held_out, SCHEMA), names).save(self.path / f"data/{split}.parquet")
        if self.generations:
            Manifest(pa.table(columns, SCHEMA), names if self.known else ()).save(self.path / "data/unlabeled.parquet")
            leak = {"id": ids[0], "split": "test", "twin": "twin.png", "exact": False}
            self._table("data/leaks.parquet", pa.Table.from_pylist([leak], LEAK_SCHEMA))
            self.record("leaks", leaks=1, exact=0, warnings=["1 unlabeled image is in the test data too"])
        skipped = [{"id": f"{self.prefix}-x.jpg", "stage": "prepare", "reason": "truncated"}]
        self._table("skipped.parquet", pa.Table.from_pylist(skipped * 3, SKIPPED_SCHEMA))
        counts = {"labeled": 20, **({"unlabeled": self.images} if self.generations else {})}
        counts |= dict.fromkeys(self.splits, EVALUATED)
        self.record("prepare", images=counts, warnings=[])

    def predicted(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Labels and confidences: each generation is right on more images, and surer."""
        rows, classes = np.arange(self.images), len(self.class_names)
        wrong = rows % (number + 2) == 1
        labels = (rows + wrong) % classes
        return labels, np.linspace(0.2, 0.9 + 0.03 * number, self.images)

    def _write_pseudo_labels(self, number: int) -> None:
        classes = len(self.class_names)
        labels, confidences = self.predicted(number)
        probabilities = np.full((self.images, classes), 0.1, dtype=np.float16)
        manifest = Manifest.load(self.path / "data" / "unlabeled.parquet")
        columns = [
            pa.array(manifest.ids),
            pa.array(labels.astype(np.int32)),
            pa.array(confidences.astype(np.float32)),
            pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), classes),
            pa.array(np.arange(self.images, dtype=np.uint64)),
        ]
        table = pa.Table.from_arrays(columns, schema=predictions_schema(classes))
        self._table(f"gen-{number}/predictions/part-00000.parquet", table)
        # A list of images that could not be read lies beside the parts, and is not one.
        unread = pa.Table.from_pylist([{"id": "x", "stage": "label", "reason": "truncated"}], SKIPPED_SCHEMA)
        self._table(f"gen-{number}/predictions/skipped/part-00000.parquet", unread)
        plain = table.select(["id", "label", "confidence"])  # DuckDB takes no float16 from memory
        selected = choose(
            plain, Selection(threshold=self.threshold), classes=classes, seed=0, excluded=manifest.ids[:1]
        )
        summary = {
            "teacher": {"architecture": f"teacher-of-{number}"},
            "threshold": self.threshold,
            "excluded": 1,
            "known_labels": known_accuracy(plain, selected, manifest, Execution()) if self.known else None,
            "classes": [{"name": self.class_names[row["class"]], **row} for row in selected.classes],
        }
        self._table(f"gen-{number}/selection/selection.parquet", selected.table)
        self._json(f"gen-{number}/selection/selection.json", summary)
        self.record(f"gen-{number}/label", images=self.images, skipped=0)
        self.record(f"gen-{number}/select", warnings=[])

    def _write_network(self, folder: str) -> None:
        right, classes = self.right[folder], len(self.class_names)
        labels = np.arange(EVALUATED) % classes
        predicted = np.where(np.arange(EVALUATED) < right, labels, (labels + 1) % classes)
        table = pa.table(
            {
                "id": [str(row) for row in range(EVALUATED)],
                "label": pa.array(labels.astype(np.int32)),
                "predicted": pa.array(predicted.astype(np.int32)),
            }
        )
        measured = {
            "metrics": {"top1": 100 * right / EVALUATED, "nll": 0.5, "ece": 3.21},
            "ci95": {"top1": wilson_interval(right, EVALUATED), "nll": [0.4, 0.6]},
            "n": EVALUATED,
            "per_class": self._recalls(labels, predicted),
        }
        split = "test" if "test" in self.splits else "val" if "val" in self.splits else None
        results: dict[str, Any] = {"model": f"net-{folder}", "split": split, "metrics": {}, "ci95": {}, "n": 0}
        results |= (measured if split else {}) | dict.fromkeys(self.splits, measured)
        macs = {"gen-0": 4.5e6, "gen-1": 4.5e6}.get(folder, 9.25e6)
        results["metrics"] = {**results["metrics"], "params": 98_682, "macs": macs}
        self._json(f"{folder}/results.json", {**results, "seed": 3, "seconds": 12.34})
        for name in self.splits:
            self._table(f"{folder}/evaluation/{name}.parquet", table)
        lines: list[dict[str, float]] = [{"step": step, "loss": 100 / step} for step in (50, 100)]
        lines += [{"step": 100, "val_top1": 61.5, "val_nll": 1.0}] if "val" in self.splits else []
        (self.path / folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.record(f"{folder}/train", parameters=98_682)
        self.record(f"{folder}/evaluate", warnings=[])

    def _recalls(self, labels: np.ndarray, predicted: np.ndarray) -> list[dict[str, Any]]:
        rows = []
        for index, name in enumerate(self.class_names):
            n, hits = int((labels == index).sum()), int(((labels == index) & (predicted == index)).sum())
            rows.append({"name": name, "n": n, "recall": 100 * hits / n if n else None})
        return rows
