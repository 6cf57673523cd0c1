"""The configuration of a run: typed, written to and read from TOML, all mistakes reported at once.

A configuration is complete in itself: `config.toml` of a run folder, given to `noisystudent run --config`, gives the same run.
Where a default comes from the paper, its section is named; "spec" is docs/spec/noisy-student.md, what the paper says
and its released code does.
"""

from noisystudent.config.execution import Execution, Tracker
from noisystudent.config.generation import FROZEN_TEACHER, PREVIOUS, Generation, KnownClasses, Selection
from noisystudent.config.images import Data, View
from noisystudent.config.noise import Noise, RandAugment
from noisystudent.config.run import Config, load_config
from noisystudent.config.section import Section
from noisystudent.config.training import ResolutionFix, Training

__all__ = [
    "FROZEN_TEACHER",
    "PREVIOUS",
    "Config",
    "Data",
    "Execution",
    "Generation",
    "KnownClasses",
    "Noise",
    "RandAugment",
    "ResolutionFix",
    "Section",
    "Selection",
    "Tracker",
    "Training",
    "View",
    "load_config",
]
