"""A U-shaped flight of stairs: up, a landing, and up again the other way."""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.plans.rect import Rect

RISERS = 18
"""Steps from floor to floor; half of them lead to the landing."""
TREAD_CM = 26
"""Depth of a step."""
LANDING_CM = 95
"""Depth of the landing, at least."""
GAP_CM = 10
"""Between the two flights, for the railings."""
FLIGHTS_CM = (RISERS // 2 - 1) * TREAD_CM
"""Length of a flight on the plan."""
LEAST_DEPTH_CM = 100 + FLIGHTS_CM + LANDING_CM
"""Shortest stairwell, between its walls: floor in front of the first step, a flight, the landing."""


@dataclass(frozen=True)
class Stairs:
    """The stairs in a stairwell: a room of kind "stairs" on both levels, the same rectangle.

    Going up: from the entry (floor on both levels, at one end of the stairwell) along the first flight to
    the landing at the other end, round, and along the second flight back to the entry one level up.
    """

    lower: int
    """Index of the stairwell's room on level 0."""
    upper: int
    """Index of the stairwell's room on level 1."""
    well: Rect
    """The stairwell between its walls."""
    facing: int
    """Where one looks going up the first flight: 0 along +z, 1 along +x, 2 along -z, 3 along -x."""
    mirrored: bool
    """The first flight is on the side of larger x or z, else of smaller."""
    height_cm: int
    """From floor to floor."""

    @property
    def length_cm(self) -> int:
        """Of the stairwell, from the entry's wall to the landing's."""
        return self.well.depth if self.facing % 2 == 0 else self.well.width

    @property
    def across_cm(self) -> int:
        """Width of the stairwell, across the flights."""
        return self.well.width if self.facing % 2 == 0 else self.well.depth

    @property
    def flight_cm(self) -> int:
        """Width of a flight."""
        return (self.across_cm - GAP_CM) // 2

    @property
    def entry_cm(self) -> int:
        """Depth of the floor in front of the first step and behind the last one."""
        return LEAST_DEPTH_CM - FLIGHTS_CM - LANDING_CM + (self.length_cm - LEAST_DEPTH_CM) // 2

    @property
    def entry(self) -> Rect:
        """Floor on both levels."""
        return self.place(0, self.entry_cm, 0, self.across_cm)

    @property
    def hole(self) -> Rect:
        """Where the upper level has no floor: the flights and the landing."""
        return self.place(self.entry_cm, self.length_cm, 0, self.across_cm)

    @property
    def landing(self) -> Rect:
        """The landing, at half height."""
        return self.place(self.entry_cm + FLIGHTS_CM, self.length_cm, 0, self.across_cm)

    @property
    def steps(self) -> tuple[tuple[Rect, int], ...]:
        """(rectangle, height of its upper side) of every step from the lowest, the landing among them."""
        half = RISERS // 2
        first, second = (0, self.flight_cm), (self.across_cm - self.flight_cm, self.across_cm)
        steps = []
        for number in range(1, RISERS):
            if number == half:
                rect = self.landing
            elif number < half:
                start = self.entry_cm + (number - 1) * TREAD_CM
                rect = self.place(start, start + TREAD_CM, *first)
            else:
                start = self.entry_cm + (RISERS - 1 - number) * TREAD_CM
                rect = self.place(start, start + TREAD_CM, *second)
            steps.append((rect, self.rise(number)))
        return tuple(steps)

    def rise(self, number: int) -> int:
        """Height of step `number` (0 is the lower floor) above the lower floor, whole centimetres."""
        return (2 * self.height_cm * number + RISERS) // (2 * RISERS)

    def place(self, low: int, high: int, left: int, right: int) -> Rect:
        """A rectangle of the stairs' own frame on the plan.

        Args:
            low: Nearer end, from the entry's wall.
            high: Farther end.
            left: From the wall beside the first flight.
            right: The other side.
        """
        well = self.well
        if self.mirrored:
            left, right = self.across_cm - right, self.across_cm - left
        if self.facing == 0:
            return Rect(well.x0 + left, well.z0 + low, well.x0 + right, well.z0 + high)
        if self.facing == 1:
            return Rect(well.x0 + low, well.z0 + left, well.x0 + high, well.z0 + right)
        if self.facing == 2:
            return Rect(well.x0 + left, well.z1 - high, well.x0 + right, well.z1 - low)
        return Rect(well.x1 - high, well.z0 + left, well.x1 - low, well.z0 + right)
