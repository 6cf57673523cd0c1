"""A run's configuration, put together from a recipe or a file, the sources, the weights, and single settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import tomli_w

from noisystudent import recipes
from noisystudent.config import Config, load_config
from noisystudent.config.settings import apply_settings
from noisystudent.data.patterns import absent
from noisystudent.data.uris import absolute
from noisystudent.errors import UserError
from noisystudent.run_plan import run_networks
from noisystudent.rundir import model_folder


def configure(
    recipe: str = "photos-fast",
    *,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
    labeled: str | Path = "",
    unlabeled: str | Path = "",
    val: str | Path = "",
    test: str | Path = "",
    weights: str | Path = "",
) -> Config:
    """A run's configuration: a recipe or a file, then sources and weights, then single settings.

    Args:
        recipe: a name that `noisystudent recipes` lists.
        config: a TOML file to start from in place of a recipe.
        settings: `KEY=VALUE`, as `--set` takes them.
        labeled, unlabeled, val, test: image sources; an empty one leaves what the configuration has.
        weights: pretrained weights for every network that starts from some: a model folder, whose network then takes the place of
            the recipe's, or a file for the recipe's own.

    Raises:
        UserError: naming every mistake.

    Example:
        >>> configure("digits", settings=["teacher.steps=10"]).teacher.steps
        10
    """
    chosen = load_config(Path(config)) if config else recipes.recipe(recipe)
    given = {"labeled": labeled, "unlabeled": unlabeled, "val": val, "test": test}
    sources = {key: absolute(source) for key, source in given.items() if source}
    chosen = chosen.model_copy(update={"data": chosen.data.model_copy(update=sources)})
    brought = weights_settings(chosen, Path(weights).expanduser()) if str(weights) else []
    return apply_settings(chosen, [*brought, *settings])


def weights_settings(config: Config, weights: Path) -> list[str]:
    """The settings that give each pretrained network of a configuration these weights.

    Raises:
        UserError: there is nothing, no network starts from weights, or a file is to serve networks that differ.
    """
    networks = [network for network in run_networks(config) if network.key and network.training.pretrained]
    if not networks:
        raise UserError(
            f"--weights {weights}: no network of the recipe {config.recipe!r} starts from pretrained weights"
        )
    if weights.is_file():
        models = sorted({network.training.model for network in networks})
        if len(models) > 1:
            raise UserError(
                f"--weights {weights}: a file has the weights of one network, and {config.recipe!r} has {' and '.join(models)}: give "
                "a model folder, or --set teacher.weights=FILE --set student.weights=FILE"
            )
        return [f"{network.key}.weights={_toml(os.path.abspath(weights))}" for network in networks]
    name = _toml(f"local-dir:{model_folder(weights.absolute())}")
    return [f"{network.key}.{setting}" for network in networks for setting in (f"model={name}", "weights=''")]


def missing_sources(config: Config) -> list[str]:
    """What is wrong with a configuration before any source has been looked at: those that nobody named."""
    problems = []
    if not config.data.labeled:
        problems.append("--labeled is missing: the images whose classes you know")
    if config.generations and not config.data.unlabeled:
        problems.append("--unlabeled is missing: the images that a student learns from")
    return problems


def absent_sources(config: Config) -> list[str]:
    """Which of the sources that a new run will read are not there; nothing is opened."""
    data = config.data
    read = {"labeled": data.labeled, "val": data.val, "test": data.test}
    read |= {"unlabeled": data.unlabeled} if config.generations else {}
    said = {split: absent(source) for split, source in read.items() if source}
    return [f"--{split}: {problem}" for split, problem in said.items() if problem]


def _toml(text: str) -> str:
    """A TOML string of any text."""
    return tomli_w.dumps({"x": text}).removeprefix("x = ").strip()
