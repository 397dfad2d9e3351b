"""The default segmenter: a graph of neighbouring patches, cut where depth, shape or colour change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.segmenters.color import cell_lab
from vlnenv.memory.segmenters.merging import merge_boundaries, merge_graph
from vlnenv.memory.segmenters.segmenter import checked_frame, numbered
from vlnenv.memory.segmenters.surfaces import GRID_EDGES, cell_planes, edge_geometry
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames

_CELLS = PATCH_GRID * PATCH_GRID


@dataclass(frozen=True)
class PatchGraphConfig:
    """What counts as a border between two patches, and how much; found on built-in train houses.

    The weight of an edge is the sum of: its gap over `gap_m` (at most 1), its angle over 90 degrees times
    `ridge_weight` or `valley_weight`, its colour difference over `color_scale` (at most 1) times
    `color_weight`, and its features' cosine distance (1 - cosine) times `feature_weight`.
    """

    gap_m: float = 0.045
    """Two surfaces this far apart in depth are a full border (weight 1), metres."""
    ridge_weight: float = 0.06
    """Weight of a right angle that sticks out, as between the top and the side of a box: the same object."""
    valley_weight: float = 0.5
    """Weight of a right angle that goes in, as between a box and the floor: mostly another object."""
    color_weight: float = 0.12
    """Weight of a colour difference of `color_scale` and more; 0 reads no "rgb"."""
    color_scale: float = 30.0
    """CIE L*a*b* units, lightness counted half."""
    feature_weight: float = 0.0
    """Weight of a cosine distance of 1 between two patches' features. 0 by default: how far apart features
    of different objects lie is the encoder's own, and colour needs no encoder. A patch whose features are
    all zero says nothing."""
    merge_scale: float = 1.0
    """Larger for larger first segments; see `merging.merge_graph`."""
    boundary: float = 0.09
    """Segments whose common boundary weighs at most this on average are one; 0 joins none."""
    min_patches: int = 2
    """Smaller segments join the neighbour across their lightest boundary, if they have a neighbour."""

    def __post_init__(self) -> None:
        for name in ("ridge_weight", "valley_weight", "color_weight", "feature_weight", "merge_scale"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{name} must be finite and at least 0, got {value}")
        for name in ("gap_m", "color_scale"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0.0:
                raise ValueError(f"{name} must be finite and above 0, got {value}")
        if not math.isfinite(self.boundary) or self.boundary < 0.0:
            raise ValueError(f"boundary must be finite and at least 0, got {self.boundary}")
        if self.min_patches < 1:
            raise ValueError(f"min_patches must be at least 1, got {self.min_patches}")


def geometry_only() -> PatchGraphConfig:
    """Settings that read "depth" alone, for where no colour is rendered; found on the same houses."""
    return PatchGraphConfig(
        ridge_weight=0.05, valley_weight=0.8, color_weight=0.0, merge_scale=0.7, boundary=0.06
    )


class PatchGraphSegmenter:
    """Graph segmentation of the patch grid by depth, the shape of surfaces, colour and features.

    Each patch gets the plane of its surface from the full-resolution depth around its pixel. An edge between
    8-neighbours weighs as much as a border is likely there (`PatchGraphConfig`). Felzenszwalb and
    Huttenlocher's algorithm merges the patches, and after it segments whose common boundary is light. Floors
    and walls are segments like any other. Patches where nothing was hit in range are in none.

    Runs on the CPU in compiled kernels, 0.6 ms a frame of 192 x 192 on one Intel Xeon core. Expects clean
    depth: independent noise of 1 % on each pixel takes the mean best IoU of objects in built-in val_unseen
    houses from .77 to .55, so smooth a noisy sensor's depth first (`benchmarks/segmenters.py`).

    Source: P. Felzenszwalb, D. Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004; that
    ridges join and valleys part after S. Stein et al., Object Partitioning using Local Convexity, CVPR 2014.
    """

    name = "patchgraph"
    privileged = False

    def __init__(self, config: PatchGraphConfig | None = None) -> None:
        self.config = PatchGraphConfig() if config is None else config
        self.outputs: tuple[str, ...] = ("rgb", "depth") if self.config.color_weight > 0.0 else ("depth",)

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames; see `Segmenter`. Features are read only where `feature_weight` is above 0."""
        config = self.config
        depth = checked_frame(frames, "depth", self.name, features, camera)
        rgb = checked_frame(frames, "rgb", self.name, features, camera) if "rgb" in self.outputs else None
        distance = feature_distance(features) if config.feature_weight > 0.0 and features.shape[3] else None
        rows, columns = patch_centre_pixels(camera.height), patch_centre_pixels(camera.width)
        row_px, column_px = camera.height // PATCH_GRID, camera.width // PATCH_GRID
        reach = max(2, min(row_px, column_px) // 2)
        segment = np.zeros((len(depth), _CELLS), dtype=np.int64)
        for i, out in enumerate(segment):
            valid, plane, point, normal = cell_planes(
                depth[i], rows, columns, camera.focal_px, camera.max_depth_m, reach
            )
            usable, gap, angle = edge_geometry(
                GRID_EDGES, valid, plane, point, normal, row_px, column_px, PATCH_GRID
            )
            weight = np.minimum(gap / config.gap_m, 1.0)
            bend = np.where(angle > 0.0, config.ridge_weight, config.valley_weight)
            weight += bend * np.abs(angle) / (math.pi / 2.0)
            if rgb is not None:
                lab = cell_lab(rgb[i])
                contrast = color_distance(lab[GRID_EDGES[:, 0]], lab[GRID_EDGES[:, 1]])
                weight += config.color_weight * np.minimum(contrast / config.color_scale, 1.0)
            if distance is not None:
                weight += config.feature_weight * distance[i]
            order = np.nonzero(usable)[0]
            order = order[np.argsort(weight[order], kind="stable")]
            root = merge_graph(GRID_EDGES, weight, order, _CELLS, config.merge_scale)
            root = merge_boundaries(root, GRID_EDGES, weight, order, config.boundary, config.min_patches)
            out[:] = np.where(valid, root + 1, 0)
        labels = numbered(segment.reshape(-1, PATCH_GRID, PATCH_GRID))
        return torch.from_numpy(labels).to(features.device)


def color_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance of CIE L*a*b* colours (..., 3) with the lightness counted half, which shading moves."""
    lightness, a, b = np.moveaxis(first - second, -1, 0)
    return np.sqrt(0.25 * lightness * lightness + a * a + b * b)


def feature_distance(features: torch.Tensor) -> np.ndarray:
    """Cosine distance of the features at the two ends of each edge of `GRID_EDGES`.

    Args:
        features: float (n, 24, 24, D), of any length.

    Returns:
        float64 (n, 2162) in [0, 2]; 0 where either feature is all zero.
    """
    flat = features.detach().flatten(1, 2).double()
    length = flat.square().sum(dim=2, keepdim=True).sqrt()
    unit = flat / torch.where(length > 0.0, length, 1.0)
    edges = torch.from_numpy(GRID_EDGES).to(features.device)
    cosine = (unit.index_select(1, edges[:, 0]) * unit.index_select(1, edges[:, 1])).sum(dim=2)
    is_there = length[..., 0] > 0.0
    both = is_there.index_select(1, edges[:, 0]) & is_there.index_select(1, edges[:, 1])
    return torch.where(both, (1.0 - cosine).clamp(0.0, 2.0), 0.0).cpu().numpy()
