"""The page against what the run folder says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from noisystudent.errors import UserError
from noisystudent.evaluation.paired import paired_difference
from noisystudent.report.html import write_report

NewRun = Callable[..., Any]
ReadPage = Callable[[Path], Any]


def test_the_table_of_networks_says_what_results_json_says(page: Any) -> None:
    header, *rows = page.table("Measured on the 200 test images")
    student = dict(zip(header, next(row for row in rows if row[0].startswith("student 2")), strict=True))
    assert [row[0] for row in rows] == ["teacher", "student 1", "student 2 handed on", "baseline"]
    assert student["Top-1, %"] == "80.0 73.9 to 85.0"
    assert student["NLL"] == "0.500 0.400 to 0.600"
    assert student["ECE, %"] == "3.2"
    assert not {"Top-5, %", "Every class counted alike, %"} & set(header)  # nothing would stand in these columns
    assert (student["Model"], student["Parameters"], student["Training, s"]) == ("net-gen-2", "98,682", "12.3")
    assert student["Multiply-adds, million"] == "9.2"
    labels = [label for label in page.values("aria-label") if "PFLOP" in label]
    assert labels == [
        "Accuracy against PFLOP of training and labeling: teacher 60.0 % at 0.001, student 1 75.0 % at 0.025, "
        "student 2 80.0 % at 0.06, baseline 79.0 % at 0.03"
    ]


def test_differences_to_the_baseline_are_paired(finished: Path, page: Any) -> None:
    first, second = (pq.read_table(finished / folder / "evaluation/test.parquet") for folder in ("gen-0", "baseline"))
    low, high = paired_difference(first, second, seed=3)["ci95"]
    header, teacher, *_ = page.table("Measured")
    cell = dict(zip(header, teacher, strict=True))["Against the baseline, points"]
    assert cell == f"-19.0 {low:.1f} to {high:.1f}".replace("-", "−")


def test_the_headline_claims_a_gain_only_when_the_interval_leaves_0_out(new_run: NewRun, read_page: ReadPage) -> None:
    result = read_page(write_report(new_run(right={"gen-0": 120, "gen-1": 150, "gen-2": 160, "baseline": 160}).write()))
    text = result.sections["Result"]
    assert text.startswith(
        "Result Not clearly: with the 60 images without labels accuracy stayed at 80.0 % "
        "(+0.0 points, 95 % interval +0.0 to +0.0, 200 test images)."
    )
    assert "Student 2 is right on 80.0 % of the 200 test images (95 % interval 73.9 to 85.0)." in text
    assert "The students are level with what labels alone reach." in result.sections["What to do next"]


def test_the_headline_admits_a_loss(new_run: NewRun, read_page: ReadPage) -> None:
    page = read_page(write_report(new_run(right={"gen-0": 180, "gen-1": 150, "gen-2": 100, "baseline": 150}).write()))
    assert (
        "No: with the 60 images without labels accuracy went from 90.0 % to 50.0 % (-40.0 points"
        in page.sections["Result"]
    )
    assert "the better of the two networks that saw labels only (the teacher)" in page.sections["Result"]


def test_the_answer_comes_first_and_then_what_to_do(new_run: NewRun, read_page: ReadPage) -> None:
    run = new_run().write()
    page = read_page(write_report(run))
    assert list(page.sections)[:3] == ["Result", "What to do next", "Networks"]
    assert page.sections["Result"].startswith(
        "Result Not clearly: with the 60 images without labels accuracy went from 79.0 % to 80.0 %"
    )
    assert "(the baseline)" in page.sections["Result"]
    assert f"noisystudent predict --model {run} --images FOLDER --out labels.csv" in page.sections["What to do next"]
    assert f"local-dir:{run}/best/model" in page.sections["What to do next"]


def test_a_run_at_an_address_is_named_by_it(new_run: NewRun) -> None:
    folder = new_run().write()
    html = write_report(folder, out="s3://bucket/my run").read_text()
    assert "files.get(path, &#39;my run&#39;, recursive=True)" in html
    assert "local-dir:my run/gen-2/model" in html
    assert "<title>my run: noisystudent report" in html
    assert str(folder) not in html


def test_where_the_time_went_is_said_where_it_was_looked_at(new_run: NewRun, read_page: ReadPage) -> None:
    run = new_run()
    folder = run.write()
    assert "Where the time went" not in read_page(write_report(folder)).tables
    run.record("gen-0/train", parameters=98_682, profile={"network, forward": 3.0, "noise": 1.0})
    assert ["gen-0/train", "4.0", "network, forward 75 %; noise 25 %"] in read_page(write_report(folder)).tables[
        "Where the time went"
    ]


def test_where_nothing_was_measured_no_column_is_empty(new_run: NewRun, read_page: ReadPage) -> None:
    page = read_page(write_report(new_run(splits=(), baseline=True, known=False).write()))
    header, *rows = page.table("What was trained.")
    assert header == [
        "Network", "Pseudo-labels kept", "With copies", "Model", "Parameters", "Multiply-adds, million", "Training, s"
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["teacher", "student 1", "student 2 handed on"]
    assert "No baseline was trained: nothing was held out" in page.sections["Result"]
    assert "noisystudent evaluate --model" in page.sections["What to do next"]
    assert "Right, of all, %" not in page.table("From the labeled images")[0]


def test_classes_without_held_out_images_are_said_beside_the_figure(new_run: NewRun, read_page: ReadPage) -> None:
    writer = new_run()
    writer.class_names = ["ant", "bee", "cat"]
    run = writer.write()
    for folder in ("gen-0", "gen-1", "gen-2", "baseline"):
        path = run / folder / "results.json"
        results = json.loads(path.read_text())
        results["test"]["per_class"] += [{"name": "dodo", "n": 0, "recall": None}]
        path.write_text(json.dumps(results))
    page = read_page(write_report(run))
    assert "200 test images of 3 of the 4 classes" in page.sections["Result"]
    assert "No held-out image shows 'dodo'" in page.sections["What to do next"]
    assert page.table("The least first")[1] == ["dodo", "0", "not known"]


def test_the_yield_says_what_selection_json_says(new_run: NewRun, read_page: ReadPage) -> None:
    page = read_page(write_report(new_run(threshold=0.5).write()))
    header, first, second = page.table("From the labeled images")
    # 0.2 to 0.93 in 60 steps: the first at 0.5 or more is the 26th. Every third image is wrong, from the second on.
    row = dict(zip(header, first, strict=True))
    assert row["Labeled by"] == "teacher-of-1"
    assert [row[name] for name in ("Labeled images", "Unlabeled", "Threshold")] == ["20", "60", "0.50"]
    assert [row[name] for name in ("Above it", "Kept", "Rows with copies")] == ["35", "35", "35"]
    assert row["Right, of all, %"] == "66.7 n = 60"
    assert dict(zip(header, second, strict=True))["Right, of all, %"] == "75.0 n = 60"


def test_the_confusion_matrix_counts_the_predictions(page: Any) -> None:
    header, *rows = page.table("Rows: the true class")
    assert header == ["true \\ predicted", "ant", "bee", "cat", "right, %"]
    assert rows == [
        ["ant", "54", "13", "0", "80.6"],
        ["bee", "0", "53", "14", "79.1"],
        ["cat", "13", "0", "53", "80.3"],
    ]
    assert "“bee” taken for “cat”: 14 of 67 images" in page.sections["Confusion"]


def test_skipped_images_leaks_and_warnings_are_listed(new_run: NewRun, read_page: ReadPage) -> None:
    writer = new_run(generations=1)
    run = writer.write()
    writer.record("gen-1/select", warnings=["class 0 floods"])
    page = read_page(write_report(run))
    assert page.table("3 images, by stage and reason")[1:] == [["prepare", "truncated", "3"]]
    assert page.table("All of them")[1] == ["image-x.jpg", "prepare", "truncated"]
    assert page.table("1 unlabeled image is in")[1:] == [["image-000.png", "test", "twin.png", "nearly"]]
    assert "gen-1/select : class 0 floods" in page.sections["Left out and warnings"]
    assert "2 warnings" in page.sections["Result"]


HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "line\nbreak $x$ & ]]>", "\x00\u202ecat"]


def test_names_are_text_wherever_they_stand(new_run: NewRun, read_page: ReadPage) -> None:
    run = new_run(class_names=HOSTILE, prefix="\"><script>alert('id')</script>\n</svg>", splits=("test", "val")).write()
    page = read_page(write_report(run))
    assert "script" not in {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert('id')</script>\\n</svg>-001.png" in page.text
    assert "line\\nbreak $x$ & ]]>" in page.text
    assert "\u202e" not in page.text
    svg_text = "".join(re.findall(r"<text.*?</text>", (run / "report.html").read_text(), flags=re.S))
    assert "&lt;script" in svg_text
    assert "$x$" in svg_text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"splits": ("val",)}, "of the 200 validation images"),
        ({"splits": ()}, "nothing was held out"),
        ({"known": False}, "The true classes of the unlabeled images are not known"),
        ({"baseline": False}, "over the teacher, which saw labels only"),
        ({"generations": 1}, "none could change"),
        ({"generations": 0}, "This run has no students"),
        ({"threshold": 0.0}, "threshold 0"),
    ],
)
def test_every_kind_of_run_has_a_report(
    new_run: NewRun, read_page: ReadPage, fields: dict[str, Any], words: str
) -> None:
    page = read_page(write_report(new_run(**{"generations": 1, **fields}).write()))
    assert words in page.text
    assert "unfinished" not in page.text
    assert len(page.sections) == 9


UNFINISHED = [
    ("baseline", "baseline/train"),
    ("gen-1/results.json", "gen-1/evaluate"),
    ("gen-1/evaluation", "gen-1/evaluate"),
    ("gen-1/selection", "gen-1/select"),
    ("gen-1/predictions", "gen-1/label"),
    ("gen-1", "gen-1/train"),
    ("gen-0", "gen-0/train"),
    ("data", "prepare"),
]


@pytest.mark.parametrize(("absent", "stage"), UNFINISHED)
def test_what_is_missing_is_said_and_the_rest_is_shown(
    new_run: NewRun, read_page: ReadPage, absent: str, stage: str
) -> None:
    run = new_run(generations=1).write()
    (run / "results.json").unlink()
    shutil.rmtree(run / absent) if (run / absent).is_dir() else (run / absent).unlink(missing_ok=True)
    (run / ".stages" / f"{stage.replace('/', '.')}.json").unlink(missing_ok=True)
    page = read_page(write_report(run))
    assert "This run is unfinished." in page.text
    assert stage in page.text


def test_a_finished_run_that_was_copied_without_hidden_files(new_run: NewRun, read_page: ReadPage) -> None:
    run = new_run().write()
    shutil.rmtree(run / ".stages")
    page = read_page(write_report(run))
    assert "unfinished" not in page.text
    assert "Sure" in page.sections["Gallery"]


def test_a_run_that_has_only_begun(new_run: NewRun, read_page: ReadPage) -> None:
    run = new_run().write()
    for path in run.iterdir():
        if path.name != "config.toml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = read_page(write_report(run))
    assert "Nothing has been measured yet." in page.text
    assert "Not looked for yet." in page.text


def test_the_same_folder_gives_the_same_bytes(finished: Path) -> None:
    first = (finished / "report.html").read_bytes()
    assert write_report(finished).read_bytes() == first


def test_the_page_needs_nothing_else(finished: Path, page: Any) -> None:
    links = page.values("src", "href", "xlink:href", "srcset", "action")
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "http" not in (finished / "report.html").read_text()
    assert {"script", "iframe", "object"}.isdisjoint(tag for tag, _ in page.elements)


def test_ids_are_unique_and_links_inside_the_page_lead_somewhere(page: Any) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.values("href") if link.startswith("#")} <= set(ids)
    assert {clip[5:-1] for clip in page.values("clip-path")} <= set(ids)


def test_pictures_and_charts_have_a_text_and_tables_a_caption(page: Any) -> None:
    assert all(attributes.get("alt") for tag, attributes in page.elements if tag == "img")
    assert all(attributes.get("aria-label") for tag, attributes in page.elements if tag == "svg")
    assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")
    assert sum(tag == "caption" for tag, _ in page.elements) == sum(tag == "table" for tag, _ in page.elements)


def test_colors_are_the_themes(finished: Path) -> None:
    charts = "".join(re.findall(r"<svg.*?</svg>", (finished / "report.html").read_text(), flags=re.S))
    assert "var(--ink)" in charts
    assert not re.search(r'style="[^"]*#[0-9a-f]{6}', charts)


def test_a_thousand_classes_stay_readable(new_run: NewRun, read_page: ReadPage) -> None:
    path = write_report(new_run(class_names=[f"class {n}" for n in range(1000)], images=1500, generations=1).write())
    page = read_page(path)
    assert "the 30 of 1,000 classes that deviate most from an even share" in page.text
    assert len(page.table("Pseudo-labels per class")) == 31
    assert len(page.table("Rows: the true class")) == 31
    assert path.stat().st_size < 3_000_000


def test_a_folder_that_is_no_run_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        write_report(tmp_path)
    with pytest.raises(UserError, match="is not a run folder"):
        write_report(tmp_path / "nowhere")
