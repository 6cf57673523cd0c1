"""The documentation's Python, block by block, as it is written."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from user_inputs import Images, quick

import noisystudent as ns
from noisystudent import recipes

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.+?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def folder(finished: Any, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the documentation speaks of; its recipe is a quick one."""
    (tmp_path / "more-photos").symlink_to(images.unlabeled)
    for name, number in (("photo.jpg", 200), ("other.jpg", 201)):
        shutil.copy(images.test / "disk" / f"{number}.png", tmp_path / name)
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    monkeypatch.chdir(tmp_path)
    short = quick("data.val_fraction=0.0", "teacher.steps=2", "student.steps=2", generations=1)
    monkeypatch.setitem(recipes.RECIPES, "photos-fast", lambda: short)
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_every_block_runs(page: str, folder: Path) -> None:
    found = blocks(page)
    assert len(found) >= 2
    for block in found:
        shutil.copytree(folder / "run", folder / "before", symlinks=True)
        if "new-run" not in block and "ns.run(" in block:
            shutil.rmtree(folder / "run")
        exec(block, {})
        shutil.rmtree(folder / "run")
        (folder / "before").rename(folder / "run")


def test_the_three_lines_of_the_readme_classify_a_photo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = (block for block in blocks("README.md") if ".predict(" in block)
    assert len(list(filter(None, block.splitlines()))) == 3
    exec(block, {})
    assert capsys.readouterr().out.strip() == ns.load_classifier("run").predict(folder / "photo.jpg")
