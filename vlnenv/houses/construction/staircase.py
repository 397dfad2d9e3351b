"""The stairs of a two-storey house: treads on closed flights, the slab's edge, balusters and handrails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from vlnenv.houses.construction.shell import TRIM, Part
from vlnenv.houses.construction.solids import Point, Solid, Surface, box, rod
from vlnenv.houses.dice import Dice
from vlnenv.houses.house import House
from vlnenv.houses.plans.plan import HEIGHT_CM, STOREY_CM
from vlnenv.houses.plans.rect import Rect
from vlnenv.houses.plans.stairs import FLIGHTS_CM, RISERS, TREAD_CM, Stairs

_BODY: Surface = ("paint", "white")
_TREAD_CM = 3
_RAIL_CM = 92
"""Height of a handrail above the steps."""


def staircase(house: House) -> Iterator[Part]:
    """Steps and railings; nothing for a house of one floor."""
    stairs = house.plan.stairs
    if stairs is None:
        return
    dice = Dice(house.scene_id, "staircase")
    color = dice.pick(["brown", "brown", "light brown", "grey", "white", "black"])
    name = {"light brown": "brown"}.get(color, color)
    wood: Surface = ("wood", color)
    post: Surface = dice.pick([("plain", "white"), ("metal", "black"), wood])
    yield Part("stairs_1", "stairs", name, stairs.lower, list(_steps(stairs, wood)))
    yield Part("railing_1", "railing", name, stairs.upper, list(_railings(stairs, wood, post)))


def _steps(stairs: Stairs, wood: Surface) -> Iterator[Solid]:
    for rect, top in stairs.steps:
        yield _sides(rect, 0, top - _TREAD_CM, _BODY)
        yield box(*_corner(rect, top - _TREAD_CM, top), wood)
    # Panelling on the front of the closed second flight.
    for low, high in ((14, 128), (142, 250)):
        panelling = stairs.place(
            stairs.entry_cm - 1,
            stairs.entry_cm,
            stairs.across_cm - stairs.flight_cm + 12,
            stairs.across_cm - 12,
        )
        yield box(*_corner(panelling, low, high), TRIM)
    # What is left between the flights: no step, and too narrow to stand in.
    right = stairs.across_cm - stairs.flight_cm
    gap = stairs.place(stairs.entry_cm, stairs.entry_cm + FLIGHTS_CM, stairs.flight_cm, right)
    yield box(*_corner(gap, 0, stairs.rise(1)), _BODY)
    # The edge of the upper floor above the first step and behind the last one.
    edge = stairs.place(stairs.entry_cm - 1, stairs.entry_cm, 0, stairs.across_cm)
    yield box(*_corner(edge, HEIGHT_CM, STOREY_CM - 1), _BODY)


def _corner(rect: Rect, y0: float, y1: float) -> tuple[float, float, float, float, float, float]:
    return (rect.x0, y0, rect.z0, rect.x1, y1, rect.z1)


def _sides(rect: Rect, y0: float, y1: float, surface: Surface) -> Solid:
    """The four upright sides of a box: no floor is hidden in it."""
    solid = box(*_corner(rect, y0, y1), surface)
    heights = solid.vertices[solid.faces][..., 1]
    upright = np.flatnonzero(np.ptp(heights, axis=1) > 0)
    return replace(solid, faces=solid.faces[upright], uv=solid.uv[upright])


def _railings(stairs: Stairs, wood: Surface, post: Surface) -> Iterator[Solid]:
    """Along the open side of the second flight, and along the upper floor's edge over the first."""
    half = RISERS // 2
    across = stairs.across_cm - stairs.flight_cm - 4
    slope: list[Point] = []
    for number in range(half, RISERS):
        away = stairs.entry_cm + (RISERS - 1 - number) * TREAD_CM + TREAD_CM // 2
        if number == half:
            away = stairs.entry_cm + FLIGHTS_CM + 6
        slope.append(_point(stairs, away, across, stairs.rise(number)))
    slope.append(_point(stairs, stairs.entry_cm - 4, across, STOREY_CM))
    yield from _rail(slope, wood, post)
    edge = [_point(stairs, stairs.entry_cm - 4, left, STOREY_CM) for left in range(4, across + 6, 12)]
    edge[-1] = slope[-1]
    yield from _rail(edge, wood, post)
    # A handrail on the wall beside the first flight.
    start, end = (
        _point(stairs, stairs.entry_cm + along, 7, stairs.rise(number) + _RAIL_CM)
        for along, number in ((0, 1), (FLIGHTS_CM, half))
    )
    yield rod(start, end, 2.4, wood, 6)


def _rail(feet: list[Point], wood: Surface, post: Surface) -> Iterator[Solid]:
    """Balusters on `feet`, newels at both ends, a handrail above them."""
    for x, y, z in feet[1:-1]:
        yield rod((x, y, z), (x, y + _RAIL_CM - 2, z), 1.1, post, 5)
    for x, y, z in (feet[0], feet[-1]):
        yield box(x - 3, y, z - 3, x + 3, y + _RAIL_CM + 6, z + 3, wood)
    for (x0, y0, z0), (x1, y1, z1) in pairwise(feet):
        yield rod((x0, y0 + _RAIL_CM, z0), (x1, y1 + _RAIL_CM, z1), 2.6, wood, 6)


def _point(stairs: Stairs, along: int, across: int, height: int) -> Point:
    spot = stairs.place(along, along, across, across)
    return (spot.x0, height, spot.z0)
