"""Against a stand-in for ultralytics, which is not installed where these tests run."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.memory.segmenters.scenes import no_features
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.fastsam import FastSamSegmenter
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames

CAMERA = Camera(width=48, height=48)


class RedAndAll:
    """Finds what is red, and a mask around everything; nothing in a black picture."""

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def predict(self, image: np.ndarray, **settings: Any) -> list[SimpleNamespace]:
        assert settings["imgsz"] == 576
        assert settings["retina_masks"]
        if not image.any():
            return [SimpleNamespace(masks=None)]
        red = image[..., 2] > 128  # BGR
        masks = np.stack([red, np.ones_like(red)]).astype(np.float32)
        return [SimpleNamespace(masks=SimpleNamespace(data=torch.from_numpy(masks)))]


def test_masks_become_labels_and_none_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("ultralytics")
    module.FastSAM = RedAndAll  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ultralytics", module)
    rgb = np.zeros((2, 48, 48, 3), dtype=np.uint8)
    rgb[0, 10:20, 10:20] = (200, 0, 0)
    labels = FastSamSegmenter("any.pt").segment(Frames(rgb=rgb), no_features(2), CAMERA).numpy()
    red = np.zeros((24, 24), dtype=bool)
    red[5:10, 5:10] = True
    assert (labels[0] == np.where(red, 2, 1)).all()
    assert (labels[1] == 0).all()


def test_without_ultralytics_extra_and_licence_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ImportError, match=r"AGPL-3\.0.*vlnenv\[fastsam\]"):
        make_segmenter("fastsam")
