from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.memory.segmenters.scenes import no_features
from vlnenv.memory.segmenters.felzenszwalb import FelzenszwalbConfig, FelzenszwalbSegmenter, majority_label
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


def test_most_pixels_of_a_patch_decide_and_of_equals_the_smallest() -> None:
    pixels = np.zeros((48, 48), dtype=np.int64)
    pixels[:2, :2] = [[4, 2], [2, 9]]
    pixels[:2, 2:4] = [[5, 5], [3, 3]]
    labels = majority_label(pixels)
    assert labels[0, :3].tolist() == [2, 3, 0]


def test_coloured_areas_are_segments() -> None:
    pytest.importorskip("skimage", reason="needs scikit-image (extra segmenters)")
    rgb = np.full((1, 96, 96, 3), 200, dtype=np.uint8)
    rgb[:, 24:64, 32:72] = (180, 40, 40)
    camera = Camera(width=96, height=96)
    labels = FelzenszwalbSegmenter().segment(Frames(rgb=rgb), no_features(1), camera)[0].numpy()
    assert (labels[7:15, 9:17] == 2).all()
    assert (labels[:5] == 1).all()
    assert labels.max() == 2


def test_without_scikit_image_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(ImportError, match=r"vlnenv\[segmenters\]"):
        FelzenszwalbSegmenter()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="scale must be"):
        FelzenszwalbConfig(scale=-1.0)
