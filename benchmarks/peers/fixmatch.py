"""FixMatch as semilearn 0.3.2 implements it, on a processor: prints {"top1": ..., "seconds": ..., "steps": ..., "passes": ...}.

    PYTHON benchmarks/peers/fixmatch.py --config run/config.toml --seconds 60
    PYTHON benchmarks/peers/fixmatch.py --config run/config.toml --seconds 60 --passes 1000000 --set batch_size=32 --set learning_rate=0.03

PYTHON has noisystudent and `pip install --no-deps semilearn==0.3.2 ruamel.yaml progress`. The images, the network, the images a step, the
optimizer, the precision and the strong noise are those of the last student in config.toml, but for what `--set` changes; the weak noise is
a shift by an eighth of a side, and the student's mirroring; the rest (threshold 0.95, hard labels, cosine schedule) is semilearn's. Of two
lengths it trains for the longer. A pass is one image once through the network: a labeled one passes once, one without label twice, weakly
and strongly noised. semilearn's own trainer needs CUDA; its algorithm and its update do not.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import Tensor, nn

from noisystudent.config import Config, Execution, Noise, Training, load_config
from noisystudent.config.settings import apply_settings
from noisystudent.data.images import image_set
from noisystudent.data.joint_batches import ShuffledStream
from noisystudent.data.sources import read_source
from noisystudent.device import compute_device, training_precision
from noisystudent.models.classifier import Preprocessing, build_classifier
from noisystudent.noise.input_noise import add_input_noise
from noisystudent.seeds import derive_seed

# semilearn imports these for trackers, text, sound and medical images; none of them is used here.
UNUSED = ["aim", "wandb", "torchaudio", "skimage", "skimage.util", "tensorboard", "torch.utils.tensorboard"]
UNUSED += ["transformers", "transformers.data", "transformers.file_utils", "transformers.tokenization_utils_base"]
sys.modules |= {name: MagicMock() for name in UNUSED}

TRIAL_STEPS = 100  # to find out how many steps fit into the time
Batch = dict[str, Tensor]


class WithFeatures(nn.Module):
    """A network of ours as semilearn wants it: logits and features in a dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        network: Any = self.network
        features = network.forward_head(network.forward_features(images), pre_logits=True)
        return {"logits": network.get_classifier()(features), "feat": features}


def load(config: Config, training: Training) -> dict[str, tuple[Tensor, Tensor]]:
    """All pictures and labels of each part, at the network's size."""
    parts = {}
    for part in ("labeled", "unlabeled", "test"):
        manifest = read_source(getattr(config.data, part), split=part, labels="required")
        pixels = image_set(manifest, config.view(training), config.execution).fetch(np.arange(len(manifest)))
        parts[part] = (pixels, torch.from_numpy(manifest.labels).long())
    return parts


def batches(training: Training, parts: dict[str, tuple[Tensor, Tensor]], view: Preprocessing, seed: int) -> Any:
    """A function from a step to its batch, drawn and noised as ours are."""
    count = {"labeled": training.batch_size, "unlabeled": training.unlabeled_batch_size}
    weak = Noise(crop="pad", crop_padding=training.image_size // 8, flip=training.noise.flip, randaugment=None)
    streams = {part: ShuffledStream(np.arange(len(parts[part][0])), seed=derive_seed(seed, part)) for part in count}

    def noised(images: Tensor, noise: Noise, step: int, purpose: str) -> Tensor:
        return view.normalize(add_input_noise(images, noise, seed=derive_seed(seed, purpose, step)))

    def batch(step: int) -> Batch:
        rows = {p: torch.from_numpy(stream.take(step * count[p], count[p])) for p, stream in streams.items()}
        unlabeled = parts["unlabeled"][0][rows["unlabeled"]]
        return {
            "x_lb": noised(parts["labeled"][0][rows["labeled"]], weak, step, "labeled"),
            "y_lb": parts["labeled"][1][rows["labeled"]],
            "x_ulb_w": noised(unlabeled, weak, step, "weak"),
            "x_ulb_s": noised(unlabeled, training.noise, step, "strong"),
        }

    return batch


def trained(
    algorithm_name: str,
    training: Training,
    execution: Execution,
    build: Callable[..., nn.Module],
    batch: Callable[[int], Batch],
    steps: int,
) -> Any:
    """Train for `steps` steps by one of semilearn's algorithms, `fixmatch` or `pseudolabel`; its averaged weights put into its model."""
    from semilearn.algorithms import get_algorithm  # type: ignore[import-not-found]
    from semilearn.core.hooks import EMAHook, ParamUpdateHook  # type: ignore[import-not-found]

    given = {
        "algorithm": algorithm_name,
        "dataset": "none",
        "num_classes": 10,
        "num_labels": 1,
        "data_dir": "",
        "epoch": 1,
    }
    given |= {"num_train_iter": steps, "num_warmup_iter": 0, "num_eval_iter": steps, "num_log_iter": steps}
    given |= {"include_lb_to_ulb": True, "batch_size": training.batch_size, "uratio": training.unlabeled_ratio}
    given |= {
        "ema_m": training.ema_decay,
        "ulb_loss_ratio": 1.0,
        "hard_label": True,
        "T": 0.5,
        "p_cutoff": 0.95,
        "unsup_warm_up": 0.4,
    }
    given |= {"optim": "SGD", "lr": training.learning_rate, "momentum": training.momentum, "layer_decay": 1.0}
    given |= {"weight_decay": training.weight_decay, "use_cat": True, "amp": False, "clip_grad": 0.0}
    given |= {"use_pretrain": False, "pretrain_path": "", "save_name": "", "save_dir": "", "resume": False}
    given |= {"gpu": None, "rank": 0, "distributed": False, "world_size": 1, "use_wandb": False, "use_aim": False}
    algorithm = get_algorithm(Namespace(**given), build, None, None)
    algorithm.amp_cm = lambda: training_precision(execution, compute_device(execution))
    algorithm.model.train()
    update, average = ParamUpdateHook(), EMAHook()
    average.before_run(algorithm)
    for step in range(steps):
        algorithm.out_dict, algorithm.log_dict = algorithm.train_step(**batch(step))
        update.after_train_step(algorithm)
        average.after_train_step(algorithm)
        algorithm.it += 1
    algorithm.ema.apply_shadow()
    return algorithm


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="config.toml of one of our runs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="of the last student's training"
    )
    parser.add_argument("--seconds", type=float, default=0, help="train at least so long")
    parser.add_argument(
        "--passes", type=int, default=0, help="pass at least so many images through the network in training"
    )
    options = parser.parse_args()
    if not (options.seconds or options.passes):
        parser.error("give --seconds, --passes or both")
    return options


def main() -> None:
    options = arguments()
    config = load_config(options.config)
    last = f"generations.{len(config.generations) - 1}.student"
    config = apply_settings(config, [f"{last}.{setting}" for setting in options.set])
    training, execution = config.generations[-1].student, config.execution
    parts = load(config, training)
    pixels = parts["labeled"][0].float() / 255
    mean, std = (tuple(of(pixels, dim=(0, 2, 3)).tolist()) for of in (torch.mean, torch.std))
    view = Preprocessing(training.image_size, config.data.channels, training.crop_pct, mean, std)
    images, labels = parts["test"]

    def build(**_: Any) -> nn.Module:
        classifier = build_classifier(
            training,
            class_names=[str(number) for number in range(int(labels.max()) + 1)],
            channels=config.data.channels,
            mean=mean,
            std=std,
            seed=config.seed,
        )
        return WithFeatures(classifier.network)

    batch = batches(training, parts, view, config.seed)
    trained("fixmatch", training, execution, build, batch, 3)  # what is only done once
    passes = training.batch_size + 2 * training.unlabeled_batch_size
    steps = math.ceil(options.passes / passes)
    if options.seconds:
        start = time.monotonic()
        trained("fixmatch", training, execution, build, batch, TRIAL_STEPS)
        steps = max(steps, math.ceil(options.seconds * TRIAL_STEPS / (time.monotonic() - start)))
    torch.manual_seed(config.seed)  # dropout
    start = time.monotonic()
    algorithm = trained("fixmatch", training, execution, build, batch, steps)
    spent = {"seconds": time.monotonic() - start, "steps": steps, "passes": steps * passes}
    with torch.inference_mode():
        network = algorithm.model.eval()
        predicted = torch.cat([network(view.normalize(part))["logits"].argmax(dim=1) for part in images.split(500)])
    print(json.dumps({"top1": 100 * (predicted == labels).float().mean().item(), **spent}))


if __name__ == "__main__":
    main()
