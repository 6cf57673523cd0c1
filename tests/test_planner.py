"""A plan against closed forms, with the cost of an image faked; and the real command on a small recipe."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from noisystudent.cli import app
from noisystudent.config import Config, Execution, Generation, KnownClasses, Noise, Selection, Training
from noisystudent.configuration import configure
from noisystudent.errors import UserError
from noisystudent.planner import plan, read_rates, storage, with_reading
from noisystudent.pseudo.label import predictions_schema
from noisystudent.recipes import recipe
from noisystudent.screen import show_plan
from noisystudent.trial import Cost
from noisystudent.trial_reading import Reading, reading_a_picture

MILLION = 1_000_000
SIZES = {"labeled": 1000, "unlabeled": 3 * MILLION, "classes": 1000}


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second to train on an image and a hundredth to label it, reading not counted; reading takes 2 and 3 ms."""
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6, 0.1, 0.01))
    monkeypatch.setattr("noisystudent.planner.reading_a_picture", lambda *_: Reading(0.002, 0.003))


def config(**settings: object) -> Config:
    teacher = Training(model="resnet9_8", image_size=8, steps=100, batch_size=10, noise=Noise(crop="random-resized"))
    student = teacher.model_copy(update={"unlabeled_ratio": 3.0})
    generation = Generation(student=student, select=Selection(per_class=1000))
    return Config(
        recipe="mine",
        teacher=teacher,
        generations=(generation, generation),
        execution=Execution(device="cpu"),
        **settings,  # type: ignore[arg-type]
    )


def test_hours_are_images_times_what_one_costs_over_the_workers() -> None:
    found = plan(config(), **SIZES, workers=4)
    looks, training = 3 * MILLION * 0.013, 0.102
    expected = {
        "training teacher": (1000, 1000 * training),
        "labeling for student 1": (3 * MILLION, looks),
        "training student 1": (4000, 4000 * training),
        "labeling for student 2": (3 * MILLION, looks),
        "training student 2": (4000, 4000 * training),
        "training baseline": (4000, 4000 * training),
    }
    assert {row["name"]: row["images"] for row in found["stages"]} == {name: n for name, (n, _) in expected.items()}
    assert [row["seconds"] for row in found["stages"]] == pytest.approx([seconds for _, seconds in expected.values()])
    whole = 2 * looks + 13_000 * training
    assert found["seconds"] == pytest.approx(whole)
    assert found["worker_hours"] == pytest.approx(whole / 3600)
    assert found["hours"] == pytest.approx(whole / 3600 / 4)
    assert [row["share"] for row in found["stages"]] == pytest.approx([s / whole for _, s in expected.values()])
    assert found["rates"]["student 1"] == {"training": 9.804, "labeling": 76.92}
    assert found["unit"] == "worker-hours"


def test_labels_take_what_their_table_holds() -> None:
    schema = predictions_schema(1000)
    fixed = sum(schema.field(name).type.bit_width // 8 for name in ("label", "confidence", "dhash"))
    stored = plan(config(), **SIZES)["storage"]
    assert stored["bytes_an_image"] == 24 + fixed + 1000 * 2
    assert stored["float16"] == 6 * MILLION * (24 + 16 + 2000)
    assert stored["top_10"] == 6 * MILLION * (24 + 16 + 60)
    assert stored["while_training"] == 3 * MILLION * 2000
    few = storage(config(), 100, 3)
    assert few["top_10"] == few["float16"]  # the ten highest of three are three
    kept = recipe("imagenet-l2")  # later teachers label the 130,000 of each class that were selected first
    assert storage(kept, 300 * MILLION, 1000)["images"] == (300 + 2 * 130) * MILLION


@pytest.mark.parametrize(("beside", "training", "labeling"), [(False, 0.75, 0.625), (True, 0.5, 0.5)])
def test_a_processor_reads_in_turn_and_beside_a_gpu(beside: bool, training: float, labeling: float) -> None:
    cost = Cost(0, 0, 0, 0.0, 0.25, 0.125)
    found = with_reading(cost, Reading(0.5, 0.5), beside=beside)
    assert (found.training_seconds, found.labeling_seconds) == (training, labeling)
    assert with_reading(Cost(0, 0, 0, 0.0), Reading(0.5, 0.5), beside=beside) == Cost(0, 0, 0, 0.0)


def test_reading_is_measured_of_what_a_network_is_shown() -> None:
    parts = Training(model="resnet9_8", image_size=32, noise=Noise(crop="random-resized"))
    whole = parts.model_copy(update={"noise": Noise(crop="pad")})
    shown = reading_a_picture(parts, Execution(workers=1), 3, 64)
    kept = reading_a_picture(whole, Execution(workers=1), 1, 64)
    assert shown.training > 0 < shown.labeling
    assert kept.training == 0 < kept.labeling


def test_rates_measured_elsewhere_take_the_place_of_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> Cost:
        raise AssertionError("nothing is tried")

    monkeypatch.setattr("noisystudent.estimate.cost_an_image", never)
    monkeypatch.setattr("noisystudent.planner.reading_a_picture", never)
    rates = {name: {"training": 100, "labeling": 1000.0} for name in ("teacher", "student 1", "student 2", "baseline")}
    path = tmp_path / "rates.json"
    path.write_text(json.dumps({"rates": rates, "worker": "a GPU (X)", "unit": "GPU-hours", "more": 1}))
    found = plan(config(), **SIZES, workers=8, rates=path)
    assert found["seconds"] == pytest.approx(6 * MILLION / 1000 + 13_000 / 100)
    assert (found["worker"], found["unit"]) == ("a GPU (X)", "GPU-hours")
    assert found["networks"][0]["memory"] > 0  # what follows from the network alone is calculated all the same
    path.write_text(json.dumps(found))  # what a plan says serves another
    assert plan(config(), **SIZES, workers=8, rates=path) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON", "cannot be read"),
        ("[]", 'should be {"rates"'),
        ('{"rates": 5}', 'should be {"rates"'),
        ('{"rates": {"teacher": {"training": 0, "labeling": "fast"}}}', "'teacher' needs training, in images a second"),
        ('{"rates": {"teacher": {"training": 1, "labeling": NaN}}}', "'teacher' needs labeling"),
    ],
)
def test_rates_that_make_no_sense_are_all_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rates.json").write_text(text)
    with pytest.raises(UserError) as caught:
        read_rates(tmp_path / "rates.json", config())
    assert said in str(caught.value)
    if "teacher" in text:
        assert len(caught.value.problems) >= 7  # three networks without any, and what is wrong with the teacher's
    with pytest.raises(UserError, match="cannot be read"):
        read_rates(tmp_path / "nowhere.json", config())


def test_what_is_taken_for_granted_is_said() -> None:
    chosen = config(known_classes=None)
    others = chosen.generations[0].model_copy(update={"teachers": ("previous", "large/")})
    said = " ".join(plan(chosen.model_copy(update={"generations": (others,)}), **SIZES)["assumptions"])
    assert "labeling by large/ is not in it" in said
    assert "500 x 375 pixels" in said
    known = configure("photos-fast").model_copy(update={"known_classes": KnownClasses()})
    assert "frozen features are right on 85 %" in " ".join(plan(known, **SIZES)["assumptions"])


def test_a_network_that_fits_nowhere_has_no_time_and_the_run_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("noisystudent.estimate.cost_an_image", lambda *_: Cost(10, 100, 1000, 1e6))
    found = plan(config(), **SIZES)
    assert (found["seconds"], found["hours"], found["worker_hours"]) == (None, None, None)
    assert {row["seconds"] for row in found["stages"]} == {None}
    assert found["rates"]["teacher"] == {"training": None, "labeling": None}
    show_plan(found)
    assert "it does not fit into the memory here" in " ".join(capsys.readouterr().out.split())


def test_a_person_reads_hours_workers_storage_and_what_is_not_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(plan(config(), **SIZES, workers=4))
    shown = " ".join(capsys.readouterr().out.split())
    threads = torch.get_num_threads()
    assert "mine: 1,000 labeled and 3,000,000 unlabeled images, 1,000 classes" in shown
    assert "in all 22 worker-hours: 5.5 h with 4 of them" in shown  # 79,326 s
    assert f"a worker is a processor with {threads} thread" in shown
    assert "labels of 6,000,000 images: 12.2 GB" in shown
    assert "- not in it:" in shown


@pytest.mark.parametrize("words", [["--unlabeled", "5"], ["--labeled", "0", "--unlabeled", "5", "--classes", "3"]])
def test_numbers_are_needed(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["plan", *words]).exit_code == 2


def test_what_is_kept_is_what_is_counted() -> None:
    config = configure("imagenet-b0", settings=["generations.0.top_k=10"])
    stored = storage(config, 300 * MILLION, 1000)
    assert stored["written"] == stored["top_10"] < stored["float16"] / 15
    assert stored["while_training"] == 300 * MILLION * 10 * (4 + 2)
