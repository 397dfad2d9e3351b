"""A route through a house as legs: which rooms, doors and stairs, with which turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.instructions.passages import Passage, other_end_of_stairs, passages_of
from vlnenv.houses.routes.polyline import arc_lengths, heading_of, resampled, simplified, turn_deg

TURN_DEG = 50.0
"""From this angle on a change of direction is called a turn."""
_STRAIGHT_DEG = 30.0
_STEP_M = 0.05
_LEAST_LEG_M = 0.4
_OPPOSITE_M = 0.8
_END_M = 1.3
"""A way out at most this far from the wall ahead is at the end of the room."""


@dataclass(frozen=True)
class Leg:
    """The part of a route within one room, or on one flight of stairs with the stairwells of both levels."""

    room: int
    """The room; of stairs the stairwell that is entered first."""
    begin_m: float
    """Way along the route where the room is entered."""
    end_m: float
    """Way along the route where it is left, or the route's end."""
    first_turn: str
    """On entering (or at the start, from the first heading): "", "left", "right" or "around"."""
    last_turn: str
    """Before the door out: "", "left" or "right"; empty in the last leg."""
    door_ordinal: int
    """The door out is the n-th on its side, counted from the door in; 0 where counting makes no sense."""
    way_out: Passage | None = None
    """None in the last leg."""
    climb: str = ""
    """"up" or "down" on stairs, else empty."""
    whole_turn: str = ""
    """From the way in (or the first heading) to the way out, as if there were no way between them."""
    swerves: bool = False
    """There is no turn, but the way out is not straight ahead either."""
    is_at_end: bool = False
    """The way out is at the far end of the room, seen from the way in."""

    @property
    def length_m(self) -> float:
        """Way within the room."""
        return self.end_m - self.begin_m


def legs_of(house: House, path_m: np.ndarray, heading_rad: float) -> tuple[Leg, ...] | None:
    """The legs of a route.

    Args:
        house: The house.
        path_m: (k, 3) way on the floor, start and goal included.
        heading_rad: The first heading.

    Returns:
        One leg a room visited (one for both stairwells of a flight of stairs), or None where the route leaves
        the house, brushes along a threshold, or begins or ends on stairs.
    """
    line = resampled(path_m, _STEP_M)
    at = arc_lengths(line)
    rooms = [house.room_at(float(x), float(z), float(y)) for x, y, z in line]
    changes = [0] + [i for i in range(1, len(rooms)) if rooms[i] != rooms[i - 1]]
    if -1 in rooms:
        return None
    passages = passages_of(house)
    visits: list[_Visit] = []
    for i in changes:
        room = rooms[i]
        if visits and other_end_of_stairs(house, visits[-1].last_room) == room:
            visits[-1].climb = "up" if house.rooms[room].level else "down"
            visits[-1].last_room = room
            continue
        if visits:
            visits[-1].way_out = passage_between(passages, visits[-1].last_room, room, line[i])
            if visits[-1].way_out is None:
                return None
        visits.append(_Visit(room, room, i))
    bounds = [*(visit.begin for visit in visits), len(line) - 1]
    if any(at[b] - at[a] < _LEAST_LEG_M for a, b in pairwise(bounds)) or visits[0].climb or visits[-1].climb:
        return None
    legs = []
    for number, visit in enumerate(visits):
        begin, end = bounds[number], bounds[number + 1]
        before = visits[number - 1] if number else None
        way_in = None if before is None or before.way_out is None else before.way_out
        first_turn, last_turn, whole_turn, ordinal = "", "", "", 0
        swerves = at_end = False
        if before is None or way_in is None:
            direction = _first_direction(line[begin : end + 1])
            first_turn = start_turn(turn_deg(heading_rad, direction))
            if visit.way_out is not None:
                ahead = direction if first_turn else heading_rad
                heading_out = visit.way_out.heading_from(visit.room)
                last_turn = side_of(turn_deg(ahead, heading_out))
                whole_turn = side_of(turn_deg(heading_rad, heading_out))
                chord = heading_of(line[end] - line[begin])
                swerves = not (first_turn or last_turn) and abs(turn_deg(heading_rad, chord)) > _STRAIGHT_DEG
        elif not visit.climb:
            heading_in = way_in.heading_from(before.last_room)
            chord = heading_of(line[end] - line[begin])
            if visit.way_out is None:
                first_turn = side_of(turn_deg(heading_in, chord))
            else:
                heading_out = visit.way_out.heading_from(visit.room)
                first_turn, last_turn = transit_turns(heading_in, chord, heading_out)
                is_back = bool(first_turn) and first_turn == last_turn
                whole_turn = first_turn if is_back else side_of(turn_deg(heading_in, heading_out))
                if last_turn:
                    ordinal = door_ordinal(passages, visit.room, way_in, visit.way_out)
                swerves = not whole_turn and abs(turn_deg(heading_in, chord)) > _STRAIGHT_DEG
                swerves &= not first_turn
                at_end = is_at_end(house, visit.room, chord, visit.way_out)
        legs.append(
            Leg(
                visit.room,
                float(at[begin]),
                float(at[end]),
                first_turn,
                last_turn,
                ordinal,
                visit.way_out,
                visit.climb,
                whole_turn,
                swerves,
                at_end,
            )
        )
    return tuple(legs)


@dataclass
class _Visit:
    room: int
    last_room: int
    begin: int
    way_out: Passage | None = None
    climb: str = ""


def _first_direction(points_m: np.ndarray) -> float:
    """Heading at the start of a piece of route, wiggles smoothed away."""
    line = simplified(points_m, 0.25)
    steps = np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    long = [i for i in range(len(steps)) if lengths[i] >= 0.5] or [int(np.argmax(lengths))]
    return heading_of(steps[long[0]])


def start_turn(angle_deg: float) -> str:
    """What to call a turn on the spot: "", "left", "right" or "around"."""
    if abs(angle_deg) > 135.0:
        return "around"
    return "" if abs(angle_deg) < 40.0 else "left" if angle_deg > 0 else "right"


def side_of(angle_deg: float) -> str:
    """What to call a change of direction: "", "left" or "right"."""
    return "" if abs(angle_deg) < TURN_DEG else "left" if angle_deg > 0 else "right"


def transit_turns(way_in_rad: float, direction_rad: float, way_out_rad: float) -> tuple[str, str]:
    """Turns after the door in and before the door out, from the headings through them and between them."""
    first, last = turn_deg(way_in_rad, direction_rad), turn_deg(direction_rad, way_out_rad)
    total = turn_deg(way_in_rad, way_out_rad)
    if abs(total) < 45.0:
        # Opposite doors: straight across, or along the room between two opposed turns.
        return (side_of(first), side_of(last)) if abs(first) >= TURN_DEG else ("", "")
    if abs(total) > 135.0:
        side = "left" if first > 0 else "right"
        return side, side
    side = "left" if total > 0 else "right"
    return (side, "") if abs(first) >= 45.0 else ("", side)


def passage_between(passages: Sequence[Passage], a: int, b: int, point_m: np.ndarray) -> Passage | None:
    """The passage between two rooms that is nearest to a point (3,); None where there is none."""
    found = [passage for passage in passages if set(passage.rooms) == {a, b}]
    return min(found, key=lambda p: p.distance_m(float(point_m[0]), float(point_m[2])), default=None)


def door_ordinal(passages: Sequence[Passage], room: int, way_in: Passage, way_out: Passage) -> int:
    """How many doors on the side of the way out are met on the way to it, itself included.

    Returns:
        0 where people would count differently: the way out is no door, an arch lies on the way, or a door
        lies across from the way in.
    """
    if way_out.kind != "door":
        return 0
    axis = 0 if way_out.along_x else 1
    start, end = way_in.center_m[axis], way_out.center_m[axis]
    between = 0
    for passage in passages:
        if room not in passage.rooms or passage.along_x != way_out.along_x or passage in (way_in, way_out):
            continue
        if abs(passage.center_m[1 - axis] - way_out.center_m[1 - axis]) > 0.01:
            continue
        place = passage.center_m[axis]
        if abs(place - start) <= _OPPOSITE_M:
            return 0
        if min(start, end) < place < max(start, end):
            if passage.kind != "door":
                return 0
            between += 1
    return between + 1


def is_at_end(house: House, room: int, direction_rad: float, way_out: Passage) -> bool:
    """Whether the way out is near the wall that one faces who walks in a direction."""
    cell = house.rooms[room].cell
    dx, dz = -math.sin(direction_rad), -math.cos(direction_rad)
    x, z = way_out.center_m
    if abs(dx) > abs(dz):
        return (cell.x1 / 100.0 - x if dx > 0 else x - cell.x0 / 100.0) <= _END_M
    return (cell.z1 / 100.0 - z if dz > 0 else z - cell.z0 / 100.0) <= _END_M
