"""Single settings by their dotted keys, as `--set KEY=VALUE` gives them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from typing import Any

from noisystudent.config.reading import known_keys, nearest, validate
from noisystudent.config.run import Config
from noisystudent.errors import UserError


def apply_settings(config: Config, settings: Iterable[str]) -> Config:
    """Change single settings, as `--set KEY=VALUE` does.

    KEY is dotted (`teacher.steps`, `generations.0.select.threshold`). `generation` stands for every generation, `student` and
    `select` for those of every generation, and `noise` for that of every network, so that an ablation is one setting:
    `student.noise.randaugment=false`, `generation.noised_teacher=true`.
    VALUE is written as in TOML; a word needs no quotes.

    Raises:
        UserError: naming each setting that is malformed or unknown.

    Example:
        >>> from noisystudent.config import Training
        >>> config = Config(teacher=Training(model="resnet18"))
        >>> apply_settings(config, ["teacher.steps=7"]).teacher.steps
        7
    """
    values = config.model_dump(mode="json")
    problems = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            problems.append(f"--set {setting}: write KEY=VALUE")
            continue
        paths = _expand(key.strip().split("."), len(config.generations))
        if not paths:
            problems.append(f"--set {setting}: the configuration has no generation, and so no student")
        for path in paths:
            problem = _assign(values, path, parse_value(text))
            if problem:
                problems.append(f"--set {setting}: {problem}")
                break
    if problems:
        raise UserError(problems)
    return validate(values, Config, where="--set")


def _expand(path: list[str], generations: int) -> list[list[str]]:
    students = [["generations", str(i), "student"] for i in range(generations)]
    match path:
        case ["student", *rest]:
            return [[*student, *rest] for student in students]
        case ["select", *rest]:
            return [["generations", str(i), "select", *rest] for i in range(generations)]
        case ["generation", *rest]:
            return [["generations", str(i), *rest] for i in range(generations)]
        case ["noise", *rest]:
            return [[*network, "noise", *rest] for network in [["teacher"], *students]]
        case _:
            return [path]


def _assign(values: Any, path: Sequence[str], value: Any) -> str | None:
    """Put `value` at `path`, in place; what is wrong with the path, if anything."""
    *parents, last = path
    for depth, part in enumerate(parents):
        if isinstance(values, list):
            if not part.isdigit() or int(part) >= len(values):
                return f"there is no {'.'.join(path[: depth + 1])}: there are {len(values)}, counted from 0"
            values = values[int(part)]
            continue
        if not isinstance(values, dict):
            break
        if part not in values:
            return _unknown(path[: depth + 1], values)
        if (
            values[part] is None or values[part] is False
        ):  # an optional section that is off: setting one of its keys turns it on
            values[part] = {}
        values = values[part]
    if not isinstance(values, dict):
        return f"{'.'.join(parents)} has no settings below it"
    if "model_args" not in parents:
        known = known_keys(
            Config, [part for part in parents if not part.isdigit()]
        )  # those of a section that is off, too
        if last not in known:
            return _unknown(path, known)
    values[last] = value
    return None


# Where a setting may stand, as the user names it, and as the configuration does.
SECTIONS = {
    "teacher": ("teacher",),
    "student": ("generations", "student"),
    "select": ("generations", "select"),
    "generation": ("generations",),
    "noise": ("teacher", "noise"),
    "noise.randaugment": ("teacher", "noise", "randaugment"),
    "data": ("data",),
    "known_classes": ("known_classes",),
    "execution": ("execution",),
}


def _unknown(path: Sequence[str], known: Iterable[str]) -> str:
    """What to say of a key that is not where it was looked for: where it is, or which key is most like it."""
    elsewhere = [f"{name}.{path[-1]}" for name, section in SECTIONS.items() if path[-1] in known_keys(Config, section)]
    hint = f"; did you mean {' or '.join(elsewhere)}?" if elsewhere else nearest(path[-1], known)
    return f"there is no {'.'.join(path)}{hint}"


def parse_value(text: str) -> Any:
    """A value as in TOML; a word needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
