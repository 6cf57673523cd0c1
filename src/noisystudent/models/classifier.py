"""A classifier: a network with its class names and how it wants its images; loaded from and saved to a timm folder."""

from __future__ import annotations

import difflib
import functools
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor, nn

from noisystudent import atomic
from noisystudent.config import Execution, Training
from noisystudent.data.ahead import ahead
from noisystudent.data.given_images import GivenImage, each_of, given_pixels
from noisystudent.device import batches, full_fp32
from noisystudent.errors import UserError
from noisystudent.models.fitting import in_parts_that_fit
from noisystudent.models.probabilities import finite_probabilities
from noisystudent.models.weights import find_weights, pretrained, ways_out


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its images.

    Args:
        image_size: side in pixels.
        channels: 1 or 3.
        crop_pct: share of the short side kept by the centered square crop.
        mean, std: per channel, of pixel values in [0, 1].
    """

    image_size: int
    channels: int
    crop_pct: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalize(self, images: Tensor) -> Tensor:
        """uint8 [N, C, H, W] in 0..255 to float32, zero mean and unit variance, in channels-last memory."""
        mean, std = (_of_channels(values, images.device) for values in (self.mean, self.std))
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


@functools.lru_cache(maxsize=64)
def _of_channels(values: tuple[float, ...], device: torch.device) -> Tensor:
    """A value a channel in 0..255, [1, C, 1, 1]; copied to a GPU once and not in every step, which would be waited for."""
    with torch.inference_mode(False):  # an attack asks for gradients through it
        return torch.tensor(values, device=device).view(1, -1, 1, 1) * 255


@dataclass(frozen=True)
class Classifier:
    """A network and what it needs to be used: `predict("photo.jpg")`.

    Args:
        network: from float [N, C, S, S] to logits [N, classes].
        class_names: one a logit, in order.
        preprocessing: how images become its input.
        architecture: timm's name.
        model_args: what timm.create_model was given beside the number of classes.

    Example:
        >>> view = Preprocessing(image_size=8, channels=3, crop_pct=1.0, mean=(0.0,) * 3, std=(1.0,) * 3)
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(8 * 8 * 3, 2)).eval()
        >>> classifier = Classifier(network, ("cat", "dog"), view, "linear", {})
        >>> image = Image.new("RGB", (40, 30))
        >>> classifier.predict_proba(image).shape, classifier.predict_proba([image, image]).shape
        ((2,), (2, 2))
        >>> classifier.predict(image) in classifier.class_names
        True
    """

    network: nn.Module
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    architecture: str
    model_args: dict[str, Any]

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """Un-noised: uint8 [N, C, S, S] to float32 [N, classes]. The network must be in evaluation mode."""
        assert not self.network.training, "a classifier labels without noise"
        device = next(self.network.parameters()).device
        with full_fp32():
            return in_parts_that_fit(
                self.network, images, lambda part: self.network(self.preprocessing.normalize(part.to(device))).float()
            )

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """What the last layer is given, un-noised: uint8 [N, C, S, S] to float32 [N, D]. The network must be in evaluation mode."""
        assert not self.network.training, "a classifier embeds without noise"
        network: Any = self.network
        device = next(network.parameters()).device

        def embed(part: Tensor) -> Tensor:
            pixels = self.preprocessing.normalize(part.to(device))
            found: Tensor = network.forward_head(network.forward_features(pixels), pre_logits=True)
            return found.float()

        with full_fp32():
            return in_parts_that_fit(network, images, embed)

    @overload
    def predict(  # type: ignore[overload-overlap]  # a text is one path, though it is a sequence of texts as well
        self, images: str | os.PathLike[str] | bytes | Image.Image
    ) -> str: ...

    @overload
    def predict(self, images: np.ndarray | Tensor) -> str | list[str]: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, images: Iterable[GivenImage]) -> list[str]: ...

    def predict(self, images: GivenImage | Iterable[GivenImage]) -> str | list[str]:
        """The most probable class: its name for one image, a list of names for many. For images, see `predict_proba`.

        Raises:
            UserError: naming the images that cannot be read.
        """
        probabilities = self.predict_proba(images)
        if probabilities.ndim == 1:
            return self.class_names[int(probabilities.argmax())]
        return [self.class_names[label] for label in probabilities.argmax(axis=1).tolist()]

    def predict_proba(self, images: GivenImage | Iterable[GivenImage]) -> np.ndarray:
        """The probability of each class, in the order of `class_names`, computed in fp32 where the network lies.

        What is read is cut and resized as `noisystudent.predict` does, which is for folders and tables, and for what does not fit into
        memory. A large JPEG is decoded at a fraction of its size; from pixels that another program decoded the last digits may differ.

        Args:
            images: one: a path, encoded bytes, a picture of Pillow's, an array [H, W] or [H, W, C], a tensor [H, W] or [C, H, W], with 1, 3
                or 4 channels, uint8 or floats between 0 and 1; or many: a list of them, an array [N, H, W, C], a tensor [N, C, H, W].

        Returns:
            float64 [classes] for one image, [N, classes] for many.

        Raises:
            UserError: naming the images that cannot be read.
        """
        return self._of_given(images, lambda pixels: finite_probabilities(self.logits(pixels)))

    def embed(self, images: GivenImage | Iterable[GivenImage]) -> np.ndarray:
        """What the network hands to its last layer: float32 [D] for one image, [N, D] for many, which are given as to `predict_proba`."""
        return self._of_given(images, lambda pixels: self.features(pixels).cpu().numpy())

    def _of_given(
        self, images: GivenImage | Iterable[GivenImage], answer: Callable[[Tensor], np.ndarray]
    ) -> np.ndarray:
        """What `answer` says of the pixels uint8 [n, C, S, S] of images, batch after batch; of one image without the first axis."""
        given, is_one = each_of(images)
        view, device = self.preprocessing, next(self.network.parameters()).device
        execution = Execution(device=device.type)

        def read(rows: np.ndarray) -> Tensor:
            batch = [given[row] for row in rows]
            return given_pixels(batch, view, first=int(rows[0]) if len(rows) else 0, threads=execution.decoders)

        cut = batches(np.arange(len(given)), view.image_size, execution) if given else [np.arange(0)]
        answers = np.concatenate([answer(pixels) for _, pixels in ahead(cut, read, device)])
        return answers[0] if is_one else answers

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`, which `timm.create_model("local-dir:...", pretrained=True)` opens."""
        with atomic.replacing_folder(Path(folder)) as temporary:
            (temporary / "model.safetensors").write_bytes(self.weights())
            (temporary / "config.json").write_text(json.dumps(self._timm_config(), indent=2, ensure_ascii=False))

    def weights(self) -> bytes:
        """The network's weights as a safetensors file."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        return save(tensors, metadata={"format": "pt"})

    def _timm_config(self) -> dict[str, Any]:
        view = self.preprocessing
        return {
            "architecture": self.architecture,
            "num_classes": len(self.class_names),
            "num_features": self.network.num_features,
            "label_names": list(self.class_names),
            "model_args": {**self.model_args, "in_chans": view.channels},
            "pretrained_cfg": {
                **_layer_names(self.network),
                "num_classes": len(self.class_names),
                "input_size": [view.channels, view.image_size, view.image_size],
                "crop_pct": view.crop_pct,
                "crop_mode": "center",
                "interpolation": "bicubic",
                "mean": list(view.mean),
                "std": list(view.std),
                "fixed_input_size": False,
            },
        }


def _layer_names(network: nn.Module) -> dict[str, Any]:
    """Where timm finds the first convolution and the classifier, to adapt them to other images and classes."""
    known: dict[str, Any] = network.pretrained_cfg  # type: ignore[assignment]  # timm sets it on every model
    return {key: known[key] for key in ("first_conv", "classifier") if known.get(key)}


def build_classifier(
    training: Training,
    *,
    class_names: Sequence[str],
    channels: int,
    mean: Sequence[float],
    std: Sequence[float],
    seed: int,
) -> Classifier:
    """A new network as `training` describes it, its weights drawn with `seed` or, when asked for, pretrained.

    A pretrained network keeps the normalization that it was trained with; `mean` and `std` are for those from scratch.

    Raises:
        UserError: timm does not have the model, or it does not take the arguments.
    """
    check_model_name(training.model)
    drops = {"drop_rate": training.drop_rate, "drop_path_rate": training.drop_path_rate}
    arguments = {**training.model_args, **{key: rate for key, rate in drops.items() if rate}}  # not every network drops
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = {"num_classes": len(class_names), "in_chans": channels, **arguments}
        try:
            network: Any = (
                pretrained(training.model, find_weights(training.model, training.weights), **shape)
                if training.pretrained
                else timm.create_model(training.model, **shape)
            )
        except Exception as error:  # wrong arguments, no weights, no network: each an error of its own kind
            raise UserError(_why_not_created(training, arguments, error)) from error
    if training.pretrained:
        if network.pretrained_cfg["num_classes"] != len(class_names):
            _zero(network.get_classifier())
        mean, std = network.pretrained_cfg["mean"][:channels], network.pretrained_cfg["std"][:channels]
    view = Preprocessing(training.image_size, channels, training.crop_pct, tuple(mean), tuple(std))
    # Noise belongs to training, not to the model that is handed on: a folder opens without it.
    kept = {key: value for key, value in arguments.items() if key not in ("drop_rate", "drop_path_rate")}
    architecture: str = getattr(network, "pretrained_cfg", {}).get("architecture") or training.model
    return Classifier(network.to(memory_format=torch.channels_last), tuple(class_names), view, architecture, kept)


def _zero(head: nn.Module) -> None:
    """Have a new classifier on pretrained layers begin without an opinion (Kolesnikov et al. 2020, arXiv 1912.11370, section 3.3).

    A random one, which timm draws wide for few classes, first teaches the layers below it what undoes its errors.
    """
    for parameter in head.parameters():
        nn.init.zeros_(parameter)


def load_weights(classifier: Classifier, folder: Path) -> None:
    """Give a network the weights of a saved model of the same architecture and classes."""
    classifier.network.load_state_dict(load_file(folder / "model.safetensors"))


def _why_not_created(training: Training, arguments: dict[str, Any], error: Exception) -> str:
    weights = "pretrained weights and " if training.pretrained else ""
    message = f"model {training.model}: timm cannot create it with {weights}{arguments}: {error}"
    wrong_arguments = isinstance(error, TypeError)  # other weights do not help against these
    return f"{message}.{ways_out()}" if training.pretrained and not wrong_arguments else message


def check_model_name(name: str) -> None:
    """Raise UserError, with the nearest names, when timm has no such model."""
    if name.startswith(("hf-hub:", "local-dir:")) or timm.is_model(name.split(".")[0]):
        return
    close = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.4)
    hint = f"; the nearest are {', '.join(close)}" if close else "; `timm.list_models()` lists what there is"
    raise UserError(f"there is no model {name!r} in timm {timm.__version__}{hint}")


def check_modules(training: Training, names: Sequence[str]) -> None:
    """Raise UserError when the network that `training` describes lacks one of the named modules; no weights are made."""
    if not names:
        return
    check_model_name(training.model)
    with torch.device("meta"):
        network = timm.create_model(training.model, **training.model_args)
    known = [name for name, _ in network.named_modules() if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        first = [name for name, _ in network.named_children()]
        close = {near for name in unknown for near in difflib.get_close_matches(name, known, n=1)}
        hint = f"did you mean {', '.join(sorted(close))}" if close else f"its parts are {', '.join(first)}"
        raise UserError(f"resolution_fix.frozen: {training.model} has no module {', '.join(unknown)}; {hint}")


def check_single_image(training: Training, channels: int) -> None:
    """Raise UserError when the network that `training` describes cannot learn from one image a step; no weights are made.

    BatchNorm in training compares the values of a channel, and of one image in a map of one pixel there is one value.
    """
    check_model_name(training.model)
    side = training.image_size
    with torch.device("meta"):
        try:
            network = timm.create_model(training.model, in_chans=channels, **training.model_args).train()
            network(torch.zeros(1, channels, side, side))
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                return
            raise UserError(
                f"one image a step is too few: at {side} pixels {training.model} has BatchNorm over maps of one pixel, "
                "which compares images with each other: set batch_size to 2 or more"
            ) from None
        except Exception:  # that it cannot be built is told, with all that is known then, when it is
            return
