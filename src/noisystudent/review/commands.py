"""The command `review`: what is found, written as a table and a page, and in the forms of other programs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from noisystudent.config import Execution
from noisystudent.errors import UserError
from noisystudent.extras import needing
from noisystudent.inference.row_files import check_row_file, row_file
from noisystudent.rundir import check_new

MOST = 200  # images, of which a person looks at ten or twenty a minute


def review(
    run: str | Path,
    out: str | Path,
    *,
    most: int = MOST,
    label_studio: str | Path = "",
    fiftyone: str | Path = "",
    execution: Execution | None = None,
) -> dict[str, Any]:
    """Find the images of a run that are worth a person's minute; nothing of the run is changed.

    Args:
        run: a run folder, finished or not.
        out: a .csv file that is not there yet, the table to fill in; the page with pictures is written beside it, as .html.
        most: images.
        label_studio, fiftyone: .json files that are not there yet, for those programs to import; empty: none.
        execution: device and precision; without it the run's own.

    Returns:
        What was found and written, as `noisystudent review --json` prints it.

    Raises:
        UserError: it is no run, no network of it is trained yet, or a file cannot be written.
    """
    out, page = Path(out), Path(out).with_suffix(".html")
    given = {"--label-studio": label_studio, "--fiftyone": fiftyone}
    others = {option: Path(path) for option, path in given.items() if str(path)}
    work = out.with_name(f"{out.name}.parts")
    _check_files(out, page, others, begun=work.is_dir())
    with needing("review"):
        from noisystudent.review import forms
        from noisystudent.review.page import write_page
        from noisystudent.review.reviewing import SCHEMA, find
    found = find(Path(run), work, most=most, execution=execution)
    about = {"out": str(out), "page": str(page), **found.about}
    if "--label-studio" in others:
        about["label_studio"] = forms.write_label_studio(found, others["--label-studio"])
    if "--fiftyone" in others:
        about["fiftyone"] = forms.write_fiftyone(found, others["--fiftyone"])
    write_page(found, page)
    with row_file(out, SCHEMA) as write:
        write(found.rows)
    shutil.rmtree(work)
    return about


def _check_files(out: Path, page: Path, others: dict[str, Path], *, begun: bool) -> None:
    """Find out before the work what cannot be written; of a review that was begun, files beside the table may be there."""
    if out.suffix != ".csv":
        raise UserError(f"--out {out}: end it in .csv; the page with pictures is written beside it")
    check_row_file(out)
    problems = [f"{option} {path}: end it in .json" for option, path in others.items() if path.suffix != ".json"]
    for path in [] if begun else [page, *others.values(), *(path.with_suffix(".xml") for path in others.values())]:
        try:
            check_new(path)
        except UserError as error:
            problems += [problem.removeprefix("--out ") for problem in error.problems]
    if problems:
        raise UserError(problems)
