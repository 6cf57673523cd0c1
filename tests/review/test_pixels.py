from pathlib import Path

import numpy as np
from PIL import Image

from noisystudent.data.images import ImageSet
from noisystudent.data.sources import read_source
from noisystudent.review.pixels import pixel_features


def test_a_picture_is_the_mean_brightness_of_its_parts(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:2, :2] = [[0, 255], [255, 0]]
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    manifest = read_source(str(tmp_path), split="x", labels="ignored")
    found = pixel_features(ImageSet(manifest, size=64, channels=1, workers=1, in_memory=False))
    assert found.shape == (2, 32 * 32)
    assert found[0, 0] == 0.5
    assert found[0, 1:].max() == found[1].max() == 0
    tiny = pixel_features(ImageSet(manifest, size=8, channels=3, workers=1, in_memory=False))
    assert tiny.shape == (2, 3 * 8 * 8)
