"""Where a stage's time goes, looked at from beside."""

import sys
import threading
import time
from types import FrameType

import pytest

from noisystudent.stage_profile import ELSE, doing, profiled, shared


def work_in(file: str, inner: str = "") -> FrameType:
    """The innermost frame of a function of that file, which another file's called."""
    names: dict[str, object] = {"sys": sys}
    exec(compile("def work():\n    return sys._getframe()", file, "exec"), names)
    if inner:
        exec(compile("def outer():\n    return work()", inner, "exec"), names)
        return names["outer"]()  # type: ignore[operator, no-any-return]
    return names["work"]()  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize(
    ("file", "caller", "kind"),
    [
        ("/x/noisystudent/data/parts.py", "", "writing"),
        ("/x/noisystudent/data/images.py", "", "reading images"),
        ("/x/noisystudent/data/images.py", "/x/noisystudent/data/parts.py", "reading images"),
        ("/x/torch/nn/functional.py", "/x/noisystudent/noise/geometry.py", "noise"),
        ("/x/torch/autograd/graph.py", "/x/noisystudent/training/forward_backward.py", "network, backward"),
        ("/x/torch/nn/modules/conv.py", "/x/noisystudent/training/forward_backward.py", "network, forward"),
        ("/x/torch/optim/swa_utils.py", "", "optimizer and average"),
        ("/usr/lib/python3/json/encoder.py", "", ELSE),
    ],
)
def test_the_innermost_file_that_is_known_says_what_is_done(file: str, caller: str, kind: str) -> None:
    assert doing(work_in(file, caller)) == kind


def test_the_seconds_of_all_kinds_are_those_of_the_block() -> None:
    began = time.monotonic()
    with profiled() as seconds:
        time.sleep(0.1)
    assert 0.1 <= sum(seconds.values()) <= time.monotonic() - began + 0.001
    assert list(seconds) == [ELSE]


def test_what_is_over_before_the_first_look_is_not_lost() -> None:
    assert shared({}, 0.002) == {ELSE: 0.002}


def test_looking_ends_with_the_block_and_leaves_its_error_alone() -> None:
    with pytest.raises(ValueError, match="of the work"), profiled():
        raise ValueError("of the work")
    assert all(thread.name != "profile" for thread in threading.enumerate())


def test_nothing_is_looked_at_where_nobody_asks() -> None:
    with profiled(False) as seconds:
        assert all(thread.name != "profile" for thread in threading.enumerate())
    assert seconds == {}
