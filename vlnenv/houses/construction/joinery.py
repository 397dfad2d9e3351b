"""Windows with sills and panes, doors with frames, panels and handles, arches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from vlnenv.houses.construction.shell import HALF_CM, TRIM, Part, side, wall_box
from vlnenv.houses.construction.solids import Solid, Surface, cosines, extruded, rod
from vlnenv.houses.dice import Dice
from vlnenv.houses.house import House
from vlnenv.houses.plans.doors import Door
from vlnenv.houses.plans.plan import (
    ARCH_HEIGHT_CM,
    DOOR_HEIGHT_CM,
    OUTSIDE,
    STOREY_CM,
    Opening,
    Wall,
)
from vlnenv.houses.plans.rect import Rect

_FRAME_CM = 5
_FRAME_HALF_CM = 7
_CLOSED_TOP_CM = DOOR_HEIGHT_CM - _FRAME_CM
_METAL: Surface = ("metal", "silver")
_SKY: Surface = ("plain", "sky")
_GARDEN: Surface = ("leaf", "light green")
_HORIZON_CM = 122
"""Below it, windows show green: about the height of the camera, so that it looks far away."""


def joinery(house: House) -> Iterator[Part]:
    """All windows, doors with their frames, and arches."""
    number = 0
    for wall in house.plan.walls:
        for opening in wall.openings:
            if opening.kind == "window":
                number += 1
                yield Part(f"window_{number}", "window", "white", OUTSIDE, list(_window(wall, opening)))
    dice = Dice(house.scene_id, "joinery")
    style = dice.pick([1, 2, 2, 3, 4])
    for door in house.doors:
        base = door.level * STOREY_CM
        room = max(door.rooms)
        if door.kind == "arch":
            yield Part(door.name, "archway", "white", OUTSIDE, list(_arch(door, base)))
            continue
        yield Part(f"{door.name}_frame", "door frame", "white", OUTSIDE, list(_door_frame(door, base)))
        if door.leaf is not None:
            is_closed = OUTSIDE in door.rooms
            rise = (base, base + _CLOSED_TOP_CM) if is_closed else (base + 1, base + _CLOSED_TOP_CM - 1)
            leaf = list(_leaf(door.leaf, rise, door.color, style))
            yield Part(door.name, "front door" if is_closed else "door", door.color, room, leaf)


def _window(wall: Wall, opening: Opening) -> Iterator[Solid]:
    base = wall.level * STOREY_CM
    low, high = opening.low, opening.high
    sill, head = base + opening.sill, base + opening.head
    along, line = wall.along_x, wall.line
    frame = (line - _FRAME_HALF_CM, line + _FRAME_HALF_CM)
    sash = (line - 3, line + 3)
    yield wall_box(along, (low, low + _FRAME_CM), (sill, head), frame, TRIM)
    yield wall_box(along, (high - _FRAME_CM, high), (sill, head), frame, TRIM)
    yield wall_box(along, (low + _FRAME_CM, high - _FRAME_CM), (head - _FRAME_CM, head), frame, TRIM)
    inwards = -side(wall, OUTSIDE)
    reach = sorted((line - inwards * _FRAME_HALF_CM, line + inwards * (HALF_CM + 6)))
    yield wall_box(along, (low - 3, high + 3), (sill, sill + 3), (reach[0], reach[1]), TRIM)
    inner = (low + _FRAME_CM, high - _FRAME_CM)
    bottom, top = sill + 3, head - _FRAME_CM
    # Casements about 60 cm wide, each with a sash around its pane; a bar across tall ones.
    count = max(1, round((inner[1] - inner[0]) / 65))
    width = (inner[1] - inner[0]) / count
    for k in range(count):
        a, b = round(inner[0] + k * width, 1), round(inner[0] + (k + 1) * width, 1)
        yield wall_box(along, (a, a + 4), (bottom, top), sash, TRIM)
        yield wall_box(along, (b - 4, b), (bottom, top), sash, TRIM)
        yield wall_box(along, (a + 4, b - 4), (bottom, bottom + 4), sash, TRIM)
        yield wall_box(along, (a + 4, b - 4), (top - 4, top), sash, TRIM)
        if top - bottom > 90:
            bar = bottom + (top - bottom) * 2 // 3
            yield wall_box(along, (a + 4, b - 4), (bar, bar + 2.5), (line - 2, line + 2), TRIM)
    pane = (line - 0.5, line + 0.5)
    horizon = max(bottom, base + _HORIZON_CM)
    if horizon > bottom:
        yield wall_box(along, inner, (bottom, horizon), pane, _GARDEN)
    yield wall_box(along, inner, (horizon, top), pane, _SKY)


def _span(door: Door) -> tuple[int, int, int]:
    """(low, high, line) of a door's opening."""
    hole = door.opening
    if door.along_x:
        return hole.x0, hole.x1, door.center[1]
    return hole.z0, hole.z1, door.center[0]


def _door_frame(door: Door, base: int) -> Iterator[Solid]:
    low, high, line = _span(door)
    lining = (line - HALF_CM, line + HALF_CM)
    top = base + DOOR_HEIGHT_CM
    yield wall_box(door.along_x, (low, low + _FRAME_CM), (base, top), lining, TRIM)
    yield wall_box(door.along_x, (high - _FRAME_CM, high), (base, top), lining, TRIM)
    yield wall_box(door.along_x, (low + _FRAME_CM, high - _FRAME_CM), (top - _FRAME_CM, top), lining, TRIM)
    # Architraves: flat mouldings on both faces that cover the joint with the wall.
    for sign in (-1, 1):
        across = sorted((line + sign * HALF_CM, line + sign * (HALF_CM + 1.5)))
        flat = (across[0], across[1])
        yield wall_box(door.along_x, (low - 4, low + 3), (base, top + 4), flat, TRIM)
        yield wall_box(door.along_x, (high - 3, high + 4), (base, top + 4), flat, TRIM)
        yield wall_box(door.along_x, (low + 3, high - 3), (top - 3, top + 4), flat, TRIM)


def _leaf(leaf: Rect, rise: tuple[int, int], color: str, style: int) -> Iterator[Solid]:
    """A door leaf: a slab with `style` raised panels above each other on both faces, and a lever handle."""
    along_x = leaf.width > leaf.depth
    low, high = (leaf.x0, leaf.x1) if along_x else (leaf.z0, leaf.z1)
    near, far = (leaf.z0, leaf.z1) if along_x else (leaf.x0, leaf.x1)
    wood: Surface = ("wood", color)
    slab = (near + 0.5, far - 0.5)
    yield wall_box(along_x, (low, high), rise, slab, wood)
    base = rise[0]
    rows = {1: [(14, 190)], 2: [(14, 88), (108, 190)], 3: [(14, 66), (78, 130), (142, 190)]}
    heights = rows.get(style, [(14, 88), (108, 190)])
    columns: list[tuple[float, float]] = [(low + 12, high - 12)]
    if style == 4:
        middle = (low + high) / 2
        columns = [(low + 12, middle - 5), (middle + 5, high - 12)]
    for a, b in columns:
        for bottom, top in heights:
            for face in ((near, near + 0.5), (far - 0.5, far)):
                yield wall_box(along_x, (a, b), (base + bottom, base + top), face, wood)
                inset = (face[0] - 0.4, face[1]) if face[0] == near else (face[0], face[1] + 0.4)
                edge = (a + 5, b - 5)
                yield wall_box(along_x, edge, (base + bottom + 5, base + top - 5), inset, wood)
    height = base + 100
    at = low + 7
    for start, end in ((near, near - 4.5), (far, far + 4.5)):
        stem = _points(along_x, at, height, start, at, height, end)
        lever = _points(along_x, at, height, end, at + 12, height, end)
        yield rod(*stem, 0.9, _METAL)
        yield rod(*lever, 0.8, _METAL)


def _points(
    along_x: bool, a0: float, y0: float, c0: float, a1: float, y1: float, c1: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Two points given along a wall, upwards and across it."""
    if along_x:
        return (a0, y0, c0), (a1, y1, c1)
    return (c0, y0, a0), (c1, y1, a1)


def _arch(door: Door, base: int) -> Iterator[Solid]:
    """The lining of a wide opening without a leaf, rounded at its upper corners."""
    low, high, line = _span(door)
    top = base + ARCH_HEIGHT_CM
    lining = (line - _FRAME_HALF_CM + 1, line + _FRAME_HALF_CM - 1)
    yield wall_box(door.along_x, (low, low + 4), (base, top), lining, TRIM)
    yield wall_box(door.along_x, (high - 4, high), (base, top), lining, TRIM)
    yield wall_box(door.along_x, (low + 4, high - 4), (top - 4, top), lining, TRIM)
    radius = min(38, (high - low) // 3)
    turn = cosines(32)
    arc = [(radius * (1 - turn[k]), radius * (1 - turn[8 - k])) for k in range(9)]
    for (a0, drop0), (a1, drop1) in pairwise(arc):
        for sign, edge in ((1, low + 4), (-1, high - 4)):
            corner = (edge, top - 4)
            outline = [corner, (edge + sign * a1, top - 4 - drop1), (edge + sign * a0, top - 4 - drop0)]
            if door.along_x:
                yield extruded(outline, "z", *lining, TRIM)
            else:
                yield extruded([(y, z) for z, y in outline], "x", *lining, TRIM)
