"""What a run of ours measured, out of its folder (docs/run-folder.md) or out of a file that `noisystudent evaluate --out` wrote."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeVar

import tomli_w
from pydantic import BaseModel, FiniteFloat, ValidationError

from noisystudent.errors import UserError

CHOSE_THE_NETWORK = "measured on the validation images, which chose the network"
MADE_HERE = {
    # suite: (the key that says what was measured, its value for the released files, the metrics of the suite)
    "c": ("images", "released files", ("mce", "rel_mce", "top1_c"), "on corruptions made here, not the released files"),
    "p": ("sequences", "released videos", ("mfr",), "on sequences made here, not the released videos"),
}


Kind = TypeVar("Kind", bound=BaseModel)


class Network(BaseModel):
    """What was measured of one network: the keys of a results.json that the board reads."""

    model: str
    split: str | None
    metrics: dict[str, FiniteFloat]
    ci95: dict[str, tuple[FiniteFloat, FiniteFloat]] = {}
    n: int
    seed: int
    name: str = ""
    suites: dict[str, dict[str, Any]] = {}
    provenance: dict[str, Any] = {}
    test: dict[str, Any] = {}
    val: dict[str, Any] = {}

    @property
    def classes(self) -> int | None:
        """Among how many classes it was measured; None where the file does not say."""
        of_split = self.test if self.split == "test" else self.val
        per_class = of_split.get("per_class") or self.suites.get("clean", {}).get("per_class")
        return len(per_class) if isinstance(per_class, list) else None


class Results(BaseModel):
    """The table of all networks of a run."""

    best: str
    rows: list[Network]


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        name: of its folder or file; where that stands on this machine is nobody's business.
        network: the best one, as the run chose it.
        baseline: the compute-matched one, without unlabeled images.
        config: TOML; "" where nothing was trained.
        environment: versions, commit, command, machine.
        digest: SHA-256 of the results.
        proxies: of each metric that was measured on other images than its name says, on which.
    """

    name: str
    network: Network
    baseline: Network | None
    config: str
    environment: dict[str, Any]
    digest: str
    proxies: dict[str, str]


def read_run(path: Path) -> Run:
    """Read a run's folder, or a file of an evaluation.

    Raises:
        UserError: it is neither, the run is not finished, or nothing was held out to measure on.
    """
    file = _results_file(path)
    text = _text(file)
    found = _json(file, text)
    if path.is_dir():
        results = _validated(Results, found, file)
        network = next((row for row in results.rows if row.provenance.get("folder") == results.best), None)
        if network is None:
            raise UserError(f"{file}: it names {results.best!r} as the best network and has no row of it")
        baseline = next((row for row in results.rows if row.name == "baseline"), None)
        suites = _suites(path / "robustness.json", network.name)
        config = tomllib.loads(_text(path / "config.toml"))
        environment = _json(path / "environment.json", _text(path / "environment.json"))
    else:
        network = _validated(Network, found, file)
        baseline, suites, config, environment = None, network.suites, {}, {"weights": network.provenance}
    if network.split is None or network.n == 0:
        raise UserError(f"{path}: nothing was held out to measure on; give the run --test or --val images")
    return Run(
        name=path.absolute().name,
        network=network,
        baseline=baseline,
        config=tomli_w.dumps(without_folders(config)) if config else "",
        environment=without_folders(environment),
        digest=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        proxies=_proxies(network, suites),
    )


def without_folders(value: Any) -> Any:
    """A JSON value in which every path of this machine is reduced to its last name.

    Example:
        >>> without_folders(["/home/anna/bin/noisystudent", "--out=/data/runs/a", "hf:owner/name", "unlabeled/"])
        ['noisystudent', '--out=a', 'hf:owner/name', 'unlabeled/']
    """
    if isinstance(value, dict):
        return {key: without_folders(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(inner) for inner in value]
    if not isinstance(value, str):
        return value
    if _A_PATH.match(value):
        return PurePath(value.replace("\\", "/")).name
    return _PATH_WITHIN.sub(lambda found: PurePath(found[0]).name, value)


_A_PATH = re.compile(r"^(?:/|~|\.\.?/|[A-Za-z]:[\\/])")
_PATH_WITHIN = re.compile(r"(?<![\w:/.\-{}])(?:~|\.\.?)?(?:/[^\s/\"'=,\[\]]+)+/?")


def _results_file(path: Path) -> Path:
    if path.is_dir():
        file = path / "results.json"
        if file.is_file() and (path / "config.toml").is_file():
            return file
        if (path / "config.toml").is_file():
            raise UserError(f"{path}: the run is not finished (no results.json); give its command again, it goes on")
        if (path.parent / "config.toml").is_file():
            raise UserError(f"{path} is one network of a run: give the run's folder, {path.parent}")
        raise UserError(f"{path} is not the folder of a run: it has no config.toml")
    if path.is_file():
        return path
    raise UserError(
        f"{path} does not exist: give the folder of a run, or a file that `noisystudent evaluate --out` wrote"
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}") from None


def _json(file: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{file} is not a file of results: it holds no object")
    return found


def _validated(kind: type[Kind], found: dict[str, Any], file: Path) -> Kind:
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise UserError(
            [f"{file}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10]]
        ) from None


def _suites(file: Path, name: str) -> dict[str, dict[str, Any]]:
    """How the robustness of a network was measured."""
    if not file.exists():
        return {}
    suites = _json(file, _text(file)).get("networks", {}).get(name, {}).get("suites", {})
    return suites if isinstance(suites, dict) else {}


def _proxies(network: Network, suites: dict[str, dict[str, Any]]) -> dict[str, str]:
    found = dict.fromkeys(network.ci95, CHOSE_THE_NETWORK) if network.split == "val" else {}
    for suite, (key, released, metrics, reason) in MADE_HERE.items():
        if suite in suites and suites[suite].get(key) != released:
            found |= dict.fromkeys(metrics, reason)
    return found
