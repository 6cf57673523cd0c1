"""`review` as a user gives it, and the page it writes in a real browser: answered by keyboard, saved, and read again."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from hostile_review import HOSTILE, hostile_review
from playwright.sync_api import Browser, Page
from user_inputs import Finished, Images, Result, Server, everything_below, picture, quick, weights, write_images

from noisystudent.data.manifest import Manifest
from noisystudent.review.page import write_page

Command = Callable[..., Any]
SECONDS = 30_000  # milliseconds that anything may take on a busy machine
COLUMNS = ["path", "label", "why", "given", "says", "confidence", "second", "second_confidence", "split", "id", "run"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def torn(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run among whose labeled images one is there twice, with two labels, and one was given to people as it is."""
    folder = tmp_path_factory.mktemp("torn")
    images: Images = write_images(folder)
    shutil.copy(images.labeled / "bars" / "003.png", images.labeled / "disk" / 'a "copy", <b>.png')
    picture("ring", 7).save(images.unlabeled / "ring.png")
    shutil.copy(images.test / "disk" / "203.png", images.unlabeled / "held-out.png")
    configuration = folder / "quick.toml"
    configuration.write_text(quick("teacher.steps=40", "student.steps=40", "data.val_fraction=0").to_toml())
    command = ["run", *images.options, "--config", str(configuration), "--out", "run", "--json"]
    result: Result = server.wait(server.start(*command, folder=folder))
    assert result.status == 0, result.stderr
    return Finished(images, folder / "run", result, configuration)


def test_what_is_worth_a_look_is_found_and_the_run_stays_as_it_is(
    torn: Finished, noisystudent: Command, tmp_path: Path
) -> None:
    before = everything_below(torn.folder)
    forms = ["--label-studio", "tasks.json", "--fiftyone", "labels.json"]
    result = noisystudent("review", torn.folder, "--out", "review.csv", "--most", "12", *forms, "--json")
    assert result.status == 0, result.stderr
    assert everything_below(torn.folder) == before
    rows = rows_of(tmp_path / "review.csv")
    assert list(rows[0]) == COLUMNS
    assert len(rows) == result.json["images"] <= 12
    same = {row["path"]: row for row in rows if "the same picture as" in row["why"]}
    assert {Path(path).name for path in same} == {"003.png", 'a "copy", <b>.png'}
    copy = same[str(torn.images.labeled / "disk" / 'a "copy", <b>.png')]
    assert (copy["given"], copy["split"], copy["label"]) == ("disk", "train", "")
    assert all(Path(row["path"]).is_file() and row["run"] == str(torn.folder) for row in rows)
    assert all(row["given"] == "" for row in rows if row["split"] == "unlabeled")
    assert "held-out.png" not in {row["id"] for row in rows}  # a test image, which must not become a labeled one
    assert len(json.loads((tmp_path / "tasks.json").read_text())) == len(rows)
    assert json.loads((tmp_path / "labels.json").read_text())["labels"].keys() == {row["path"] for row in rows}
    left = {path.name for path in tmp_path.iterdir()}
    assert left >= {"review.csv", "review.html", "tasks.json", "tasks.xml", "labels.json"}
    assert not any(name.endswith(".parts") for name in left)


def test_the_same_run_gives_the_same_review(torn: Finished, noisystudent: Command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert noisystudent("review", torn.folder, "--out", f"{name}.csv").status == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_review_that_was_stopped_goes_on(
    torn: Finished, noisystudent: Command, killed: Callable[..., None], tmp_path: Path
) -> None:
    killed("review", torn.folder, "--out", "review.csv", at="*/unlabeled/part-00000.parquet")
    parts = tmp_path / "review.csv.parts"
    made = {path: path.stat().st_mtime_ns for path in parts.rglob("part-*.parquet")}
    assert made
    killed("review", torn.folder, "--out", "review.csv", at="*review.html")
    assert {path: path.stat().st_mtime_ns for path in parts.rglob("part-*.parquet")} == made
    assert noisystudent("review", torn.folder, "--out", "review.csv").status == 0


def test_an_unfinished_run_is_reviewed_by_the_network_that_there_is(
    torn: Finished, noisystudent: Command, refused: Callable[..., str], killed: Callable[..., None], tmp_path: Path
) -> None:
    command = [*torn.command, "--out", "half"]
    killed(*command, at="*/data/labeled.parquet")
    assert "no network of this run is trained yet" in refused("review", "half", "--out", "early.csv")
    killed(*command, at="*/.stages/gen-0.evaluate.json")
    found = noisystudent("review", "half", "--out", "review.csv", "--json").json
    assert found["network"] == "the teacher"
    assert found["found"]["disagreed"] == found["found"]["changed"] == 0


def test_what_cannot_be_is_refused_before_any_work(
    torn: Finished, noisystudent: Command, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert "end it in .csv" in refused("review", torn.folder, "--out", "review.xlsx")
    assert "is not a run folder" in refused("review", tmp_path, "--out", "review.csv")
    (tmp_path / "review.html").write_text("mine")
    message = refused("review", torn.folder, "--out", "review.csv", "--fiftyone", "labels.csv")
    assert "review.html is there already" in message
    assert "--fiftyone labels.csv: end it in .json" in message
    (tmp_path / "mine.csv").write_text("answers")
    assert "perhaps with corrections by hand" in refused("review", torn.folder, "--out", "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "answers"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True, offline=True)
    context.set_default_timeout(SECONDS)
    opened = context.new_page()
    said: list[str] = []
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda message: said.append(message.text))
    yield opened
    assert said == []
    context.close()


def saved(page: Page, path: Path) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the answers").click()
    download.value.save_as(path)
    assert download.value.suggested_filename == "review.csv"
    return rows_of(path)


def test_answers_by_keyboard_are_saved_as_the_table_to_fill_in(page: Page, tmp_path: Path) -> None:
    review = hostile_review(tmp_path / "pictures")
    write_page(review, tmp_path / "review.html")
    page.goto((tmp_path / "review.html").as_uri())
    assert page.title() == "6 images to look at: noisystudent review"
    page.get_by_role("button", name="Begin").click()
    for key in ("2", "0", "y", "j", "k", "k", "x"):  # of 0, 1, 2; then on to 4, and back to 2, which is left open again
        page.keyboard.press(key)
    page.keyboard.press("1")
    assert page.get_by_role("status").inner_text() == "3 of 6 answered, not saved yet"
    rows = saved(page, tmp_path / "saved.csv")
    assert [row["label"] for row in rows] == [HOSTILE[1], "(none)", HOSTILE[0], "", "", ""]
    expected = review.rows.to_pylist()
    for row, given in zip(rows, expected, strict=True):
        assert {key: row[key] for key in COLUMNS if key != "label"} == {
            key: "" if given[key] is None else str(given[key]) for key in COLUMNS if key != "label"
        }
    assert page.get_by_role("status").inner_text() == "3 of 6 answered"


def test_answers_are_still_there_when_the_page_is_opened_again(page: Page, tmp_path: Path) -> None:
    write_page(hostile_review(tmp_path / "pictures"), tmp_path / "review.html")
    page.goto((tmp_path / "review.html").as_uri())
    page.locator(".card").first.get_by_text("plain").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert page.get_by_role("status").inner_text() == "1 of 6 answered, not saved yet"
    assert page.locator(".card").first.locator("input:checked").get_attribute("value") == "plain"
    saved(page, tmp_path / "saved.csv")


def test_of_many_classes_any_can_be_written(page: Page, tmp_path: Path) -> None:
    write_page(hostile_review(tmp_path / "pictures", classes=40), tmp_path / "review.html")
    page.goto((tmp_path / "review.html").as_uri())
    first, second = (page.locator(".card").nth(place).get_by_label("another:") for place in (0, 1))
    first.fill("class 1")  # the beginning of several names, and none
    assert first.get_attribute("aria-invalid") == "true"
    first.fill("class 17")
    second.fill("no such class")
    rows = saved(page, tmp_path / "saved.csv")
    assert [row["label"] for row in rows[:2]] == ["class 17", ""]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_usable_at_every_width_and_by_a_screen_reader(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    write_page(hostile_review(tmp_path / "pictures", images=3, classes=12), tmp_path / "review.html")
    for width in (360, 768, 1280):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        page.goto((tmp_path / "review.html").as_uri())
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        context.close()


def test_without_scripts_it_says_where_answers_go(browser: Browser, tmp_path: Path) -> None:
    write_page(hostile_review(tmp_path / "pictures"), tmp_path / "review.html")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "review.html").as_uri())
    assert page.get_by_text("fill in the column label of the table review.csv instead").is_visible()
    assert not page.get_by_role("button", name="Save the answers").is_visible()
    context.close()


def answer(path: Path, answers: dict[str, str]) -> None:
    """Fill in a table, as a person does, by the names of the files."""
    rows = rows_of(path)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({**row, "label": answers.get(Path(row["path"]).name, "")} for row in rows)


def labels_of(run: Path) -> dict[str, str]:
    """By name of the file, the class of each labeled image of a run."""
    manifest = Manifest.load(run / "data" / "labeled.parquet")
    names = [Path(uri).name for uri in manifest.table["uri"].to_pylist()]
    return {unquote(name): manifest.class_names[label] for name, label in zip(names, manifest.labels, strict=True)}


def test_corrections_give_a_new_run_and_leave_the_old_one(
    torn: Finished, noisystudent: Command, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert noisystudent("review", torn.folder, "--out", "review.csv").status == 0
    kinds = {"ring.png": "(none)", 'a "copy", <b>.png': "bars"}
    doubted = next(Path(row["path"]).name for row in rows_of(tmp_path / "review.csv") if row["split"] == "unlabeled")
    kinds = {doubted: "disk", **kinds}
    answer(tmp_path / "review.csv", kinds)
    there = {Path(row["path"]).name for row in rows_of(tmp_path / "review.csv") if row["label"]}
    before = everything_below(torn.folder)
    command = ["run", "--corrections", "review.csv"]
    assert "which stays as it is: give another folder" in refused(*command, "--out", torn.folder)
    result = noisystudent(*command, "--out", "again")
    assert result.status == 0, result.stderr
    assert everything_below(torn.folder) == before
    labels = labels_of(tmp_path / "again")
    assert labels['a "copy", <b>.png'] == "bars"
    assert (doubted in labels) == (kinds[doubted] != "(none)")
    assert "1 labels were changed" in result.message
    unlabeled = Manifest.load(tmp_path / "again" / "data" / "unlabeled.parquet").ids
    assert not there & set(unlabeled)
    assert "still valid, and not made again: nothing" in result.message
    config = (tmp_path / "again" / "config.toml").read_text()
    assert f'corrections = [\n    "{tmp_path}/review.csv",\n]' in config
    again = noisystudent(*command, "--out", "again")
    assert again.status == 0
    assert "going on with the run" in again.message


def test_pictures_of_no_class_leave_what_learned_from_labels_alone(
    torn: Finished, noisystudent: Command, tmp_path: Path
) -> None:
    ring = torn.images.unlabeled / "ring.png"
    (tmp_path / "answers.csv").write_text(f"path,label,run\n{ring},(none),{torn.folder}\n")
    result = noisystudent("run", "--corrections", "answers.csv", "--out", "again", "--json")
    assert result.status == 0, result.stderr
    assert "1 unlabeled images are of no class and left out" in result.message
    assert "the network gen-0, the network baseline" in result.message
    for folder in ("gen-0", "baseline"):
        one, other = (run / folder / "model" / "model.safetensors" for run in (torn.folder, tmp_path / "again"))
        assert one.read_bytes() == other.read_bytes()
    fresh = noisystudent(*torn.command, "--set", f"data.corrections=['{tmp_path}/answers.csv']", "--out", "fresh")
    assert fresh.status == 0, fresh.stderr
    assert weights(tmp_path / "fresh") == weights(tmp_path / "again")


def test_a_second_review_adds_its_answers_to_the_first(torn: Finished, noisystudent: Command, tmp_path: Path) -> None:
    disk = torn.images.unlabeled / "disk-100.png"
    (tmp_path / "one.csv").write_text(f"path,label,run\n{disk},disk,{torn.folder}\n")
    assert noisystudent("run", "--corrections", "one.csv", "--out", "two").status == 0
    assert noisystudent("review", "two", "--out", "review.csv").status == 0
    bars = torn.images.unlabeled / "bars-100.png"
    (tmp_path / "two.csv").write_text(f"path,label,run\n{bars},bars,{tmp_path}/two\n{disk},(none),\n")
    result = noisystudent("run", "--corrections", "two.csv", "--out", "three")
    assert result.status == 0, result.stderr
    labels = labels_of(tmp_path / "three")
    assert labels["bars-100.png"] == "bars"
    assert "disk-100.png" not in labels


def test_what_is_wrong_with_corrections_is_said_before_any_work(
    torn: Finished, refused: Callable[..., str], tmp_path: Path
) -> None:
    command = ["run", "--corrections", "answers.csv", "--out", "new"]
    assert "answers.csv: there is no such file" in refused(*command)
    (tmp_path / "answers.csv").write_text(f"path,label,run\n/nowhere.png,cat,{torn.folder}\n")
    assert "leave it out, or give --config" in refused(*command, "--recipe", "cifar10")
    message = refused(*command)
    assert "1 images are in none of the sources" in message
    assert "have no class 'cat'; they have 'bars', 'disk'" in message
    (tmp_path / "answers.csv").write_text("path,label,run\n/nowhere.png,cat,/gone\n")
    assert "the run that was reviewed is not at /gone" in refused(*command)
