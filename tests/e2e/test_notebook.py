"""The notebook of the tutorial, cell by cell, as a reader runs it: it needs a minute or two."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


def test_it_is_kept_without_what_a_run_left() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 5
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count] == []


@pytest.mark.slow
def test_every_cell_runs_and_the_others_help(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = " ".join(
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/plain" in output.get("data", {})
    )
    alone, others = (float(re.search(rf"{words}: ([\d.]+)%", said)[1]) for words in ("alone", "labeled"))  # type: ignore[index]
    assert others > alone + 2
    assert (tmp_path / "digits-run" / "run" / "report.html").is_file()
