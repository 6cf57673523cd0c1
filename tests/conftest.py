"""For all tests."""

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from noisystudent import progress

# The networks here are tiny: a second thread costs more than it brings, and sums come out the same on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test depends on timing: a drawn example may take as long as the machine makes it (Hypothesis allows 200 ms by default).
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _loggers_as_python_makes_them() -> Iterator[None]:
    """What a command sets up for its process (`progress.configure`, the board's server) is not what the next test begins with.

    pytest puts its handler on each logger that does not propagate when a test begins: one that propagates only later is read twice.
    """
    _reset()
    yield
    _reset()


def _reset() -> None:
    progress.console.quiet = False
    for name in logging.root.manager.loggerDict:
        if name.split(".")[0] in ("board", "uvicorn", progress.logger.name):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], True
            logger.setLevel(logging.NOTSET)
