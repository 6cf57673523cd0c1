"""Where a network computes, and in which precision a forward pass is made."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from timm.layers import create_conv2d

from noisystudent import device
from noisystudent.config import Config, Execution
from noisystudent.config.settings import apply_settings
from noisystudent.device import (
    compute_device,
    computes_in_bf16,
    free_memory,
    labeling_precision,
    moved,
    own_draws,
    training_precision,
)
from noisystudent.dry_run import dry_run
from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier, Preprocessing
from noisystudent.pipeline import run
from noisystudent.recipes import recipe

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
    for name, context in (("precision", training_precision), ("labeling_precision", labeling_precision)):
        other = {"precision": "fp32", "labeling_precision": "fp32"} | {name: precision}
        with context(Execution(**other), CPU):
            assert layer(x).dtype == wanted
        assert layer(x).dtype == torch.float32


def test_one_process_can_use_one_precision_after_the_other() -> None:
    layer, x = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    for precision, wanted in (("bf16", torch.bfloat16), ("fp32", torch.float32), ("bf16", torch.bfloat16)):
        execution = Execution(device="cpu", precision=precision)
        with training_precision(execution, compute_device(execution)):
            assert layer(x).dtype == wanted


@pytest.mark.parametrize(
    ("convolution", "trained"),
    [
        (torch.nn.Conv2d(4, 4, 3, groups=4), torch.float32),
        (torch.nn.Conv2d(4, 8, 3, groups=4, bias=False), torch.float32),
        (torch.nn.Conv2d(4, 4, 3, groups=2), torch.bfloat16),
        (torch.nn.Conv2d(4, 4, 3), torch.bfloat16),
        (torch.nn.Conv2d(1, 4, 3), torch.bfloat16),
        (create_conv2d(4, 4, 3, stride=2, padding="same", depthwise=True), torch.float32),
    ],
    ids=[
        "depthwise",
        "two outputs a channel",
        "grouped",
        "full",
        "of gray images",
        "timm's, padded as TensorFlow does",
    ],
)
def test_only_depthwise_convolutions_of_a_training_in_bf16_stay_in_fp32(
    convolution: torch.nn.Module, trained: torch.dtype
) -> None:
    x = torch.randn(2, next(convolution.parameters()).shape[1] * getattr(convolution, "groups", 1), 8, 8)
    bf16 = Execution(precision="bf16", labeling_precision="bf16")
    with training_precision(bf16, CPU):
        found = convolution(x)
    assert found.dtype == trained
    if trained == torch.float32:
        torch.testing.assert_close(found, convolution(x), rtol=0, atol=0)
    with labeling_precision(bf16, CPU):
        assert convolution(x).dtype == torch.bfloat16


def test_a_processor_has_bf16_when_it_has_its_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_it in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda answer=has_it: answer)
        assert computes_in_bf16(CPU) == has_it
    assert not computes_in_bf16(torch.device("meta"))


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_auto_takes_a_gpu_where_there_is_one_and_a_process_may_change_its_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for machine, wanted in (({}, "cpu"), ({"cuda": 2}, "cuda"), ({"mps": True}, "mps"), ({}, "cpu")):
        pretend(monkeypatch, **machine)
        assert compute_device(Execution()) == torch.device(wanted)
        assert compute_device(Execution(device="cpu")) == CPU
    pretend(monkeypatch, cuda=2)
    assert compute_device(Execution(device="cuda:1")) == torch.device("cuda", 1)


@pytest.mark.parametrize("name", ["cuda", "cuda:2", "mps"])
def test_a_device_that_is_not_there_is_named_beside_those_that_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=2 if name == "cuda:2" else 0)
    there = "finds cuda, cuda:0, cuda:1, cpu" if name == "cuda:2" else "finds cpu"
    with pytest.raises(UserError, match=f"the device {name} .*{there}$"):
        compute_device(Execution(device=name))


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CUDA", ""])
def test_a_word_that_is_no_device_is_a_mistake_in_the_configuration(name: str) -> None:
    with pytest.raises(UserError, match=r"execution\.device = .*should be auto, cpu, cuda, cuda:1"):
        apply_settings(recipe("digits"), [f"execution.device='{name}'"])


@pytest.mark.parametrize("command", [run, lambda config, _: dry_run(config)])
def test_a_run_on_a_missing_device_stops_before_any_work(
    command: Callable[[Config, Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    config = apply_settings(recipe("digits"), ["execution.device=cuda:1", f"data.labeled={tmp_path / 'none'}"])
    with pytest.raises(UserError) as caught:
        command(config, tmp_path / "run")
    assert len(caught.value.problems) == 1
    assert "the device cuda:1 (execution.device, --device)" in caught.value.problems[0]
    assert not (tmp_path / "run").exists()


class Remembers(torch.nn.Module):
    """Notes the precision in which it is asked to multiply."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 2)
        self.seen: list[str] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        backends = torch.backends
        self.seen += [backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision]
        return self.layer(images.mean(dim=(1, 2, 3))[:, None])


def test_a_classifier_answers_in_full_fp32_and_leaves_the_users_setting_alone() -> None:
    network = Remembers().eval()
    view = Preprocessing(8, 1, 1.0, (0.5,), (0.5,))
    before = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    try:
        Classifier(network, ("a", "b"), view, "none", {}).logits(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert network.seen == ["ieee", "ieee"]
    assert torch.backends.cudnn.allow_tf32 == before


def test_draws_in_between_do_not_change_those_that_follow() -> None:
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    with own_draws(CPU):
        torch.manual_seed(2)
        torch.rand(5)
    assert torch.equal(torch.rand(3), wanted)


def test_memory_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < free_memory(CPU) < 2**50
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda asked: (asked.index, 9))
    assert free_memory(torch.device("cuda", 1)) == 1


def test_glibc_takes_all_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []

    class Library:
        def __init__(self, _: object) -> None: ...

        def mallopt(self, option: int, value: int) -> int:
            told.append((option, value))
            return int(option != device.M_ARENA_MAX)

    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr("ctypes.CDLL", Library)
    assert not device.keep_freed_memory.__wrapped__()  # where one is refused, it is said
    assert told == [(device.M_MMAP_MAX, 0), (device.M_TRIM_THRESHOLD, device.NEVER), (device.M_ARENA_MAX, 1)]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert not device.keep_freed_memory.__wrapped__()


def test_what_goes_to_an_nvidia_gpu_goes_by_way_of_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: done.append("pinned") or tensor)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device, **how: done.append((device.type, how)))
    for name in ("cuda", "mps", "cpu"):
        moved(torch.zeros(1), torch.device(name))
    how = {"non_blocking": True}
    assert done == ["pinned", ("cuda", how), ("mps", how), ("cpu", how)]
