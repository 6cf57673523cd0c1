"""scikit-learn's conventions, as far as images allow."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from user_inputs import picture, quick

import noisystudent as ns
from noisystudent.errors import UserError
from noisystudent.sklearn_classifier import NoisyStudentClassifier

NAMES = np.array(["bars", "disk"])
TRUTH = np.arange(48) % 2
IMAGES = [picture(NAMES[label], number) for number, label in enumerate(TRUTH)]
KNOWN = np.where(np.arange(48) < 20, TRUTH, -1)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "quick.toml"
    path.write_text(quick("data.val_fraction=0.0", generations=1).to_toml())
    return path


@pytest.fixture(scope="module")
def fitted(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> NoisyStudentClassifier:
    out = tmp_path_factory.mktemp("fitted")
    return NoisyStudentClassifier(recipe, out=out, random_state=3).fit(IMAGES, KNOWN)


def test_it_learns_from_images_with_and_without_labels(fitted: NoisyStudentClassifier) -> None:
    assert fitted.classes_.tolist() == [0, 1]
    probabilities = fitted.predict_proba(IMAGES)
    assert (probabilities.shape, probabilities.sum(axis=1)) == ((48, 2), pytest.approx(np.ones(48)))
    assert (fitted.predict(IMAGES) == probabilities.argmax(axis=1)).all()
    assert fitted.score(IMAGES, TRUTH) == (fitted.predict(IMAGES) == TRUTH).mean()
    assert [row["name"] for row in fitted.results_["rows"]] == ["teacher", "student 1"]
    assert (fitted.transduction_[:20] == TRUTH[:20]).all()
    assert set(fitted.transduction_[20:].tolist()) <= {-1, 0, 1}
    assert (fitted.transduction_[20:] != -1).any()


def test_it_is_what_the_run_on_files_gives(fitted: NoisyStudentClassifier, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "unlabeled").mkdir()
    for number, (label, image) in enumerate(zip(KNOWN, IMAGES, strict=True)):
        folder = tmp_path / ("unlabeled" if label < 0 else f"labeled/{label}")
        folder.mkdir(parents=True, exist_ok=True)
        image.save(folder / f"{number}.png")
    paths = [next(tmp_path.rglob(f"{number}.png")) for number in range(48)]
    by_paths = clone(fitted).set_params(out=None).fit([str(path) for path in paths], KNOWN)
    assert (by_paths.predict_proba(paths) == fitted.predict_proba(IMAGES)).all()
    assert by_paths.classifier_.class_names == ("0", "1")


def test_a_fit_in_a_folder_goes_on_and_is_not_taken_for_another(
    fitted: NoisyStudentClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(fitted.out) / "run"
    stamp = (run / "best" / "model" / "model.safetensors").stat().st_mtime_ns
    again = clone(fitted).fit(IMAGES, KNOWN)
    assert (run / "best" / "model" / "model.safetensors").stat().st_mtime_ns == stamp
    assert (again.predict_proba(IMAGES) == fitted.predict_proba(IMAGES)).all()
    assert (run / "report.html").is_file()
    with pytest.raises(UserError, match="holds a fit on other images or labels"):
        clone(fitted).fit(IMAGES[::-1], KNOWN)
    assert capsys.readouterr() == ("", "")


def test_every_form_of_the_images_is_the_same_data(recipe: Path) -> None:
    arrays = np.stack([np.asarray(image) for image in IMAGES])
    forms: list[tuple[Any, dict[str, Any]]] = [
        (IMAGES, {}),
        (arrays, {}),
        (arrays / 255, {}),
        (torch.from_numpy(arrays).movedim(-1, 1), {}),
        (arrays.reshape(48, -1), {"image_shape": (16, 16, 3)}),
    ]
    answers = []
    for X, options in forms:
        model = NoisyStudentClassifier(
            recipe, random_state=0, settings=["teacher.steps=2", "student.steps=2"], **options
        )
        answers.append(model.fit(X, KNOWN).predict_proba(X))
        assert hasattr(model, "n_features_in_") == bool(options)
    assert all((answer == answers[0]).all() for answer in answers)


def test_labels_may_be_text(recipe: Path) -> None:
    y = [str(NAMES[label]) if label >= 0 else -1 for label in KNOWN]
    for labels in (y, np.array(y, object)):
        model = NoisyStudentClassifier(recipe, random_state=0).fit(IMAGES, labels)
        assert model.classes_.tolist() == ["bars", "disk"]
        assert set(model.predict(IMAGES)) <= {"bars", "disk"}
        assert model.classifier_.class_names == ("bars", "disk")
        assert model.transduction_[:2].tolist() == ["bars", "disk"]
    with pytest.raises(UserError, match="y has dtype string"):
        NoisyStudentClassifier(recipe).fit(IMAGES, np.array(y))


def test_it_can_be_copied_and_kept(fitted: NoisyStudentClassifier) -> None:
    fresh = clone(fitted)
    assert not hasattr(fresh, "classes_")
    assert fresh.get_params() == fitted.get_params()
    kept = pickle.loads(pickle.dumps(fitted))
    assert (kept.predict_proba(IMAGES) == fitted.predict_proba(IMAGES)).all()


def test_it_takes_part_in_a_pipeline_and_in_cross_validation(recipe: Path) -> None:
    table = np.stack([np.asarray(image.convert("L"), float).ravel() for image in IMAGES])
    model = NoisyStudentClassifier(recipe, settings=["data.channels=1"], image_shape=(16, 16), random_state=0)
    pipeline = make_pipeline(MinMaxScaler(clip=True), model)
    pipeline.fit(table, KNOWN)
    assert pipeline.predict(table).shape == (48,)
    smaller = FunctionTransformer(lambda images: [image.resize((12, 12)) for image in images])
    scores = cross_val_score(make_pipeline(smaller, clone(model)), IMAGES, TRUTH, cv=2)
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_without_unlabeled_images_there_is_a_teacher_and_a_warning(recipe: Path) -> None:
    with pytest.warns(UserWarning, match="y contains no unlabeled samples"):
        model = NoisyStudentClassifier(recipe, random_state=0).fit(IMAGES, TRUTH)
    assert [row["name"] for row in model.results_["rows"]] == ["teacher"]
    assert (model.transduction_ == TRUTH).all()


@pytest.mark.parametrize(
    ("X", "y", "said"),
    [
        (IMAGES, KNOWN[:-1], "X has 48 images, and y 47 labels"),
        (IMAGES, np.full(48, -1), "y has 0 class"),
        (IMAGES, np.where(KNOWN == 0, 0, -1), "y has 1 class"),
        (IMAGES, KNOWN + 0.5, "Unknown label type"),
        (IMAGES, np.where(KNOWN < 0, np.nan, KNOWN), "Input y contains NaN"),
        (IMAGES, np.stack([KNOWN, KNOWN]), "y should be a 1d array"),
        (IMAGES, None, "y is None"),
        (np.zeros((48, 4)), KNOWN, "say with image_shape"),
        ("folder", KNOWN, "X is one image"),
        ([*IMAGES[1:], "nowhere.png"], KNOWN, r"X\[47\]: missing file"),
        ([np.full((4, 4), 16.0), *IMAGES[1:]], KNOWN, r"X\[0\]: floats are taken between 0 and 1"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(X: Any, y: Any, said: str, recipe: Path) -> None:
    with pytest.raises(ValueError, match=said):
        NoisyStudentClassifier(recipe).fit(X, y)


def test_it_is_asked_only_when_fitted(fitted: NoisyStudentClassifier) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        ns.NoisyStudentClassifier().predict(IMAGES)
    with pytest.raises(UserError, match="say with image_shape"):
        fitted.predict(np.zeros((2, 5)))
    assert fitted.predict([Image.new("RGB", (3, 3))]).shape == (1,)
