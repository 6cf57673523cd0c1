"""Warnings that a stage recorded, shown when it is done and again when a run is resumed."""

from __future__ import annotations

from typing import Any

from noisystudent.progress import logger


def warn(record: dict[str, Any]) -> None:
    for warning in record.get("warnings", ()):
        logger.warning(warning)
