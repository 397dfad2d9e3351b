"""The feature field: the stored points as something that can be looked at, in 12 x 48 directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from vlnenv.errors import unknown_name
from vlnenv.memory.config import PANORAMAS, PATCH_TOKENS
from vlnenv.memory.geometry import Pose, world_to_agent
from vlnenv.memory.panorama import nearest_per_cell


@dataclass(frozen=True, eq=False)
class PanoramaPoints:
    """What n agents remember and where they stand: the stores of all environments as they lie, not copied."""

    xyz_m: torch.Tensor
    """float32 (3, e, c) world frame, metres: room for c points of each of e environments."""
    features: torch.Tensor
    """float32 (e, c, dim)."""
    direction_rad: torch.Tensor
    """float32 (e, c) heading that each point was seen along, in [0, 2 pi]."""
    scale_m: torch.Tensor
    """float32 (e, c) width of each point's patch, metres."""
    patch_id: torch.Tensor
    """int64 (e, c), unique among an environment's points."""
    envs: torch.Tensor
    """int64 (n,) the environments that are read."""
    count: torch.Tensor
    """int64 (n,) points of each; they fill the first rows of its store."""
    pose: Pose
    """The n agents."""
    camera_height_m: float
    """Height of the camera over the feet, metres: the centre of the panorama."""
    far_m: float
    """Points farther than this from the camera are hidden, metres."""


class PanoramaRenderer(Protocol):
    """Renders what is remembered as the cells of a panorama (see `vlnenv.memory.panorama`)."""

    def render(self, points: PanoramaPoints) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The panoramas of n agents; each has the same bits whichever others share the call (on a CPU).

        Returns:
            tokens: float32 (n, 576, dim); 0 where the cell shows nothing.
            xyz_m: float32 (n, 576, 3) of what the cell shows, agent frame (x ahead, y left, z up, origin at
                the FEET, metres); 0 where the cell shows nothing.
            mask: bool (n, 576) whether the cell shows anything.
        """
        ...


class NearestRenderer:
    """Each cell shows the point in it that is nearest to the camera.

    Source: ours. Dynam3D marches 144 rays a view, takes the 4 nearest points at each sample and renders
    their features as a volume; here a point fills its own cell only, and what lies behind a gap between near
    points shows through it.
    """

    def render(self, points: PanoramaPoints) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `PanoramaRenderer`."""
        envs, n = points.envs, len(points.envs)
        device, dim, capacity = points.features.device, points.features.shape[2], points.features.shape[1]
        longest = int(points.count.max()) if n else 0
        live = torch.arange(longest, device=device) < points.count[:, None]
        ahead, left, up = world_to_agent(points.xyz_m[..., :longest].index_select(1, envs), points.pose)
        patch_id = points.patch_id[:, :longest].index_select(0, envs)
        found = nearest_per_cell(ahead, left, up - points.camera_height_m, live, patch_id, points.far_m)
        row, column = found.row, found.column
        token = row * PATCH_TOKENS + found.cell
        tokens = torch.zeros(n * PATCH_TOKENS, dim, device=device)
        xyz = torch.zeros(n * PATCH_TOKENS, 3, device=device)
        mask = torch.zeros(n * PATCH_TOKENS, dtype=torch.bool, device=device)
        stored = envs[row] * capacity + column
        tokens.index_copy_(0, token, points.features.view(-1, dim).index_select(0, stored))
        xyz[token] = torch.stack([ahead[row, column], left[row, column], up[row, column]], dim=-1)
        mask[token] = True
        return (
            tokens.view(n, PATCH_TOKENS, dim),
            xyz.view(n, PATCH_TOKENS, 3),
            mask.view(n, PATCH_TOKENS),
        )


def make_renderer(name: str, dim: int, encoder: str, device: str | torch.device = "cpu") -> PanoramaRenderer:
    """The renderer of that name.

    Args:
        name: "nearest" (the nearest point in each cell).
        dim: Length of a feature.
        encoder: Name of the encoder whose features are stored.
        device: Where the memory lives.

    Raises:
        ValueError: If there is no such renderer.
    """
    if name not in PANORAMAS:
        raise ValueError(unknown_name("panorama", name, PANORAMAS))
    if name != "nearest":
        raise ValueError(f"the panorama {name!r} is not there yet; use 'nearest'")
    return NearestRenderer()
