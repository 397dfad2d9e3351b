"""The feature field: the stored points as something that can be looked at, in 12 x 48 directions."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numba import njit

from vlnenv.errors import unknown_name
from vlnenv.memory.config import PANORAMAS, PATCH_TOKENS
from vlnenv.memory.front_points import Footprint, PanoramaPoints, front_points, rows_of
from vlnenv.memory.geometry import world_to_agent
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS

__all__ = ["NearestRenderer", "PanoramaPoints", "PanoramaRenderer", "WeightedRenderer", "make_renderer"]

TOLERANCE = 0.1
"""How far behind the front a point counts: so many metres, and so much of the front's distance."""
Rendered = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Tokens, positions and mask of n panoramas; see `PanoramaRenderer.render`."""


class PanoramaRenderer(Protocol):
    """Renders what is remembered as the cells of a panorama (see `vlnenv.memory.panorama`)."""

    def render(self, points: PanoramaPoints) -> Rendered:
        """The panoramas of n agents; each has the same bits whichever others share the call (on a CPU).

        Returns:
            tokens: float32 (n, 576, dim); 0 where the cell shows nothing.
            xyz_m: float32 (n, 576, 3) of what the cell shows, agent frame (x ahead, y left, z up, origin at
                the FEET, metres); 0 where the cell shows nothing.
            mask: bool (n, 576) whether the cell shows anything.
        """
        ...


class NearestRenderer:
    """Each cell shows the point in it that is nearest to the camera, as it is stored.

    Source: ours. Dynam3D marches a ray through each cell, takes the 4 nearest points at each of its samples
    and renders their features as a volume; here a point fills its own cell and no other, and what lies behind
    a gap between near points shows through it.
    """

    def render(self, points: PanoramaPoints) -> Rendered:
        """See `PanoramaRenderer`."""
        column, _ = front_points(points, Footprint())
        shown = column[..., 0] >= 0
        place = rows_of(points, column[..., 0])
        dim = points.features.shape[2]
        tokens = points.features.view(-1, dim).index_select(0, place.view(-1)).view(*place.shape, dim)
        xyz_m = torch.stack(_agent_frame(points, place), dim=-1)
        hidden = ~shown[..., None]
        return tokens.masked_fill_(hidden, 0.0), xyz_m.masked_fill_(hidden, 0.0), shown


class WeightedRenderer:
    """Each cell shows the mean of the surface in front, by four finer cells that hide what is behind them.

    Each finer cell (2 x 2 to a cell, as many as patches in a view) takes the 4 nearest of the points whose
    patch covers its centre, and weighs them by depth: 1 at the one in front, falling to 0 at a tolerance
    behind it. A patch that was seen from far covers several finer cells from near, so that a surface stays
    closed though its points are sparser than the cells. A cell's token is the sum of its finer cells' means,
    at unit length; its position is that of the finer cell in the middle by depth.

    Source: ours, without parameters. Dynam3D weighs points by a network's density along rays through the
    cells' centres, with the 4 nearest points within a metre at each sample; here points are gathered by
    direction and depth in one pass, and only those around the first surface count.
    """

    footprint = Footprint(fine=2, keep=4, width=1.6, reach=2)

    def render(self, points: PanoramaPoints) -> Rendered:
        """See `PanoramaRenderer`."""
        fine = self.footprint.fine
        column, squared = front_points(points, self.footprint)
        distance_m = squared.sqrt()
        weight = by_cell(depth_weights(column, distance_m), fine)
        middle = middle_by_depth(by_cell(distance_m[..., :1], fine)[..., 0])
        column = by_cell(column, fine)
        tokens = unit_length(blend(points, column.flatten(2), weight.flatten(2)))
        shown = (column[..., 0] >= 0).any(dim=-1)
        return tokens, surface_xyz(points, column, weight, middle), shown


def depth_weights(column: torch.Tensor, distance_m: torch.Tensor) -> torch.Tensor:
    """What each of the points in front in a direction counts, by its depth behind the first.

    Args:
        column: int64 (..., k), -1 where there is no point.
        distance_m: float32 (..., k) from the camera, ascending, infinite where there is none.

    Returns:
        float32 (..., k), 1 in all over each k, 0 where there are no points.
    """
    front = distance_m[..., :1]
    weight = 1.0 - (distance_m - front) / (TOLERANCE + TOLERANCE * front)
    weight = weight.masked_fill_(column < 0, 0.0).clamp_(min=0.0)
    return weight / added(weight).clamp(min=1.0)[..., None]


def by_cell(values: torch.Tensor, fine: int) -> torch.Tensor:
    """Regroup (n, 12 f * 48 f, k) values of finer cells as (n, 576, f * f, k), those of a cell together."""
    n, _, k = values.shape
    grid = values.view(n, PANORAMA_ROWS, fine, PANORAMA_COLUMNS, fine, k)
    return grid.transpose(2, 3).reshape(n, PATCH_TOKENS, fine * fine, k)


def middle_by_depth(front_m: torch.Tensor) -> torch.Tensor:
    """Of the finer cells of each cell that show something, the (lower) middle one by distance.

    Args:
        front_m: (n, 576, q) distance that each shows, infinite where nothing.

    Returns:
        int64 (n, 576) in [0, q); 0 or any where nothing is shown.
    """
    filled = (front_m < torch.inf).sum(dim=-1, keepdim=True)
    order = front_m.argsort(dim=-1, stable=True)
    return order.gather(-1, (filled - 1).clamp(min=0) // 2)[..., 0]


def surface_xyz(
    points: PanoramaPoints, column: torch.Tensor, weight: torch.Tensor, middle: torch.Tensor
) -> torch.Tensor:
    """Where the surface is that each cell shows: the weighted mean of the points of one of its finer cells.

    Args:
        points: The stores.
        column: int64 (n, 576, q, k) rows of the stores, -1 for none.
        weight: float32 (n, 576, q, k), 0 where there is none, 1 or 0 in all over each k.
        middle: int64 (n, 576) which of the q.

    Returns:
        float32 (n, 576, 3) agent frame, metres; 0 where nothing is shown.
    """
    index = middle[..., None, None].expand(*middle.shape, 1, column.shape[3])
    place = rows_of(points, column.gather(2, index)[:, :, 0])
    weight = weight.gather(2, index)[:, :, 0]
    axes = _agent_frame(points, place.flatten(1))
    return torch.stack([added(weight * axis.view(place.shape)) for axis in axes], dim=-1)


def blend(points: PanoramaPoints, column: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted sums of stored features.

    Args:
        points: The stores.
        column: int64 (n, 576, s) rows of the stores, -1 for none.
        weight: float32 (n, 576, s), 0 where there is none.

    Returns:
        float32 (n, 576, dim).
    """
    if weight.device.type != "cpu":
        return blend_by_arrays(points, column, weight)
    out = torch.zeros(*column.shape[:2], points.features.shape[2])
    _blend(points.features.numpy(), points.envs.numpy(), column.numpy(), weight.numpy(), out.numpy())
    return out


def blend_by_arrays(points: PanoramaPoints, column: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The same as `blend`, on any device; on a CPU the same bits, since both add in the same order."""
    out = torch.zeros(*column.shape[:2], points.features.shape[2], device=weight.device)
    place, features = rows_of(points, column), points.features.flatten(0, 1)
    for s in range(column.shape[2]):
        out += weight[..., s, None] * features[place[..., s]]
    return out


@njit(cache=True, error_model="numpy")
def _blend(
    features: np.ndarray, envs: np.ndarray, column: np.ndarray, weight: np.ndarray, out: np.ndarray
) -> None:
    n, cells, s = column.shape
    for row in range(n):
        store = features[envs[row]]
        for cell in range(cells):
            for k in range(s):
                share = weight[row, cell, k]
                if share > 0:
                    _add(out[row, cell], share, store[column[row, cell, k]])


@njit(cache=True, error_model="numpy")
def _add(total: np.ndarray, share: np.float32, vector: np.ndarray) -> None:
    for k in range(len(vector)):
        total[k] += share * vector[k]


def added(values: torch.Tensor) -> torch.Tensor:
    """Sum over a short last axis, one by one: `torch.sum` does not promise an order."""
    total = values[..., 0]
    for k in range(1, values.shape[-1]):
        total = total + values[..., k]
    return total


def unit_length(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors along the last axis at unit length; zero stays zero. A row's bits are its own."""
    squares = vectors * vectors
    while squares.shape[-1] > 1:  # as for `added`: halves on top of each other
        half = (squares.shape[-1] + 1) // 2
        low, high = squares[..., :half], squares[..., half:]
        squares = torch.cat([low[..., : high.shape[-1]] + high, low[..., high.shape[-1] :]], dim=-1)
    return vectors / squares.clamp(min=1e-24).sqrt()


def make_renderer(name: str, dim: int, encoder: str, device: str | torch.device = "cpu") -> PanoramaRenderer:
    """The renderer of that name.

    Args:
        name: "nearest" (the nearest point in each cell), "weighted" (the points around the surface in front)
            or "learned" (by a trained network, for the encoder that it was trained with).
        dim: Length of a feature.
        encoder: Name of the encoder whose features are stored.
        device: Where the memory lives.

    Raises:
        ValueError: If there is no such renderer, or the learned one was not trained for the encoder.
        FileNotFoundError: If "learned" is asked for and the weights are missing.
    """
    if name not in PANORAMAS:
        raise ValueError(unknown_name("panorama", name, PANORAMAS))
    if name == "nearest":
        return NearestRenderer()
    if name == "weighted":
        return WeightedRenderer()
    from vlnenv.memory.learned_field import WEIGHTS, FieldNetwork, LearnedRenderer  # it needs this module

    network = FieldNetwork.load(WEIGHTS, device)
    if (network.config.encoder, network.config.dim) != (encoder, dim):
        raise ValueError(
            f"the learned panorama is for features of {network.config.encoder!r} ({network.config.dim}), "
            f"the memory has those of {encoder!r} ({dim}); use 'weighted'"
        )
    return LearnedRenderer(network)


def _agent_frame(
    points: PanoramaPoints, place: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ahead, left and up from the feet, each (n, m), of the points in rows (n, m) of the flattened stores."""
    xyz_m = points.xyz_m.view(3, -1).index_select(1, place.view(-1)).view(3, *place.shape)
    return world_to_agent(xyz_m, points.pose)
