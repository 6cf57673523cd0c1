"""Which precision a forward pass is made in."""

import pytest
import torch

from noisystudent import device
from noisystudent.config import Execution
from noisystudent.device import autocast, computes_in_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "has_bf16", "wanted"),
    [
        ("fp32", True, torch.float32),
        ("bf16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_auto_takes_bf16_where_the_machine_computes_in_it(
    precision: str, has_bf16: bool, wanted: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "computes_in_bf16", lambda _: has_bf16)
    layer, x = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    with autocast(Execution(precision=precision), CPU):
        assert layer(x).dtype == wanted
    assert layer(x).dtype == torch.float32


def test_one_process_can_use_one_precision_after_the_other() -> None:
    layer, x = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    for precision, wanted in (("bf16", torch.bfloat16), ("fp32", torch.float32), ("bf16", torch.bfloat16)):
        execution = Execution(device="cpu", precision=precision)
        with autocast(execution, device.accelerator(execution).device):
            assert layer(x).dtype == wanted


def test_a_processor_has_bf16_when_it_has_its_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_it in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda answer=has_it: answer)
        assert computes_in_bf16(CPU) == has_it
    assert not computes_in_bf16(torch.device("meta"))
