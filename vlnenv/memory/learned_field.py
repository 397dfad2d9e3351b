"""The learned feature field: a small network that looks at the points in front along each ray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlnenv.memory.field import (
    Rendered,
    added,
    by_cell,
    depth_weights,
    middle_by_depth,
    surface_xyz,
    unit_length,
)
from vlnenv.memory.front_points import (
    Footprint,
    PanoramaPoints,
    front_points,
    rows_of,
    seen_from_camera,
)
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_VIEW, sight_of
from vlnenv.memory.weight_files import load_weights, save_weights

WEIGHTS = Path(__file__).with_name("weights") / "field.safetensors"
"""The weights shipped with the package; `weights/field.md` says how they were made."""
_FORMAT = "vlnenv-field-1"
_SURE = 1e-3
"""Opacities start within [_SURE, 1 - _SURE], where the network can still move them."""
PLACE = 8
"""Numbers that say how a point lies to a ray; see `places_along_rays`."""


@dataclass(frozen=True)
class FieldConfig:
    """Size of the network, and what it was trained for."""

    encoder: str = "mini"
    """Name of the encoder whose features it was trained on."""
    dim: int = 64
    """Length of a feature."""
    hidden: int = 64

    def __post_init__(self) -> None:
        for name in ("dim", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Rays:
    """What n panoramas look through: four rays a cell, each with the points in front, nearest first."""

    column: Tensor
    """int64 (n, 576, 4, k) rows of the stores, -1 for none."""
    place: Tensor
    """float32 (n, 576, 4, k, 8) how each point lies to the ray."""
    weight: Tensor
    """float32 (n, 576, 4, k) what each counts in the parameter-free form; 1 or 0 over the k of a ray."""
    front_m: Tensor
    """float32 (n, 576, 4) distance of the first; infinite where there is none."""


class FieldNetwork(nn.Module):
    """What rays show: a residual and an opacity for each point, composed front to back.

    Of each point an MLP reads the feature and how it lies to the ray, and gives a residual of the feature and
    what to add to the logit of its opacity. The opacities start as those that compose to the parameter-free
    weights (`vlnenv.memory.field.WeightedRenderer`), the residuals at zero: untrained, it renders the same.
    """

    def __init__(self, config: FieldConfig | None = None) -> None:
        super().__init__()
        self.config = config = FieldConfig() if config is None else config
        self.widen = nn.Linear(config.dim + PLACE, config.hidden)
        self.narrow = nn.Linear(config.hidden, config.dim + 1)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, features: Tensor, place: Tensor, weight: Tensor) -> Tensor:
        """The features of n views' cells.

        Args:
            features: float32 (n, c, q, k, dim) of the k points in front on q rays of each of c cells.
            place: float32 (n, c, q, k, 8).
            weight: float32 (n, c, q, k) in the parameter-free form.

        Returns:
            float32 (n, c, dim) at unit length; 0 where no ray meets a point.
        """
        # A unit feature's components are about 1 / sqrt(dim), those of a place about 1.
        read = torch.cat([features * features.shape[-1] ** 0.5, place], dim=-1)
        found = _each(self.narrow, F.gelu(_each(self.widen, read)))
        shown = features + found[..., :-1]
        opacity = torch.sigmoid(_opacity_logit(weight) + found[..., -1])
        rays, passed = torch.zeros_like(shown[..., 0, :]), torch.ones_like(opacity[..., 0])
        for j in range(weight.shape[-1]):
            rays = rays + (passed * opacity[..., j])[..., None] * shown[..., j, :]
            passed = passed * (1.0 - opacity[..., j])
        rays = rays * (weight[..., :1] > 0.0)  # the first point always counts, where there is one
        return unit_length(added(rays.transpose(2, 3)))

    def save(self, path: str | Path, facts: Mapping[str, str] | None = None) -> None:
        """Write the weights atomically, float32 safetensors with the config in the metadata.

        Args:
            path: A `.safetensors` file.
            facts: More metadata: where the weights come from.

        Raises:
            OSError: If the file cannot be written.
        """
        save_weights(path, self.state_dict(), _FORMAT, self.config, facts)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> FieldNetwork:
        """A network that `save` wrote, in evaluation mode and without gradients.

        Args:
            path: The file.
            device: Where it computes; the memory's.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it does not hold a network of this version.
        """
        network = load_weights(
            path,
            _FORMAT,
            lambda fields: cls(FieldConfig(**fields)),
            what="learned panorama",
            remedy="train them by `python -m agents.pretraining.field`, or use 'weighted'",
        )
        return network.to(device).requires_grad_(False)


class LearnedRenderer:
    """Each cell shows what a trained network sees along four rays, two points on each.

    Args:
        network: The network; on the memory's device.

    Source: Dynam3D (arXiv 2505.11383), the generalizable feature field; differs in that the points on a ray
    are the nearest in its direction, found in one pass (theirs: 501 samples a ray, 4 nearest neighbours of
    each within a metre, the 8 densest samples kept), in one MLP of 64 on single points (theirs: neighbours
    of a sample concatenated, two MLPs of 768), in opacities that start from those of a parameter-free form,
    and in four rays a cell where theirs has one.
    """

    footprint = Footprint(fine=2, keep=2, width=1.6, reach=2)

    def __init__(self, network: FieldNetwork) -> None:
        self.network = network

    @torch.no_grad()
    def render(self, points: PanoramaPoints) -> Rendered:
        """See `vlnenv.memory.field.PanoramaRenderer`."""
        rays = cast_rays(points, self.footprint)
        tokens = self.network(ray_features(points, rays.column), rays.place, rays.weight)
        shown = (rays.column[..., 0] >= 0).any(dim=-1)
        xyz_m = surface_xyz(points, rays.column, rays.weight, middle_by_depth(rays.front_m))
        return tokens, xyz_m, shown


def _each(linear: nn.Linear, x: Tensor) -> Tensor:
    """`linear` on the last axis, one environment at a time: BLAS gives equal bits for equal shapes only."""
    if torch.is_grad_enabled() or x.device.type != "cpu":
        return linear(x)
    return torch.stack([linear(one) for one in x]) if len(x) else linear(x)


def _opacity_logit(weight: Tensor) -> Tensor:
    """Logits of the opacities that compose front to back to `weight` (..., k)."""
    left, opacities = torch.ones_like(weight[..., 0]), []
    for j in range(weight.shape[-1]):
        opacities.append(weight[..., j] / left.clamp(min=_SURE))
        left = left - weight[..., j]
    opacity = torch.stack(opacities, dim=-1).clamp(_SURE, 1.0 - _SURE)
    return torch.log(opacity / (1.0 - opacity))


def cast_rays(points: PanoramaPoints, footprint: Footprint) -> Rays:
    """The points in front along the rays through the finer cells, and how they lie to them."""
    column, squared = front_points(points, footprint)
    distance_m = squared.sqrt()
    weight = depth_weights(column, distance_m)
    place = places_along_rays(points, column, distance_m, footprint.fine)
    fine = footprint.fine
    return Rays(
        column=by_cell(column, fine),
        place=by_cell(place.flatten(2), fine).unflatten(-1, (footprint.keep, PLACE)),
        weight=by_cell(weight, fine),
        front_m=by_cell(distance_m[..., :1], fine)[..., 0],
    )


def ray_features(points: PanoramaPoints, column: Tensor) -> Tensor:
    """Stored features of the points on rays, (..., dim); 0 for -1."""
    features = points.features.flatten(0, 1)[rows_of(points, column)]
    return features.masked_fill_((column < 0)[..., None], 0.0)


def places_along_rays(points: PanoramaPoints, column: Tensor, distance_m: Tensor, fine: int) -> Tensor:
    """How the points in front lie to the rays through the middle of the finer cells.

    Args:
        points: The stores.
        column: int64 (n, 12 f * 48 f, k) of `front_points`.
        distance_m: float32, the same shape, from the camera; infinite where there is no point.
        fine: f.

    Returns:
        float32 (n, 12 f * 48 f, k, 8), 0 where there is no point: offset to the right and down in half finer
        cells; depth behind the first in half metres; sine and cosine of the angle between the directions that
        it was seen along and is looked at now; how many half finer cells its patch is wide; the patch's width
        in half metres; distance in fives of metres. All within about -2 and 4.
    """
    n, cells, k = column.shape
    side, columns = PANORAMA_VIEW * fine, PANORAMA_COLUMNS * fine
    rows = rows_of(points, column.flatten(1))
    ahead, left, up = seen_from_camera(points, column.flatten(1))
    sight = sight_of(ahead, left, up, fine)
    scale_m = points.scale_m.view(-1)[rows]
    # Right of the ray: the shorter way round the panorama.
    middle = torch.arange(cells, device=column.device).repeat_interleave(k)
    right = sight.view * side + sight.across - (middle % columns + 0.5)
    right = torch.remainder(right + columns / 2.0, columns) - columns / 2.0
    below = sight.down - (torch.div(middle, columns, rounding_mode="floor") + 0.5)
    # A point is looked at along heading + bearing now; (cos, sin) of the bearing are (ahead, left) / length.
    length = (ahead * ahead + left * left).sqrt().clamp(min=1e-6)
    turned = points.direction_rad.view(-1)[rows] - points.pose.heading_rad
    sine, cosine = torch.sin(turned), torch.cos(turned)
    width = scale_m / sight.depth.clamp(min=1e-6) * (side / 2.0)
    behind = (distance_m - distance_m[..., :1]).clamp(0.0, 2.0)
    place = torch.stack(
        [
            right.clamp(-4.0, 4.0) * 0.5,
            below.clamp(-4.0, 4.0) * 0.5,
            behind.flatten(1) * 2.0,
            (sine * ahead - cosine * left) / length,
            (cosine * ahead + sine * left) / length,
            width.clamp(max=4.0) * 0.5,
            scale_m * 2.0,
            distance_m.flatten(1).clamp(max=20.0) * 0.2,
        ],
        dim=-1,
    ).view(n, cells, k, PLACE)
    return place.masked_fill_((column < 0)[..., None], 0.0)
