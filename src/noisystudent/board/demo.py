"""A filled board out of what the package ships: the papers that a board begins with, runs of ours, and what waits for a curator."""

from __future__ import annotations

import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from noisystudent.board import seed
from noisystudent.board.catalogue.store import Store
from noisystudent.board.runs.submit import submit_run
from noisystudent.board.submitting import submissions, tokens

CURATOR = "demo"  # name of the token
# What a visitor might send: both are true, and neither is approved. The paper's table of ImageNet has the first value.
WAITING: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "result",
        {
            "leaderboard": "image-classification-on-imagenet",
            "model": "NoisyStudent (EfficientNet-L2), sent once more",
            "paper": "1911.04252",
            "metrics": {"Top 1 Accuracy": "88.4%"},
            "locator": "Table 2, v4",
            "contributor": "a visitor of the demo",
        },
    ),
    ("task", {"name": "Self-Supervised Image Classification", "parents": ["Image Classification"]}),
)


def fill(store: Store, *, actor: str) -> str:
    """Fill a new catalogue.

    Args:
        store: with nothing in it.
        actor: who does it, for the history.

    Returns:
        The token of a curator, to sign in with.

    Example:
        >>> import tempfile
        >>> store = Store(Path(tempfile.mkdtemp()) / "demo.db", create=True)
        >>> fill(store, actor="anna").startswith("nsb_")
        True
    """
    seed.load(store, actor=actor)
    with tempfile.TemporaryDirectory() as folder:
        _submit_runs(store, Path(folder), actor)
    for kind, payload in WAITING:
        submissions.submit(store, kind, payload, submitter="visitor", receipt="")
    return tokens.make(store, CURATOR, ["curate", "submit"], actor=actor)


def _submit_runs(store: Store, folder: Path, actor: str) -> None:
    """The runs of our benchmarks, as the files that `evaluate` would write of them, one a draw of the labels."""
    found = json.loads((files("noisystudent.board.seed") / "demo_runs.json").read_bytes())
    for board in found["boards"]:
        for network in board["networks"]:
            paths = []
            for draw in network["draws"]:
                about = {"model": network["model"], "name": network["name"], "split": "test"}
                path = folder / f"{network['name']}, draw {draw['seed'] + 1}.json"
                path.write_text(json.dumps(about | draw | {"provenance": {"source": board["source"]}}))
                paths.append(path)
            submit_run(store, paths, task=found["task"], dataset=board["dataset"], new=True, actor=actor)
