"""A run's configuration, put together from a recipe or a file, the sources, the weights, and single settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import tomli_w

from noisystudent import recipes
from noisystudent.config import Config, load_config
from noisystudent.config.settings import apply_settings
from noisystudent.data.corrections import reviewed_run
from noisystudent.data.patterns import absent
from noisystudent.data.uris import absolute
from noisystudent.errors import UserError
from noisystudent.run_plan import run_networks
from noisystudent.rundir import model_folder

DEFAULT_RECIPE = "photos-fast"


def configure(
    recipe: str = DEFAULT_RECIPE,
    *,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
    labeled: str | Path = "",
    unlabeled: str | Path = "",
    val: str | Path = "",
    test: str | Path = "",
    weights: str | Path = "",
    corrections: str | Path = "",
) -> Config:
    """A run's configuration: a recipe or a file, then sources and weights, then single settings.

    Args:
        recipe: a name that `noisystudent recipes` lists.
        config: a TOML file to start from in place of a recipe.
        settings: `KEY=VALUE`, as `--set` takes them.
        labeled, unlabeled, val, test: image sources; an empty one leaves what the configuration has.
        weights: pretrained weights for every network that starts from some: a model folder, whose network then takes the place of
            the recipe's, or a file for the recipe's own.
        corrections: a table with what people said of images, such as `noisystudent review` writes to be filled in. Unless `config` says
            otherwise it begins with the configuration of the run that was reviewed, and takes over what is still valid of it.

    Raises:
        UserError: naming every mistake.

    Example:
        >>> configure("digits", settings=["teacher.steps=10"]).teacher.steps
        10
    """
    reviewed = _reviewed(corrections, config) if str(corrections) else None
    begin = config or (reviewed / "config.toml" if reviewed else None)
    if reviewed and not config and recipe != DEFAULT_RECIPE:
        raise UserError(
            f"--recipe {recipe}: corrections go on from the configuration of {reviewed}: leave it out, or give --config"
        )
    chosen = load_config(Path(begin)) if begin else recipes.recipe(recipe)
    given = {"labeled": labeled, "unlabeled": unlabeled, "val": val, "test": test}
    sources = {key: absolute(source) for key, source in given.items() if source}
    chosen = chosen.model_copy(update={"data": chosen.data.model_copy(update=sources)})
    if str(corrections):
        chosen = _with_corrections(chosen, absolute(corrections), reviewed)
    brought = weights_settings(chosen, Path(weights).expanduser()) if str(weights) else []
    return apply_settings(chosen, [*brought, *settings])


def _reviewed(corrections: str | Path, config: str | Path | None) -> Path | None:
    """The run that was reviewed, where the table says which and it is there.

    Raises:
        UserError: the table cannot be read, or the run is not there and nothing else says how to go on.
    """
    if problems := absent_corrections([absolute(corrections)]):
        raise UserError(problems)
    run = reviewed_run(corrections)
    if run is None or (run / "config.toml").is_file():
        return run
    if config is None:
        raise UserError(
            f"--corrections {corrections}: the run that was reviewed is not at {run}: give its configuration with --config FILE.toml"
        )
    return None


def _with_corrections(config: Config, source: str, reviewed: Path | None) -> Config:
    """The configuration with one more table of corrections, behind those of the run that was reviewed."""
    sources = [other for other in config.data.corrections if other != source]
    data = config.data.model_copy(update={"corrections": (*sources, source)})
    earlier = {"earlier_run": str(reviewed.resolve()) if reviewed else ""}
    return config.model_copy(update={"data": data, "execution": config.execution.model_copy(update=earlier)})


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
    return [f"--{split}: {problem}" for split, problem in said.items() if problem] + absent_corrections(
        data.corrections
    )


def absent_corrections(sources: Iterable[str]) -> list[str]:
    """Which tables of corrections are not there."""
    return [f"--corrections {source}: there is no such file" for source in sources if not os.path.isfile(source)]


def _toml(text: str) -> str:
    """A TOML string of any text."""
    return tomli_w.dumps({"x": text}).removeprefix("x = ").strip()
