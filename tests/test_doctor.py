"""What follows of what a machine has."""

import json
from typing import Any

import pytest

from noisystudent import doctor
from noisystudent.extras import MODULES
from noisystudent.models import weights
from noisystudent.models.weights import SilentHub
from noisystudent.screen import show_doctor

FINE: dict[str, Any] = {
    "python": "3.11.7",
    "packages": {"torch": "2.14.1"},
    "cores": 8,
    "cores_allowed": 8,
    "threads": 8,
    "memory_gib": {"free": 20.0, "total": 32.0},
    "disk_gib": {"free": 100.0, "total": 500.0},
    "gpus": [{"name": "H100 [x]", "memory_gib": {"free": 79.0, "total": 80.0}}],
    "devices": ["cuda", "cuda:0", "cpu"],
    "bf16": True,
    "weights": {"photos-fast": {"net": {"found": True, "where": "from the package p"}}},
    "hub": "reachable",
    "extras": {"board": True, "heic": True},
}


def test_where_nothing_is_slow_or_missing_there_is_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(doctor.advice(FINE, nvidia=True)) == []
    show_doctor({**FINE, "advice": []})
    shown = " ".join(capsys.readouterr().out.split())
    assert "gpus H100 [x], 79.0 of 80.0 GiB free" in shown
    assert "memory 20.0 of 32.0 GiB free" in shown
    assert shown.endswith("Nothing is missing here.")


@pytest.mark.parametrize(
    ("change", "nvidia", "said"),
    [
        ({"gpus": []}, False, ["Without a GPU"]),
        ({"gpus": []}, True, ["There is an NVIDIA GPU, and PyTorch does not see it", "Without a GPU"]),
        ({"cores_allowed": 2, "threads": 2}, False, ["This process may use 2 of 8 cores: --set execution.workers=2"]),
        (
            {"gpus": [], "threads": 1},
            False,
            ["Without a GPU", "PyTorch computes with 1 of 8 cores since OMP_NUM_THREADS is set"],
        ),
        ({"bf16": False}, False, ["Nothing here computes in bf16"]),
        ({"memory_gib": {"free": 1.9, "total": 4.0}}, False, ["Only 1.9 GiB of memory are free"]),
        ({"disk_gib": {"free": 0.5, "total": 9.0}}, False, ["Only 0.5 GiB of the disk are free here"]),
        (
            {"weights": {"photos-fast": {"net": {"found": False, "where": "the hub does not answer"}}}},
            False,
            ["The weights of net, which photos-fast starts from, cannot be had: the hub does not answer; --weights"],
        ),
        (
            {"hub": "it does not answer"},
            False,
            ["Weights that are not on this machine yet cannot be downloaded: it does"],
        ),
        ({"extras": {"board": True, "heic": False}}, False, ["For HEIC photos: "]),
    ],
)
def test_each_finding_says_what_to_do(
    change: dict[str, Any], nvidia: bool, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = list(doctor.advice({**FINE, **change}, nvidia=nvidia))
    assert len(found) == len(said)
    assert all(sentence.startswith(begin) for sentence, begin in zip(found, said, strict=True))


def test_a_machine_is_examined_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(repository: str) -> None:
        raise SilentHub("the hub does not answer")

    monkeypatch.setattr(weights, "_reach", silent)
    found = doctor.examine()
    json.dumps(found, allow_nan=False)
    assert {*FINE, "advice"} == set(found)
    assert found["hub"] == "the hub does not answer"
    assert found["memory_gib"]["total"] >= found["memory_gib"]["free"] > 0
    assert found["weights"]["photos-fast"]["tf_efficientnet_lite0"]["found"]
    assert set(found["extras"]) <= set(MODULES)
