"""timm's results (`results-imagenet.csv` and its like): accuracies of its networks, all measured in one way.

Errors stand there beside accuracies and say the same. A network that was measured at several sizes of images has a row for each, and says
so. The data set is in the name of the file.
"""

from __future__ import annotations

import re

from noisystudent.board.catalogue.change import Change
from noisystudent.board.importing.csv_tables import METRICS, Columns
from noisystudent.board.importing.csv_tables import Loader as TableLoader
from noisystudent.board.importing.fields import Fields
from noisystudent.board.importing.parts import Part
from noisystudent.errors import UserError

SIGNS = frozenset({"model", "top1", "top1_err", "top5"})
TASK = "Image Classification"
HOW = ("img_size", "crop_pct", "interpolation")
NAMES = {"top1": "Top 1 Accuracy", "top5": "Top 5 Accuracy", "param_count": "Number of params"}
DATASETS = {
    "imagenet": "ImageNet",
    "imagenet-real": "ImageNet ReaL",
    "imagenet-a": "ImageNet-A",
    "imagenet-a-clean": "ImageNet-A (clean images of its classes)",
    "imagenet-r": "ImageNet-R",
    "imagenet-r-clean": "ImageNet-R (clean images of its classes)",
    "imagenetv2-matched-frequency": "ImageNet V2",
    "sketch": "ImageNet-Sketch",
}
_FILE = re.compile(r"results-(.+?)\.csv(\.gz)?", re.IGNORECASE)


class Loader:
    """The networks of a file."""

    def __init__(self, called: str, columns: Columns | None = None) -> None:
        found = _FILE.fullmatch(called)
        said = columns or Columns()
        dataset = said.dataset or DATASETS.get(found[1].lower() if found else "", "")
        if not dataset:
            raise UserError(f"{called}: results of timm, on which data set its name does not say: give --dataset")
        roles = {**said.roles, "model": ["model"], METRICS: list(NAMES.values())}
        self.table = TableLoader(Columns(roles, said.task or TASK, dataset))
        self.told = False

    def load(self, change: Change, part: Part) -> None:
        if not self.told:
            for column in sorted(part.items[0].item.keys() - {"model", *NAMES, *HOW}):
                part.report.lost("column", part.items[0].where, f"{column} has no place in the catalogue")
            self.told = True
        rows = [Fields(_row(fields), fields.where, part.report) for fields in part.items]
        self.table.load(change, Part(rows, part.report))


def _row(fields: Fields) -> dict[str, str]:
    """A row with the names of leaderboards; parameters, which are given in millions, with their unit, and how it was measured."""
    item = fields.item
    count = item.get("param_count", "").replace(",", "")
    return {
        "model": item["model"],
        "locator": ", ".join(f"{key} {item[key]}" for key in HOW if item.get(key)),
        **{name: item.get(key, "") for key, name in NAMES.items()},
        NAMES["param_count"]: f"{count}M" if count else "",
    }
