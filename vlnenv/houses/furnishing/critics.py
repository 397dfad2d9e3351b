"""Critics: what is wrong with a house. A house is only used when none of them complains.

The generator proposes, critics judge by rules of their own and the layout is repaired or drawn again, as in
SAGE (Scalable Agentic 3D Scene Generation, arXiv 2602.10116), with geometry in place of its language and
image models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.furnishing.floor_raster import CELL_CM, FRAME_CM, floor_rasters
from vlnenv.houses.furnishing.room_needs import NEEDS, ONLY_IN
from vlnenv.houses.furnishing.support import is_carried_by
from vlnenv.houses.plans.doors import opening_rect
from vlnenv.houses.plans.plan import HEIGHT_CM, OUTSIDE
from vlnenv.houses.plans.rect import Rect

if TYPE_CHECKING:
    from vlnenv.houses.furnishing.furniture import Furniture
    from vlnenv.houses.house import House

DOOR_CLEAR_CM = 80
"""Least width of a way through a door, and depth of the empty floor before it."""
LEAST_CLASSES = 25
LEAST_COLORS = 7
OVER_SILL_CM = 35
_REACH_CM = 50
_LEAF_HEIGHT_CM = 205
_TOLERANCE_CM = 1.0


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong."""

    critic: str
    """Key of `CRITICS`."""
    room: int
    """Index of the room; -1 for the house."""
    piece: str
    """Name of the piece to blame; empty where it is the room or the house."""
    text: str


def reachability(house: House) -> tuple[Complaint, ...]:
    """Every room and every piece can be walked to from the front door by a body of 0.2 m radius."""
    found = []
    rasters = floor_rasters(house)
    for room in house.rooms:
        raster = rasters[room.level]
        cells = raster.cells(room.inner)
        reached, standing = int(raster.reached[cells].sum()), int(raster.standing[cells].sum())
        area = reached * CELL_CM**2 / 10_000
        least = 0.2 if room.kind in ("stairs", "closet", "pantry") else 0.5
        if area < least or reached < 0.6 * standing:
            text = f"{area:.1f} m2 of {room.name} are reached, of {standing * CELL_CM**2 / 10_000:.1f} free"
            found.append(Complaint("reachability", room.index, "", text))
    for piece in house.furniture:
        room = house.rooms[piece.room]
        raster = rasters[room.level]
        around = piece.rect.grown(_REACH_CM).within(room.inner)
        if _is_on_floor(house, piece) and not raster.reached[raster.cells(around)].any():
            text = f"nobody gets within {_REACH_CM} cm of {piece.name}"
            found.append(Complaint("reachability", piece.room, piece.name, text))
    return tuple(found)


def door_clearance(house: House) -> tuple[Complaint, ...]:
    """Doors are 0.8 m wide between their frames, with as much empty floor on both sides."""
    found = []
    for door in house.doors:
        hole = door.opening
        width = (hole.width if door.along_x else hole.depth) - 2 * FRAME_CM
        if width < DOOR_CLEAR_CM:
            found.append(Complaint("door clearance", max(door.rooms), "", f"{door.name} is {width} cm wide"))
        dx, dz = (0, DOOR_CLEAR_CM) if door.along_x else (DOOR_CLEAR_CM, 0)
        zone = Rect(hole.x0 - dx, hole.z0 - dz, hole.x1 + dx, hole.z1 + dz)
        for piece in house.furniture:
            room = house.rooms[piece.room]
            is_beside = piece.room in door.rooms and piece.bottom < room.floor_cm + _LEAF_HEIGHT_CM
            if is_beside and piece.category != "rug" and piece.rect.meets(zone):
                text = f"{piece.name} stands before {door.name}"
                found.append(Complaint("door clearance", piece.room, piece.name, text))
        for other in house.doors:
            blocks = other.leaf is not None and other.name != door.name and other.level == door.level
            if blocks and set(other.rooms) & set(door.rooms) - {OUTSIDE} and _meets(other.leaf, zone):
                text = f"the leaf of {other.name} stands before {door.name}"
                found.append(Complaint("door clearance", max(door.rooms), "", text))
    return tuple(found)


def collision(house: House) -> tuple[Complaint, ...]:
    """No piece meets another, a wall, the ceiling, an open door, or hides a window."""
    found = []
    pieces = [piece for piece in house.furniture if piece.category != "rug"]
    for first, second in _meeting(pieces):
        if first.name != second.support and second.name != first.support:
            text = f"{second.name} meets {first.name}"
            found.append(Complaint("collision", second.room, second.name, text))
    leaves = [(door.name, door.leaf, door.level) for door in house.doors if door.leaf is not None]
    for piece in house.furniture:
        room = house.rooms[piece.room]
        if not room.inner.holds(piece.rect):
            text = f"{piece.name} stands in a wall of {room.name}"
            found.append(Complaint("collision", piece.room, piece.name, text))
        if piece.top > room.floor_cm + HEIGHT_CM:
            text = f"{piece.name} is {piece.top - room.floor_cm} cm high, the room {HEIGHT_CM}"
            found.append(Complaint("collision", piece.room, piece.name, text))
        for name, leaf, level in leaves:
            if (
                level == room.level
                and piece.rect.meets(leaf)
                and piece.bottom < room.floor_cm + _LEAF_HEIGHT_CM
            ):
                found.append(
                    Complaint("collision", piece.room, piece.name, f"{piece.name} meets the leaf of {name}")
                )
    for piece, what in _hiding(house, pieces):
        found.append(Complaint("collision", piece.room, piece.name, f"{piece.name} hides a {what}"))
    return tuple(found)


def support(house: House) -> tuple[Complaint, ...]:
    """Every piece stands on the floor or on another piece, or hangs on a wall or the ceiling."""
    found = []
    by_name = {piece.name: piece for piece in house.furniture}
    for piece in house.furniture:
        room = house.rooms[piece.room]
        heights = np.concatenate([solid.vertices[:, 1] for solid in piece.solids])
        foot, head = float(heights.min()), float(heights.max())
        is_held = True
        if piece.support == "floor":
            is_held = piece.bottom == room.floor_cm and abs(foot - room.floor_cm) <= _TOLERANCE_CM
        elif piece.support == "ceiling":
            is_held = abs(head - room.floor_cm - HEIGHT_CM) <= _TOLERANCE_CM
        elif piece.support == "wall":
            is_held = _wall_gap(piece, room.inner) <= 2 and foot >= room.floor_cm - _TOLERANCE_CM
        else:
            host = by_name.get(piece.support)
            is_held = (
                host is not None
                and host.room == piece.room
                and is_carried_by(piece.solids, host.solids, _TOLERANCE_CM)
            )
        if not is_held:
            text = f"{piece.name} at {foot - room.floor_cm:.0f} cm is not held by its {piece.support}"
            found.append(Complaint("support", piece.room, piece.name, text))
    return tuple(found)


def plausibility(house: House) -> tuple[Complaint, ...]:
    """Every room has what makes it one of its kind, nothing of other kinds, and is neither bare nor full."""
    found = []
    for room in house.rooms:
        own = [piece for piece in house.furniture if piece.room == room.index]
        there = [piece.category for piece in own]
        for classes in NEEDS.get(room.kind, ()):
            if not set(classes) & set(there):
                text = f"{room.name} has no {' or '.join(classes)}"
                found.append(Complaint("plausibility", room.index, "", text))
        for piece in own:
            if room.kind not in ONLY_IN.get(piece.category, (room.kind,)):
                text = f"{piece.name} does not belong in a {room.kind}"
                found.append(Complaint("plausibility", room.index, piece.name, text))
        if "dining table" in there and there.count("chair") < 2:
            found.append(Complaint("plausibility", room.index, "", f"{room.name} has a table and no chairs"))
        area_m2 = room.inner.area / 10_000
        least = 1 + int(area_m2 / 4) if room.kind in NEEDS else 0
        if len(own) < least:
            text = f"{room.name} of {area_m2:.0f} m2 has {len(own)} pieces, expected {least}"
            found.append(Complaint("plausibility", room.index, "", text))
        covered = sum(
            piece.rect.area for piece in own if piece.support == "floor" and piece.category != "rug"
        )
        if covered > 0.65 * room.inner.area:
            share = 100 * covered // room.inner.area
            text = f"furniture covers {share} % of {room.name}"
            found.append(Complaint("plausibility", room.index, "", text))
    return tuple(found)


def variety(house: House) -> tuple[Complaint, ...]:
    """Many classes and colours; no class in one colour all over the house."""
    found = []
    classes = {piece.category for piece in house.furniture}
    colors = {piece.color for piece in house.furniture}
    for count, least, what in (
        (len(classes), LEAST_CLASSES, "classes"),
        (len(colors), LEAST_COLORS, "colours"),
    ):
        if count < least:
            found.append(Complaint("variety", -1, "", f"{count} {what} of furniture, expected {least}"))
    for name in sorted(classes):
        own = [piece for piece in house.furniture if piece.category == name]
        rooms = {piece.room for piece in own}
        has_choice = name in CATALOGUE and len(set(CATALOGUE[name].colors)) >= 4
        if has_choice and len(rooms) >= 4 and len({piece.color for piece in own}) == 1:
            last = own[-1]
            text = f"all {len(own)} pieces of class {name} in {len(rooms)} rooms are {last.color}"
            found.append(Complaint("variety", last.room, last.name, text))
    return tuple(found)


CRITICS: dict[str, Callable[[House], tuple[Complaint, ...]]] = {
    "reachability": reachability,
    "door clearance": door_clearance,
    "collision": collision,
    "support": support,
    "plausibility": plausibility,
    "variety": variety,
}
"""All critics by name."""


def complaints(house: House) -> tuple[Complaint, ...]:
    """What all critics have to say about a house."""
    return tuple(complaint for critic in CRITICS.values() for complaint in critic(house))


def _is_on_floor(house: House, piece: Furniture) -> bool:
    return piece.support == "floor" and piece.bottom == house.rooms[piece.room].floor_cm


def _meets(leaf: Rect | None, zone: Rect) -> bool:
    return leaf is not None and leaf.meets(zone)


def _meeting(pieces: list[Furniture]) -> list[tuple[Furniture, Furniture]]:
    """Pairs whose boxes share a volume."""
    low = np.array([(p.rect.x0, p.bottom, p.rect.z0) for p in pieces]).reshape(-1, 3)
    high = np.array([(p.rect.x1, p.top, p.rect.z1) for p in pieces]).reshape(-1, 3)
    meets = (low[:, None] < high[None]).all(axis=2) & (low[None] < high[:, None]).all(axis=2)
    return [(pieces[i], pieces[j]) for i, j in np.argwhere(np.triu(meets, 1)).tolist()]


def _hiding(house: House, pieces: list[Furniture]) -> list[tuple[Furniture, str]]:
    """Pieces right in front of a window, and what hangs where the wall has a hole."""
    found = []
    for wall in house.plan.walls:
        for opening in wall.openings:
            hole = opening_rect(wall, opening, 12)
            for piece in pieces:
                if piece.room not in wall.rooms or piece.category == "curtain" or not piece.rect.meets(hole):
                    continue
                floor = house.rooms[piece.room].floor_cm
                # A tap or a headboard may rise a little above the sill.
                low = opening.sill + (
                    OVER_SILL_CM if piece.support == "floor" and opening.kind == "window" else 0
                )
                if piece.bottom < floor + opening.head and piece.top > floor + low:
                    found.append((piece, opening.kind))
    return found


def _wall_gap(piece: Furniture, inner: Rect) -> int:
    """Centimetres between the back of a piece and the wall behind it."""
    return (
        piece.rect.z0 - inner.z0,
        piece.rect.x0 - inner.x0,
        inner.z1 - piece.rect.z1,
        inner.x1 - piece.rect.x1,
    )[piece.facing]
