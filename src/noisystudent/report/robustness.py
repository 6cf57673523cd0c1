"""What the report says of robustness: the figures of `robustness.json`, and pictures of the corruptions with both answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from PIL import Image

from noisystudent.data.decoding import decode, eval_view, read_bytes
from noisystudent.data.manifest import Manifest
from noisystudent.evaluation.adversarial import EPSILONS, PGD_EPSILON
from noisystudent.evaluation.corruption_error import MAIN
from noisystudent.report.gallery import Thumbnail, as_thumbnail
from noisystudent.report.run_reader import Network, Run

SHOWN_SEVERITY = 3
# What the paper says (tables 2 to 5; spec section 6): ImageNet top-1, -A top-1, -C mCE and -P mFR at 224 px, in percent.
PUBLISHED = (
    ("EfficientNet-L2, supervised", 85.5, 49.6, 47.5, 27.2),
    ("EfficientNet-L2, Noisy Student", 88.4, 83.7, 30.0, 14.2),
)
NAMES = {
    "mce": "mean corruption error",
    "rel_mce": "relative mean corruption error",
    "top1_c": "top-1 on corrupted images",
    "mfr": "mean flip rate",
    **{f"fgsm_eps{epsilon:g}": f"top-1 under FGSM, {epsilon:g} of 255" for epsilon in EPSILONS},
    f"pgd_eps{PGD_EPSILON:g}": f"top-1 under PGD, {PGD_EPSILON:g} of 255",
    "ece": "calibration error, bins of equal width",
    "ece_mass": "calibration error, bins of equal mass",
    "temperature": "best temperature on validation images",
    "ece_scaled": "calibration error at that temperature",
}


@dataclass(frozen=True)
class Example:
    """A test image under a corruption: the class it has, and each network's answer."""

    corruption: str
    thumbnail: Thumbnail
    truth: str
    answers: dict[str, str]


@dataclass(frozen=True)
class Robustness:
    """What `robustness.json` says.

    Attributes:
        split: of which images.
        networks: the last student, then the baseline when there is one; with a resolution fix, each also as it was before.
        found: of each network by its name, `metrics`, `ci95` and `suites`.
        differences: the last student against the baseline, by metric.
        examples: one of each corruption.
    """

    split: str
    networks: list[Network]
    found: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    examples: list[Example]

    @property
    def metrics(self) -> list[tuple[str, str]]:
        """The metrics that there are, by name and in words."""
        found = set().union(*(of_network["metrics"] for of_network in self.found.values()))
        return [(metric, words) for metric, words in NAMES.items() if metric in found]

    def measured_by(self, suite: str) -> list[Network]:
        """The networks of which a suite tells."""
        return [network for network in self.networks if suite in self.found[network.name]["suites"]]

    @property
    def with_baseline(self) -> bool:
        """Whether the baseline was measured, too."""
        return any(network.is_baseline for network in self.networks)

    @property
    def fixed(self) -> bool:
        """Whether corruptions and perturbations are those of the networks before their resolution fix."""
        return any(network.folder.name == "before-resolution-fix" for network in self.networks)

    def suite(self, name: str) -> dict[str, dict[str, Any]]:
        """What a suite tells of each network; {} when it was not asked for."""
        return {network: found["suites"][name] for network, found in self.found.items() if name in found["suites"]}

    @property
    def how_made(self) -> list[str]:
        """How corrupted images and sequences were made, a sentence each."""
        sentences = []
        for suite, what in (("c", "corrupted images"), ("p", "sequences")):
            about = next(iter(self.suite(suite).values()), None)
            if about:
                normalized = "as they are" if about["normalizers"] == "none" else f"divided by {about['normalizers']}'s"
                frost = {"imagecorruptions": " and the published frost", "procedural": " and a frost of our own"}
                sentences.append(
                    f"The {what} were made here with the strengths of {about['strengths']}{frost.get(about.get('frost', ''), '')}; "
                    f"rates are {normalized}."
                )
        return sentences


def read_robustness(run: Run) -> Robustness | None:
    """What was measured; None when nothing was."""
    path = run.folder.path / "robustness.json"
    if not path.exists():
        return None
    value = json.loads(path.read_text(encoding="utf-8"))
    found = value["networks"]
    networks = [_network(name, of_network, run) for name, of_network in found.items()]
    differences = {row["metric"]: row for row in value["differences"]}
    corrupted = [network for network in networks if "c" in found[network.name]["suites"]]
    examples = _examples(run, corrupted, value["split"]) if corrupted and find_spec("cv2") else []
    return Robustness(value["split"], networks, found, differences, examples)


def _network(name: str, found: dict[str, Any], run: Run) -> Network:
    known = next((network for network in run.networks if network.name == name), None)
    return known or Network(name, run.folder.path / found["folder"], None, [])


def _examples(run: Run, networks: Sequence[Network], split: str) -> list[Example]:
    manifest_path, cells = run.folder.manifest(split), [network.folder / "robustness" for network in networks]
    names = [f"{corruption}-{SHOWN_SEVERITY}.parquet" for corruption in MAIN]
    if not manifest_path.exists() or not all((cell / name).exists() for cell in cells for name in names):
        return []  # a copy of a run may lack them
    manifest = Manifest.load(manifest_path)
    size, crop_pct = _view(networks[0].folder)
    shown = []
    for place, corruption in enumerate(MAIN):
        row = place * len(manifest) // len(MAIN)  # from all over the images, so of several classes
        id, uri = (manifest.table[column][row].as_py() for column in ("id", "uri"))
        answers = {
            network.name: _answer(cell / f"{corruption}-{SHOWN_SEVERITY}.parquet", id, run.class_names)
            for network, cell in zip(networks, cells, strict=True)
        }
        picture = _corrupted(uri, id, corruption, size, crop_pct, run)
        shown.append(Example(corruption, picture, run.class_names[manifest.labels[row]], answers))
    return shown


def _corrupted(uri: str, id: str, corruption: str, size: int, crop_pct: float, run: Run) -> Thumbnail:
    """The picture as the networks saw it: its draws depend on its id and the run's seed alone."""
    from noisystudent.evaluation.corruptions import corrupt  # needs OpenCV

    try:
        image = decode(read_bytes(uri), channels=run.config.data.channels, at_least=size)
    except Exception as error:  # the source may be anywhere, and a report must not fail for a picture
        return Thumbnail(problem=str(error) or type(error).__name__)
    pixels = torch.tensor(eval_view(image, size=size, crop_pct=crop_pct)).permute(2, 0, 1)[None]
    changed = corrupt(pixels, corruption, SHOWN_SEVERITY, ids=[id], seed=run.config.seed)[0]
    shown = changed[0] if len(changed) == 1 else changed.permute(1, 2, 0)
    return as_thumbnail(Image.fromarray(shown.contiguous().numpy()))


def _view(folder: Path) -> tuple[int, float]:
    """Image size and crop of a network."""
    view = json.loads((folder / "model" / "config.json").read_text(encoding="utf-8"))["pretrained_cfg"]
    return view["input_size"][1], view["crop_pct"]


def _answer(cell: Path, id: str, names: Sequence[str]) -> str:
    rows: Mapping[str, list[int]] = pq.read_table(cell, filters=[("id", "=", id)]).to_pydict()
    return names[rows["predicted"][0]] if rows["predicted"] else "not read"
