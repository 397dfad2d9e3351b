"""Making rendered views look less like renders: other crops, colours, sensors and cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from agents.pretraining.views import Views
from vlnenv.memory.mini_network import CELL_PX, cell_rays
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera


@dataclass(frozen=True)
class AugmentationConfig:
    """How much views are changed; chances are per view."""

    mirror: float = 0.5
    zoom: float = 0.6
    """Chance of a crop instead of the whole view."""
    smallest_crop: float = 0.55
    """Its smallest side, as part of the view's."""
    repaint: float = 0.35
    """Chance that each instance of the view gets colours of its own; its colour word is then unknown."""
    greyscale: float = 0.12
    """Chance that the colours are lost; the colour words are then unknown."""
    color: float = 1.0
    """Strength of the changes of brightness, contrast, saturation and white balance; 0 is none."""
    blur: float = 0.2
    noise: float = 0.3
    depth_noise: float = 0.5
    """Chance of noise on the depth: 2 % on the whole, 1 % a pixel."""
    depth_holes: float = 0.3
    """Chance that the depth has rectangular holes."""
    camera: float = 1.0
    """Strength of the errors of the assumed camera: 4 cm in height and 1 degree in tilt (deviations)."""


@dataclass(frozen=True)
class ViewBatch:
    """n views as the network reads them, and what their patches show."""

    rgb: Tensor
    """float32 (n, 3, size, size) in [0, 1], channels last."""
    depth_m: Tensor
    """float32 (n, size, size), 0 where unknown."""
    rays: Tensor
    """float32 (n, 3, size / 4, size / 4), see `cell_rays`."""
    height_m: Tensor
    """float32 (n,) of the camera."""
    instance: Tensor
    """int64 (n, 24, 24) instance ids at the patches' pixels."""
    scene: Tensor
    """int64 (n,) rows of `Views.scene_ids`."""
    true_colors: Tensor
    """bool (n,) whether things have the colours that they are said to have."""


def plain_batch(views: Views, rows: np.ndarray) -> ViewBatch:
    """The views as they were rendered."""
    off = AugmentationConfig(
        mirror=0,
        zoom=0,
        repaint=0,
        greyscale=0,
        color=0,
        blur=0,
        noise=0,
        depth_noise=0,
        depth_holes=0,
        camera=0,
    )
    return augmented_batch(views, rows, off, np.random.default_rng(0))


def augmented_batch(
    views: Views, rows: np.ndarray, config: AugmentationConfig, rng: np.random.Generator
) -> ViewBatch:
    """Some views, changed at random.

    Args:
        views: All views.
        rows: int (n,) which.
        config: How much they are changed.
        rng: Source of all chance.
    """
    n, size = len(rows), views.rgb.shape[1]
    camera = Camera(size, size)
    centres = patch_centre_pixels(size)
    pixel = np.arange(size) + 0.5
    rgb = np.empty((n, size, size, 3), dtype=np.float32)
    depth_m = np.empty((n, size, size), dtype=np.float32)
    instance = np.empty((n, len(centres), len(centres)), dtype=np.int64)
    rays = cell_rays(camera).repeat(n, 1, 1, 1)
    repainted = rng.random(n) < config.repaint
    for i, row in enumerate(rows):
        side = rng.uniform(config.smallest_crop, 1.0) if rng.random() < config.zoom else 1.0
        x = rng.uniform(0.0, (1.0 - side) * size) + side * pixel
        y = rng.uniform(0.0, (1.0 - side) * size) + side * pixel
        # The mirrored view is cropped, so the rays are those of the crop in either case.
        rays[i, 0] = torch.from_numpy(_tangent(x, camera)).float()[None, :]
        rays[i, 1] = torch.from_numpy(-_tangent(y, camera)).float()[:, None]
        columns, lines = x.astype(np.int64), y.astype(np.int64)
        if rng.random() < config.mirror:
            columns = size - 1 - columns
        picture, ids = views.rgb[row], views.instance[row]
        if side < 1.0 or columns[0] > columns[-1]:
            picture = picture[lines[:, None], columns]
            ids = ids[lines[:, None], columns]
            depth_m[i] = views.depth_mm[row][lines[:, None], columns]
        else:
            depth_m[i] = views.depth_mm[row]
        rgb[i] = picture
        instance[i] = ids[centres[:, None], centres]
        if repainted[i]:
            paints = int(ids.max()) + 1
            rgb[i] *= np.exp(rng.normal(scale=0.35, size=(paints, 3))).astype(np.float32)[ids]
            rgb[i] += rng.normal(scale=25.0, size=(paints, 3)).astype(np.float32)[ids]
    depth_m /= 1000.0
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
    picture, is_grey = _changed_colors(torch.from_numpy(rgb).permute(0, 3, 1, 2), config, rng, generator)
    tilt = torch.from_numpy(rng.normal(scale=math.radians(1.0) * config.camera, size=n)).float()
    up, back = rays[:, 1].clone(), rays[:, 2].clone()
    rays[:, 1] = up - tilt[:, None, None] * back
    rays[:, 2] = back + tilt[:, None, None] * up
    height_m = camera.height_m + rng.normal(scale=0.04 * config.camera, size=n)
    return ViewBatch(
        rgb=picture,
        depth_m=_changed_depth(torch.from_numpy(depth_m), config, rng, generator),
        rays=rays,
        height_m=torch.from_numpy(height_m).float(),
        instance=torch.from_numpy(instance),
        scene=torch.from_numpy(views.scene[rows].astype(np.int64)),
        true_colors=torch.from_numpy(~repainted & ~is_grey),
    )


def _tangent(pixel: np.ndarray, camera: Camera) -> np.ndarray:
    """Tangents of the angles at which cells lie, from the places of their pixels."""
    return (pixel.reshape(-1, CELL_PX).mean(axis=1) - camera.width / 2.0) / camera.focal_px


def _changed_colors(
    rgb: Tensor, config: AugmentationConfig, rng: np.random.Generator, generator: torch.Generator
) -> tuple[Tensor, np.ndarray]:
    """Pictures (n, 3, h, w) from [0, 255] to [0, 1] with other colours, and bool (n,) which have none."""
    n = len(rgb)
    strength = config.color
    is_grey = rng.random(n) < config.greyscale
    saturation = np.where(is_grey, 0.0, np.exp(rng.uniform(-0.6, 0.3, n) * strength))
    contrast = np.exp(rng.uniform(-0.5, 0.4, n) * strength)
    gain = np.exp(rng.normal(scale=0.08, size=(n, 3)) * strength) * contrast[:, None]
    grey = np.full((3, 3), 1.0 / 3.0)
    matrix = saturation[:, None, None] * np.eye(3) + (1.0 - saturation[:, None, None]) * grey
    matrix = gain[:, :, None] * matrix
    mean = rgb.mean(dim=(1, 2, 3)).numpy() / 255.0
    shift = mean * (1.0 - contrast) + rng.uniform(-0.2, 0.2, n) * strength
    pixels = rgb.permute(0, 2, 3, 1).reshape(n, -1, 3)
    weights = torch.from_numpy(matrix.transpose(0, 2, 1) / 255.0).float()
    bias = torch.from_numpy(shift).float()[:, None, None].expand(n, 1, 3)
    out = torch.baddbmm(bias, pixels, weights).view(n, *rgb.shape[2:], 3).permute(0, 3, 1, 2)
    blurred = torch.from_numpy(np.flatnonzero(rng.random(n) < config.blur))
    if len(blurred):
        out[blurred] = F.avg_pool2d(out[blurred], 3, 1, 1, count_include_pad=False)
    noisy = torch.from_numpy(np.flatnonzero(rng.random(n) < config.noise))
    if len(noisy):
        sigma = torch.from_numpy(rng.uniform(0.0, 0.08, len(noisy))).float()
        noise = torch.randn(out[noisy].shape, generator=generator)
        out[noisy] += sigma[:, None, None, None] * noise
    return out.clamp_(0.0, 1.0), is_grey


def _changed_depth(
    depth_m: Tensor, config: AugmentationConfig, rng: np.random.Generator, generator: torch.Generator
) -> Tensor:
    """Depths (n, h, w) with noise and holes."""
    n, height, width = depth_m.shape
    noisy = torch.from_numpy(np.flatnonzero(rng.random(n) < config.depth_noise))
    if len(noisy):
        whole = torch.from_numpy(rng.normal(scale=0.02, size=len(noisy))).float()
        sigma = torch.from_numpy(rng.uniform(0.0, 0.02, len(noisy))).float()
        noise = torch.randn((len(noisy), height, width), generator=generator)
        depth_m[noisy] *= 1.0 + whole[:, None, None] + sigma[:, None, None] * noise
    for i in np.flatnonzero(rng.random(n) < config.depth_holes):
        for _ in range(int(rng.integers(1, 6))):
            h, w = rng.integers(4, 40, 2)
            top, left = rng.integers(0, height - h), rng.integers(0, width - w)
            depth_m[i, top : top + h, left : left + w] = 0.0
    return depth_m
