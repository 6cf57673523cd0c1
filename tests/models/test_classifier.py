import dataclasses
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn

from noisystudent.config import Training
from noisystudent.errors import UserError
from noisystudent.models.classifier import Classifier, Preprocessing, build_classifier, check_model_name
from noisystudent.models.loading import load_classifier

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
    with pytest.raises(UserError, match=r"wrn_16_2.*no pretrained weights"):
        build("wrn_16_2", pretrained=True)


@pytest.mark.usefixtures("offline")
def test_without_a_network_a_pretrained_student_is_one_clear_error() -> None:
    with pytest.raises(UserError, match="model test_resnet: timm cannot create it with pretrained weights") as caught:
        build("test_resnet", channels=3, size=160, pretrained=True)
    assert len(caught.value.problems) == 1


def test_a_new_classifier_on_pretrained_layers_begins_at_zero_and_a_fitting_one_is_kept(tmp_path: Path) -> None:
    saved = trained()
    saved.save(tmp_path / "model")
    model = f"local-dir:{tmp_path / 'model'}"
    kept = build(model, pretrained=True).network.state_dict()
    for name, value in saved.network.state_dict().items():
        assert torch.equal(kept[name], value), name

    other = Training(model=model, pretrained=True, image_size=16)
    new = build_classifier(other, class_names="ab", channels=1, mean=[0.5], std=[0.5], seed=0).network.state_dict()
    assert not new["fc.weight"].any()
    assert not new["fc.bias"].any()
    assert torch.equal(new["features.0.0.weight"], saved.network.state_dict()["features.0.0.weight"])


def test_a_classifier_without_pretrained_layers_begins_at_random() -> None:
    assert build().network.state_dict()["fc.weight"].any()


def test_a_classifier_is_asked_about_one_image_or_many(tmp_path: Path) -> None:
    classifier = trained(channels=3)
    drawn = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)
    classifier = dataclasses.replace(
        classifier, preprocessing=dataclasses.replace(classifier.preprocessing, crop_pct=1.0)
    )
    expected = torch.softmax(classifier.logits(torch.from_numpy(drawn).movedim(-1, 1)).double(), dim=1).numpy()
    names = [NAMES[label] for label in expected.argmax(axis=1)]
    for number, pixels in enumerate(drawn[:3]):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")

    assert classifier.predict_proba(drawn) == pytest.approx(expected, abs=1e-6)
    assert classifier.predict(drawn) == names
    assert classifier.predict([tmp_path / "1.png", str(tmp_path / "0.png"), Image.fromarray(drawn[2])]) == [
        names[1],
        names[0],
        names[2],
    ]
    assert classifier.predict(tmp_path / "1.png") == names[1]
    assert classifier.predict_proba(torch.from_numpy(drawn[1]).movedim(-1, 0)) == pytest.approx(expected[1], abs=1e-6)
    assert classifier.embed(drawn[:2]).shape == (2, classifier.network.num_features)
    assert classifier.embed(drawn[0]) == pytest.approx(classifier.embed(drawn[:2])[0], abs=1e-5)

    assert classifier.predict([]) == []
    assert classifier.predict_proba([]).shape == (0, 3)
    assert classifier.embed([]).shape == (0, classifier.network.num_features)
    with pytest.raises(UserError, match=r"nowhere\.png"):
        classifier.predict(["nowhere.png"])
