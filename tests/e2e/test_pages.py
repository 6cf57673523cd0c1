"""The commands of the documentation and of the examples, page by page, as they are written, on small pictures with quick recipes."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from board_site import serving
from launched import launched
from named_tests import is_there
from page_commands import ROOT, PageCommand, commands, expanded
from user_inputs import Finished, Server, picture, write_flat, write_images, write_pictures

PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("tutorial", "your-photos", "export", "review", "robustness", "board", "trackers")
    ),
    ROOT / "docs" / "several-processes.md",
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
# Commands that need what a test does not have, such as a hub, a cluster or a state of their own; and the test that does the same without.
ELSEWHERE = {
    "noisystudent export --model run/ --out my-flowers": "e2e/test_export.py::test_who_cannot_reach_the_hub_keeps_the_folder",
    "torchrun --nproc-per-node 4": "e2e/test_several_processes.py::test_a_run_and_its_labels",
    "torchrun --nproc-per-node 2 -m noisystudent predict": "e2e/test_several_processes.py::test_predictions_and_features_in_one_file",
    "noisystudent run --recipe photos-instant --labeled 'shards/labeled-*.tar' --unlabeled 'shards/unlabeled-*.tar' --test test/ "
    "--out ray-run/": ("e2e/test_ray.py::test_a_run_of_two_workers_goes_on_when_one_is_killed"),
    "noisystudent run --labeled labeled/ --unlabeled 's3://": "e2e/test_single_commands.py::test_a_run_at_an_address_is_that_in_a_folder",
    "noisystudent run --labeled labeled/ --unlabeled unlabeled/ --out run/ --engine ray": (
        "e2e/test_ray.py::test_a_run_of_two_workers_goes_on_when_one_is_killed"
    ),
    "noisystudent evaluate --model tf_": "evaluation/test_published.py::test_what_agrees_lies_within_the_sampling_interval",
    "noisystudent reassign": "e2e/test_single_commands.py::test_a_student_relabels_the_selection_that_it_learned_from",
    "noisystudent board demo": "board/test_demo.py::test_papers_claims_runs_and_what_waits",  # it serves until it is ended
    "noisystudent board import evaluation-tables": "e2e/test_board.py::test_import_curate_export_and_take_back",
    "noisystudent board import model-index.yml": "board/importing/test_model_index.py::test_a_metafile",
    'noisystudent board import results.csv --task "Image Classification" --dataset Flowers': (
        "e2e/test_board.py::test_a_table_of_anyone_goes_in_and_comes_out_in_formats_of_others"
    ),
    "noisystudent board submit run-0/": "e2e/test_board.py::test_a_run_stands_beside_a_claim",
    "noisystudent board restore": "e2e/test_board.py::test_import_curate_export_and_take_back",
    "noisystudent board serve --workers 4": "e2e/test_board.py::test_several_workers_read_only",
    "noisystudent board hide": "board/test_hidden.py::test_what_is_hidden_shows_nowhere_until_it_is_shown_again",
    "noisystudent board show": "board/test_hidden.py::test_what_is_hidden_shows_nowhere_until_it_is_shown_again",
    "noisystudent board verify": "board/catalogue/test_verifying.py::test_a_mark_is_given_changed_taken_away_and_put_back",
    "noisystudent board unverify": "board/catalogue/test_verifying.py::test_a_mark_is_given_changed_taken_away_and_put_back",
    "noisystudent board merge": "board/pages/test_curate.py::test_twins_are_merged_from_their_page",
    "noisystudent board approve": "e2e/test_board.py::test_a_submission_with_a_token_waits_and_is_approved_while_the_site_runs",
    "noisystudent board reject": "board/pages/test_curate.py::test_rejecting_needs_a_reason_which_is_shown",
}
SHORT = """
import runpy, sys
sys.path.insert(0, {support!r})
from user_inputs import quick
from noisystudent.recipes import RECIPES
short = quick()
RECIPES.update({{name: lambda: short for name in RECIPES}})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def covered(line: str) -> bool:
    return any(line.startswith(beginning) for beginning in ELSEWHERE)


@pytest.fixture
def folder(finished: Finished, tmp_path: Path) -> Path:
    """What the pages speak of: the pictures of a reader, and runs of before."""
    images = write_images(tmp_path)
    shutil.copytree(images.test, tmp_path / "val")
    write_flat(tmp_path / "more-photos", 4, first=300)
    write_pictures(tmp_path / "season" / "meadow", 3, first=400)
    write_pictures(tmp_path / "season" / "shore", 3, first=500)
    for name in ("photo.jpg", "more-photos/a.jpg", "more-photos/b.jpg"):
        picture("disk", 600 + len(name)).save(tmp_path / name)
    for run in ("run", "large-run"):
        shutil.copytree(finished.folder, tmp_path / run, symlinks=True)
    return tmp_path


def give(command: PageCommand, folder: Path, server: Server) -> None:
    """Give one command as a reader does; it must end well."""
    program, *words = expanded(command.words, folder)
    if command.out:
        there = folder / command.out
        shutil.rmtree(there) if there.is_dir() else there.unlink(missing_ok=True)
        there.with_suffix(".html").unlink(missing_ok=True)  # the page of a review
    if words[:2] == ["board", "serve"]:
        with serving(server, folder, *words[2:]) as client:
            assert client.get("/health").status_code == 200
        return
    if program == "noisystudent":
        # Weights are for a recipe that starts from some, which the quick one does not.
        result = server.wait(server.start(*words, folder=folder, short_recipes="--weights" not in words))
        status, told = result.status, result.stderr
        if command.output:
            (folder / command.output).write_text(result.stdout)
    else:
        done = script(words, folder) if program == "python" else launched(2, *words[2:], folder=folder)
        status, told = done.returncode, done.stderr
    assert status == 0, f"{command.line}: {told}"
    if command.out.endswith(".csv"):
        known = {"path": str(folder / "unlabeled" / "disk-100.png"), "label": "disk", "run": str(folder / words[1])}
        answer(folder / command.out, known)


def script(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    patch = SHORT.format(support=str(ROOT / "tests" / "support"))
    return subprocess.run([sys.executable, "-c", patch, *words], cwd=folder, capture_output=True, text=True)


def answer(table: Path, known: dict[str, str]) -> None:
    """A person has looked at every second picture; of a review the first is of no class, and to an empty one they add what they know."""
    with table.open(newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    if not {"path", "label"} <= set(columns):
        return
    for number, row in enumerate(rows):
        row["label"] = row.get("says") or row["label"] if number % 2 else ""
    if "says" in columns:
        rows[:1] = [{**row, "label": "(none)"} for row in rows[:1]] or [known]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, folder: Path, server: Server) -> None:
    for file in page.parent.iterdir() if page.parent.parent.name == "examples" else ():
        if file.name != "README.md" and file.is_file():
            shutil.copy(file, folder / file.name)
    for command in commands(page):
        if not covered(command.line):
            give(command, folder, server)


def test_what_is_run_elsewhere_is_on_a_page_and_the_test_is_there() -> None:
    lines = [command.line for page in PAGES for command in commands(page)]
    assert len(lines) > 80
    assert [beginning for beginning in ELSEWHERE if not any(line.startswith(beginning) for line in lines)] == []
    assert [name for name in ELSEWHERE.values() if not is_there(f"tests/{name}")] == []
