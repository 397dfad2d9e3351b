"""The ambiguity filter: an interpreter follows an instruction's program along every way that fits it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.instructions.landmarks import Landmark
from vlnenv.houses.instructions.legs import door_ordinal, is_at_end
from vlnenv.houses.instructions.mentions import Mention
from vlnenv.houses.instructions.passages import STAIRS, Passage, other_end_of_stairs, passages_of
from vlnenv.houses.instructions.passing import is_along
from vlnenv.houses.instructions.program import Passing, Program, Step, Stop
from vlnenv.houses.routes.polyline import heading_of, turn_deg

SAME_PLACE_M = 2.0
"""An object at most so far from the goal is at the goal: who stops beside it succeeds (radius 3 m)."""
ROOM_RADIUS_M = 3.0
"""A room is a goal by itself where all its floor lies within this distance."""
HALLS = frozenset(("hallway", "entryway"))
"""Kinds that flow into each other through arches: a reader may take two for one."""
_KINDS_ALIKE = (
    HALLS,
    {"living room", "family room"},
    {"bedroom", "children's room"},
    {"office", "library"},
    {"closet", "pantry"},
)
_NEAR_WAY_M = 2.5
_SLACK_M = 0.3
_STRAIGHT_DEG = 55.0
_LEAST_TURN_DEG = 20.0


@dataclass(frozen=True)
class End:
    """Where one reading of a program ends."""

    rooms: tuple[int, ...]
    """The rooms of the way; of stairs the stairwell entered first."""
    landmark: Landmark | None
    """The object stopped at; None where only a room was said."""


@dataclass(frozen=True)
class _Spot:
    """Just inside a room, by the way in."""

    room: int
    x: float
    z: float
    heading_rad: float
    way_in: Passage | None

    def bearing_deg(self, x: float, z: float) -> float:
        """Turn from the heading to a point; positive to the left."""
        return turn_deg(self.heading_rad, _heading(x - self.x, z - self.z))


def is_at_goal(end: End, house: House, goal_m: np.ndarray) -> bool:
    """Whether a reading's end counts as the goal (3,)."""
    x, y, z = (float(v) for v in goal_m)
    room = house.rooms[house.room_at(x, z, y)]
    if end.landmark is not None:
        return is_near_goal(end.landmark, goal_m, room.index)
    return end.rooms[-1] == room.index and is_room_enough(house, goal_m)


def is_near_goal(landmark: Landmark, goal_m: np.ndarray, goal_room: int) -> bool:
    """Whether who stops at a landmark stops at the goal (3,)."""
    return landmark.room == goal_room and float(landmark.distance_m(goal_m[None])[0]) <= SAME_PLACE_M


def is_room_enough(house: House, goal_m: np.ndarray) -> bool:
    """Whether all of the goal's room is so near to the goal (3,) that it need not be told more exactly."""
    x, y, z = (float(v) for v in goal_m)
    inner = house.rooms[house.room_at(x, z, y)].inner
    corners = [(cx / 100.0, cz / 100.0) for cx in (inner.x0, inner.x1) for cz in (inner.z0, inner.z1)]
    return max(math.hypot(cx - x, cz - z) for cx, cz in corners) <= ROOM_RADIUS_M


def kinds_alike(said: str, kind: str) -> bool:
    """Whether a reader could call a room of a kind by the said one."""
    return said == kind or any(said in alike and kind in alike for alike in _KINDS_ALIKE)


def fits(mention: Mention, landmark: Landmark) -> bool:
    """Whether a landmark could be meant."""
    return mention.fits(landmark.category, landmark.color, landmark.material)


class Reader:
    """Someone who stands in a house and follows instructions.

    The reader is taken to be generous: a way fits unless it contradicts what is said. Angles have a wide
    tolerance, what is not said is free, names cover all objects that could be meant, and hallways that flow
    into each other may be taken for one.

    Args:
        house: Rooms and doors.
        landmarks: All objects that could be meant.
        start_m: (3,) feet.
        heading_rad: First heading.
    """

    def __init__(
        self, house: House, landmarks: Sequence[Landmark], start_m: np.ndarray, heading_rad: float
    ) -> None:
        self._house = house
        self._passages = passages_of(house)
        self._in_room: dict[int, list[Landmark]] = {}
        for landmark in landmarks:
            self._in_room.setdefault(landmark.room, []).append(landmark)
        x, y, z = (float(v) for v in start_m)
        self._start = _Spot(house.room_at(x, z, y), x, z, heading_rad, None)

    def ends(self, program: Program) -> tuple[End, ...]:
        """Ends of all ways through the house that fit a program."""
        return tuple(self._ways(program, 0, self._start, ()))

    def is_led_along(self, rooms: Sequence[int], program: Program) -> bool:
        """Whether the reader, not knowing what is in the rooms ahead, is led through these rooms alone.

        At each door the kind of the room after the next may still tell whether it is the right one. Landmarks
        of the first room are in view when the way out is chosen; those farther on tell a reader who took a
        wrong door too late.
        """
        first, *others = program.steps
        blind = (first, *(replace(step, passed=()) for step in others))
        for number in range(1, len(rooms)):
            ends = self.ends(Program(blind[: number + 2], Stop(None)))
            if not ends or not all(self._is_as_good(end.rooms[number], rooms, number) for end in ends):
                return False
        return True

    def _is_as_good(self, room: int, rooms: Sequence[int], number: int) -> bool:
        """Whether a reader in a room is where the way has come to, or one arch farther in the hallway."""
        here = rooms[number]
        if room == here or number == len(rooms) - 1:
            return room == here
        kinds = {self._house.rooms[each].kind for each in (room, here)}
        return kinds <= HALLS and any(
            passage.kind == "arch" and set(passage.rooms) == {room, here} for passage in self._passages
        )

    def _ways(self, program: Program, number: int, spot: _Spot, before: tuple[int, ...]) -> Iterator[End]:
        step = program.steps[number]
        for here in (spot, *self._silently(spot)):
            kind = self._house.rooms[here.room].kind
            if (step.kind and not kinds_alike(step.kind, kind)) or bool(step.climb) != (kind == STAIRS):
                continue
            rooms = (*before, here.room)
            if number == len(program.steps) - 1:
                yield from self._stops(program, here, rooms)
                continue
            for way_out, room in self._exits(step, here):
                x, z = way_out.center_m
                onwards = _Spot(way_out.beyond(room), x, z, way_out.heading_from(room), way_out)
                yield from self._ways(program, number + 1, onwards, rooms)

    def _silently(self, spot: _Spot) -> Iterator[_Spot]:
        """Hallways that the reader may take for a part of this one."""
        if spot.way_in is None or self._house.rooms[spot.room].kind not in HALLS:
            return
        for passage in self._passages:
            if spot.room not in passage.rooms or passage == spot.way_in or passage.kind != "arch":
                continue
            beyond = passage.beyond(spot.room)
            if self._house.rooms[beyond].kind in HALLS:
                # The turns are still to come: the heading is that of the way in.
                yield _Spot(beyond, *passage.center_m, spot.heading_rad, passage)

    def _exits(self, step: Step, here: _Spot) -> Iterator[tuple[Passage, int]]:
        """Ways out of the room that fit, each with the room it leaves (of stairs the other stairwell)."""
        if step.climb:
            top = other_end_of_stairs(self._house, here.room)
            if top is None or (self._house.rooms[top].level == 1) != (step.climb == "up"):
                return
            yield from ((passage, top) for passage in self._passages if top in passage.rooms)
            return
        for passage in self._passages:
            if here.room not in passage.rooms or passage == here.way_in:
                continue
            if self._fits_way_out(step, here, passage) and all(
                self._is_passed(each, here, passage.center_m) for each in step.passed
            ):
                yield passage, here.room

    def _fits_way_out(self, step: Step, here: _Spot, way_out: Passage) -> bool:
        if step.says_opening and step.opening != way_out.kind:
            return False
        chord = _heading(way_out.center_m[0] - here.x, way_out.center_m[1] - here.z)
        if step.at_end and not is_at_end(self._house, here.room, chord, way_out):
            return False
        first = turn_deg(here.heading_rad, chord)
        last = turn_deg(chord, way_out.heading_from(here.room))
        total = turn_deg(here.heading_rad, way_out.heading_from(here.room))
        if here.way_in is None:
            if not _fits_start(step.first_turn, first):
                return False
            return not step.last_turn or any(
                _is_to(step.last_turn, angle)
                for angle in ((first, last) if step.first_turn else (first, total))
            )
        if not _fits_turn(step.first_turn, first) and not (
            step.first_turn in ("left", "right") and _is_to(step.first_turn, total, 45.0)
        ):
            return False
        if step.last_turn:
            fits_last = _is_to(step.last_turn, last) or _is_to(step.last_turn, total, 45.0)
            if not fits_last and not (not step.first_turn and _is_to(step.last_turn, first, 45.0)):
                return False
        if step.ordinal:
            ordinal = door_ordinal(self._passages, here.room, here.way_in, way_out)
            return ordinal in (0, step.ordinal)
        return True

    def _stops(self, program: Program, here: _Spot, rooms: tuple[int, ...]) -> Iterator[End]:
        step, mention = program.steps[-1], program.stop.mention
        if mention is None:
            if all(self._is_passed(each, here, None) for each in step.passed):
                yield End(rooms, None)
            return
        for landmark in self._in_room.get(here.room, ()):
            if not fits(mention, landmark):
                continue
            x, _, z = (float(v) for v in landmark.center_m)
            fits_turn = _fits_start if here.way_in is None else _fits_turn
            if any(
                fits_turn(step.first_turn, here.bearing_deg(*each)) for each in ((x, z), *landmark.corners_m)
            ) and all(self._is_passed(each, here, (x, z)) for each in step.passed):
                yield End(rooms, landmark)

    def _is_passed(self, passing: Passing, here: _Spot, towards: tuple[float, float] | None) -> bool:
        """Whether the room has such a landmark by the way, or anywhere in it where the way is not known."""
        found = [each for each in self._in_room.get(here.room, ()) if fits(passing.mention, each)]
        if towards is None:
            return bool(found)
        a, b = np.array([here.x, 0.0, here.z]), np.array([towards[0], 0.0, towards[1]])
        line = a + (b - a) * np.linspace(0.0, 1.0, 9)[:, None]
        forward = (b - a)[[0, 2]] / max(1e-9, float(np.linalg.norm(b - a)))
        for landmark in found:
            is_near = float(landmark.distance_m(line).min()) <= _NEAR_WAY_M
            if not is_near or not is_along(landmark, (here.x, here.z), towards, _SLACK_M):
                continue
            offset = (landmark.center_m - a)[[0, 2]]
            left = float(offset[0] * forward[1] - offset[1] * forward[0])
            if not passing.side or (left > -0.4 if passing.side == "left" else left < 0.4):
                return True
        return False


def _heading(dx: float, dz: float) -> float:
    return heading_of(np.array([dx, 0.0, dz]))


def _is_to(side: str, angle_deg: float, least_deg: float = _LEAST_TURN_DEG) -> bool:
    return angle_deg > least_deg if side == "left" else angle_deg < -least_deg


def _fits_turn(said: str, angle_deg: float) -> bool:
    if not said:
        return True
    if said == "straight":
        return abs(angle_deg) < _STRAIGHT_DEG
    return _is_to(said, angle_deg)


def _fits_start(said: str, angle_deg: float) -> bool:
    """As `_fits_turn` for a turn on the spot, where a way behind the back is to either side."""
    if said == "around":
        return abs(angle_deg) > 95.0
    if said in ("left", "right") and abs(angle_deg) > 160.0:
        return True
    return _fits_turn(said, angle_deg)
