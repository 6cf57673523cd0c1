from pathlib import Path

import pytest

from noisystudent.data.digits import write_digits
from noisystudent.errors import UserError


def names(folder: Path, part: str) -> dict[str, set[str]]:
    return {digit.name: {file.name for file in digit.iterdir()} for digit in (folder / part).iterdir()}


def everything(folder: Path, part: str) -> set[str]:
    return set().union(*names(folder, part).values())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made = tmp_path_factory.mktemp("digits")
    for seed in (0, 1):
        write_digits(made / str(seed), labels=20, seed=seed)
    return made / "0", made / "1"


def test_every_picture_is_in_one_part(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        parts = [everything(folder, part) for part in ("labeled", "unlabeled", "test")]
        assert [len(part) for part in parts] == [20, 1277, 500]
        assert len(set().union(*parts)) == 1797


def test_each_digit_has_the_same_number_of_labels(folders: tuple[Path, Path]) -> None:
    assert {len(files) for files in names(folders[0], "labeled").values()} == {2}
    assert len(names(folders[0], "labeled")) == 10


def test_the_seed_chooses_the_labels_and_never_the_test_pictures(folders: tuple[Path, Path]) -> None:
    first, second = folders
    assert names(first, "test") == names(second, "test")
    assert names(first, "labeled") != names(second, "labeled")


def test_a_finished_folder_is_kept_and_another_one_refused(tmp_path: Path) -> None:
    write_digits(tmp_path / "digits", labels=20)
    write_digits(tmp_path / "digits", labels=20)
    with pytest.raises(UserError, match="made with"):
        write_digits(tmp_path / "digits", labels=50)


@pytest.mark.parametrize("labels", [0, 15, 10_000])
def test_labels_that_cannot_be_had_are_refused(tmp_path: Path, labels: int) -> None:
    with pytest.raises(UserError, match="multiple of 10"):
        write_digits(tmp_path / "digits", labels=labels)
