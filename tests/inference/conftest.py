from pathlib import Path

import pytest
from tiny_model import write_cats_and_dogs, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_cats_and_dogs(tmp_path / "pictures")
