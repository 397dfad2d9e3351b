"""Closed triangle meshes of one surface each: boxes, cushions, turned legs, bent tubes.

Coordinates are centimetres, y up. Only sums, products and square roots are taken, cosines come from a rounded
table and vertices are rounded to 0.01 cm, so every machine gets the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

Surface = tuple[str, str]
"""(finish, colour): keys of `textures.FINISHES` and `textures.COLORS`."""
Point = tuple[float, float, float]
"""x, y, z in centimetres."""
Outline = Sequence[tuple[float, float]]
"""Corners of a simple polygon in either sense, centimetres."""


@dataclass(frozen=True, eq=False)
class Solid:
    """Triangles of one surface."""

    vertices: np.ndarray
    """float64 (v, 3) centimetres, rounded to 0.01."""
    faces: np.ndarray
    """int32 (f, 3) rows of `vertices`, counter-clockwise seen from outside."""
    uv: np.ndarray
    """float64 (f, 3, 2) centimetres along the surface at each face's corners; grain runs along the first."""
    surface: Surface


# The six sides of a box: corners numbered 4 x + 2 y + z, counter-clockwise seen from outside.
_BOX_QUADS = np.array(
    [(0, 1, 3, 2), (5, 4, 6, 7), (0, 4, 5, 1), (3, 7, 6, 2), (4, 0, 2, 6), (1, 5, 7, 3)], dtype=np.int32
)
_BOX_CORNERS = np.array([(x, y, z) for x in (0, 3) for y in (1, 4) for z in (2, 5)])
_BOX_FACES = _BOX_QUADS[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
_BOX_ACROSS = np.repeat([0, 0, 1, 1, 2, 2], 2)
_GRAINED = ("wood", "oak", "bamboo", "bark")
# The two axes that span the texture where the normal is mostly along x, y or z.
_UV_AXES = np.array([(2, 1), (0, 2), (0, 1)])


def box(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, surface: Surface) -> Solid:
    """A box between two corners, 12 triangles."""
    ends = np.array([x0, y0, z0, x1, y1, z1], dtype=np.float64)
    vertices = ends[_BOX_CORNERS]
    return _textured(_rounded(vertices), _BOX_FACES, _BOX_ACROSS, surface)


def rounded_box(
    x0: float,
    y0: float,
    z0: float,
    x1: float,
    y1: float,
    z1: float,
    surface: Surface,
    radius: float = 3.0,
    steps: int = 2,
) -> Solid:
    """A box with rounded edges: a cushion, a mattress, an appliance.

    `steps` facets a quarter turn: 1 makes 44 triangles (bevelled edges), 2 makes 108.
    """
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2, (z1 - z0) / 2)
    turn = cosines(4 * steps)
    quarter = [(turn[i], turn[(i - steps) % (4 * steps)]) for i in range(4 * steps)]  # cos, sin
    around = [(quarter[(q * steps + i) % (4 * steps)], q) for q in range(4) for i in range(steps + 1)]
    centers = (
        (x1 - radius, z1 - radius),
        (x0 + radius, z1 - radius),
        (x0 + radius, z0 + radius),
        (x1 - radius, z0 + radius),
    )
    rings = []
    for level, middle in ((-1, y0 + radius), (1, y1 - radius)):
        for i in range(steps + 1):
            cos, sin = quarter[i if level > 0 else steps - i]
            rings.append(
                [
                    (
                        centers[q][0] + radius * cos * cx,
                        middle + level * radius * sin,
                        centers[q][1] + radius * cos * cz,
                    )
                    for (cx, cz), q in around
                ]
            )
    return loft(rings, surface)


def pillow(
    x0: float,
    y0: float,
    z0: float,
    x1: float,
    y1: float,
    z1: float,
    surface: Surface,
    thin: int = 1,
    steps: int = 6,
) -> Solid:
    """A stuffed cushion that is thickest in the middle and thin at its four edges.

    `thin` is the axis through its faces: 0, 1 (lying) or 2 (standing). `steps` squares along each edge make
    4 * steps ** 2 triangles.
    """
    ticks = np.round(np.linspace(-1.0, 1.0, steps + 1), 6)
    a, b = (grid.ravel() for grid in np.meshgrid(ticks, ticks, indexing="ij"))
    aa, bb = a * a, b * b
    bulge = np.sqrt((1.0 - aa * aa) * (1.0 - bb * bb))
    waist = 1.0 - 0.10 * (1.0 - aa) * np.abs(b), 1.0 - 0.10 * (1.0 - bb) * np.abs(a)
    count = (steps + 1) ** 2
    points = np.empty((2 * count, 3))
    first, second = (axis for axis in range(3) if axis != thin)
    points[:, first] = np.tile(a * waist[1], 2)
    points[:, second] = np.tile(b * waist[0], 2)
    points[:, thin] = np.concatenate([bulge, -bulge])
    low, high = np.array((x0, y0, z0)), np.array((x1, y1, z1))
    vertices = (low + high) / 2 + points * (high - low) / 2
    corner = np.arange(count).reshape(steps + 1, steps + 1)
    quads = np.stack([corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]], axis=-1).reshape(
        -1, 4
    )
    faces = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return _mesh(vertices, np.concatenate([faces, faces[:, ::-1] + count]), surface)


def frustum(
    low: tuple[float, float, float, float],
    y0: float,
    high: tuple[float, float, float, float],
    y1: float,
    surface: Surface,
) -> Solid:
    """What joins a rectangle (x0, z0, x1, z1) at y0 to another at y1: tapered and splayed legs."""
    return loft(
        [
            [(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)]
            for (x0, z0, x1, z1), y in ((low, y0), (high, y1))
        ],
        surface,
    )


def cylinder(
    x: float,
    z: float,
    y0: float,
    y1: float,
    radius: float,
    surface: Surface,
    sides: int = 12,
    top_radius: float | None = None,
) -> Solid:
    """An upright cylinder around (x, z), or a cone where the radius at the top differs."""
    return lathe(x, z, [(radius, y0), (radius if top_radius is None else top_radius, y1)], surface, sides)


def lathe(
    x: float, z: float, profile: Sequence[tuple[float, float]], surface: Surface, sides: int = 12
) -> Solid:
    """A turned body around the upright axis at (x, z) through a profile of (radius, y), bottom first."""
    girth, up = np.array(profile, dtype=np.float64).T[:, :, None]
    cos, sin = _circle(sides)
    return loft(np.stack([x + girth * cos, up + 0.0 * cos, z + girth * sin], axis=2), surface)


def ellipsoid(center: Point, radii: Point, surface: Surface, sides: int = 10) -> Solid:
    """An ellipsoid with `sides` facets around and about half as many up."""
    x, y, z = center
    rings = 2 * ((sides + 2) // 4)
    up = -np.array(cosines(2 * rings)[: rings + 1])[:, None]
    girth = np.sqrt(1.0 - up * up)
    cos, sin = _circle(sides)
    points = (x + radii[0] * girth * cos, y + radii[1] * up + 0.0 * cos, z + radii[2] * girth * sin)
    return loft(np.stack(points, axis=2), surface)


def rod(start: Point, end: Point, radius: float, surface: Surface, sides: int = 6) -> Solid:
    """A round bar between two points."""
    return tube([start, end], radius, surface, sides)


def tube(points: Sequence[Point], radius: float, surface: Surface, sides: int = 6) -> Solid:
    """A round bar bent through two or more points, mitred where it bends."""
    steps = [_unit(_minus(after, before)) for before, after in pairwise(points)]
    bends = [_unit(_plus(before, after)) for before, after in pairwise(steps)]
    tangents = [steps[0], *bends, steps[-1]]
    least = min(range(3), key=lambda axis: abs(tangents[0][axis]))
    side: Point = (float(least == 0), float(least == 1), float(least == 2))
    frames = []
    for t in tangents:
        along = side[0] * t[0] + side[1] * t[1] + side[2] * t[2]
        side = _unit((side[0] - along * t[0], side[1] - along * t[1], side[2] - along * t[2]))
        other = (
            t[1] * side[2] - t[2] * side[1],
            t[2] * side[0] - t[0] * side[2],
            t[0] * side[1] - t[1] * side[0],
        )
        frames.append((side, other))
    across = np.array(frames)[:, :, None, :]
    cos, sin = _circle(sides)[:, None, :, None]
    middle = np.array(points, dtype=np.float64)[:, None, :]
    return loft(middle + radius * (cos * across[:, 0] + sin * across[:, 1]), surface)


def prism(outline_xz: Outline, y0: float, y1: float, surface: Surface) -> Solid:
    """An upright prism over a convex or star-shaped outline in x and z."""
    return extruded(outline_xz, "y", y0, y1, surface)


def extruded(outline: Outline, axis: str, low: float, high: float, surface: Surface) -> Solid:
    """A prism along any axis over a convex or star-shaped outline.

    Args:
        outline: Corners in the other two axes, in the order x, y, z: (y, z) for axis "x".
        axis: "x", "y" or "z".
        low: Where it begins on that axis.
        high: Where it ends.
        surface: Its surface.
    """
    across = "xyz".index(axis)
    corners = np.array(outline, dtype=np.float64)
    rings = np.empty((2, len(corners), 3))
    rings[..., [axis for axis in range(3) if axis != across]] = corners
    rings[..., across] = ((low,), (high,))
    return loft(rings, surface, star=not _is_convex(corners))


def loft(rings: Sequence[Sequence[Point]] | np.ndarray, surface: Surface, star: bool = False) -> Solid:
    """A closed body through rings of equally many points, with flat ends.

    Args:
        rings: Points of each ring, (rings, points, 3), all going around in the same sense (either one).
        surface: Its surface.
        star: The ends are not convex but all of each can be seen from its middle.
    """
    points = rings if isinstance(rings, np.ndarray) else np.array(rings, dtype=np.float64)
    count, sides = points.shape[:2]
    vertices = points.reshape(-1, 3)
    if star:
        vertices = np.concatenate([vertices, points[:1].mean(axis=1), points[-1:].mean(axis=1)])
    return _mesh(vertices, _loft_faces(count, sides, star), surface)


def oval(x: float, z: float, radius_x: float, radius_z: float, sides: int = 16) -> list[tuple[float, float]]:
    """Corners of an ellipse around (x, z); the first one lies on +x."""
    turn = cosines(4 * sides)
    return [
        (x + radius_x * turn[4 * i], z + radius_z * turn[(4 * i - sides) % (4 * sides)]) for i in range(sides)
    ]


def rounded_rectangle(
    x0: float, z0: float, x1: float, z1: float, radius: float, steps: int = 2
) -> list[tuple[float, float]]:
    """Corners of a rectangle whose corners are rounded by `steps` facets each."""
    turn = cosines(4 * steps)
    corners = (
        (x1 - radius, z1 - radius),
        (x0 + radius, z1 - radius),
        (x0 + radius, z0 + radius),
        (x1 - radius, z0 + radius),
    )
    return [
        (
            corners[q][0] + radius * turn[(q * steps + i) % (4 * steps)],
            corners[q][1] + radius * turn[((q - 1) * steps + i) % (4 * steps)],
        )
        for q in range(4)
        for i in range(steps + 1)
    ]


def moved(solid: Solid, dx: float, dy: float, dz: float) -> Solid:
    """The solid shifted by centimetres."""
    return replace(solid, vertices=_rounded(solid.vertices + np.array((dx, dy, dz), dtype=np.float64)))


def turned(solid: Solid, quarter_turns: int, width: float, depth: float) -> Solid:
    """The solid turned with its frame, so that the front (+z) looks along +x, -z, -x for 1, 2, 3 turns.

    Args:
        solid: In a frame of x in [0, width] and z in [0, depth].
        quarter_turns: How often to turn.
        width: Extent of the frame along x before the turn.
        depth: Extent of the frame along z before the turn.

    Returns:
        A solid in a frame that starts at 0 again; width and depth change places for odd turns.
    """
    x, y, z = solid.vertices.T
    turns = quarter_turns % 4
    new_x = (x, z, width - x, depth - z)[turns]
    new_z = (z, width - x, depth - z, x)[turns]
    return replace(solid, vertices=_rounded(np.stack([new_x, y, new_z], axis=1)))


def sheared(solid: Solid, axis: str, along: str, at: float, slope: float) -> Solid:
    """The solid leaning: shifted along one axis by `slope` times the distance from `at` along another."""
    vertices = solid.vertices.copy()
    vertices[:, "xyz".index(axis)] += slope * (vertices[:, "xyz".index(along)] - at)
    return replace(solid, vertices=_rounded(vertices))


def mirrored(solid: Solid, width: float) -> Solid:
    """The solid with left and right swapped in a frame of x in [0, width]."""
    vertices = solid.vertices * np.array((-1.0, 1.0, 1.0)) + np.array((width, 0.0, 0.0))
    return replace(
        solid, vertices=_rounded(vertices), faces=solid.faces[:, ::-1].copy(), uv=solid.uv[:, ::-1].copy()
    )


def merged(solids: Iterable[Solid]) -> tuple[Solid, ...]:
    """One solid for each surface, in the order of first use."""
    groups: dict[Surface, list[Solid]] = {}
    for solid in solids:
        groups.setdefault(solid.surface, []).append(solid)
    return tuple(group[0] if len(group) == 1 else _joined(group) for group in groups.values())


@cache
def cosines(count: int) -> tuple[float, ...]:
    """Cosine of k / count of a full turn for k = 0 to count - 1, rounded to 6 decimals."""
    return tuple(round(math.cos(2.0 * math.pi * k / count), 6) + 0.0 for k in range(count))


def _joined(solids: Sequence[Solid]) -> Solid:
    offsets = np.cumsum([0, *(len(solid.vertices) for solid in solids)])
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([s.faces + np.int32(o) for s, o in zip(solids, offsets, strict=False)]),
        np.concatenate([solid.uv for solid in solids]),
        solids[0].surface,
    )


@cache
def _loft_faces(count: int, sides: int, star: bool) -> np.ndarray:
    this = np.arange(sides)
    after = (this + 1) % sides
    quads = np.stack([this, this + sides, after + sides, after], axis=1)
    quads = (quads[None] + sides * np.arange(count - 1)[:, None, None]).reshape(-1, 4)
    last = sides * (count - 1)
    if star:
        middle = np.full(sides, count * sides)
        low, high = (
            np.stack([middle, this, after], axis=1),
            np.stack([middle + 1, last + after, last + this], axis=1),
        )
    else:
        low = np.stack([np.zeros(sides - 2, dtype=int), this[1:-1], this[2:]], axis=1)
        high = last + low[:, ::-1]
    return np.concatenate([quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3), low, high]).astype(np.int32)


def _mesh(vertices: np.ndarray, faces: np.ndarray, surface: Surface) -> Solid:
    """A solid from triangles, turned outwards, less those without area once the vertices are rounded."""
    vertices = _rounded(vertices)
    corners = (vertices - vertices[0])[faces]
    a = corners[:, 0]
    (bx, by, bz), (cx, cy, cz) = (corners[:, 1] - a).T, (corners[:, 2] - a).T
    normals = np.stack([by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx], axis=1)
    if (normals * a).sum() < 0.0:
        faces = faces[:, ::-1]
    sizes = np.abs(normals)
    kept = sizes.any(axis=1)
    if not kept.all():
        faces, sizes = faces[kept], sizes[kept]
    return _textured(vertices, faces, np.argmax(sizes, axis=1), surface)


def _textured(vertices: np.ndarray, faces: np.ndarray, across: np.ndarray, surface: Surface) -> Solid:
    """A solid whose texture is projected along the axis that each face looks along most.

    The grain of wood runs along the solid's longest side, other textures stand upright.
    """
    axes = _UV_AXES[across]
    if surface[0] in _GRAINED:
        extent = vertices.max(axis=0) - vertices.min(axis=0)
        swap = extent[axes[:, 0]] < extent[axes[:, 1]]
        axes = np.where(swap[:, None], axes[:, ::-1], axes)
    uv = vertices[faces[:, :, None], axes[:, None, :]]
    return Solid(vertices, np.ascontiguousarray(faces, dtype=np.int32), uv, surface)


def _is_convex(corners: np.ndarray) -> bool:
    order = np.arange(1, len(corners) + 1) % len(corners)
    edges = corners[order] - corners
    after = edges[order]
    turns = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
    return bool((turns >= 0).all() or (turns <= 0).all())


@cache
def _circle(sides: int) -> np.ndarray:
    """(2, sides): cosines and sines around a circle."""
    return np.array(oval(0.0, 0.0, 1.0, 1.0, sides)).T


def _plus(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _unit(a: Point) -> Point:
    length = math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
    return a[0] / length, a[1] / length, a[2] / length


def _rounded(vertices: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(vertices, 2) + 0.0)
