"""From a house's facts to a scene: boxes become triangles, walls, floors and furniture become instances."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from vlnenv.houses.catalogue import Box, Surface
from vlnenv.houses.floorplan import HEIGHT_CM, OUTSIDE, WALL_CM, Opening, Wall
from vlnenv.houses.furnish import Door
from vlnenv.houses.house import House
from vlnenv.houses.textures import COLORS, FINISHES, texture
from vlnenv.sim.scene import Instance, Material, Scene

_HALF = WALL_CM // 2
_TRIM: Surface = ("plain", "white")
_CEILING: Surface = ("paint", "white")
_FACADE: Surface = ("paint", "beige")

# Corners of the six sides of a box as (x, y, z) choices of low (0) or high (1), counter-clockwise seen from
# outside, and the two axes that span each side's texture.
_SIDES = np.array(
    [
        [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0)],  # -x
        [(1, 0, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1)],  # +x
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],  # -y
        [(0, 1, 1), (1, 1, 1), (1, 1, 0), (0, 1, 0)],  # +y
        [(1, 0, 0), (0, 0, 0), (0, 1, 0), (1, 1, 0)],  # -z
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],  # +z
    ],
    dtype=np.int64,
)
_SIDE_AXES = ((2, 1), (2, 1), (0, 2), (0, 2), (0, 1), (0, 1))


@dataclass
class _Builder:
    """Collects boxes with a surface for each of their six sides."""

    corners: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    sides: list[tuple[Surface, ...]] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    instances: list[tuple[str, str, str]] = field(default_factory=list)

    def instance(self, name: str, category: str, color: str = "") -> int:
        self.instances.append((name, category, color))
        return len(self.instances)

    def box(self, owner: int, x0: int, y0: int, z0: int, x1: int, y1: int, z1: int, *sides: Surface) -> None:
        """A box with one surface, or with six in the order -x, +x, -y, +y, -z, +z."""
        self.corners.append((x0, y0, z0, x1, y1, z1))
        self.sides.append(sides if len(sides) == 6 else (sides[0],) * 6)
        self.owner.append(owner)

    def boxes(self, owner: int, boxes: tuple[Box, ...]) -> None:
        for x0, y0, z0, x1, y1, z1, surface in boxes:
            self.box(owner, x0, y0, z0, x1, y1, z1, surface)


def build_scene(house: House) -> Scene:
    """Triangles, materials and instances of a house. Origin at a corner of the house, floor at y = 0."""
    builder = _Builder()
    _build_rooms(builder, house)
    _build_walls(builder, house)
    for door in house.doors:
        _build_door(builder, door)
    for piece in house.furniture:
        owner = builder.instance(piece.name, piece.category, piece.color)
        builder.boxes(owner, piece.solids)
    return _to_scene(builder, house.scene_id)


def _build_rooms(builder: _Builder, house: House) -> None:
    for room, floor in zip(house.rooms, house.floors, strict=True):
        c = room.cell
        owner = builder.instance(f"floor_{room.name}", "floor", floor[1])
        builder.box(owner, c.x0, -10, c.z0, c.x1, 0, c.z1, floor)
    for room in house.rooms:
        c = room.cell
        owner = builder.instance(f"ceiling_{room.name}", "ceiling", "white")
        builder.box(owner, c.x0, HEIGHT_CM, c.z0, c.x1, HEIGHT_CM + 10, c.z1, _CEILING)


def _build_walls(builder: _Builder, house: House) -> None:
    windows = 0
    ends = _wall_ends(house.plan.walls)
    for number, (wall, (low, high)) in enumerate(zip(house.plan.walls, ends, strict=True), start=1):
        before, after = (
            _FACADE if room == OUTSIDE else house.walls[room] for room in (wall.before, wall.after)
        )
        inside = [house.walls[room][1] for room in wall.rooms if room != OUTSIDE]
        owner = builder.instance(f"wall_{number}", "wall", inside[0])
        start = low
        for opening in sorted(wall.openings, key=lambda o: o.low):
            _wall_box(builder, owner, wall, (start, opening.low), (0, HEIGHT_CM), before, after)
            if opening.sill:
                _wall_box(builder, owner, wall, (opening.low, opening.high), (0, opening.sill), before, after)
            _wall_box(
                builder, owner, wall, (opening.low, opening.high), (opening.head, HEIGHT_CM), before, after
            )
            start = opening.high
            if opening.kind == "window":
                windows += 1
                _build_window(builder, f"window_{windows}", wall, opening)
        _wall_box(builder, owner, wall, (start, high), (0, HEIGHT_CM), before, after)


def _wall_ends(walls: tuple[Wall, ...]) -> list[tuple[int, int]]:
    """Where each wall's boxes begin and end, so that walls meet without overlap and without holes.

    Where a wall runs through, the other stops at its face; at a corner the wall along x fills the corner.
    """
    meeting: dict[tuple[int, int], set[str]] = {}
    for wall in walls:
        for end, towards in ((wall.low, "+"), (wall.high, "-")):
            point = (end, wall.line) if wall.along_x else (wall.line, end)
            meeting.setdefault(point, set()).add(("x" if wall.along_x else "z") + towards)
    ends = []
    for wall in walls:
        shifted = []
        for end, outwards in ((wall.low, -1), (wall.high, 1)):
            point = (end, wall.line) if wall.along_x else (wall.line, end)
            arms = meeting[point]
            x_through, z_through = {"x+", "x-"} <= arms, {"z+", "z-"} <= arms
            if wall.along_x:
                step = 0 if x_through else -_HALF if z_through else _HALF
            else:
                step = 0 if z_through and not x_through else -_HALF
            shifted.append(end + outwards * step)
        ends.append((shifted[0], shifted[1]))
    return ends


def _wall_box(
    builder: _Builder,
    owner: int,
    wall: Wall,
    span: tuple[int, int],
    rise: tuple[int, int],
    before: Surface,
    after: Surface,
) -> None:
    if span[0] >= span[1]:
        return
    near, far = wall.line - _HALF, wall.line + _HALF
    if wall.along_x:
        sides = (_TRIM, _TRIM, _TRIM, _TRIM, before, after)
        builder.box(owner, span[0], rise[0], near, span[1], rise[1], far, *sides)
    else:
        sides = (before, after, _TRIM, _TRIM, _TRIM, _TRIM)
        builder.box(owner, near, rise[0], span[0], far, rise[1], span[1], *sides)


def _frame(
    builder: _Builder,
    owner: int,
    wall: Wall | Door,
    line: int,
    span: tuple[int, int],
    rise: tuple[int, int],
    half: int,
    surface: Surface,
) -> None:
    """One bar of a frame: `span` along the wall, `half` to both sides of its middle."""
    if wall.along_x:
        builder.box(owner, span[0], rise[0], line - half, span[1], rise[1], line + half, surface)
    else:
        builder.box(owner, line - half, rise[0], span[0], line + half, rise[1], span[1], surface)


def _build_window(builder: _Builder, name: str, wall: Wall, opening: Opening) -> None:
    owner = builder.instance(name, "window", "white")
    low, high, sill, head = opening.low, opening.high, opening.sill, opening.head
    for span, rise in (
        ((low, low + 5), (sill, head)),
        ((high - 5, high), (sill, head)),
        ((low + 5, high - 5), (sill, sill + 5)),
        ((low + 5, high - 5), (head - 5, head)),
    ):
        _frame(builder, owner, wall, wall.line, span, rise, 7, _TRIM)
    middle = (low + high) // 2
    _frame(builder, owner, wall, wall.line, (middle - 2, middle + 2), (sill + 5, head - 5), 3, _TRIM)
    _frame(builder, owner, wall, wall.line, (low + 5, high - 5), (sill + 5, head - 5), 1, ("plain", "sky"))


def _build_door(builder: _Builder, door: Door) -> None:
    hole = door.opening
    line = door.center[1] if door.along_x else door.center[0]
    low, high = (hole.x0, hole.x1) if door.along_x else (hole.z0, hole.z1)
    frame = builder.instance(f"{door.name}_frame", "door frame", "white")
    wood: Surface = ("wood", door.color)
    for span, rise in (
        ((low, low + 5), (0, 210)),
        ((high - 5, high), (0, 210)),
        ((low + 5, high - 5), (205, 210)),
    ):
        _frame(builder, frame, door, line, span, rise, 7, _TRIM)
    if door.leaf is None:
        return
    leaf = door.leaf
    owner = builder.instance(door.name, "front door" if OUTSIDE in door.rooms else "door", door.color)
    builder.box(owner, leaf.x0, 1, leaf.z0, leaf.x1, 204, leaf.z1, wood)
    handle = ("plain", "grey")
    # A knob on both faces, near one edge.
    if leaf.width > leaf.depth:
        builder.box(owner, leaf.x0 + 8, 98, leaf.z0 - 2, leaf.x0 + 16, 101, leaf.z1 + 2, handle)
    else:
        builder.box(owner, leaf.x0 - 2, 98, leaf.z0 + 8, leaf.x1 + 2, 101, leaf.z0 + 16, handle)


def _to_scene(builder: _Builder, scene_id: str) -> Scene:
    surfaces: dict[Surface, int] = {}
    side_surface = np.array(
        [[surfaces.setdefault(side, len(surfaces)) for side in sides] for sides in builder.sides],
        dtype=np.int32,
    )
    corners = np.array(builder.corners, dtype=np.int64)
    ends = corners.reshape(-1, 2, 3)
    # (boxes, sides, corners, xyz): the low or the high end of each axis.
    points = np.stack([ends[:, _SIDES[..., axis], axis] for axis in range(3)], axis=-1)
    vertices = points.reshape(-1, 3)
    quads = np.arange(len(vertices), dtype=np.int32).reshape(-1, 4)
    faces = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)

    repeats = np.array([FINISHES[finish] for finish, _ in surfaces], dtype=np.int64)[side_surface]
    uv = np.empty((*points.shape[:3], 2))
    for side, (u_axis, v_axis) in enumerate(_SIDE_AXES):
        uv[:, side, :, 0] = points[:, side, :, u_axis] / repeats[:, side, None]
        uv[:, side, :, 1] = points[:, side, :, v_axis] / repeats[:, side, None]
    corner_uv = uv.reshape(-1, 4, 2)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3, 2).astype(np.float32)

    owner = np.array(builder.owner, dtype=np.int32)
    face_material = np.repeat(side_surface.reshape(-1), 2).astype(np.int32)
    key = hashlib.sha256()
    key.update(repr((builder.instances, builder.owner, builder.corners, builder.sides)).encode())
    key.update(repr([COLORS[color] for _, color in surfaces]).encode())
    return Scene(
        id=scene_id,
        vertices_m=(vertices / 100.0).astype(np.float32),
        faces=faces.astype(np.int32),
        face_instance=np.repeat(owner, 12),
        face_material=face_material,
        corner_uv=corner_uv,
        corner_rgb=None,
        materials=tuple(Material(texture=texture(finish, color)) for finish, color in surfaces),
        instances=_instances(builder, corners, owner),
        key=key.hexdigest(),
    )


def _instances(builder: _Builder, corners: np.ndarray, owner: np.ndarray) -> tuple[Instance, ...]:
    instances = []
    for number, (name, category, color) in enumerate(builder.instances, start=1):
        own = corners[owner == number]
        low, high = (own[:, :3].min(axis=0) / 100.0).tolist(), (own[:, 3:].max(axis=0) / 100.0).tolist()
        bounds = ((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        instances.append(Instance(number, name, category, color, bounds))
    return tuple(instances)
