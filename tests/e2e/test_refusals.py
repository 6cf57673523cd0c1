"""What a user can get wrong: exit status 2, one message that names it, nothing written over, no traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from user_inputs import Images, everything_below, write_flat, write_pictures

Refused = Callable[..., str]
Configuration = Callable[..., Path]


@pytest.fixture
def run_refused(images: Images, configuration: Configuration, refused: Refused, tmp_path: Path) -> Callable[..., str]:
    """`run` with one source replaced, which must be refused before anything is trained."""

    def give(source: str = "", given: object = "", *more: object) -> str:
        sources = {"--labeled": images.labeled, "--unlabeled": images.unlabeled, "--test": images.test, source: given}
        options = [word for pair in sources.items() if pair[0] for word in pair]
        message = refused("run", *options, "--config", configuration(), "--out", "run", *more)
        assert not list(tmp_path.glob("run/gen-*"))
        return message

    return give


# Sources


def test_paths_that_do_not_exist_are_all_named_at_once(
    configuration: Configuration, refused: Refused, tmp_path: Path
) -> None:
    sources = ["--labeled", "one", "--unlabeled", "two.csv", "--val", "three.tar", "--test", "four/*.parquet"]
    message = refused("run", *sources, "--config", configuration(), "--out", "run")
    assert "4 problems:" in message
    for option, path in (
        ("labeled", "one"),
        ("unlabeled", "two.csv"),
        ("val", "three.tar"),
        ("test", "four/*.parquet"),
    ):
        assert f"--{option}: '{tmp_path / path}' does not exist: give a folder of images" in message


def test_addresses_that_are_no_source_are_all_named_at_once(configuration: Configuration, refused: Refused) -> None:
    sources = ["--labeled", "s3://bucket/labeled/", "--unlabeled", "s4://bucket/0.tar"]
    message = refused("run", *sources, "--config", configuration(), "--out", "run")
    assert (
        "--labeled: 's3://bucket/labeled/' is no image source: of other machines tar and Parquet files are read"
        in message
    )
    assert "--unlabeled: 's4://bucket/0.tar' cannot be read: s4:// is not known" in message


def test_missing_sources_are_named(configuration: Configuration, refused: Refused) -> None:
    message = refused("run", "--config", configuration(), "--out", "run")
    assert "--labeled is missing" in message
    assert "--unlabeled is missing" in message


@pytest.mark.parametrize("source", ["--labeled", "--unlabeled", "--val", "--test"])
def test_an_empty_folder(source: str, run_refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert f"{source}: {tmp_path}/empty: no images there (JPEG, PNG, " in run_refused(source, tmp_path / "empty")


def test_an_empty_class(run_refused: Refused, images: Images) -> None:
    (images.labeled / "ring").mkdir()
    assert f"--labeled: {images.labeled}: no images in 'ring': add images or delete the folder" in run_refused()


def test_one_class_only(run_refused: Refused, tmp_path: Path) -> None:
    one = write_pictures(tmp_path / "one", 5, kinds=("disk",))
    assert "all images are of one class: a classifier needs two or more" in run_refused("--labeled", one)


def test_a_labeled_folder_without_class_folders(run_refused: Refused, images: Images) -> None:
    message = run_refused("--labeled", images.unlabeled)
    assert "no image has a label: put the images of each class into a folder named after it" in message


def test_pictures_beside_the_class_folders(run_refused: Refused, images: Images) -> None:
    write_flat(images.labeled, 1, kinds=("disk",))
    assert "1 of 21 images have no label (the first in row 11): 'disk-000.png'" in run_refused()


@pytest.mark.parametrize("source", ["--test", "--val"])
def test_classes_that_the_labeled_images_do_not_have(source: str, run_refused: Refused, tmp_path: Path) -> None:
    other = write_pictures(tmp_path / "other", 3, kinds=("disk", "ring", "stairs"))
    message = run_refused(source, other)
    expected = "has classes that the labeled images do not have: 'ring', 'stairs'; those have 'bars', 'disk'"
    assert f"{source}: {expected}" in message


def test_more_labels_in_validation_than_in_training(run_refused: Refused, images: Images) -> None:
    message = run_refused("--val", write_pictures(images.folder / "val", 11, first=300))
    assert "--val has 22 labels and the training part of --labeled 20" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file,label\na.png,disk\n", "has no column 'path': it has 'file', 'label'"),
        ("path,class\na.png,disk\n", "has no column 'label': it has 'path', 'class'"),
        ("", "has no column 'path': it has no columns"),
        ("path,label\n", "no images there"),
        ("path,label\n,disk\n", "'path' is empty in 1 rows"),
        ("path,label\na.png,disk\na.png,ring\n", "1 ids occur more than once"),
        ("path,label\na.png,disk,ring\n", "cannot be read as CSV"),
    ],
)
def test_a_table_that_is_not_as_it_should_be(text: str, expected: str, run_refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(text)
    message = run_refused("--labeled", tmp_path / "table.csv")
    assert expected in message
    assert "table.csv" in message


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "shard.tar", "notes.txt"])
def test_files_that_are_not_what_their_names_say(name: str, run_refused: Refused, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)))
    assert name in run_refused("--labeled", tmp_path / name)


def test_a_table_of_files_that_are_not_there(run_refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("path,label\na.png,disk\nb.png,bars\n")
    message = run_refused("--labeled", tmp_path / "table.csv")
    assert "2 of 2 images cannot be read (100.0 %)" in message
    assert "'a.png': missing file; 'b.png': missing file" in message


# Output folders


def test_an_output_folder_that_is_a_file(run_refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    assert "--out run is a file: give a folder that is new, empty, or a run of ours" in run_refused()
    assert (tmp_path / "run").read_text() == "mine"


def test_an_output_folder_below_a_file(refused: Refused, images: Images, configuration: Configuration) -> None:
    out = images.test / "disk" / "200.png" / "run"
    message = refused("run", *images.options, "--config", configuration(), "--out", out)
    assert f"--out {out} cannot be written" in message


@pytest.mark.parametrize("command", ["run", "train", "student", "label", "select"])
def test_an_output_folder_full_of_other_files(
    command: str, finished: Any, images: Images, configuration: Configuration, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "config.toml").write_text("mine")
    before = everything_below(tmp_path / "thesis")
    config = ["--config", configuration()]
    options: dict[str, list[object]] = {
        "run": [*images.options, *config],
        "train": ["--labeled", images.labeled, *config],
        "student": [*images.options, *config, "--selection", finished.folder / "gen-1" / "selection"],
        "label": ["--model", finished.folder, "--images", images.unlabeled],
        "select": ["--predictions", finished.folder / "gen-1" / "predictions"],
    }
    message = refused(command, *options[command], "--out", "thesis")
    assert "--out thesis holds files that no run of ours wrote: give a new or an empty folder" in message
    assert everything_below(tmp_path / "thesis") == before


@pytest.mark.parametrize("command", ["run on Ray", "train", "label", "select", "predict", "evaluate", "demo"])
def test_an_output_that_is_an_address(
    command: str, finished: Any, images: Images, configuration: Configuration, refused: Refused, tmp_path: Path
) -> None:
    config = ["--config", configuration()]
    options: dict[str, list[object]] = {
        "run on Ray": [*images.options, *config, "--engine", "ray"],
        "train": ["--labeled", images.labeled, *config],
        "label": ["--model", finished.folder, "--images", images.unlabeled],
        "select": ["--predictions", finished.folder / "gen-1" / "predictions"],
        "predict": ["--model", finished.folder, "--images", images.unlabeled],
        "evaluate": ["--model", finished.folder, "--data", images.test],
        "demo": [],
    }
    message = refused(command.split()[0], *options[command], "--out", "s3://bucket/out.csv")
    assert "--out s3://bucket/out.csv is an address: give a path on this machine" in message
    assert not list(tmp_path.glob("s3*"))


@pytest.mark.parametrize(
    ("address", "said"),
    [("nowhere://bucket/run", "nowhere:// is not known"), ("s3://bucket/run", "s3:// needs a package that is missing")],
)
def test_a_run_at_an_address_that_nothing_writes_to(
    address: str, said: str, images: Images, configuration: Configuration, refused: Refused, tmp_path: Path
) -> None:
    message = refused("run", *images.options, "--config", configuration(), "--out", address)
    assert f"--out {address}: {said}" in message
    assert not list(tmp_path.glob(f"{address[:2]}*"))


def test_predictions_are_written_as_csv_json_lines_or_parquet_only(
    finished: Any, images: Images, refused: Refused
) -> None:
    predict = ["predict", "--model", finished.folder, "--images", images.unlabeled]
    assert "--out labels.xlsx: end it in .csv, .jsonl or .parquet" in refused(*predict, "--out", "labels.xlsx")


@pytest.mark.parametrize("name", ["file/below.csv", "there.csv"])
def test_a_file_to_write_that_cannot_be(
    name: str, finished: Any, images: Images, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "there.csv").mkdir()
    (tmp_path / "file").write_text("mine")
    for command in (
        ["predict", "--model", finished.folder, "--images", images.unlabeled],
        ["evaluate", "--model", finished.folder, "--data", images.test],
    ):
        assert name in refused(*command, "--out", name)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_demo_folder_that_is_a_file(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "--out file" in refused("demo", "--out", "file")
    assert (tmp_path / "file").read_text() == "mine"


# Models, recipes, settings


def test_a_model_that_timm_does_not_have(refused: Refused, images: Images, finished: Any, tmp_path: Path) -> None:
    message = refused(
        *finished.command, "--out", "run", "--set", "student.model=resnet9_80", "--set", "teacher.model=resnt50"
    )
    assert "there is no model 'resnt50' in timm" in message
    assert "the nearest are resnet50" in message
    assert "generations.1.student: there is no model 'resnet9_80'" in message
    assert "resnet9_8" in message.split("resnet9_80'")[1]
    for model, expected in (("efficientnet_b99", "efficientnet_b9"), ("no/such/folder", "the path does not exist")):
        assert expected in refused("predict", "--model", model, "--images", images.test, "--out", "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_no_model_or_half_of_one(
    refused: Refused, images: Images, finished: Any, tmp_path: Path
) -> None:
    label = ["label", "--images", images.unlabeled, "--out", "labels", "--model"]
    assert "holds no whole model" in refused(*label, images.labeled)
    broken = tmp_path / "broken"
    broken.mkdir()
    weights = (finished.folder / "gen-0/model/model.safetensors").read_bytes()
    (broken / "config.json").write_bytes((finished.folder / "gen-0/model/config.json").read_bytes())
    assert "holds no whole model" in refused(*label, broken)
    (broken / "model.safetensors").write_bytes(weights[:1000])
    assert f"the model {broken} cannot be opened" in refused(*label, broken)
    (broken / "model.safetensors").write_bytes(weights)
    (broken / "config.json").write_text("{")
    assert f"the model {broken} cannot be opened" in refused(*label, broken)
    assert not (tmp_path / "labels").exists()


def test_a_recipe_that_there_is_not(refused: Refused, images: Images) -> None:
    message = refused("run", *images.options, "--recipe", "didgits", "--out", "run")
    assert "there is no recipe 'didgits' (did you mean 'digits'?); there are " in message
    assert "digits" in message.split("there are")[1]


def test_all_wrong_settings_are_named_at_once(run_refused: Refused) -> None:
    settings = ["teacher.stepz=3", "nonsense", "student.noise.flipp=true", "generations.7.select.threshold=1", "=3"]
    message = run_refused("", "", *(word for setting in settings for word in ("--set", setting)))
    assert "5 problems:" in message
    assert "--set teacher.stepz=3: there is no teacher.stepz; did you mean 'steps'?" in message
    assert "--set nonsense: write KEY=VALUE" in message
    assert "did you mean 'flip'?" in message
    assert "there is no generations.7" in message


def test_all_wrong_values_are_named_at_once(run_refused: Refused) -> None:
    settings = [
        "teacher.steps=-1",
        "select.threshold=1.5",
        "teacher.optimizer=adam",
        "data.val_fraction=nan",
        "seed=-1",
    ]
    message = run_refused("", "", *(word for setting in settings for word in ("--set", setting)))
    for key in (
        "teacher.steps",
        "generations.0.select.threshold",
        "generations.1.select.threshold",
        "teacher.optimizer",
    ):
        assert f"--set: {key} = " in message
    for key in ("data.val_fraction", "seed"):
        assert f"--set: {key} = " in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("teacher = {", "is not TOML: "),
        ('[teacher]\nmodel = "resnet9_8"\nsteps = 3\nstps = 4\n', "unknown key teacher.stps; did you mean 'steps'?"),
        ("seed = 1\n", "teacher is missing"),
        ('[teacher]\nmodel = "resnet9_8"\nsteps = "many"\n', "teacher.steps = 'many': input should be a valid integer"),
    ],
)
def test_a_configuration_file_that_is_wrong(text: str, expected: str, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    message = refused("run", "--config", "wrong.toml", "--out", "run")
    assert "wrong.toml" in message
    assert expected in message
    assert not (tmp_path / "run").exists()


def test_a_configuration_file_that_cannot_be_read(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for path in ("missing.toml", "binary.toml", "."):
        assert f"--config {path}: cannot be read" in refused("run", "--config", path, "--out", "run")


def test_a_source_whose_name_is_not_text(run_refused: Refused, tmp_path: Path) -> None:
    assert "b\\udcff' is not UTF-8: rename the file or folder" in run_refused("--labeled", str(tmp_path / "b\udcff"))


def test_folders_without_what_a_command_needs(refused: Refused, finished: Any, images: Images, tmp_path: Path) -> None:
    assert "has no predictions (part-*.parquet)" in refused("select", "--predictions", images.test, "--out", "s")
    assert "is not a run folder" in refused("report", images.test)
    config = ["--config", finished.configuration]
    message = refused("student", *images.options, *config, "--selection", images.test, "--out", "s")
    assert "has no selection.json and no selection.parquet" in message
    assert not (tmp_path / "s").exists()


def test_predictions_that_lack_a_column_or_are_no_table(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    pq.write_table(pa.table({"id": ["a"], "label": pa.array([0], pa.int32())}), tmp_path / "p" / "part-00000.parquet")
    assert "the predictions have no column confidence; there are id, label" in refused(
        "select", "--predictions", "p", "--out", "s"
    )
    (tmp_path / "p" / "part-00000.parquet").write_text("not Parquet")
    assert "the predictions in p cannot be read: " in refused("select", "--predictions", "p", "--out", "s")
    (tmp_path / "p" / "teacher.json").write_text('{"class_names": ["cat", "dog"]}')
    assert "the predictions in p cannot be read: " in refused("select", "--predictions", "p", "--out", "s")


# The command line itself


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "--labeled", "x"], "--out"),
        (["run", "--out", "x", "--recipee", "y"], "--recipee"),
        (["select", "--predictions", "p", "--out", "s", "--threshold", "2"], "--threshold"),
        (["select", "--predictions", "p", "--out", "s", "--mode", "best"], "--mode"),
        (["evaluate", "--model", "m", "--data", ".", "--suite", "imagenet"], "--suite"),
        (["demo", "--seeds", "0"], "--seeds"),
        (["demo", "--seeds", "many"], "--seeds"),
        (["demo", "--out"], "--out"),
        (["lable"], "lable"),
    ],
)
def test_options_that_are_wrong(
    arguments: list[str], expected: str, noisystudent: Callable[..., Any], tmp_path: Path
) -> None:
    result = noisystudent(*arguments)
    assert result.status == 2
    assert result.stdout == ""
    assert expected in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "run",
        "train",
        "label",
        "select",
        "student",
        "evaluate",
        "profile",
        "predict",
        "embed",
        "report",
        "recipes",
        "doctor",
    ],
)
def test_every_command_has_help(command: str, noisystudent: Callable[..., Any]) -> None:
    result = noisystudent(command, "--help")
    assert result.status == 0
    for option in ("--json", "--quiet", "--help"):
        assert option in result.stdout


def test_a_refusal_in_json_is_one_object_too(noisystudent: Callable[..., Any]) -> None:
    result = noisystudent("recipes", "nothing", "--json")
    assert result.status == 2
    assert list(json.loads(result.stdout)) == ["error"]
    assert json.loads(result.stdout)["error"] in result.message
