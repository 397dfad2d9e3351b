"""Felzenszwalb and Huttenlocher's segmentation of the colour image, through scikit-image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.segmenters.segmenter import checked_frame, numbered
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


@dataclass(frozen=True)
class FelzenszwalbConfig:
    """Settings of the pixel segmentation, found on built-in train houses."""

    scale: float = 300.0
    """Larger for larger segments."""
    sigma_patches: float = 0.1
    """Blur before segmenting, in widths of a patch."""
    min_patches: float = 2.0
    """Smaller segments join a neighbour, in areas of a patch."""

    def __post_init__(self) -> None:
        for name in ("scale", "sigma_patches", "min_patches"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{name} must be finite and at least 0, got {value}")


class FelzenszwalbSegmenter:
    """Segments the pixels by colour alone; a patch goes to the segment with most of its pixels.

    The baseline without depth. Every patch is in a segment: what was not hit has a colour, too.

    Raises:
        ImportError: If scikit-image is not installed.

    Source: P. Felzenszwalb, D. Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004, in
    scikit-image's form, one scale.
    """

    name = "felzenszwalb"
    outputs: tuple[str, ...] = ("rgb",)
    privileged = False

    def __init__(self, config: FelzenszwalbConfig | None = None) -> None:
        try:
            from skimage.segmentation import felzenszwalb
        except ImportError as error:
            raise ImportError(
                'the felzenszwalb segmenter needs scikit-image: pip install "vlnenv[segmenters]", '
                'or use "patchgraph", which needs nothing'
            ) from error
        self.config = FelzenszwalbConfig() if config is None else config
        self._felzenszwalb = felzenszwalb

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames; see `Segmenter`. Of the features, only number and device are read."""
        rgb = checked_frame(frames, "rgb", self.name, features, camera)
        config = self.config
        cell = camera.width // PATCH_GRID
        area = camera.width * camera.height / PATCH_GRID**2
        segment = np.zeros((len(rgb), PATCH_GRID, PATCH_GRID), dtype=np.int64)
        for image, out in zip(rgb, segment, strict=True):
            pixels = self._felzenszwalb(
                image,
                scale=config.scale,
                sigma=config.sigma_patches * cell,
                min_size=max(1, round(config.min_patches * area)),
            )
            out[:] = majority_label(pixels + 1)
        return torch.from_numpy(numbered(segment)).to(features.device)


def majority_label(pixels: np.ndarray) -> np.ndarray:
    """The label that most pixels of each patch have; of equals the smallest.

    Args:
        pixels: int (height, width), not negative, multiples of 24.

    Returns:
        int64 (24, 24).
    """
    height, width = (side // PATCH_GRID for side in pixels.shape)
    blocks = pixels.reshape(PATCH_GRID, height, PATCH_GRID, width).transpose(0, 2, 1, 3)
    cells = blocks.reshape(PATCH_GRID * PATCH_GRID, -1).astype(np.int64)
    labels = int(cells.max()) + 1
    counts = np.bincount(
        (np.arange(len(cells))[:, None] * labels + cells).reshape(-1), minlength=len(cells) * labels
    )
    return counts.reshape(len(cells), labels).argmax(axis=1).reshape(PATCH_GRID, PATCH_GRID)
