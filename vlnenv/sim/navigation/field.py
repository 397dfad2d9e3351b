"""The navigation field of a scene: where a body can stand, how far it is to walk, and what a step does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from vlnenv.sim.navigation import columns as surfaces
from vlnenv.sim.navigation import distance, fast_marching, levels, motion, paths, rasterize
from vlnenv.sim.navigation.cells import Cells
from vlnenv.sim.simulator import AgentBody, checked_positions

VERSION = 2
"""Of `NavigationField.to_arrays` and the rules behind it; part of the name of a cached field."""
MAX_SLOPE_DEG = 45.0
"""Steepest face that is floor (Habitat's default)."""
LOW_RELIEF_M = 0.05
"""A face lower than this is floor at any slope: the facets of a noisy scan."""
SMOOTHING_M = 0.35
"""Window of the mean that turns stairs into ramps: a tread and a bit."""
MIN_ISLAND_M2 = 0.25
"""Smallest part that a body can walk in once obstacles are inflated; smaller pockets are not navigable."""
MARGIN_M = 1e-4
"""Slack of `is_navigable`, for positions that went through float32 or JSON."""
CACHED_BYTES = 64 * 2**20
"""Memory for distance fields, one a goal; the least recently used go first."""
SLACK_CELLS = 0.25
"""Clearances are known to a quarter of a cell, so that much is taken off the body's radius. Without it,
detours are 0.3 % longer and gaps barely wider than the body are shut, as centres of cells rarely lie on the
best line."""
_CLIMB_SLACK_M = 1e-3  # a riser of exactly the body's climb is climbed, whatever its rounding
_PAD_CELLS = 2


class NavigationField:
    """A layered height field with clearances, geodesic distances, and sliding motion.

    World frame: x right, y up, -z ahead; metres. Positions are the body's feet. All methods are
    deterministic; the field never changes (`rebuild` gives a new one) except for its memory of distance
    fields.
    """

    def __init__(self, body: AgentBody, cells: Cells, columns: surfaces.Columns, extent: np.ndarray):
        """Use `build` or `from_arrays`."""
        self.body = body
        self.cells = cells
        self._columns = columns
        self._extent = extent
        self._fields: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._walkable = np.flatnonzero((cells.island >= 0) & (cells.clearance_m >= cells.radius_m))

    @classmethod
    def build(
        cls,
        vertices_m: np.ndarray,
        faces: np.ndarray,
        face_walkable_hint: np.ndarray | None,
        body: AgentBody,
        cell_m: float = 0.05,
    ) -> NavigationField:
        """Find the floor of a mesh.

        Args:
            vertices_m: (v, 3) world frame, y up, metres.
            faces: int (f, 3) rows of `vertices_m`; the winding does not matter.
            face_walkable_hint: int8 (f,): 1 surely floor, 0 unknown, -1 surely not walkable; None for all
                unknown.
            body: The body that walks.
            cell_m: Side of a cell; obstacles are placed to a quarter of it.

        Raises:
            ValueError: If an input is not finite, has a wrong shape or names a vertex that is not there.
        """
        vertices, faces, hint = _checked_mesh(vertices_m, faces, face_walkable_hint)
        if not (np.isfinite(cell_m) and cell_m > 0.0):
            raise ValueError(f"cell_m must be a positive length in metres, got {cell_m}")
        extent = _extent(vertices, faces, cell_m)
        wanted = np.ones((int(extent[2]), int(extent[3])), dtype=np.bool_)
        found = _columns_of(vertices, faces, hint, extent, cell_m, body, wanted)
        return cls._from_columns(body, found, extent, cell_m)

    def rebuild(
        self,
        vertices_m: np.ndarray,
        faces: np.ndarray,
        face_walkable_hint: np.ndarray | None,
        changed_bounds_m: np.ndarray,
    ) -> NavigationField:
        """The field of an edited mesh; equal to a full build, but only changed columns are rasterised.

        Args:
            vertices_m: (v, 3) the whole mesh after the edit.
            faces: int (f, 3).
            face_walkable_hint: int8 (f,) or None.
            changed_bounds_m: (b, 2, 3) minimum and maximum corner of boxes that hold all that changed,
                before and after.
        """
        vertices, faces, hint = _checked_mesh(vertices_m, faces, face_walkable_hint)
        boxes = np.asarray(changed_bounds_m, dtype=np.float64).reshape(-1, 2, 3)
        if not np.isfinite(boxes).all():
            raise ValueError("changed_bounds_m must be finite")
        cell_m = self.cells.cell_m
        extent = _extent(vertices, faces, cell_m)
        if not np.array_equal(extent, self._extent):
            return NavigationField.build(vertices, faces, hint, self.body, cell_m)
        shape = (int(extent[2]), int(extent[3]))
        changed = np.zeros(shape, dtype=np.bool_)
        for low, high in boxes:
            first = np.floor((low[[0, 2]] - extent[:2]) / cell_m).astype(int) - 1
            last = np.floor((high[[0, 2]] - extent[:2]) / cell_m).astype(int) + 2
            changed[max(first[0], 0) : max(last[0], 0), max(first[1], 0) : max(last[1], 0)] = True
        # A column's surfaces need its neighbours' slabs, whose surfaces need theirs alone.
        replaced = _dilated(changed)
        fresh = _columns_of(vertices, faces, hint, extent, cell_m, self.body, _dilated(_dilated(replaced)))
        merged = _merged(self._columns, fresh, replaced.ravel())
        return self._from_columns(self.body, merged, extent, cell_m)

    @classmethod
    def _from_columns(
        cls, body: AgentBody, found: surfaces.Columns, extent: np.ndarray, cell_m: float
    ) -> NavigationField:
        shape_x, shape_z = int(extent[2]), int(extent[3])
        climb_m = float(body.max_climb_m) + _CLIMB_SLACK_M
        links, column = surfaces.links_of(found.start, found.height_m, shape_x, shape_z, climb_m)
        free = np.zeros(len(column), dtype=np.bool_)
        if len(column):
            free = levels.floor_surfaces(column, found.height_m, found.flags, links, cell_m, climb_m)
        # Keep the floor and the blocked surfaces beside it.
        beside = links[free]
        kept = free.copy()
        kept[beside[beside >= 0]] = True
        index = np.full(len(kept) + 1, -1, dtype=np.int32)
        index[:-1][kept] = np.arange(kept.sum(), dtype=np.int32)
        start = np.concatenate([[0], np.cumsum(kept)])[found.start]
        links, column, free = np.ascontiguousarray(index[links[kept]]), column[kept], free[kept]
        clearance = distance.clearance_field(links, column, found.mask[kept], free, shape_z, cell_m)
        half_width = max(0, round((SMOOTHING_M / cell_m - 1) / 2))
        height = distance.smoothed_height(links, found.height_m[kept], free, half_width, 2)
        slope = distance.slopes(links, height, free, cell_m)
        radius_m = max(0.0, body.radius_m - SLACK_CELLS * cell_m)
        island = _islands(links, height, free & (clearance >= radius_m), cell_m, climb_m)
        cells = Cells(
            start=start.astype(np.int64),
            column=column,
            links=links,
            height_m=height,
            slope=slope,
            clearance_m=clearance,
            island=island,
            origin_x=float(extent[0]),
            origin_z=float(extent[1]),
            cell_m=float(cell_m),
            shape_x=shape_x,
            shape_z=shape_z,
            radius_m=float(radius_m),
            climb_m=climb_m,
        )
        return cls(body, cells, found, extent)

    def geodesic(self, position_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Walking distance from n positions to one goal (3,), or to the nearest of several (g, 3).

        The first call for a goal marches over the whole floor; later ones are look-ups.

        Returns:
            float64 (n,) metres in space (stairs count as ramps); inf where there is no way or a point is
            more than about a cell off the navigable floor.
        """
        position = checked_positions(position_m, "position_m")
        goal = checked_positions(np.atleast_2d(np.asarray(goal_m, dtype=np.float64)), "goal_m")
        return fast_marching.look_up(self.cells, self._distance_to(goal), goal, position)

    def path(self, start_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Shortest path float64 (k, 3), start and goal included, clear of obstacles; (0, 3) if there is
        none.
        """
        start = checked_positions(np.reshape(start_m, (1, 3)), "start_m")
        goal = checked_positions(np.reshape(goal_m, (1, 3)), "goal_m")
        points, nodes = paths.descend(self.cells, self._distance_to(goal), start[0], goal[0])
        if len(points) == 0:
            return np.empty((0, 3))
        points, nodes = paths.pulled(self.cells, points, nodes)
        return paths.lifted(self.cells, points, nodes, 0.1, 0.02)

    def snap(self, position_m: np.ndarray, max_distance_m: float = 2.0) -> np.ndarray:
        """Nearest navigable points float64 (n, 3); rows of NaN where none lies within `max_distance_m`."""
        position = checked_positions(position_m, "position_m")
        if not (np.isfinite(max_distance_m) and max_distance_m >= 0.0):
            raise ValueError(f"max_distance_m must be finite and not negative, got {max_distance_m}")
        return motion.snap_all(self.cells, position, float(max_distance_m))

    def is_navigable(self, position_m: np.ndarray) -> np.ndarray:
        """Bool (n,): whether the body may stand there; the height may be off by `body.max_climb_m`."""
        return self.island_of(position_m) >= 0

    def island_of(self, position_m: np.ndarray) -> np.ndarray:
        """Connected part int32 (n,) that each position is on: 0 is the largest, -1 is not navigable."""
        return motion.islands_all(self.cells, checked_positions(position_m, "position_m"), MARGIN_M)

    def clearance(self, position_m: np.ndarray) -> np.ndarray:
        """Distance float64 (n,) to the nearest obstacle or edge of the floor, metres; 0 off the floor."""
        return motion.clearance_all(self.cells, checked_positions(position_m, "position_m"))

    def sample(self, rng: np.random.Generator, count: int, island: int | None = None) -> np.ndarray:
        """`count` navigable points (count, 3), uniform over the navigable area (of one island, if given).

        Raises:
            ValueError: If nothing is navigable.
        """
        cells = self.cells
        nodes = self._walkable if island is None else self._walkable[cells.island[self._walkable] == island]
        if len(nodes) == 0:
            raise ValueError(
                "nothing is navigable here: check the scene's units and up axis, the body's size, "
                "and the island"
            )
        out = np.empty((0, 3))
        while len(out) < count:
            node = nodes[rng.integers(len(nodes), size=count - len(out))]
            offset = rng.random((len(node), 2))
            column = cells.column[node].astype(np.int64)
            points = np.empty((len(node), 3))
            points[:, 0] = cells.origin_x + (column // cells.shape_z + offset[:, 0]) * cells.cell_m
            points[:, 1] = cells.height_m[node]
            points[:, 2] = cells.origin_z + (column % cells.shape_z + offset[:, 1]) * cells.cell_m
            inside = motion.clearance_all(cells, points) >= cells.radius_m
            out = np.concatenate([out, motion.snap_all(cells, points[inside], cells.climb_m)])
        return out

    def move(
        self,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        distance_m: np.ndarray | float,
        sliding: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Walk ahead by `distance_m` from n poses, in sub-steps of 2.5 cm.

        A start that is nearer to an obstacle than the body's radius (data sets have some) may move where its
        clearance does not shrink; one with no floor below is first put on the nearest navigable point within
        0.5 m, and stays where it is, collided, if there is none.

        Args:
            position_m: (n, 3).
            heading_rad: (n,) or a scalar; counter-clockwise about +y, 0 looks along -z.
            distance_m: (n,) or a scalar, not negative.
            sliding: Whether a blocked move goes on along the obstacle; else it stops there.

        Returns:
            New positions float64 (n, 3) on the smoothed floor, and bool (n,): moved less than asked by over
            1 mm.
        """
        position = checked_positions(position_m, "position_m")
        heading = np.broadcast_to(np.asarray(heading_rad, dtype=np.float64), (len(position),))
        length = np.broadcast_to(np.asarray(distance_m, dtype=np.float64), (len(position),))
        if not np.isfinite(heading).all():
            raise ValueError("heading_rad must be finite")
        if not (np.isfinite(length).all() and (length >= 0.0).all()):
            raise ValueError(
                "distance_m must be finite and not negative; to walk back, turn the heading by pi"
            )
        return motion.move_all(
            self.cells, position, np.ascontiguousarray(heading), np.ascontiguousarray(length), bool(sliding)
        )

    @property
    def area_m2(self) -> float:
        """Navigable area in square metres."""
        return len(self._walkable) * self.cells.cell_m**2

    def floor_levels(self) -> np.ndarray:
        """Heights float64 (k,) of the storeys, ascending: where the most navigable floor is, 1 m apart or
        more.
        """
        if len(self._walkable) == 0:
            return np.empty(0)
        height = self.cells.height_m[self._walkable]
        low = height.min()
        bins = np.bincount(((height - low) / 0.1).astype(np.int64))
        found: list[float] = []
        for bin_index in np.argsort(-bins, kind="stable"):
            if bins[bin_index] * self.cells.cell_m**2 < levels.MIN_FLOOR_M2 and found:
                break
            inside = height[np.abs(height - (low + (bin_index + 0.5) * 0.1)) <= 0.15]
            level = float(np.median(inside))
            if all(abs(level - other) >= 1.0 for other in found):
                found.append(level)
        return np.sort(np.asarray(found))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that makes up the field, as plain arrays for an npz file."""
        arrays = {f"cells_{name}": np.asarray(value) for name, value in self.cells._asdict().items()}
        arrays.update({f"columns_{name}": value for name, value in self._columns._asdict().items()})
        arrays["extent"] = self._extent
        arrays["body"] = np.array([self.body.radius_m, self.body.height_m, self.body.max_climb_m])
        arrays["version"] = np.array(VERSION)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> NavigationField:
        """The field that `to_arrays` gave.

        Raises:
            ValueError: If the arrays are of another `VERSION`.
        """
        version = int(arrays["version"]) if "version" in arrays else None
        if version != VERSION:
            raise ValueError(
                f"expected navigation arrays of version {VERSION}, got {version}: build the field again"
            )
        scalars = {"origin_x": float, "origin_z": float, "cell_m": float, "shape_x": int, "shape_z": int}
        scalars |= {"radius_m": float, "climb_m": float}
        values: dict[str, Any] = {
            name: scalars[name](arrays[f"cells_{name}"])
            if name in scalars
            else np.ascontiguousarray(arrays[f"cells_{name}"])
            for name in Cells._fields
        }
        found = surfaces.Columns(
            *(np.ascontiguousarray(arrays[f"columns_{name}"]) for name in surfaces.Columns._fields)
        )
        radius, height, climb = (float(value) for value in arrays["body"])
        return cls(AgentBody(radius, height, climb), Cells(**values), found, np.asarray(arrays["extent"]))

    def _distance_to(self, goal: np.ndarray) -> np.ndarray:
        key = goal.tobytes()
        field = self._fields.get(key)
        if field is None:
            field = fast_marching.march(self.cells, goal)
            self._fields[key] = field
            while len(self._fields) > max(1, CACHED_BYTES // max(1, field.nbytes)):
                self._fields.popitem(last=False)
        else:
            self._fields.move_to_end(key)
        return field


def _checked_mesh(
    vertices_m: np.ndarray, faces: np.ndarray, hint: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vertices = np.ascontiguousarray(vertices_m, dtype=np.float64)
    faces = np.ascontiguousarray(faces, dtype=np.int64)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise ValueError(f"vertices_m must be (v, 3), got {vertices.shape}")
    if faces.ndim != 2 or faces.shape[1] != 3 or len(faces) == 0:
        raise ValueError(f"faces must be (f, 3) with at least one face, got {faces.shape}")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(f"faces name vertices {faces.min()}..{faces.max()}, but there are {len(vertices)}")
    if not np.isfinite(vertices).all():
        raise ValueError("vertices_m must be finite, got NaN or infinity")
    if hint is None:
        return vertices, faces, np.zeros(len(faces), dtype=np.int8)
    hint = np.ascontiguousarray(hint, dtype=np.int8)
    if hint.shape != (len(faces),):
        raise ValueError(f"face_walkable_hint must be ({len(faces)},), one for each face, got {hint.shape}")
    return vertices, faces, hint


def _extent(vertices: np.ndarray, faces: np.ndarray, cell_m: float) -> np.ndarray:
    """Grid float64 (4,): origin x and z on a multiple of the cell, cells along x and z."""
    used = vertices[np.unique(faces)][:, [0, 2]]
    first = np.floor(used.min(axis=0) / cell_m) - _PAD_CELLS
    shape = np.floor(used.max(axis=0) / cell_m) + 1 + _PAD_CELLS - first
    if shape[0] * shape[1] > 2e8:
        raise ValueError(
            f"the mesh spans {shape[0]:.0f} x {shape[1]:.0f} cells of {cell_m} m: "
            "check its unit, or use larger cells"
        )
    return np.concatenate([first * cell_m, shape])


def _columns_of(
    vertices: np.ndarray,
    faces: np.ndarray,
    hint: np.ndarray,
    extent: np.ndarray,
    cell_m: float,
    body: AgentBody,
    wanted: np.ndarray,
) -> surfaces.Columns:
    shape_x, shape_z = wanted.shape
    min_normal_y = float(np.cos(np.radians(MAX_SLOPE_DEG)))
    slabs = rasterize.slabs_of(
        vertices,
        faces,
        hint,
        extent[0],
        extent[1],
        cell_m,
        shape_x,
        shape_z,
        wanted,
        min_normal_y,
        LOW_RELIEF_M,
    )
    climb_m = float(body.max_climb_m) + _CLIMB_SLACK_M
    standing = surfaces.standing_surfaces(*slabs, climb_m, body.height_m)
    return surfaces.Columns(
        *surfaces.with_borders(standing, *slabs, shape_x, shape_z, climb_m, body.height_m)
    )


def _dilated(mask: np.ndarray) -> np.ndarray:
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    wide = grown.copy()
    wide[:, 1:] |= grown[:, :-1]
    wide[:, :-1] |= grown[:, 1:]
    return wide


def _merged(old: surfaces.Columns, new: surfaces.Columns, replaced: np.ndarray) -> surfaces.Columns:
    """Columns of `new` where `replaced`, of `old` elsewhere."""
    counts = np.where(replaced, np.diff(new.start), np.diff(old.start))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    from_new = np.repeat(replaced, counts)
    of_old = ~np.repeat(replaced, np.diff(old.start))
    of_new = np.repeat(replaced, np.diff(new.start))
    parts = []
    for a, b in ((old.height_m, new.height_m), (old.mask, new.mask), (old.flags, new.flags)):
        part = np.empty(len(from_new), dtype=a.dtype)
        part[~from_new] = a[of_old]
        part[from_new] = b[of_new]
        parts.append(part)
    return surfaces.Columns(start, *parts)


def _islands(
    links: np.ndarray, height: np.ndarray, navigable: np.ndarray, cell_m: float, climb_m: float
) -> np.ndarray:
    """Island of each node by falling area, -1 for nodes off the navigable floor or in a tiny pocket."""
    label, count = levels.components(links, height.astype(np.float32), navigable, climb_m)
    island = np.full(len(label), -1, dtype=np.int32)
    if count == 0:
        return island
    area = np.bincount(label[navigable], minlength=count)
    order = np.argsort(-area, kind="stable")
    rank = np.full(count, -1, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    rank[(area * cell_m**2 < MIN_ISLAND_M2) & (rank > 0)] = -1
    island[navigable] = rank[label[navigable]]
    return island
