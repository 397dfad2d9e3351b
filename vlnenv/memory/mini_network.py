"""The network of the `mini` encoder: a small U-Net over RGB and the geometry that the depth gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.weight_files import load_weights, save_weights
from vlnenv.sim.camera import Camera, ray_directions

CELL_PX = 4
"""The stem reads cells of 4 x 4 pixels, two cells a patch in both directions."""
_CELLS = 2 * PATCH_GRID
_GEOMETRY_CHANNELS = 7
_FORMAT = "vlnenv-mini-1"


@dataclass(frozen=True)
class MiniNetworkConfig:
    """Sizes of the network."""

    dim: int = 64
    """Length of a feature."""
    widths: tuple[int, int, int, int] = (40, 80, 128, 160)
    """Channels at 48 x 48, 24 x 24, 12 x 12 and 6 x 6."""
    blocks: tuple[int, int, int, int] = (1, 2, 2, 2)
    """Residual blocks on the way down, of two 3 x 3 convolutions each; one each on the way up."""
    max_depth_m: float = 10.0
    """A depth of 0, at least this, negative or NaN says nothing."""

    @property
    def image_size(self) -> int:
        """Width and height in pixels of the images that it reads."""
        return _CELLS * CELL_PX


class MiniNetwork(nn.Module):
    """RGB and depth of n views in, 24 x 24 features each out.

    Batch norm while training; `folded()` is the same function without it, as shipped.

    Args:
        config: Sizes.
        normed: Whether convolutions are followed by batch norm.
    """

    def __init__(self, config: MiniNetworkConfig | None = None, normed: bool = True) -> None:
        super().__init__()
        self.config = config = config or MiniNetworkConfig()
        w1, w2, w3, w4 = config.widths
        b1, b2, b3, b4 = config.blocks
        self.image_stem = Convolution(4, w1, CELL_PX, CELL_PX, normed)
        self.geometry_stem = Convolution(_GEOMETRY_CHANNELS, w1, 1, 1, normed)
        self.level1 = nn.Sequential(*(Block(w1, normed) for _ in range(b1)))
        self.down2 = Convolution(w1, w2, 2, 2, normed)
        self.level2 = nn.Sequential(*(Block(w2, normed) for _ in range(b2)))
        self.down3 = Convolution(w2, w3, 2, 2, normed)
        self.level3 = nn.Sequential(*(Block(w3, normed) for _ in range(b3)))
        self.down4 = Convolution(w3, w4, 2, 2, normed)
        self.level4 = nn.Sequential(*(Block(w4, normed) for _ in range(b4)))
        self.view = nn.Linear(w4, w4)
        self.up3 = Convolution(w4, w3, 1, 1, normed)
        self.merge3 = Block(w3, normed)
        self.up2 = Convolution(w3, w2, 1, 1, normed)
        self.merge2 = Block(w2, normed)
        self.head = nn.Conv2d(w2, config.dim, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, rgb: Tensor, depth_m: Tensor, rays: Tensor, height_m: Tensor) -> Tensor:
        """Features before normalisation.

        Args:
            rgb: (n, 3, 192, 192) in [0, 1].
            depth_m: float32 (n, 192, 192) along the optical axis; 0 where unknown.
            rays: float32 (n or 1, 3, 48, 48) through the centre of each cell, see `cell_rays`.
            height_m: float32 (n or 1,) height of the camera above the floor.

        Returns:
            (n, dim, 24, 24).
        """
        geometry, relief = geometry_channels(depth_m, rays, height_m, self.config.max_depth_m)
        image = torch.cat([(rgb - 0.5) * 4.0, relief], dim=1).contiguous(memory_format=torch.channels_last)
        x = F.relu(self.image_stem(image) + self.geometry_stem(geometry))
        patches = self.level2(F.relu(self.down2(self.level1(x))))
        half = self.level3(F.relu(self.down3(patches)))
        x = self.level4(F.relu(self.down4(half)))
        x = x + self.view(x.mean(dim=(2, 3)))[:, :, None, None]
        x = self.merge3(F.relu(half + _twice(self.up3(x))))
        x = self.merge2(F.relu(patches + _twice(self.up2(x))))
        return self.head(x)

    def folded(self) -> MiniNetwork:
        """A copy in evaluation mode whose convolutions hold their batch norms."""
        copy = MiniNetwork(self.config, normed=False)
        copy.load_state_dict(fold(self.state_dict()))
        return copy.eval()

    @property
    def parameter_count(self) -> int:
        """Weights in all."""
        return sum(parameter.numel() for parameter in self.parameters())


class Convolution(nn.Module):
    """A convolution that keeps the size (or divides it by the stride), with batch norm or a bias."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int, normed: bool) -> None:
        super().__init__()
        padding = size // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=not normed)
        self.norm = nn.BatchNorm2d(outputs) if normed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        return self.norm(self.conv(x))


class Block(nn.Module):
    """Two 3 x 3 convolutions around which the input is added."""

    def __init__(self, width: int, normed: bool) -> None:
        super().__init__()
        self.first = Convolution(width, width, 3, 1, normed)
        self.second = Convolution(width, width, 3, 1, normed)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same."""
        return F.relu(x + self.second(F.relu(self.first(x))))


def geometry_channels(
    depth_m: Tensor, rays: Tensor, height_m: Tensor, max_depth_m: float
) -> tuple[Tensor, Tensor]:
    """What the depth says about each cell of 4 x 4 pixels.

    Only exactly rounded operations and sums, so that a view's values do not depend on its place in the batch
    (vectorised logarithms and the like differ in the last bit).

    Args:
        depth_m: float32 (n, 4 h, 4 w); 0, NaN or `max_depth_m` and beyond where unknown.
        rays: float32 (n or 1, 3, h, w) world-aligned (y up), of unit depth.
        height_m: float32 (n or 1,).
        max_depth_m: Depths from here on are unknown.

    Returns:
        float32 (n, 7, h, w), zero where unknown: depth / 4 m, nearness 1 / (1 m + depth), height above the
        floor in metres, the normal's three components (y up, z towards the camera), the known part of the
        cell; and float32 (n, 1, 4 h, 4 w) each pixel's depth relative to its cell's, limited to +-1.
    """
    n, height, width = depth_m.shape
    known = (depth_m > 0.0) & (depth_m < max_depth_m)
    depth = torch.where(known, depth_m, 0.0).view(n, height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
    parts = known.float().view_as(depth)
    count = parts.sum(dim=(2, 4))
    mean = depth.sum(dim=(2, 4)) / count.clamp(min=1.0)
    relief = (depth - mean[:, :, None, :, None]) / mean.clamp(min=0.1)[:, :, None, :, None]
    relief = ((8.0 * relief).clamp(-1.0, 1.0) * parts).view(n, 1, height, width)
    points = mean[:, None] * rays
    has_depth = (count > 0.0)[:, None]
    fields = [
        mean[:, None] / 4.0,
        1.0 / (1.0 + mean[:, None]),
        points[:, 1:2] + height_m[:, None, None, None],
        _normals(points),
    ]
    geometry = torch.cat([torch.where(has_depth, field, 0.0) for field in fields], dim=1)
    geometry = torch.cat([geometry, (count / CELL_PX**2)[:, None]], dim=1)
    return geometry.contiguous(memory_format=torch.channels_last), relief


def _normals(points_m: Tensor) -> Tensor:
    """Unit normals (n, 3, h, w) of a grid of points, from central differences; zero where there is none."""
    padded = F.pad(points_m, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    up = padded[:, :, :-2, 1:-1] - padded[:, :, 2:, 1:-1]
    (ax, ay, az), (bx, by, bz) = across.unbind(1), up.unbind(1)
    normal = torch.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], dim=1)
    x, y, z = normal.unbind(1)
    return normal / (x * x + y * y + z * z).sqrt().clamp(min=1e-12)[:, None]


def cell_rays(camera: Camera) -> Tensor:
    """World-aligned ray of unit depth through the centre of each cell, for an agent that looks along -z.

    Returns:
        float32 (1, 3, height / 4, width / 4): x right, y up, z back.
    """
    directions = ray_directions(camera).astype(np.float64)
    height, width = camera.height // CELL_PX, camera.width // CELL_PX
    x, y, z = np.moveaxis(directions.reshape(height, CELL_PX, width, CELL_PX, 3).mean(axis=(1, 3)), 2, 0)
    pitch = math.radians(camera.pitch_deg)
    up = y * math.cos(pitch) - z * math.sin(pitch)
    back = y * math.sin(pitch) + z * math.cos(pitch)
    return torch.from_numpy(np.stack([x, up, back])[None].astype(np.float32))


def fold(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a network with batch norm as those of one without, float32."""
    state = {name: value.float() for name, value in state.items()}
    folded = {name: value for name, value in state.items() if ".norm." not in name}
    for name in [name for name in state if name.endswith(".norm.weight")]:
        place = name.removesuffix(".norm.weight")
        gain = state[name] / (state[f"{place}.norm.running_var"] + 1e-5).sqrt()
        folded[f"{place}.conv.weight"] = state[f"{place}.conv.weight"] * gain[:, None, None, None]
        folded[f"{place}.conv.bias"] = (
            state[f"{place}.norm.bias"] - state[f"{place}.norm.running_mean"] * gain
        )
    return folded


def save_network(path: str | Path, network: MiniNetwork, facts: dict[str, str] | None = None) -> None:
    """Write a network atomically, folded, as float16 safetensors with its sizes in the metadata.

    Args:
        path: A `.safetensors` file.
        network: With or without batch norm.
        facts: More metadata: where the weights come from.
    """
    tensors = {name: value.half() for name, value in fold(network.state_dict()).items()}
    save_weights(path, tensors, _FORMAT, network.config, facts)


def load_network(path: str | Path) -> MiniNetwork:
    """Read a network that `save_network` wrote, in evaluation mode, float32, on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a network of this version.
    """
    return load_weights(
        path, _FORMAT, _from_fields, what="mini encoder", remedy="reinstall vlnenv, or name a file"
    )


def _from_fields(fields: dict[str, Any]) -> MiniNetwork:
    # JSON has no tuples.
    lists = {name: tuple(fields[name]) for name in ("widths", "blocks")}
    return MiniNetwork(MiniNetworkConfig(**{**fields, **lists}), normed=False)


def _twice(x: Tensor) -> Tensor:
    """Each value four times, (n, c, h, w) to (n, c, 2 h, 2 w)."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
