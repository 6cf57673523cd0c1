"""YAML that would build objects, grow or go deep is refused."""

from __future__ import annotations

import pytest

from noisystudent.board.importing import safe_yaml
from noisystudent.errors import UserError


def test_plain_data_with_aliases_is_read() -> None:
    text = "Base: &base\n  Epochs: 350\nModels:\n  - <<: *base\n    Name: B7\n  - *base\n"
    assert safe_yaml.load(text, "x.yml")["Models"] == [{"Epochs": 350, "Name": "B7"}, {"Epochs": 350}]


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)
)
MERGE_BOMB = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [echo]", "x.yml, line 8, column 4: could not determine a constructor"),
        ("a:\n  !!python/name:os.system", "x.yml, line 9, column 3: could not determine a constructor"),
        ("a: [1, 2", "x.yml, line 9, column 1: did not find expected"),
        ("a: *b", "x.yml, line 8, column 4: *b stands within itself or before its anchor"),
        ("&a [*a]", "*a stands within itself"),
        ("&a {x: {y: *a}}", "*a stands within itself"),
        (BOMB, "more than 1,000,000 values, its aliases counted in full"),
        (MERGE_BOMB, "more than 1,000,000 values, its aliases counted in full"),
        ("[" * 100_000, "x.yml, line 8, column 51: nested more than 50 deep"),
        ("- " * 100_000, "nested more than 50 deep"),
        ("a: 2020-99-99", "x.yml, line 8 and on: not YAML"),
        ("a: \x01", "x.yml, line 8 and on: not YAML"),
        ("a: " + "1" * 5000, "x.yml, line 8 and on: not YAML"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        safe_yaml.load(text, "x.yml", 8)
    assert message in str(caught.value)


def test_length_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_yaml, "LONGEST", 10)
    with pytest.raises(UserError, match=r"x\.yml: more than 10 characters"):
        safe_yaml.load("a: 12345678901", "x.yml")
