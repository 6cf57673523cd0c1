"""Noisy Student Training: a few labelled images and many without labels, one better classifier.

import noisystudent as ns

config = ns.configure("photos-fast", labeled="labeled/", unlabeled="unlabeled/")
ns.run(config, "run/")
ns.load_classifier("run/").predict("photo.jpg")
ns.predict("run/", "unlabeled/", "labels.csv")
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# A waiting OpenMP thread that spins takes the core from whoever computes; this must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

__version__ = "0.2.0"

_HOME = {
    "Classifier": "models.classifier",
    "Config": "config",
    "Execution": "config",
    "NoisyStudentClassifier": "sklearn_classifier",
    "Prediction": "inference.predict",
    "Preprocessing": "models.classifier",
    "RunError": "errors",
    "Selection": "config",
    "UserError": "errors",
    "configure": "configuration",
    "embed": "inference.embed",
    "evaluate": "commands",
    "label": "commands",
    "load_classifier": "models.loading",
    "predict": "inference.predict",
    "run": "pipeline",
    "select": "pseudo.selecting",
    "student": "commands",
    "train": "commands",
    "write_report": "report.html",
}

if TYPE_CHECKING:
    from noisystudent.commands import evaluate, label, student, train
    from noisystudent.config import Config, Execution, Selection
    from noisystudent.configuration import configure
    from noisystudent.errors import RunError, UserError
    from noisystudent.inference.embed import embed
    from noisystudent.inference.predict import Prediction, predict
    from noisystudent.models.classifier import Classifier, Preprocessing
    from noisystudent.models.loading import load_classifier
    from noisystudent.pipeline import run
    from noisystudent.pseudo.selecting import select
    from noisystudent.report.html import write_report
    from noisystudent.sklearn_classifier import NoisyStudentClassifier

__all__ = [
    "Classifier",
    "Config",
    "Execution",
    "NoisyStudentClassifier",
    "Prediction",
    "Preprocessing",
    "RunError",
    "Selection",
    "UserError",
    "configure",
    "embed",
    "evaluate",
    "label",
    "load_classifier",
    "predict",
    "run",
    "select",
    "student",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: torch takes seconds, and `noisystudent --help` needs none of it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        from noisystudent.extras import MODULES, how_to_install

        if error.name not in MODULES["train"]:
            raise
        advice = f"{error.name} is not installed: {how_to_install('train')}"
        raise ModuleNotFoundError(advice, name=error.name) from error


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
