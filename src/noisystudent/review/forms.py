"""A review in the forms that Label Studio and FiftyOne import, with what the network says as predictions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from noisystudent import atomic
from noisystudent.data.corrections import NO_CLASS
from noisystudent.data.uris import file_path, inside, is_text
from noisystudent.errors import UserError
from noisystudent.review.reviewing import Review

Row = dict[str, Any]


def write_label_studio(review: Review, out: Path) -> dict[str, Any]:
    """Write tasks with predictions (labelstud.io/guide/predictions) to a .json file, and beside it a .xml file with the labeling interface.

    Label Studio shows files of this machine from one folder, `document_root` of what is returned, when it is started with
    LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT. Its export as CSV has the columns `path` and
    `label` that `run --corrections` reads.

    Returns:
        `tasks`, how many; `not_files`, how many images are no file of their own and are left out; `document_root`.

    Raises:
        UserError: none of the images is a file.
    """
    files = _files(review)
    root = os.path.commonpath([os.path.dirname(path) for path, _ in files])
    tasks = [_task(row, os.path.relpath(path, root)) for path, row in files]
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in [*review.class_names, NO_CLASS])
    interface = (
        '<View>\n  <Image name="image" value="$image"/>\n  <Text name="why" value="$why"/>\n'
        f'  <Choices name="label" toName="image" choice="single-radio">\n{choices}  </Choices>\n</View>\n'
    )
    atomic.write_json(out, tasks)
    atomic.write_text(out.with_suffix(".xml"), interface)
    return {"tasks": len(tasks), "not_files": len(review.uris) - len(tasks), "document_root": root}


def _task(row: Row, path: str) -> Row:
    about = {key: row[key] if row[key] is not None else "" for key in ("path", "why", "given", "split", "run")}
    choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [row["says"]]}}
    prediction = {"model_version": "noisystudent", "score": round(row["confidence"], 6), "result": [choice]}
    return {"data": {"image": f"/data/local-files/?d={quote(path)}", **about}, "predictions": [prediction]}


def write_fiftyone(review: Review, out: Path) -> dict[str, Any]:
    """Write the labels.json of a `FiftyOneImageClassificationDataset`, whose keys are the paths of the images.

    Returns:
        `samples`, how many; `not_files`, how many images are no file of their own and are left out.

    Raises:
        UserError: none of the images is a file.
    """
    files = _files(review)
    labels = {
        path: {
            "label": review.class_names.index(row["says"]),
            "confidence": round(row["confidence"], 6),
            "attributes": {key: row[key] for key in ("why", "given", "second", "split", "id") if row[key] is not None},
        }
        for path, row in files
    }
    atomic.write_json(out, {"classes": list(review.class_names), "labels": labels})
    return {"samples": len(labels), "not_files": len(review.uris) - len(files)}


def _files(review: Review) -> list[tuple[str, Row]]:
    """The path of each image that is a file of its own, with its row."""
    found = []
    for uri, row in zip(review.uris, review.rows.to_pylist(), strict=True):
        container, place = inside(uri)
        if not place and container.startswith("file://") and is_text(file_path(container)):
            found.append((file_path(container), row))
    if not found:
        raise UserError(
            "no image of the review is a file of its own, by which Label Studio and FiftyOne would find it: use the page or the table"
        )
    return found
