"""The package `imagecorruptions` 1.1.2, which current NumPy, SciPy, scikit-image and setuptools no longer let in as it is."""

import functools
import importlib
import sys
import types
from pathlib import Path
from unittest import mock

import numpy as np
import pytest


@functools.cache
def published_corruptions() -> types.ModuleType:
    """Its module of corruptions; skips the test when it is not installed."""
    skimage = pytest.importorskip("skimage.filters", reason="pip install scikit-image")
    scipy_ndimage = importlib.import_module("scipy.ndimage")
    if (found := importlib.util.find_spec("imagecorruptions")) is None:
        pytest.skip("pip install --no-deps imagecorruptions")

    def gaussian(image: np.ndarray, sigma: float, multichannel: bool = False, **options: object) -> np.ndarray:
        return skimage_gaussian(image, sigma, channel_axis=-1 if multichannel else None, **options)

    def resource_filename(package: str, path: str) -> str:
        return str(Path(found.submodule_search_locations[0]) / path)

    skimage_gaussian = skimage.gaussian
    pkg_resources, interpolation = types.ModuleType("pkg_resources"), types.ModuleType("scipy.ndimage.interpolation")
    pkg_resources.resource_filename = resource_filename
    interpolation.map_coordinates = scipy_ndimage.map_coordinates
    stand_ins = {"pkg_resources": pkg_resources, "scipy.ndimage.interpolation": interpolation}
    with mock.patch.dict(sys.modules, stand_ins), mock.patch.object(skimage, "gaussian", gaussian):
        module = importlib.import_module("imagecorruptions.corruptions")
    module.np = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np)}, float_=np.float64)
    return module
