"""How long a training step takes here beside other packages: the same network, images a step and precision, on one thread.

    PYTHON benchmarks/peer_speed.py

PYTHON has noisystudent and `pip install --no-deps semilearn==0.3.2 ruamel.yaml progress modssc==1.2.2`; who lacks one of them leaves its
rows out. Processor time of the whole process counts, of all that a training does; in turns, after one to warm up.

At 32 pixels all have the images in memory and learn from 128 a step, of which 96 (ModSSC's and those beside it: 64) have no label. Ours
noises them meanwhile (RandAugment, Cutout), semilearn is given noised batches, ModSSC takes its images as they are. FixMatch passes each
image without label twice, so that 224 pass a step. At 224 pixels JPEG files are decoded, cropped at random and augmented (RandAugment,
two operations of magnitude 9), by ours and by timm's own loader, 16 a step, with labels alone; ours keeps a moving average as well.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import timm
import torch
from seeded_runs import RESULTS
from throughput import CLASSES, STEPS, image_set, network, photo_noise, small_noise
from torch.nn import functional as F

from noisystudent import progress
from noisystudent.config import Execution, Training
from noisystudent.data.joint_batches import Examples
from noisystudent.training.loop import fit
from noisystudent.training.loss import label_targets
from noisystudent.training.optimizer import build_optimizer
from noisystudent.trial_reading import make_pictures

sys.path.insert(0, str(Path(__file__).parent / "peers"))
SMALL = Training(
    model="resnet9_16", image_size=32, batch_size=32, unlabeled_ratio=3.0, noise=small_noise(), steps=STEPS
)
HALF = SMALL.model_copy(update={"batch_size": 64, "unlabeled_ratio": 1.0})
LARGE = Training(
    model="efficientnet_b0",
    image_size=224,
    crop_pct=0.875,
    batch_size=16,
    noise=photo_noise(),
    steps=STEPS,
    warmup_steps=0,
)
FP32 = Execution(precision="fp32", device="cpu", workers=1)
Work = Callable[[], int]  # returns how many steps it took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trial", action="store_true", help="do not keep the table")
    options = parser.parse_args()
    progress.configure(quiet=True)
    torch.set_num_threads(1)
    lines = [
        f"`PYTHON benchmarks/peer_speed.py --repeats {options.repeats}`; torch {torch.__version__}, timm {timm.__version__}, one thread, "
        "in turns, median [min to max] of processor time",
        "",
        "| the other | ours, ms a step | the other, ms a step | ratio |",
        "|---|---|---|---|",
    ]
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as folder:
        for name, works in pairs(Path(folder)):
            lines.append(compared(name, *works, options.repeats))
            print(lines[-1], flush=True)
    if not options.trial:
        (RESULTS / "peer_speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def pairs(folder: Path) -> Iterator[tuple[str, tuple[Work, Work]]]:
    """The name of another package's work, ours and it; of those that are there."""
    small, large = folder / "small", folder / "large"
    for images, count, size, suffix in (
        (small, 2048, (32, 32), "png"),
        (large, STEPS * LARGE.batch_size, (400, 400), "jpg"),
    ):
        (images / "0").mkdir(parents=True)
        make_pictures(images / "0", count, size, suffix=suffix)
    if importlib.util.find_spec("semilearn"):
        for algorithm, name in (("pseudolabel", "pseudo-label"), ("fixmatch", "FixMatch")):
            yield f"semilearn 0.3.2, {name}, 32 px, resnet9_16", (learning(SMALL, small), semilearn(algorithm))
    if importlib.util.find_spec("modssc"):
        yield "ModSSC 1.2.2, Noisy Student, 32 px, resnet9_16", (learning(HALF, small), modssc())
    name = f"timm {timm.__version__}, its loader and step, 224 px JPEG, efficientnet_b0"
    yield name, (learning(LARGE, large, labels_alone=True), timms(large))


def learning(training: Training, folder: Path, *, labels_alone: bool = False) -> Work:
    """Our loop, with noise, moving average, log, checkpoint and the model written in the end."""
    images = image_set(training, folder, in_memory=not labels_alone)
    targets = label_targets(torch.arange(len(images)) % CLASSES, CLASSES, 0.0)
    examples = Examples(images, targets.__getitem__)

    def work() -> int:
        pseudo = None if labels_alone else examples
        with tempfile.TemporaryDirectory() as out:
            fit(network(training), training, examples, pseudo, folder=Path(out), seed=0, execution=FP32)
        return training.steps

    return work


def semilearn(algorithm: str) -> Work:
    """Its algorithm, update and moving average, on batches that are noised already."""
    from fixmatch import WithFeatures, trained  # type: ignore[import-not-found]

    draw = torch.Generator().manual_seed(0)
    labeled, unlabeled = SMALL.batch_size, SMALL.unlabeled_batch_size
    batch = {
        "x_lb": torch.randn(labeled, 3, 32, 32, generator=draw),
        "y_lb": torch.arange(labeled) % CLASSES,
        "x_ulb_w": torch.randn(unlabeled, 3, 32, 32, generator=draw),
    }
    if algorithm == "fixmatch":
        batch["x_ulb_s"] = torch.randn(unlabeled, 3, 32, 32, generator=draw)

    def work() -> int:
        trained(algorithm, SMALL, FP32, lambda **_: WithFeatures(network(SMALL).network), lambda _: batch, SMALL.steps)
        return SMALL.steps

    return work


def modssc() -> Work:
    """Its student beside its teacher; its own loop over images as floats, as many with labels as without."""
    from modssc.inductive.deep import TorchModelBundle  # type: ignore[import-not-found]
    from modssc.inductive.methods.noisy_student import (  # type: ignore[import-not-found]
        NoisyStudentMethod,
        NoisyStudentSpec,
    )
    from modssc.inductive.types import DeviceSpec, InductiveDataset  # type: ignore[import-not-found]

    images = torch.randn(HALF.steps * HALF.batch_size, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    data = InductiveDataset(X_l=images, y_l=torch.arange(len(images)) % CLASSES, X_u=images)

    def work() -> int:
        model = network(HALF).network.train()
        bundle = TorchModelBundle(model, build_optimizer(model, HALF))
        spec = NoisyStudentSpec(bundle, batch_size=HALF.batch_size, teacher_epochs=0, p_cutoff=0.0, use_cat=True)
        NoisyStudentMethod(spec).fit(data, device=DeviceSpec("cpu"))
        return HALF.steps

    return work


def timms(folder: Path) -> Work:
    """timm's data set, loader, RandAugment and step, as its training script puts them together, without mixed precision."""
    from timm.data import create_dataset, create_loader

    side, batch = LARGE.image_size, LARGE.batch_size

    def work() -> int:
        loader: Any = create_loader(
            create_dataset("", root=str(folder)),
            input_size=(3, side, side),
            batch_size=batch,
            is_training=True,
            use_prefetcher=False,
            auto_augment="rand-m9-n2",
            num_workers=0,
            persistent_workers=False,
            device=torch.device("cpu"),
        )
        model = network(LARGE).network.train()
        optimizer = build_optimizer(model, LARGE)
        for images, labels in loader:
            loss = F.cross_entropy(model(images.contiguous(memory_format=torch.channels_last)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return len(loader)

    return work


def compared(name: str, ours: Work, other: Work, repeats: int) -> str:
    """The line of the table: both in turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for seconds, work in zip(spent, (ours, other), strict=True):
            start = time.process_time()
            steps = work()
            if repeat:
                seconds.append((time.process_time() - start) / steps)
    ratios = [theirs / mine for mine, theirs in zip(*spent, strict=True)]
    mine, theirs = (shown([1000 * value for value in values], 1) for values in spent)
    return f"| {name} | {mine} | {theirs} | {shown(ratios, 2)} |"


def shown(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f} to {max(values):.{digits}f}]"


if __name__ == "__main__":
    main()
