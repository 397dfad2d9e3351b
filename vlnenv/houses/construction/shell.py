"""The shell of a house: floors, ceilings, both faces of every wall, skirting boards and the roof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vlnenv.houses.construction.panels import grid_lines, panel
from vlnenv.houses.construction.solids import Solid, Surface, box
from vlnenv.houses.house import House
from vlnenv.houses.plans.plan import HEIGHT_CM, OUTSIDE, STOREY_CM, WALL_CM, FloorPlan, Opening, Room, Wall
from vlnenv.houses.plans.rect import Rect

HALF_CM = WALL_CM // 2
TRIM: Surface = ("plain", "white")
CEILING: Surface = ("paint", "white")
FACADE: Surface = ("plaster", "beige")
ROOF: Surface = ("concrete", "grey")
_FLOOR_STEP_CM = 34
_WALL_STEP_CM = 65
_CEILING_STEP_CM = 80
_SKIRTING_CM = 9
_SKIRTING_DEPTH_CM = 0.9


class Part(NamedTuple):
    """What an instance is made of, or some of it."""

    name: str
    """Of the instance; parts of one name belong together."""
    category: str
    color: str
    room: int
    """Whose light falls on it; `OUTSIDE` for full light."""
    solids: list[Solid]


def shell(house: House) -> Iterator[Part]:
    """Floors, ceilings and walls. Rectangles have one side; what no room shows is left out."""
    for room, surface in zip(house.rooms, house.floors, strict=True):
        floor = _level(_area(house.plan, room), room.floor_cm, 1, surface, _FLOOR_STEP_CM)
        yield Part(f"floor_{room.name}", "floor", surface[1], room.index, [floor])
    for room in house.rooms:
        top = room.floor_cm + HEIGHT_CM
        ceiling = _level(_ceiling_area(house.plan, room), top, -1, CEILING, _CEILING_STEP_CM)
        yield Part(f"ceiling_{room.name}", "ceiling", "white", room.index, [ceiling])
    corners = _outer_corners(house.plan.walls)
    for number, wall in enumerate(house.plan.walls, start=1):
        inside = [_wall_surface(house, r) for r in wall.rooms if r != OUTSIDE]
        for index in wall.rooms:
            surface = FACADE if index == OUTSIDE else _wall_surface(house, index)
            solids = _face(house.plan, wall, index, surface, corners)
            yield Part(f"wall_{number}", "wall", inside[0][1], index, solids)
            if index != OUTSIDE:
                # White woodwork is in full light, as frames are: corners would turn it grey.
                skirting = _skirting(house.plan, wall, house.rooms[index])
                yield Part(f"wall_{number}", "wall", inside[0][1], OUTSIDE, skirting)
    yield Part("roof", "roof", "grey", OUTSIDE, list(_roof(house.plan)))
    # Under the ground floor, for the rays that slip between the floors of two rooms.
    ground = [_level(room.cell, -2, 1, ROOF) for room in house.rooms if room.level == 0]
    yield Part("foundation", "structure", "grey", OUTSIDE, ground)


def _wall_surface(house: House, room: int) -> Surface:
    """The stairwell's walls run through both levels."""
    stairs = house.plan.stairs
    return house.walls[stairs.lower if stairs is not None and room == stairs.upper else room]


def side(wall: Wall, room: int) -> int:
    """1 where `room` lies on the side of larger coordinates, else -1."""
    return 1 if wall.after == room and wall.before != room else -1


def wall_box(
    along_x: bool,
    span: tuple[float, float],
    rise: tuple[float, float],
    across: tuple[float, float],
    surface: Surface,
) -> Solid:
    """A box given along a wall, upwards and across the wall."""
    if along_x:
        return box(span[0], rise[0], across[0], span[1], rise[1], across[1], surface)
    return box(across[0], rise[0], span[0], across[1], rise[1], span[1], surface)


def _area(plan: FloorPlan, room: Room) -> Rect:
    """What a room's floor covers: up to the middle of its walls, so that floors meet in doorways."""
    stairs = plan.stairs
    if stairs is None or room.kind != "stairs":
        return room.cell
    return stairs.place(-HALF_CM, stairs.entry_cm, -HALF_CM, stairs.across_cm + HALF_CM)


def _ceiling_area(plan: FloorPlan, room: Room) -> Rect:
    is_open = plan.stairs is not None and room.index == plan.stairs.upper
    return room.cell if is_open else _area(plan, room)


def _level(area: Rect, y: int, sign: int, surface: Surface, step_cm: int | None = None) -> Solid:
    """A level rectangle, cut into a grid where light varies over it."""
    x, z = (area.x0, area.x1), (area.z0, area.z1)
    grid: tuple[Sequence[int], Sequence[int]] = ((), ())
    if step_cm is not None:
        inner = area.grown(-HALF_CM)
        grid = (grid_lines(inner.x0, inner.x1, step_cm), grid_lines(inner.z0, inner.z1, step_cm))
    return panel(1, y, sign, x, z, surface, grid)


def _face(
    plan: FloorPlan, wall: Wall, room: int, surface: Surface, corners: set[tuple[int, int, int]]
) -> list[Solid]:
    """One face of a wall around its openings."""
    base = wall.level * STOREY_CM
    top = base + HEIGHT_CM
    sign = side(wall, room)
    low, high = wall.low, wall.high
    if room == OUTSIDE:
        # The faces meet beyond the middle lines at corners of the house.
        low -= HALF_CM * (_point(wall, low) in corners)
        high += HALF_CM * (_point(wall, high) in corners)
        top = base + STOREY_CM
    else:
        inner = plan.rooms[room].inner
        ends = (inner.x0, inner.x1) if wall.along_x else (inner.z0, inner.z1)
        # Into the walls beside it, so that no crack is left in the corner.
        low, high = max(low, ends[0] - HALF_CM + 1), min(high, ends[1] + HALF_CM - 1)
        if plan.stairs is not None and room == plan.stairs.lower:
            top = base + STOREY_CM
    at = wall.line + sign * HALF_CM
    grid: tuple[Sequence[int], Sequence[int]] = ((), ())
    if room != OUTSIDE:
        # One grid for the whole face, so that the pieces around an opening shade alike.
        grid = (grid_lines(*ends, _WALL_STEP_CM), grid_lines(base, top, _WALL_STEP_CM))
    solids = []
    for span, rise in _around(wall.openings, low, high, base, top):
        solids.append(panel(2 if wall.along_x else 0, at, sign, span, rise, surface, grid))
    return solids


def _skirting(plan: FloorPlan, wall: Wall, room: Room) -> list[Solid]:
    """Boards along the foot of a wall, interrupted by doorways."""
    if room.kind == "stairs":
        return []
    ends = (room.inner.x0, room.inner.x1) if wall.along_x else (room.inner.z0, room.inner.z1)
    sign = side(wall, room.index)
    at = wall.line + sign * HALF_CM
    across = (min(at, at + sign * _SKIRTING_DEPTH_CM), max(at, at + sign * _SKIRTING_DEPTH_CM))
    rise = (room.floor_cm, room.floor_cm + _SKIRTING_CM)
    doorways = [opening for opening in wall.openings if opening.kind != "window"]
    spans = _between(doorways, max(wall.low, ends[0]), min(wall.high, ends[1]))
    return [wall_box(wall.along_x, span, rise, across, TRIM) for span in spans]


def _around(
    openings: tuple[Opening, ...], low: int, high: int, base: int, top: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """(span, rise) of the rectangles that are left of a wall's face."""
    start = low
    for opening in sorted(openings, key=lambda o: o.low):
        if start < opening.low:
            yield (start, opening.low), (base, top)
        span = (opening.low, opening.high)
        if opening.sill:
            yield span, (base, base + opening.sill)
        yield span, (base + opening.head, top)
        start = opening.high
    if start < high:
        yield (start, high), (base, top)


def _between(openings: list[Opening], low: int, high: int) -> Iterator[tuple[int, int]]:
    start = low
    for opening in sorted(openings, key=lambda o: o.low):
        if start < opening.low:
            yield (start, opening.low)
        start = opening.high
    if start < high:
        yield (start, high)


def _point(wall: Wall, end: int) -> tuple[int, int, int]:
    return (wall.level, end, wall.line) if wall.along_x else (wall.level, wall.line, end)


def _outer_corners(walls: tuple[Wall, ...]) -> set[tuple[int, int, int]]:
    """(level, x, z) where exactly two walls end: the corners that the house turns outwards."""
    ends: dict[tuple[int, int, int], int] = {}
    for wall in walls:
        for end in (wall.low, wall.high):
            point = _point(wall, end)
            ends[point] = ends.get(point, 0) + 1
    return {point for point, count in ends.items() if count == 2}


def _roof(plan: FloorPlan) -> Iterator[Solid]:
    for room in plan.rooms:
        if plan.stairs is not None and room.index == plan.stairs.lower:
            continue
        yield _level(room.cell, room.floor_cm + STOREY_CM - 2, 1, ROOF)
    for wall in plan.walls:
        if OUTSIDE in wall.rooms:
            sign = side(wall, OUTSIDE)
            across = (min(wall.line, wall.line + sign * HALF_CM), max(wall.line, wall.line + sign * HALF_CM))
            span = (wall.low - HALF_CM, wall.high + HALF_CM)
            first, second = (span, across) if wall.along_x else (across, span)
            yield panel(1, (wall.level + 1) * STOREY_CM - 2, 1, first, second, ROOF)
