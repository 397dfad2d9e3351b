"""Descriptions of rooms and objects, and everything in a house that a reader could take for the described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.instructions.ambiguity import fits, kinds_alike
from vlnenv.houses.instructions.landmarks import Landmark
from vlnenv.houses.instructions.mentions import Mention, colors_alike
from vlnenv.houses.instructions.passages import passages_of
from vlnenv.houses.plans.plan import Room

NEXT_TO_M = 0.8
"""Two objects at most so far apart are called next to each other."""
_MISTAKEN_NEXT_TO_M = 1.6
"""Up to here a reader may call them so."""
_LEAST_BORDER_CM = 100


@dataclass(frozen=True)
class RoomDescription:
    """What is said about a room; empty fields are not."""

    kind: str
    level: int | None = None
    beside: str = ""
    """Kind of a room that it is next to."""
    holds: Mention | None = None
    """An object in it."""
    walls: str = ""
    """Colour of its walls."""


@dataclass(frozen=True)
class ObjectDescription:
    """What is said about an object."""

    mention: Mention
    relation: str = ""
    """"on" or "next to"."""
    anchor: Mention | None = None
    """The other object."""


def rooms_that_fit(said: RoomDescription, house: House, landmarks: Sequence[Landmark]) -> frozenset[int]:
    """Rooms that could be meant."""
    found = set()
    for room in house.rooms:
        if not kinds_alike(said.kind, room.kind) or said.level not in (None, room.level):
            continue
        if said.walls and not colors_alike(said.walls, house.walls[room.index][1]):
            continue
        if said.beside and not any(
            kinds_alike(said.beside, other.kind) for other in next_rooms(house, room, 0)
        ):
            continue
        if said.holds and not any(fits(said.holds, each) for each in landmarks if each.room == room.index):
            continue
        found.add(room.index)
    return frozenset(found)


def objects_that_fit(
    said: ObjectDescription, rooms: frozenset[int], landmarks: Sequence[Landmark]
) -> list[Landmark]:
    """Objects in some rooms that could be meant."""
    return [
        each
        for each in landmarks
        if each.room in rooms and fits(said.mention, each) and _is_related(said, each, landmarks)
    ]


def next_rooms(house: House, room: Room, least_cm: int = _LEAST_BORDER_CM) -> list[Room]:
    """Rooms of the same level that a passage joins to a room, or that share more than `least_cm` of wall."""
    joined = {passage.beyond(room.index) for passage in passages_of(house) if room.index in passage.rooms}
    found = []
    for other in house.rooms:
        if other.index == room.index or other.level != room.level:
            continue
        a, b = room.cell, other.cell
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        along = min(a.z1, b.z1) - max(a.z0, b.z0)
        # Cells share walls: they overlap in one direction and touch in the other.
        if other.index in joined or (min(across, along) == 0 and max(across, along) > least_cm):
            found.append(other)
    return found


def relations_of(landmark: Landmark, landmarks: Sequence[Landmark]) -> list[tuple[str, Landmark]]:
    """What a landmark stands on, or what stands next to it."""
    if landmark.support not in ("", "floor", "wall", "ceiling"):
        return [("on", other) for other in landmarks if other.name == landmark.support]
    return [
        ("next to", other)
        for other in landmarks
        if other.id != landmark.id
        and other.room == landmark.room
        and other.support in ("", "floor")
        and other.category not in ("rug", landmark.category)
        and gap_m(landmark, other) <= NEXT_TO_M
    ]


def gap_m(a: Landmark, b: Landmark) -> float:
    """Distance of two boxes on the floor plan, metres."""
    low = np.maximum(np.asarray(a.low_m), np.asarray(b.low_m))[[0, 2]]
    high = np.minimum(np.asarray(a.high_m), np.asarray(b.high_m))[[0, 2]]
    return float(np.linalg.norm(np.maximum(low - high, 0.0)))


def _is_related(said: ObjectDescription, landmark: Landmark, landmarks: Sequence[Landmark]) -> bool:
    if said.anchor is None:
        return True
    for other in landmarks:
        if other.id == landmark.id or other.room != landmark.room or not fits(said.anchor, other):
            continue
        if said.relation == "on" and other.name == landmark.support:
            return True
        if said.relation == "next to" and gap_m(landmark, other) <= _MISTAKEN_NEXT_TO_M:
            return True
    return False
