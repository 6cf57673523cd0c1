import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import nn

from noisystudent.config import Training
from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.models.loading import load_classifier, model_identity, stands_for


def new_classifier(names: Sequence[str]) -> Classifier:
    training = Training(model="resnet9_8", image_size=16)
    return build_classifier(training, class_names=names, channels=1, mean=[0.5], std=[0.5], seed=0)


def run_folder(path: Path) -> Path:
    classifier = new_classifier("abc")
    for name, fill in (("gen-0", 0.0), ("gen-1", 1.0)):
        nn.init.constant_(classifier.network.fc.bias, fill)
        classifier.save(path / name / "model")
    (path / "best").symlink_to("gen-1")
    return path


def test_a_model_is_found_by_its_run_its_generation_or_its_folder(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    for path, bias in (
        (run, 1.0),
        (run / "gen-0", 0.0),
        (run / "gen-1", 1.0),
        (run / "best", 1.0),
        (run / "gen-0" / "model", 0.0),
    ):
        assert load_classifier(str(path)).network.fc.bias.tolist() == [bias] * 3


def test_a_model_in_the_working_directory_needs_no_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_classifier("gen-0").network.fc.bias.tolist() == [0.0] * 3


def test_a_model_may_be_a_path_and_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_folder(tmp_path / "run")
    monkeypatch.setenv("HOME", str(tmp_path))
    for model in (run, Path("~/run"), "~/run"):
        assert model_identity(model, load_classifier(model))["model"] == stands_for(model) == str(run)


def test_identity_is_the_name_the_architecture_and_the_weights(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    identities = [model_identity(str(path), load_classifier(str(path))) for path in (run, run / "best", run / "gen-0")]
    assert [identity["architecture"] for identity in identities] == ["resnet9_8"] * 3
    assert identities[0]["sha256"] == identities[1]["sha256"] != identities[2]["sha256"]
    assert identities[0]["model"] == str(run)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda run: shutil.rmtree(run), "the path does not exist"),
        (lambda run: (shutil.rmtree(run), run.mkdir()), "holds no whole model"),
        (lambda run: (run / "gen-1/model/model.safetensors").unlink(), "holds no whole model"),
        (lambda run: (run / "gen-1/model/model.safetensors").write_bytes(b"\x08" * 100), "cannot be opened"),
        (lambda run: (run / "gen-1/model/config.json").write_text("{"), "cannot be opened"),
        (
            lambda run: (run / "gen-1/model/config.json").write_text('{"architecture": "no_such_net"}'),
            "cannot be opened",
        ),
    ],
    ids=["missing", "empty", "no-weights", "corrupt-weights", "corrupt-config", "unknown-architecture"],
)
def test_a_folder_that_holds_no_whole_model_is_the_users_mistake(tmp_path: Path, prepare: object, message: str) -> None:
    run = run_folder(tmp_path / "run")
    prepare(run)  # type: ignore[operator]
    with pytest.raises(UserError, match=message) as caught:
        load_classifier(str(run / "gen-1") if run.exists() and any(run.iterdir()) else str(run))
    assert str(run) in str(caught.value)
    assert len(caught.value.problems) == 1


def test_cut_off_weights_are_the_users_mistake(tmp_path: Path) -> None:
    weights = run_folder(tmp_path) / "gen-1/model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match="cannot be opened"):
        load_classifier(str(tmp_path))


def test_weights_of_another_network_are_the_users_mistake(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    config = json.loads((run / "gen-1/model/config.json").read_text())
    (run / "gen-1/model/config.json").write_text(json.dumps({**config, "architecture": "resnet9_16"}))
    with pytest.raises(UserError, match="cannot be opened"):
        load_classifier(str(run))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("model", ["test_resnet", "hf-hub:owner/name"])
def test_without_a_network_pretrained_weights_are_one_clear_error(model: str) -> None:
    with pytest.raises(UserError) as caught:
        load_classifier(model)
    assert len(caught.value.problems) == 1
    assert f"the model {model} cannot be opened" in str(caught.value)


def test_classes_without_names_are_numbers_and_a_thousand_are_imagenets(tmp_path: Path) -> None:
    classifier = new_classifier("abc")
    classifier.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["label_names"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load_classifier(str(tmp_path)).class_names == ("0", "1", "2")

    big = new_classifier([str(i) for i in range(1000)])
    big.save(tmp_path / "big")
    config = json.loads((tmp_path / "big/config.json").read_text())
    del config["label_names"]
    (tmp_path / "big/config.json").write_text(json.dumps(config))
    names = load_classifier(str(tmp_path / "big")).class_names
    assert (names[0], names[999]) == ("n01440764", "n15075141")


def test_a_network_that_lies_in_no_folder_is_told_by_its_weights() -> None:
    """However they lie in memory."""
    classifier = load_classifier("resnet10t", weights=False)
    known = model_identity("given", classifier)
    assert known == model_identity("given", classifier)
    nn.init.constant_(classifier.network.conv1[0].weight, 0.5)
    assert known["sha256"] != model_identity("given", classifier)["sha256"]
