"""Furniture put elsewhere: which objects can be moved, and free floor for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlnenv.sim.edits import current_bounds
from vlnenv.sim.naming import walkable_hint
from vlnenv.sim.scene import Instance, Scene
from vlnenv.sim.simulator import Simulator

LARGEST_SIDE_M = 1.6
"""Objects that are longer or deeper than this are not moved."""
_TALLEST_M = 2.2
_FLOOR_TOLERANCE_M = 0.15
_GRID_M = 0.1
_PLACES_TRIED = 48
_FIXED_WORDS = """
    balustrade banister basin bathtub blinds ceiling counter curtain curtains door doorframe doors
    fence fireplace frame light mirror oven painting picture pillar pipe portrait poster radiator
    railing roof screen shower sink stove switch tap toilet urinal wall walls washbasin window
    windows windowsill
"""
_FIXED = frozenset(_FIXED_WORDS.split())
"""Last words of classes that are part of the building or fixed to it."""


def movable_instances(simulator: Simulator, scene: Scene) -> list[Instance]:
    """Furniture that can be carried off, in the order of `scene.instances`.

    An object counts that is named as furniture (not as part of the building), is still there, stands on
    the walkable height of its place, is at most 1.6 m long and deep and 2.2 m high, and has nothing standing
    on it.
    """
    boxes = {i.id: box for i in scene.instances if (box := current_bounds(i, scene)) is not None}
    standing, _ = _standing(simulator, scene, boxes)
    return [each for each in standing if not any(_rests_on(box, boxes[each.id]) for box in boxes.values())]


def _standing(
    simulator: Simulator, scene: Scene, boxes: dict[int, np.ndarray]
) -> tuple[list[Instance], np.ndarray]:
    """Furniture that stands on walkable floor and is not too large, and the height (n,) of its floor."""
    candidates = [
        instance
        for instance in scene.instances
        if instance.id in boxes
        and walkable_hint(instance.category) == -1
        and instance.category.split()[-1] not in _FIXED
        and (np.ptp(boxes[instance.id], axis=0) <= (LARGEST_SIDE_M, _TALLEST_M, LARGEST_SIDE_M)).all()
    ]
    if not candidates:
        return [], np.zeros(0)
    bottoms_m = np.stack([_bottom(boxes[instance.id]) for instance in candidates])
    floor_m = simulator.snap(scene, bottoms_m, 3.0)
    stands = np.abs(floor_m[:, 1] - bottoms_m[:, 1]) <= _FLOOR_TOLERANCE_M  # NaN where there is no floor
    standing = [each for each, is_standing in zip(candidates, stands, strict=True) if is_standing]
    return standing, floor_m[stands, 1]


def relocate(
    simulator: Simulator,
    scene: Scene,
    count: int,
    rng: np.random.Generator,
    is_allowed: Callable[[Scene], bool] = lambda _: True,
    keep_clear_m: np.ndarray | None = None,
) -> Scene:
    """A scene in which some furniture stands elsewhere, on free floor.

    Objects are tried in random order until `count` of them have moved. Each is shifted to random walkable
    places, turned by a random multiple of 90 degrees, until one has all of its footprint on free floor, at
    the height of a floor that furniture stands on (a staircase's landing is none), at least 0.5 m from where
    it stood, and `is_allowed` accepts the scene.

    Args:
        simulator: Edits and measures.
        scene: The place, edited before or not; it stays as it is.
        count: How many objects to move; fewer move where there is no room.
        rng: Random numbers; the same state gives the same scene.
        is_allowed: Asked of each candidate scene, e.g. whether a route is still open.
        keep_clear_m: (k, 3) points that no object may be put on, world frame.

    Raises:
        ValueError: If `count` is negative.
    """
    if count < 0:
        raise ValueError(f"count must be at least 0, got {count}")
    movable = movable_instances(simulator, scene)
    moved = 0
    for index in rng.permutation(len(movable)):
        if moved == count:
            break
        changed = relocate_one(simulator, scene, movable[index], rng, is_allowed, keep_clear_m)
        if changed is not None:
            scene, moved = changed, moved + 1
    return scene


def relocate_one(
    simulator: Simulator,
    scene: Scene,
    instance: Instance,
    rng: np.random.Generator,
    is_allowed: Callable[[Scene], bool] = lambda _: True,
    keep_clear_m: np.ndarray | None = None,
) -> Scene | None:
    """A scene in which one instance stands elsewhere, see `relocate`; None where no place was found.

    Raises:
        ValueError: If the instance was removed.
    """
    clear_m = np.zeros((0, 3)) if keep_clear_m is None else np.asarray(keep_clear_m, dtype=np.float64)
    boxes = {i.id: box for i in scene.instances if (box := current_bounds(i, scene)) is not None}
    box = boxes.get(instance.id)
    if box is None:
        raise ValueError(f"{instance.name!r} was removed from {scene.id!r}; it has no place to leave")
    bottom_m = _bottom(box)
    floors_m = _standing(simulator, scene, boxes)[1]
    half_m = np.ptp(box, axis=0)[[0, 2]] / 2.0
    places_m = simulator.sample(scene, rng, _PLACES_TRIED)
    quarters = rng.integers(4, size=_PLACES_TRIED)
    for place_m, quarter in zip(places_m, quarters, strict=True):
        side_m = half_m[::-1] if quarter % 2 else half_m
        if np.linalg.norm((place_m - bottom_m)[[0, 2]]) < 0.5:
            continue
        if not (np.abs(floors_m - place_m[1]) <= _FLOOR_TOLERANCE_M).any():
            continue
        if (np.abs(clear_m - place_m)[:, [0, 2]] <= side_m + 0.3).all(axis=1).any():
            continue
        if not simulator.is_navigable(scene, _footprint(place_m, side_m)).all():
            continue
        before = scene.edits.get(instance.id)
        after = _carried(bottom_m, place_m, int(quarter)) @ (np.eye(4) if before is None else before)
        changed = simulator.edit(scene, instance.id, after)
        if is_allowed(changed):
            return changed
    return None


def _carried(from_m: np.ndarray, to_m: np.ndarray, quarter: int) -> np.ndarray:
    """4 x 4: turn about the vertical through `from_m` by quarter turns, then carry to `to_m`."""
    cos, sin = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[quarter]
    matrix = np.eye(4)
    matrix[:3, :3] = [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]
    matrix[:3, 3] = to_m - matrix[:3, :3] @ from_m
    return matrix


def _footprint(place_m: np.ndarray, side_m: np.ndarray) -> np.ndarray:
    """Points (k, 3) of a rectangle with the given half sides around a place, at most 0.1 m apart."""
    x, z = (np.linspace(-side, side, max(2, int(np.ceil(2.0 * side / _GRID_M)) + 1)) for side in side_m)
    grid = np.stack(np.meshgrid(x, z), axis=-1).reshape(-1, 2)
    return place_m + np.stack([grid[:, 0], np.zeros(len(grid)), grid[:, 1]], axis=1)


def _bottom(box: np.ndarray) -> np.ndarray:
    """Middle of a box's lower side (3,)."""
    return np.array([box[:, 0].mean(), box[0, 1], box[:, 2].mean()])


def _rests_on(box: np.ndarray, support: np.ndarray) -> bool:
    """Whether the first box stands on the second: its middle is above it, its bottom near the other's top."""
    x, bottom, z = _bottom(box)
    return bool(
        support[0, 0] <= x <= support[1, 0]
        and support[0, 2] <= z <= support[1, 2]
        and -0.3 <= bottom - support[1, 1] <= 0.1
        and bottom > support[0, 1] + 0.1
    )
