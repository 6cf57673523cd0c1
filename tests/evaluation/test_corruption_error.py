import json
from pathlib import Path

import pytest

from noisystudent.errors import UserError
from noisystudent.evaluation import corruptions
from noisystudent.evaluation.corruption_error import (
    ALEXNET,
    EXTRA,
    MAIN,
    UNNORMALIZED,
    Normalizers,
    mean_corruption_error,
    read_normalizers,
)


def test_the_names_are_those_of_the_corruptions_made_here() -> None:
    assert list(corruptions.MAIN) == list(MAIN)
    assert list(corruptions.EXTRA) == list(EXTRA)


def test_alexnets_mean_error_is_the_published_one() -> None:
    # Spec 5.2: the mean of the fifteen is .788993.
    assert sum(ALEXNET.errors[name] for name in MAIN) / 15 == pytest.approx(78.8993, abs=1e-4)
    assert set(ALEXNET.errors) == {*MAIN, *EXTRA}


def test_alexnet_itself_scores_100() -> None:
    errors = {name: dict.fromkeys(range(1, 6), ALEXNET.errors[name]) for name in (*MAIN, *EXTRA)}
    found = mean_corruption_error(errors, clean_error=43.48)
    assert found["mce"] == pytest.approx(100)
    assert found["rel_mce"] == pytest.approx(100)
    assert found["ce_saturate"] == pytest.approx(100)


def test_by_hand() -> None:
    normalizers = Normalizers("by hand", dict.fromkeys(MAIN, 50.0), clean=10.0)
    errors = {name: {1: 10.0, 2: 30.0} for name in MAIN}  # 20 of 50 is 40 %
    errors["fog"] = {1: 40.0, 2: 40.0}  # 80 %
    found = mean_corruption_error(errors, clean_error=5.0, normalizers=normalizers)
    assert found["ce_fog"] == pytest.approx(80)
    assert found["mce"] == pytest.approx((14 * 40 + 80) / 15)
    assert found["rel_mce"] == pytest.approx((14 * 100 * 15 / 40 + 100 * 35 / 40) / 15)


def test_the_four_extras_do_not_touch_the_mean() -> None:
    fifteen = {name: {1: 20.0} for name in MAIN}
    more = {**fifteen, **{name: {1: 90.0} for name in EXTRA}}
    assert mean_corruption_error(more)["mce"] == mean_corruption_error(fifteen)["mce"]


def test_there_is_no_mean_of_fourteen() -> None:
    found = mean_corruption_error({name: {1: 20.0} for name in MAIN[1:]}, clean_error=10.0)
    assert "mce" not in found
    assert "rel_mce" not in found
    assert len(found) == 14


def test_cifars_convention_is_the_mean_error_itself() -> None:
    errors = {name: {s: 10.0 * s for s in range(1, 6)} for name in MAIN}
    found = mean_corruption_error(errors, clean_error=5.0, normalizers=UNNORMALIZED)
    assert found["mce"] == pytest.approx(30)
    assert "rel_mce" not in found


def test_normalizers_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"name": "ResNet-18", "errors": {"fog": 40, "snow": 50.5}, "clean": 12}))
    normalizers = read_normalizers(path)
    assert normalizers == Normalizers("ResNet-18", {"fog": 40, "snow": 50.5}, 12)
    assert mean_corruption_error({"fog": {1: 20.0}}, normalizers=normalizers) == {"ce_fog": 50.0}
    with pytest.raises(UserError, match="ResNet-18 have no error for frost"):
        mean_corruption_error({"frost": {1: 20.0}}, normalizers=normalizers)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{", ["cannot be read as JSON"]),
        ("[1]", ['"errors" must give']),
        ('{"errors": {}}', ['"errors" must give']),
        (
            '{"errors": {"fog": 0, "rain": 5, "snow": "x"}, "clean": 120}',
            ["'fog' is 0", "no corruption 'rain'", "'snow' is 'x'", "'clean' is 120"],
        ),
    ],
)
def test_every_mistake_of_a_normalizer_file_is_named(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_normalizers(path)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(UserError, match="cannot be read"):
        read_normalizers(tmp_path / "none.json")
