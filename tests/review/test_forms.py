import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hostile_review import HOSTILE, hostile_review

from noisystudent.data.corrections import NO_CLASS
from noisystudent.errors import UserError
from noisystudent.review.forms import write_fiftyone, write_label_studio


def test_label_studio_gets_tasks_with_predictions_of_its_own_interface(tmp_path: Path) -> None:
    review = hostile_review(tmp_path / "pictures")
    about = write_label_studio(review, tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert about == {"tasks": 6, "not_files": 0, "document_root": str(tmp_path / "pictures")}
    interface = ElementTree.parse(tmp_path / "tasks.xml").getroot()
    values = [choice.attrib["value"] for choice in interface.iter("Choice")]
    # A newline within an attribute is a space to who reads XML, unless it is written as a reference.
    assert values == [*HOSTILE, NO_CLASS]
    names = {node.attrib["name"] for node in interface.iter() if "name" in node.attrib}
    for task, row in zip(tasks, review.rows.to_pylist(), strict=True):
        (prediction,) = task["predictions"]
        (result,) = prediction["result"]
        assert {result["from_name"], result["to_name"]} <= names
        assert result["value"]["choices"] == [row["says"]]
        assert task["data"]["path"] == row["path"]
        assert task["data"]["image"].startswith("/data/local-files/?d=")
        assert "<" not in task["data"]["image"]


def test_fiftyone_gets_predictions_by_the_paths_of_images(tmp_path: Path) -> None:
    review = hostile_review(tmp_path / "pictures")
    assert write_fiftyone(review, tmp_path / "labels.json") == {"samples": 6, "not_files": 0}
    written = json.loads((tmp_path / "labels.json").read_text())
    assert written["classes"] == list(HOSTILE)
    for row in review.rows.to_pylist():
        target = written["labels"][row["path"]]
        assert written["classes"][target["label"]] == row["says"]
        assert target["confidence"] == row["confidence"]
        assert target["attributes"]["why"] == row["why"]


def test_images_within_shards_are_left_out_and_none_but_those_is_refused(tmp_path: Path) -> None:
    review = hostile_review(tmp_path / "pictures")
    inside = "file:///shard.tar#offset=512&size=9"
    assert write_fiftyone(review._replace(uris=[inside, *review.uris[1:]]), tmp_path / "a.json")["not_files"] == 1
    with pytest.raises(UserError, match="no image of the review is a file"):
        write_label_studio(review._replace(uris=[inside] * 6), tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()
