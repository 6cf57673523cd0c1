"""How long until one photo is classified, from the start of Python to its answer, beside timm by itself.

    python benchmarks/first_answer.py

Each program is a process of its own: `import noisystudent`; the three lines and the line of the README; and the same model folder
and photo by timm's own functions, which is what one would write without us. In turns, medians: seconds as they pass, and of processor time,
which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from seeded_runs import RESULTS

from noisystudent.config import Training
from noisystudent.models.classifier import build_classifier

TIMM = """
import timm, torch
from PIL import Image
network = timm.create_model("local-dir:model", pretrained=True).eval()
view = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
with torch.inference_mode():
    answer = network(view(Image.open("photo.jpg").convert("RGB")).unsqueeze(0)).softmax(dim=1)
print(network.pretrained_cfg["label_names"][answer.argmax()])
"""
THREE_LINES = """
import noisystudent as ns
classifier = ns.load_classifier("model/")
print(classifier.predict("photo.jpg"))
"""
LINE = ["-m", "noisystudent", "predict", "--model", "model/", "photo.jpg"]
PROGRAMS = {
    "`import noisystudent`": ["-c", "import noisystudent"],
    "`import torch`": ["-c", "import torch"],
    "timm by itself": ["-c", TIMM],
    "the three lines of the README": ["-c", THREE_LINES],
    "`noisystudent predict --model model/ photo.jpg`": LINE,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        write_model_and_photo(Path(folder))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in PROGRAMS}
        for _ in range(repeats + 1):  # the first of each reads its files from the disk
            for name, program in PROGRAMS.items():
                taken[name].append(spent(program, folder))
    lines = [
        f"`python benchmarks/first_answer.py --repeats {repeats}`; torch {torch.__version__}, tf_efficientnet_lite0, a photo of 500 x 375, "
        f"{os.cpu_count()} cores with a load of {os.getloadavg()[2]:.1f}",
        "",
        "| program | seconds | of processor time |",
        "|---|---|---|",
    ]
    for name, seconds in taken.items():
        passed, processor = (statistics.median(column) for column in zip(*seconds[1:], strict=True))
        lines.append(f"| {name} | {passed:.2f} | {processor:.2f} |")
    print("\n".join(lines))
    (RESULTS / "first_answer.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_model_and_photo(folder: Path) -> None:
    training = Training(model="tf_efficientnet_lite0", image_size=160)
    names = [f"class {number}" for number in range(10)]
    classifier = build_classifier(training, class_names=names, channels=3, mean=[0.5] * 3, std=[0.5] * 3, seed=0)
    classifier.network.eval()
    classifier.save(folder / "model")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)).save(folder / "photo.jpg")


def spent(program: list[str], folder: str) -> tuple[float, float]:
    """Seconds from its start to its end, and of processor time."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *program], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    passed = time.perf_counter() - began
    assert status == 0, program
    return passed, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
