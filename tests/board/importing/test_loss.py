"""The loss report counts everything and keeps a few examples."""

from __future__ import annotations

import json

from noisystudent.board.importing.loss import EXAMPLES, Loss


def test_all_are_counted_and_the_first_kept() -> None:
    report = Loss()
    for number in range(EXAMPLES + 5):
        report.lost("value", f"row {number}", "x" * 1000 + "\udc80")
    found = report.as_dict()["lost"]["value"]
    assert found["count"] == EXAMPLES + 5
    assert [example["where"] for example in found["examples"]] == [f"row {number}" for number in range(EXAMPLES)]
    assert {len(example["reason"]) for example in found["examples"]} == {200}


def test_any_text_can_be_stored() -> None:
    report = Loss()
    report.lost("import", "caf\udce9", "\ud800")
    assert json.dumps(report.as_dict(), ensure_ascii=False).encode()
