"""How much of the network's own speed labeling, evaluating and training reach, in images a second.

    python benchmarks/throughput.py

Each pair is measured in turns in one process, on the same threads and work, in the same precision; the ratio is of medians. At 32 px images
are in memory, beside the bare forward and the bare forward + backward + step. At 224 px they are JPEG files, beside decoding and the
forward (or the step) one after the other. A training of ours ends with a checkpoint and the model written.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from seeded_runs import RESULTS

from noisystudent import progress
from noisystudent.config import Execution, Noise, RandAugment, Training
from noisystudent.data.decoding import decode, eval_view, random_resized_view, read_bytes
from noisystudent.data.images import ImageSet
from noisystudent.data.joint_batches import Examples
from noisystudent.data.manifest import Manifest
from noisystudent.data.sources import read_source
from noisystudent.device import compute_device, labeling_precision
from noisystudent.evaluation.clean import evaluate
from noisystudent.models.classifier import Classifier, build_classifier
from noisystudent.pseudo.label import ByNetwork, write_predictions
from noisystudent.training.loop import fit
from noisystudent.training.loss import label_targets, soft_cross_entropy
from noisystudent.training.optimizer import build_optimizer
from noisystudent.trial_reading import make_pictures

CLASSES = 10
STEPS = 24  # at 224 px about half a minute, so that what ends a training is not most of what it takes more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    progress.configure(quiet=True)
    about = f"`python benchmarks/throughput.py --repeats {repeats}`; torch {torch.__version__}, {torch.get_num_threads()} threads"
    head = f"{about}, in turns, median [min to max]\n\n| work | ours, images/s | bare, images/s | ratio |\n|---|---|---|---|"
    print(head)
    lines = measured(repeats)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "throughput.md").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def measured(repeats: int) -> list[str]:
    """A line of the table for each kind of work."""
    with tempfile.TemporaryDirectory() as folder:
        small = Training(
            model="resnet9_16",
            image_size=32,
            batch_size=32,
            unlabeled_ratio=3.0,
            noise=small_noise(),
            drop_path_rate=0.1,
        )
        large = Training(
            model="efficientnet_b0",
            image_size=224,
            crop_pct=0.875,
            batch_size=8,
            unlabeled_ratio=3.0,
            noise=photo_noise(),
        )
        folders = Path(folder) / "small", Path(folder) / "large"
        for images, count, size, suffix in zip(folders, (2048, 96), (32, 400), ("png", "jpg"), strict=True):
            images.mkdir()
            make_pictures(images, count, (size, size), suffix=suffix)
        works = {
            "label, 32 px, resnet9_16": labeling(small, folders[0], in_memory=True),
            "train, 32 px, resnet9_16": training(small, folders[0], in_memory=True),
            "label, 224 px JPEG, efficientnet_b0": labeling(large, folders[1], in_memory=False),
            "evaluate, 224 px JPEG, efficientnet_b0": evaluating(large, folders[1]),
            "train, 224 px JPEG, efficientnet_b0": training(large, folders[1], in_memory=False),
        }
        return [compare(name, *work, repeats) for name, work in works.items()]


def small_noise() -> Noise:
    return Noise(crop="pad", cutout=16, randaugment=RandAugment(magnitude=5))


def photo_noise() -> Noise:
    return Noise(crop="random-resized", randaugment=RandAugment(magnitude=9))


def network(training: Training) -> Classifier:
    names = [str(c) for c in range(CLASSES)]
    return build_classifier(training, class_names=names, channels=3, mean=[0.5] * 3, std=[0.25] * 3, seed=0)


def image_set(training: Training, folder: Path, *, in_memory: bool) -> ImageSet:
    manifest = read_source(str(folder), split="unlabeled", labels="ignored")
    images = ImageSet(manifest, size=training.image_size, channels=3, crop_pct=training.crop_pct, in_memory=in_memory)
    images.fetch(np.arange(1))  # decode what is kept in memory before the clock starts
    return images


Work = Callable[[], int]


def labeling(training: Training, folder: Path, *, in_memory: bool) -> tuple[Work, Work]:
    """Ours: the label stage, its table written. Bare: the network's forward (and, from JPEG, the decoding before it)."""
    classifier, images = network(training), image_set(training, folder, in_memory=in_memory)
    classifier.network.eval()
    execution = Execution(label_batch_size=256 if in_memory else 32)
    rows = np.array_split(np.arange(len(images)), max(len(images) // execution.label_batch_size, 1))

    def ours() -> int:
        with tempfile.TemporaryDirectory() as out:
            write_predictions(ByNetwork(classifier, images, execution), Path(out), execution=execution)
        return len(images)

    def bare() -> int:
        for batch in rows:
            pixels = images.fetch(batch) if in_memory else decoded(training, images, batch)
            with labeling_precision(execution, compute_device(execution)):
                classifier.logits(pixels)
        return len(images)

    return ours, bare


def evaluating(training: Training, folder: Path) -> tuple[Work, Work]:
    """Ours: top-1, top-5, NLL and their intervals. Bare: decoding and the network's forward."""
    manifest = read_source(str(folder), split="test", labels="ignored")
    labels = pa.array(np.arange(len(manifest)) % CLASSES, pa.int32())
    labeled = Manifest(manifest.table.set_column(2, "label", labels), tuple(str(c) for c in range(CLASSES)))
    images = ImageSet(labeled, size=training.image_size, channels=3, crop_pct=training.crop_pct, in_memory=False)
    classifier, execution = network(training), Execution(label_batch_size=32)
    classifier.network.eval()

    def ours() -> int:
        return evaluate(classifier, images, execution=execution, description="").predictions.num_rows

    def bare() -> int:
        for batch in np.array_split(np.arange(len(images)), len(images) // execution.label_batch_size):
            classifier.logits(decoded(training, images, batch))
        return len(images)

    return ours, bare


def training(settings: Training, folder: Path, *, in_memory: bool) -> tuple[Work, Work]:
    """Ours: the training loop with noise, joint batches and moving average. Bare: forward, backward and optimizer step."""
    settings = settings.model_copy(update={"steps": STEPS})
    random_crops = settings.noise.shows_parts
    images = image_set(settings, folder, in_memory=in_memory)
    targets = label_targets(torch.arange(len(images)) % CLASSES, CLASSES, 0.0)
    examples = Examples(images, targets.__getitem__)
    batch_size = settings.batch_size * 4

    def ours() -> int:
        with tempfile.TemporaryDirectory() as out:
            fit(network(settings), settings, examples, examples, folder=Path(out), seed=0, execution=Execution())
        return STEPS * batch_size

    def bare() -> int:
        classifier = network(settings)
        model = classifier.network.train()
        optimizer = build_optimizer(model, settings)
        for step in range(STEPS):
            rows = (np.arange(batch_size) + step * batch_size) % len(images)
            pixels = decoded(settings, images, rows) if random_crops else images.fetch(rows)
            loss = soft_cross_entropy(
                model(classifier.preprocessing.normalize(pixels)), targets[torch.from_numpy(rows)]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return STEPS * batch_size

    return ours, bare


def decoded(settings: Training, images: ImageSet, rows: np.ndarray) -> torch.Tensor:
    """Decode one after the other in this thread, as a plain program would."""
    pixels = []
    for uri in images.manifest.table["uri"].take(rows).to_pylist():
        picture = decode(read_bytes(uri), channels=3)
        if settings.noise.shows_parts:
            pixels.append(random_resized_view(picture, size=settings.image_size, rng=np.random.default_rng(0)))
        else:
            pixels.append(eval_view(picture, size=settings.image_size, crop_pct=settings.crop_pct))
    return torch.from_numpy(np.stack(pixels).transpose(0, 3, 1, 2).copy())


def compare(name: str, ours: Work, bare: Work, repeats: int) -> str:
    """Measure both in turns, after one round to warm up; the line of the table."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for repeat in range(repeats + 1):
        for key, work in (("ours", ours), ("bare", bare)):
            start = time.perf_counter()
            count = work()
            if repeat:
                rates[key].append(count / (time.perf_counter() - start))
    shown = {key: f"{statistics.median(v):,.0f} [{min(v):,.0f} to {max(v):,.0f}]" for key, v in rates.items()}
    ratio = statistics.median(rates["ours"]) / statistics.median(rates["bare"])
    line = f"| {name} | {shown['ours']} | {shown['bare']} | {ratio:.2f} |"
    print(line, flush=True)
    return line


if __name__ == "__main__":
    main()
