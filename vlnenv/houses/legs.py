"""A route through a house as legs: which rooms, through which doors, with which turns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vlnenv.houses.furnish import Door
from vlnenv.houses.house import House
from vlnenv.houses.polyline import arc_lengths, heading_of, resampled, simplified, turn_deg

_TURN_DEG = 50.0
_STEP_M = 0.05
_OPPOSITE_CM = 80


@dataclass(frozen=True)
class Leg:
    """The part of a route within one room."""

    room: int
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

    @property
    def length_m(self) -> float:
        """Way within the room."""
        return self.end_m - self.begin_m


def legs_of(house: House, path_m: np.ndarray, heading_rad: float) -> tuple[Leg, ...] | None:
    """The legs of a route.

    Args:
        house: The house.
        path_m: (k, 3) shortest path, start and goal included.
        heading_rad: The first heading.

    Returns:
        One leg a room visited, or None where the route leaves the house or brushes along a threshold.
    """
    line = resampled(path_m, _STEP_M)
    at = arc_lengths(line)
    rooms = [house.room_at(float(x), float(z)) for x, _, z in line]
    changes = [0] + [i for i in range(1, len(rooms)) if rooms[i] != rooms[i - 1]]
    bounds = [*changes, len(rooms) - 1]
    visited = [rooms[i] for i in changes]
    if -1 in visited or any(at[b] - at[a] < 0.4 for a, b in pairwise(bounds)):
        return None
    doors = []
    for a, b, i in zip(visited, visited[1:], changes[1:], strict=False):
        door = _door_between(house, a, b, line[i])
        if door is None:
            return None
        doors.append((door, _through(door, a)))
    legs = []
    for number, room in enumerate(visited):
        begin, end = bounds[number], bounds[number + 1]
        is_first, is_last = number == 0, number == len(visited) - 1
        points = line[begin : end + 1]
        first, last = _directions(points)
        ordinal = 0
        if is_first and is_last:
            first_turn, last_turn = _start_turn(heading_rad, first), ""
        elif is_first:
            first_turn = _start_turn(heading_rad, first)
            last_turn = _side(turn_deg(last, doors[0][1]))
        elif is_last:
            direction = heading_of(line[end] - line[begin])
            first_turn, last_turn = _side(turn_deg(doors[-1][1], direction)), ""
        else:
            (door_in, way_in), (door_out, way_out) = doors[number - 1], doors[number]
            first_turn, last_turn = _transit_turns(way_in, heading_of(line[end] - line[begin]), way_out)
            ordinal = _ordinal(house, room, door_in, door_out) if last_turn else 0
        legs.append(Leg(room, float(at[begin]), float(at[end]), first_turn, last_turn, ordinal))
    return tuple(legs)


def _directions(points_m: np.ndarray) -> tuple[float, float]:
    """Heading at the start and at the end of a piece of route, wiggles smoothed away."""
    line = simplified(points_m, 0.25)
    steps = np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    long = [i for i in range(len(steps)) if lengths[i] >= 0.5] or [int(np.argmax(lengths))]
    return heading_of(steps[long[0]]), heading_of(steps[long[-1]])


def _start_turn(heading_rad: float, direction_rad: float) -> str:
    angle = turn_deg(heading_rad, direction_rad)
    if abs(angle) > 135.0:
        return "around"
    return "" if abs(angle) < 40.0 else "left" if angle > 0 else "right"


def _side(angle_deg: float) -> str:
    return "" if abs(angle_deg) < _TURN_DEG else "left" if angle_deg > 0 else "right"


def _transit_turns(way_in: float, direction: float, way_out: float) -> tuple[str, str]:
    """Turns after the door in and before the door out, from the headings through them and between them."""
    first, last = turn_deg(way_in, direction), turn_deg(direction, way_out)
    total = turn_deg(way_in, way_out)
    if abs(total) < 45.0:
        # Opposite doors: straight across, or along the room between two opposed turns.
        return (_side(first), _side(last)) if abs(first) >= _TURN_DEG else ("", "")
    if abs(total) > 135.0:
        side = "left" if first > 0 else "right"
        return side, side
    side = "left" if total > 0 else "right"
    return (side, "") if abs(first) >= 45.0 else ("", side)


def _door_between(house: House, a: int, b: int, point_m: np.ndarray) -> Door | None:
    found = [door for door in house.doors if set(door.rooms) == {a, b}]
    if not found:
        return None
    return min(
        found, key=lambda d: math.hypot(d.center[0] - 100 * point_m[0], d.center[1] - 100 * point_m[2])
    )


def _through(door: Door, from_room: int) -> float:
    """Heading through a door from one of its rooms into the other."""
    sign = 1.0 if door.rooms[0] == from_room else -1.0
    step = (0.0, 0.0, sign) if door.along_x else (sign, 0.0, 0.0)
    return heading_of(np.array(step))


def _ordinal(house: House, room: int, door_in: Door, door_out: Door) -> int:
    """How many doors on the side of the door out are met on the way to it, itself included."""
    axis = 0 if door_out.along_x else 1
    line = door_out.center[1 - axis]
    start, end = door_in.center[axis], door_out.center[axis]
    between = 0
    for door in house.doors:
        if room in door.rooms and door.along_x == door_out.along_x and door.center[1 - axis] == line:
            place = door.center[axis]
            if door in (door_in, door_out):
                continue
            if abs(place - start) <= _OPPOSITE_CM:
                # Across from the door in: some would count it, some would not.
                return 0
            if min(start, end) < place < max(start, end):
                between += 1
    return between + 1
