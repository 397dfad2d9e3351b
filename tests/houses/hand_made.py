"""A small house made by hand, for tests of what is said about routes."""

from __future__ import annotations

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.instructions.facts import RouteFacts, is_in_front
from vlnenv.houses.instructions.landmarks import Landmark
from vlnenv.houses.instructions.legs import legs_of
from vlnenv.houses.plans.doors import Door
from vlnenv.houses.plans.plan import FloorPlan, Room
from vlnenv.houses.plans.rect import Rect
from vlnenv.houses.routes.route import Route
from vlnenv.sim.follower import Rollout

# A hallway along x (z 300 to 450); the bedroom lies north of it, the kitchen and the office south.
ROOMS = (
    Room(0, "hallway", "hallway_1", Rect(0, 300, 1000, 450)),
    Room(1, "bedroom", "bedroom_1", Rect(0, 0, 1000, 300)),
    Room(2, "kitchen", "kitchen_1", Rect(0, 450, 500, 800)),
    Room(3, "office", "office_1", Rect(500, 450, 1000, 800)),
)
PLAIN = ("paint", "white")


def door(name: str, rooms: tuple[int, int], x: int, z: int, kind: str = "door") -> Door:
    """A door in a wall along x."""
    return Door(name, rooms, True, Rect(x - 50, z - 5, x + 50, z + 5), None, "white", kind)


DOORS = (
    door("door_1", (1, 0), 100, 300),
    door("door_2", (0, 2), 350, 450),
    door("door_3", (0, 3), 800, 450),
)


def house_of(rooms: tuple[Room, ...], doors: tuple[Door, ...]) -> House:
    """A house without furniture."""
    plain = tuple(PLAIN for _ in rooms)
    return House("houses/test/0000", FloorPlan(rooms, (), None), doors, (), plain, plain)


HOUSE = house_of(ROOMS, DOORS)


def thing(
    number: int, category: str, room: int, x: float, z: float, color: str = "red", size: float = 0.6
) -> Landmark:
    """An object on the floor, by its middle."""
    low, high = (x - size / 2, 0.0, z - size / 2), (x + size / 2, 0.8, z + size / 2)
    return Landmark(
        number, category, color, low, high, room, facing=None, support="floor", name=f"{category}_{number}"
    )


def path(*points: tuple[float, float]) -> np.ndarray:
    """A polyline on the floor of the ground level."""
    return np.array([[x, 0.0, z] for x, z in points])


def facts_of(
    house: House, things: tuple[Landmark, ...], target: Landmark, way: np.ndarray, heading_rad: float
) -> RouteFacts:
    """Facts without a simulator: nothing is passed."""
    legs = legs_of(house, way, heading_rad)
    assert legs is not None
    length = float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
    rooms = tuple(leg.room for leg in legs)
    rollout = Rollout((0,), way[:1], heading_rad)
    route = Route(house.scene_id, way[0], heading_rad, way[-1], way, length, target, rollout, rooms)
    return RouteFacts(
        route=route,
        house=house,
        landmarks=things,
        legs=legs,
        start_turn=legs[0].first_turn,
        turns=(),
        passed=(),
        is_in_front=is_in_front(target, way[-1]),
        keyframes=(0, len(way) - 1),
        in_view=((), ()),
    )
