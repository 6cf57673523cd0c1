"""The mean corruption error of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.1; spec section 5.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from noisystudent.errors import UserError

MAIN = (
    *("gaussian_noise", "shot_noise", "impulse_noise"),
    *("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "brightness"),
    *("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
)
"""The corruptions of the mean."""

EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
"""For choosing settings; some code takes the mean over them too, and gets another figure."""


@dataclass(frozen=True)
class Normalizers:
    """The errors that a corruption error is measured against, in percent.

    Args:
        name: of the network.
        errors: its mean error over the severities, a corruption.
        clean: its error on clean images; None leaves the relative error out.
    """

    name: str
    errors: Mapping[str, float]
    clean: float | None


ALEXNET = Normalizers(
    "AlexNet",
    {
        "gaussian_noise": 88.6428,
        "shot_noise": 89.4468,
        "impulse_noise": 92.2640,
        "defocus_blur": 81.9880,
        "glass_blur": 82.6268,
        "motion_blur": 78.5948,
        "zoom_blur": 79.8360,
        "snow": 86.6816,
        "frost": 82.6572,
        "fog": 81.9324,
        "brightness": 56.4592,
        "contrast": 85.3204,
        "elastic_transform": 64.6056,
        "pixelate": 71.7840,
        "jpeg_compression": 60.6500,
        "speckle_noise": 84.54,
        "gaussian_blur": 78.71,
        "spatter": 71.75,
        "saturate": 65.83,
    },
    clean=43.48,
)
"""Published for ImageNet-C; each has its source in spec section 5.2."""

UNNORMALIZED = Normalizers("none", dict.fromkeys((*MAIN, *EXTRA), 100.0), clean=None)
"""The convention of CIFAR-10-C: the mean error itself."""


def mean_corruption_error(
    errors: Mapping[str, Mapping[int, float]], *, clean_error: float | None = None, normalizers: Normalizers = ALEXNET
) -> dict[str, float]:
    """Corruption errors, and their means over the fifteen.

    Args:
        errors: of each corruption and severity, the share of wrong answers in percent.
        clean_error: on the same images without corruption, in percent; for the relative error.
        normalizers: what to divide by.

    Returns:
        `ce_<corruption>` of each corruption, in percent; `mce` when all fifteen are there; `rel_mce` too when clean errors are known.

    Raises:
        UserError: a corruption has no normalizer.

    Example:
        >>> halved = {name: {1: ALEXNET.errors[name] / 2} for name in MAIN}
        >>> round(mean_corruption_error(halved)["mce"], 6)
        50.0
    """
    missing = [name for name in errors if name not in normalizers.errors]
    if missing:
        raise UserError(f"the normalizers {normalizers.name} have no error for {', '.join(missing)}")
    means = {name: sum(cells.values()) / len(cells) for name, cells in errors.items()}
    found = {f"ce_{name}": 100 * mean / normalizers.errors[name] for name, mean in means.items()}
    if any(name not in errors for name in MAIN):
        return found
    found["mce"] = sum(found[f"ce_{name}"] for name in MAIN) / len(MAIN)
    if clean_error is not None and normalizers.clean is not None:
        relative = [(means[name] - clean_error) / (normalizers.errors[name] - normalizers.clean) for name in MAIN]
        found["rel_mce"] = 100 * sum(relative) / len(MAIN)
    return found


def normalizers_called(name: str) -> Normalizers | None:
    """Those that `--normalizers` names: alexnet, none, or a file; None when it names none, and the images decide."""
    known: dict[str, Normalizers | None] = {"": None, "alexnet": ALEXNET, "none": UNNORMALIZED}
    return known[name] if name in known else read_normalizers(Path(name))


def read_normalizers(path: Path) -> Normalizers:
    """Your own: a JSON file of `{"name": ..., "errors": {corruption: percent}, "clean": percent}`; `clean` may be left out.

    Raises:
        UserError: it is not such a file; every mistake is named.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--normalizers {path} cannot be read as JSON: {error}") from None
    errors = given.get("errors") if isinstance(given, dict) else None
    if not isinstance(errors, dict) or not errors:
        raise UserError(f'--normalizers {path}: "errors" must give each corruption its error in percent')
    values = {**errors, **({"clean": given["clean"]} if given.get("clean") is not None else {})}
    wrong = [
        f"--normalizers {path}: {name!r} is {value!r}, and must be a percentage above 0"
        for name, value in values.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100
    ]
    wrong += [
        f"--normalizers {path}: there is no corruption {name!r}; there are {', '.join((*MAIN, *EXTRA))}"
        for name in errors
        if name not in (*MAIN, *EXTRA)
    ]
    if wrong:
        raise UserError(wrong)
    return Normalizers(str(given.get("name", path.name)), errors, given.get("clean"))
