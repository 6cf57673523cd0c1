import json
import shutil
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import timm
import torch
from torch import nn

from noisystudent.config import Training
from noisystudent.errors import UserError
from noisystudent.models.classifier import (
    Classifier,
    Preprocessing,
    build_classifier,
    check_model_name,
    load_classifier,
    model_identity,
)

NAMES = ('Ünder, "quoted"', "cat", "dog")


def build(model: str = "resnet9_8", *, channels: int = 1, size: int = 16, **settings: object) -> Classifier:
    training = Training(model=model, image_size=size, crop_pct=0.9, **settings)  # type: ignore[arg-type]
    mean, std = [0.3, 0.4, 0.5][:channels], [0.2, 0.25, 0.3][:channels]
    return build_classifier(training, class_names=NAMES, channels=channels, mean=mean, std=std, seed=1)


def trained(model: str = "resnet9_8", **settings: object) -> Classifier:
    """With statistics that are not those of a new network."""
    classifier = build(model, **settings)  # type: ignore[arg-type]
    draw = torch.Generator().manual_seed(0)
    for module in classifier.network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=draw) * 0.1)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=draw) + 0.5)
    classifier.network.eval()
    return classifier


def pictures(classifier: Classifier, n: int = 3) -> torch.Tensor:
    view = classifier.preprocessing
    shape = (n, view.channels, view.image_size, view.image_size)
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize(
    ("model", "channels", "size"),
    [("resnet9_8", 1, 16), ("wrn_16_2", 3, 32), ("test_resnet", 3, 32), ("test_efficientnet", 1, 32)],
)
def test_a_saved_model_opens_in_timm_and_gives_the_same_logits(
    tmp_path: Path, model: str, channels: int, size: int
) -> None:
    classifier = trained(model, channels=channels, size=size, drop_rate=0.3, drop_path_rate=0.2)
    classifier.save(tmp_path / "model")
    images = pictures(classifier)
    wanted = classifier.logits(images)

    opened = timm.create_model(f"local-dir:{tmp_path / 'model'}", pretrained=True).eval()
    cfg = opened.pretrained_cfg
    mean, std = (np.array(cfg[key], dtype=np.float32).reshape(1, -1, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        logits = opened((images / 255 - torch.from_numpy(mean)) / torch.from_numpy(std))
    assert torch.allclose(logits, wanted, atol=1e-5, rtol=1e-5)
    for name, tensor in classifier.network.state_dict().items():
        assert torch.equal(opened.state_dict()[name], tensor), name

    loaded = load_classifier(str(tmp_path / "model"))
    assert torch.equal(loaded.logits(images), wanted)
    assert loaded.preprocessing == classifier.preprocessing
    assert loaded.class_names == NAMES
    assert loaded.architecture == model
    assert cfg["label_names"] == list(NAMES)


def test_the_folder_opens_without_the_noise_of_training(tmp_path: Path) -> None:
    trained("wrn_16_2", channels=3, size=32, drop_rate=0.3, drop_path_rate=0.5).save(tmp_path / "model")
    network = load_classifier(str(tmp_path / "model")).network.train()
    assert network.drop_rate == 0
    assert all(module.drop_prob == 0 for module in network.modules() if hasattr(module, "drop_prob"))


def test_model_args_are_kept_even_when_they_are_false_or_0(tmp_path: Path) -> None:
    classifier = build("resnet9_16", model_args={"blocks": [0, 0, 0], "width": 4})
    assert sum(isinstance(m, nn.Conv2d) for m in classifier.network.modules()) == 4
    classifier.network.eval()
    classifier.save(tmp_path / "model")
    loaded = load_classifier(str(tmp_path / "model"))
    assert loaded.model_args == {"blocks": [0, 0, 0], "width": 4}
    loaded.save(tmp_path / "again")
    again = load_classifier(str(tmp_path / "again"))
    images = pictures(classifier)
    assert torch.equal(again.logits(images), classifier.logits(images))
    # a value that is false is not the default's
    with_bias = build("test_vit", channels=3, size=160).network
    without = build("test_vit", channels=3, size=160, model_args={"qkv_bias": False}).network
    assert with_bias.blocks[0].attn.qkv.bias is not None
    assert without.blocks[0].attn.qkv.bias is None


def test_noise_settings_reach_the_network() -> None:
    network = build("wrn_16_2", channels=3, size=32, drop_rate=0.3, drop_path_rate=0.6).network
    assert network.drop_rate == 0.3
    assert max(m.drop_prob for m in network.modules() if hasattr(m, "drop_prob")) == pytest.approx(0.6 * 5 / 6)


def test_the_seed_decides_the_weights_and_nothing_else_is_drawn() -> None:
    state = torch.random.get_rng_state()
    training = Training(model="resnet9_8")
    weights = [
        build_classifier(training, class_names="ab", channels=1, mean=[0.5], std=[0.5], seed=seed).network.state_dict()
        for seed in (1, 1, 2)
    ]
    assert torch.equal(weights[0]["fc.weight"], weights[1]["fc.weight"])
    assert not torch.equal(weights[0]["fc.weight"], weights[2]["fc.weight"])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_normalization_takes_bytes_to_zero_mean_and_unit_variance() -> None:
    view = Preprocessing(4, 3, 1.0, (0.1, 0.5, 0.9), (0.2, 0.25, 0.5))
    images = torch.arange(2 * 3 * 16, dtype=torch.uint8).view(2, 3, 4, 4)
    ours = view.normalize(images)
    for c in range(3):
        reference = (images[:, c].numpy() / 255.0 - view.mean[c]) / view.std[c]
        assert np.allclose(ours[:, c].numpy(), reference, atol=1e-5)
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_a_network_in_training_mode_does_not_label() -> None:
    classifier = build()
    with pytest.raises(AssertionError, match="without noise"):
        classifier.logits(pictures(classifier))


def run_folder(path: Path) -> Path:
    classifier = trained()
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


@pytest.mark.parametrize(
    ("wrong", "right"), [("reset18", "resnet18"), ("wrn_16_3", "wrn_16_2"), ("resnet9-16", "resnet9_16")]
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    for attempt in (check_model_name, load_classifier, build):
        with pytest.raises(UserError) as caught:
            attempt(wrong)
        assert repr(wrong) in str(caught.value)
        assert right in str(caught.value)


def test_a_name_like_no_other_is_answered_with_where_to_look() -> None:
    with pytest.raises(UserError, match="list_models"):
        check_model_name("§§§§")


def test_known_names_tags_and_hub_names_pass() -> None:
    for name in ("resnet18", "resnet18.a1_in1k", "hf-hub:owner/name", "resnet9_8"):
        check_model_name(name)


def test_arguments_that_a_network_does_not_take_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"wrn_16_2.*colour"):
        build("wrn_16_2", model_args={"colour": 3})
    with pytest.raises(UserError, match=r"wrn_16_2.*No pretrained weights"):
        build("wrn_16_2", pretrained=True)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As with HF_HUB_OFFLINE=1 and nothing in the cache; the variable itself is read when the library is imported."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("model", ["test_resnet", "hf-hub:owner/name"])
def test_without_a_network_pretrained_weights_are_one_clear_error(model: str) -> None:
    with pytest.raises(UserError) as caught:
        load_classifier(model)
    assert len(caught.value.problems) == 1
    assert f"the model {model} cannot be opened" in str(caught.value)


@pytest.mark.usefixtures("offline")
def test_without_a_network_a_pretrained_student_is_one_clear_error() -> None:
    with pytest.raises(UserError, match="model test_resnet: timm cannot create it with pretrained weights") as caught:
        build("test_resnet", channels=3, size=160, pretrained=True)
    assert len(caught.value.problems) == 1


def test_classes_without_names_are_numbers_and_a_thousand_are_imagenets(tmp_path: Path) -> None:
    classifier = trained()
    classifier.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["label_names"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load_classifier(str(tmp_path)).class_names == ("0", "1", "2")

    training = Training(model="resnet9_8")
    names = [str(i) for i in range(1000)]
    big = build_classifier(training, class_names=names, channels=1, mean=[0.5], std=[0.5], seed=0)
    big.save(tmp_path / "big")
    config = json.loads((tmp_path / "big/config.json").read_text())
    del config["label_names"]
    (tmp_path / "big/config.json").write_text(json.dumps(config))
    names = load_classifier(str(tmp_path / "big")).class_names
    assert (names[0], names[999]) == ("n01440764", "n15075141")
