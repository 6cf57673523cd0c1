"""The suites on small pictures and networks: what they measure, keep, and refuse."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from launched import launched
from PIL import Image
from timm.data import ImageNetInfo
from torch import Tensor, nn

from noisystudent import commands
from noisystudent.config import Execution
from noisystudent.errors import RunError, UserError
from noisystudent.evaluation import corrupted_images, corruption_error, flip_rate
from noisystudent.evaluation.corruptions import SEVERITIES, corrupt
from noisystudent.evaluation.label_subsets import subset_classes
from noisystudent.evaluation.suites import SUITES, suite_names
from noisystudent.models.classifier import Classifier, Preprocessing

EXECUTION = Execution(device="cpu", workers=1, label_batch_size=4)
SIDE = 16


class Brightness(nn.Module):
    """Answers with the brightness of the picture, in so many steps; the first class is the darkest."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.levels = nn.Parameter(torch.linspace(0.5 / classes, 1 - 0.5 / classes, classes))

    def forward(self, images: Tensor) -> Tensor:
        return -100 * (images.mean(dim=(1, 2, 3))[:, None] - self.levels) ** 2


def classifier(names: tuple[str, ...] = ("0", "1", "2", "3", "4", "5"), network: nn.Module | None = None) -> Classifier:
    view = Preprocessing(SIDE, 3, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    return Classifier((network or Brightness(len(names))).eval(), names, view, "brightness", {})


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def shade(level: int, of: int = 6, seed: int = 0) -> np.ndarray:
    """A grainy picture of that level of brightness."""
    grain = np.random.default_rng(seed).normal(scale=8, size=(SIDE, SIDE, 3))
    return ((level + 0.5) / of * 255 + grain).clip(0, 255).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures of each of six levels."""
    for level in range(6):
        for i in range(2):
            write(tmp_path / "pictures" / str(level) / f"{i}.png", shade(level, seed=10 * level + i))
    return tmp_path / "pictures"


def evaluate(data: Path, *suites: str, model: Classifier | None = None, **options: object) -> dict:
    return commands.evaluate(model or classifier(), str(data), suites=suites, execution=EXECUTION, **options)


def test_names_are_separated_by_commas_and_each_counts_once() -> None:
    assert suite_names("clean, c,clean,") == ("clean", "c")
    assert set(SUITES) == {"clean", "a", "r", "v2", "sketch", "real", "c", "p", "adversarial", "calibration"}


def test_every_mistake_of_a_request_is_named(pictures: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.json"
    few.write_text('{"name": "mine", "errors": {"fog": 50.0}}')
    with pytest.raises(UserError) as caught:
        evaluate(pictures, "clean", "imagenet", val=str(pictures), normalizers=few)
    message = str(caught.value)
    for part in (
        "no 'imagenet'; there are clean, a,",
        "--normalizers mine: no error for gaussian_noise",
        "--val is for",
    ):
        assert part in message, message
    with pytest.raises(UserError, match="--suite: name one of"):
        evaluate(pictures)


def test_clean_and_several_suites_at_once(pictures: Path) -> None:
    results = evaluate(pictures, "clean", "adversarial", "calibration")
    metrics = results["metrics"]
    assert results["n"] == 12
    assert metrics["top1"] == 100
    assert set(results["suites"]) == {"clean", "adversarial", "calibration"}
    json.dumps(results, allow_nan=False)
    # The levels are 42 apart and grain moves the mean little: 16 of 255 does not reach the next one.
    assert metrics["fgsm_eps16"] == 100
    assert results["ci95"]["fgsm_eps2"][1] == 100
    assert metrics["ece"] > 0
    assert "temperature" not in metrics


def test_an_attack_that_reaches_the_next_level_is_believed(tmp_path: Path) -> None:
    near = np.full(
        (SIDE, SIDE, 3), round(255 * 1 / 6) + 5, dtype=np.uint8
    )  # 5 above the border between the first two levels
    write(tmp_path / "1" / "near.png", near)
    metrics = evaluate(tmp_path, "adversarial")["metrics"]
    assert [metrics[f"fgsm_eps{e}"] for e in (1, 2, 4, 8, 16)] == [100, 100, 100, 0, 0]
    assert metrics["pgd_eps16"] == 0


def test_the_temperature_is_fitted_on_validation_images(pictures: Path) -> None:
    metrics = evaluate(pictures, "calibration", val=str(pictures))["metrics"]
    assert metrics["temperature"] < 1  # always right, and not sure enough
    assert metrics["ece_scaled"] < metrics["ece"]
    assert metrics["nll_scaled"] < 0.5


def test_corruptions_made_here_and_what_is_kept_of_them(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = tmp_path / "out.cells"
    first = evaluate(pictures, "c", cells=cells)
    about = first["suites"]["c"]
    assert (about["images"], about["strengths"], about["normalizers"]) == ("corrupted here", "CIFAR-10-C", "none")
    assert about["frost"] in ("imagecorruptions", "procedural")
    assert len(about["errors"]) == 19
    assert all(set(cells_of) == set(SEVERITIES) for cells_of in about["errors"].values())
    metrics = first["metrics"]
    by_hand = np.mean([np.mean(list(about["errors"][name].values())) for name in corruption_error.MAIN])
    assert metrics["mce"] == pytest.approx(by_hand)
    assert metrics["top1_c"] == pytest.approx(100 - by_hand)
    low, high = first["ci95"]["mce"]
    assert low <= metrics["mce"] <= high
    # One cell by hand.
    shown = torch.from_numpy(np.stack([shade(level, seed=10 * level + i) for level in range(6) for i in range(2)]))
    ids = [f"{level}/{i}.png" for level in range(6) for i in range(2)]
    changed = corrupt(shown.permute(0, 3, 1, 2), "brightness", 5, ids=ids)
    right = classifier().logits(changed).argmax(dim=1) == torch.arange(6).repeat_interleave(2)
    assert about["errors"]["brightness"][5] == pytest.approx(100 * (1 - float(right.float().mean())))

    (cells / "snow-3.parquet").unlink()
    made: list[str] = []

    def counted(*args: object, **options: object) -> Tensor:
        made.append(f"{args[1]}-{args[2]}")
        return corrupt(*args, **options)

    monkeypatch.setattr(corrupted_images, "corrupt", counted)
    again = evaluate(pictures, "c", cells=cells)
    assert set(made) == {"snow-3"}
    assert again["metrics"] == first["metrics"]
    with pytest.raises(UserError, match="parts of an evaluation of another model"):
        evaluate(pictures, "c", cells=cells, seed=1)
    other = classifier()
    other.network.levels.data[0] += 0.01
    with pytest.raises(UserError, match="another model"):
        evaluate(pictures, "c", cells=cells, model=other)


@pytest.fixture
def released(tmp_path: Path, pictures: Path) -> Path:
    """The layout of ImageNet-C; every picture is in every cell, but that the snow of severity 5 is white."""
    folder = tmp_path / "imagenet-c"
    for name in (*corruption_error.MAIN, "saturate"):
        for severity in SEVERITIES:
            shutil.copytree(pictures, folder / name / str(severity))
    for path in (folder / "snow" / "5").rglob("*.png"):
        write(path, np.full((2 * SIDE, 2 * SIDE, 3), 255, dtype=np.uint8))  # larger: it is resized
    return folder


def test_the_released_layout_of_imagenet_c(released: Path) -> None:
    results = evaluate(released, "c")
    about = results["suites"]["c"]
    assert about["images"] == "released files"
    assert about["normalizers"] == "AlexNet"
    wrong = 100 * 5 / 6
    assert about["errors"]["snow"] == {1: 0, 2: 0, 3: 0, 4: 0, 5: pytest.approx(wrong)}
    assert results["metrics"]["ce_snow"] == pytest.approx(100 * (wrong / 5) / corruption_error.ALEXNET.errors["snow"])
    assert results["metrics"]["mce"] == pytest.approx(results["metrics"]["ce_snow"] / 15)
    assert results["metrics"]["top1_c"] == pytest.approx(100 - wrong / 75)
    assert "rel_mce" not in results["metrics"]
    assert results["n"] == 12


def test_missing_folders_and_other_suites_are_refused(released: Path) -> None:
    with pytest.raises(UserError, match="only --suite c goes with it"):
        evaluate(released, "clean", "c")
    shutil.rmtree(released / "fog")
    shutil.rmtree(released / "snow" / "2")
    with pytest.raises(UserError, match=r"missing: .*/fog, .*/snow/2"):
        evaluate(released, "c")


def test_classes_that_the_model_does_not_know_are_refused(released: Path) -> None:
    with pytest.raises(UserError, match="classes that the model does not know"):
        evaluate(released, "c", model=classifier(("0", "1", "2", "3", "4", "e")))


def test_sequences_made_here(pictures: Path, tmp_path: Path) -> None:
    results = evaluate(pictures, "p", cells=tmp_path / "cells")
    about = results["suites"]["p"]
    assert (about["sequences"], about["strengths"], about["normalizers"]) == ("made here", "CIFAR-10-P", "none")
    assert set(about["flip_probability"]) == set(flip_rate.MAIN)
    metrics = results["metrics"]
    assert metrics["mfr"] == pytest.approx(np.mean(list(about["flip_probability"].values())))
    # Brightness goes from 0.225 below the picture's to 0.225 above it, over 2.7 of the six levels, in 30 steps.
    assert 100 * 1 / 30 < metrics["fr_brightness"] < 100 * 3 / 30
    assert metrics["fr_gaussian_noise"] == 0
    assert "t5d_rotate" in metrics
    low, high = results["ci95"]["mfr"]
    assert low <= metrics["mfr"] <= high
    assert evaluate(pictures, "p", cells=tmp_path / "cells")["metrics"] == metrics


def write_video(path: Path, frames: Iterator[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (SIDE * 4, SIDE * 4))
    for frame in frames:
        video.write(frame)
    video.release()


def flat(level: int) -> np.ndarray:
    return np.full((4 * SIDE, 4 * SIDE, 3), round((level + 0.5) / 6 * 255), dtype=np.uint8)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """The layout of ImageNet-P: brightness that goes up once and comes back, 10 frames."""
    folder = tmp_path / "imagenet-p"
    for name in flip_rate.MAIN:
        write_video(folder / name / "n01440764" / "a.mp4", (flat(level) for level in [0, 0, 0, 3, 3, 3, 3, 0, 0, 0]))
    return folder


def test_released_videos_are_compared_by_the_right_reference(videos: Path) -> None:
    results = evaluate(videos, "p")
    about = results["suites"]["p"]
    assert about["sequences"] == "released videos"
    assert about["flip_probability"]["rotate"] == pytest.approx(100 * 2 / 9)
    assert about["flip_probability"]["shot_noise"] == pytest.approx(100 * 4 / 9)
    assert results["metrics"]["fr_tilt"] == pytest.approx(100 * (100 * 2 / 9) / 7.05)
    assert results["n"] == 1


def test_a_broken_video_is_left_out_and_said(videos: Path) -> None:
    whole = (videos / "snow" / "n01440764" / "a.mp4").read_bytes()
    (videos / "snow" / "n01440764" / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    results = evaluate(videos, "p")
    assert [row["id"] for row in results["skipped"]] == ["n01440764/cut.mp4"]
    assert "cut off or broken" in results["skipped"][0]["reason"]
    (videos / "snow" / "n01440764" / "a.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="none of the 2 sequences of snow can be read"):
        evaluate(videos, "p")
    shutil.rmtree(videos / "snow")
    with pytest.raises(UserError, match="without a video: snow"):
        evaluate(videos, "p")


def test_imagenet_a_is_judged_among_its_200_classes(tmp_path: Path) -> None:
    names = tuple(f"n{i:08d}" for i in range(40)) + subset_classes("a")
    model = classifier(names, Brightness(len(names)))
    for place, name in enumerate(subset_classes("a")):
        # As bright as a class of the forty others that is nearest to the darkest of the 200: that one is to be chosen.
        level = 38 if place == 0 else 40 + place
        write(
            tmp_path / name / "x.png", np.full((SIDE, SIDE, 3), round(255 * (level + 0.5) / len(names)), dtype=np.uint8)
        )
    results = evaluate(tmp_path, "clean", "a", model=model)
    assert results["metrics"]["top1_a"] == 100
    assert results["metrics"]["top1"] == pytest.approx(99.5)
    shutil.rmtree(tmp_path / subset_classes("a")[3])
    with pytest.raises(UserError, match=f"is not ImageNet-A.*missing: {subset_classes('a')[3]}"):
        evaluate(tmp_path, "a", model=model)


def test_a_network_that_answers_nan_ends_in_one_message_and_finished_cells_stay(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_shot_noise(images: Tensor, name: str, severity: int, **options: object) -> Tensor:
        if name == "shot_noise":
            model.network.levels.data[:] = float("nan")
        return corrupt(images, name, severity, **options)

    model = classifier()
    monkeypatch.setattr(corrupted_images, "corrupt", stop_at_shot_noise)
    with pytest.raises(RunError, match="infinite or not a number"):
        evaluate(pictures, "c", model=model, cells=tmp_path / "cells")
    kept = sorted(path.stem for path in (tmp_path / "cells").glob("*.parquet"))
    assert kept == [f"gaussian_noise-{severity}" for severity in SEVERITIES]


def test_sets_of_the_thousand_classes_need_a_model_that_knows_them(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--suite v2,real needs .* thousand classes; this one has 6"):
        evaluate(pictures, "v2", "real")
    # ImageNet-V2 names its folders by number, and the model's classes have other names.
    for place in (3, 700):
        pixels = np.full((SIDE, SIDE, 3), round(255 * (place + 0.5) / 1000), dtype=np.uint8)
        write(tmp_path / "v2" / str(place) / "x.png", pixels)
    many = classifier(tuple(ImageNetInfo("imagenet-1k").label_names()), Brightness(1000))
    results = evaluate(tmp_path / "v2", "v2", model=many)
    assert results["metrics"]["top5_v2"] == 100
    assert "top1_v2" in results["ci95"]


def test_two_processes_share_the_images_and_find_the_numbers_of_one(pictures: Path, tmp_path: Path) -> None:
    for level in range(6):
        (pictures / str(level) / "1.png").unlink()
    (pictures / "0" / "broken.png").write_bytes(b"no picture")
    for count in (1, 2):
        (tmp_path / str(count)).mkdir()
        script = Path(__file__).parents[1] / "support" / "shared_evaluation.py"
        finished = launched(count, script, pictures, tmp_path / str(count), folder=tmp_path)
        assert finished.returncode == 0, finished.stderr
    alone, first, second = (json.loads((tmp_path / name).read_text()) for name in ("1/0.json", "2/0.json", "2/1.json"))
    assert first["found"] == second["found"] == alone["found"]  # to the bit
    assert alone["found"]["skipped"][0]["reason"]
    assert first["looked"] + second["looked"] == alone["looked"]
    assert min(first["looked"], second["looked"]) > 0.3 * alone["looked"]
