"""Doors: which doorways have a leaf, where an open leaf stands, and what floor stays empty before them."""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.plan import FloorPlan, Opening, Room, Wall
from vlnenv.houses.plans.rect import Rect

_DOOR_ZONE_CM = 90
_LEAF_CM = 88


@dataclass(frozen=True)
class Door:
    """An open doorway between two rooms, with or without a leaf."""

    name: str
    rooms: tuple[int, int]
    """Both sides, smaller coordinates first; `OUTSIDE` for the closed front door."""
    along_x: bool
    """The wall runs along x."""
    opening: Rect
    """The hole in the wall, wall's thickness included."""
    leaf: Rect | None
    """Where the leaf stands; None for a doorway without one."""
    color: str
    kind: str = "door"
    """"door", "front door" (closed) or "arch" (wide, never with a leaf)."""
    level: int = 0
    """0 on the ground floor, 1 upstairs."""

    @property
    def center(self) -> tuple[int, int]:
        """x, z of the middle of the opening."""
        return ((self.opening.x0 + self.opening.x1) // 2, (self.opening.z0 + self.opening.z1) // 2)


def opening_rect(wall: Wall, opening: Opening, half_cm: int = 5) -> Rect:
    """The hole of a door or window on the plan, `half_cm` to both sides of the wall's middle."""
    if wall.along_x:
        return Rect(opening.low, wall.line - half_cm, opening.high, wall.line + half_cm)
    return Rect(wall.line - half_cm, opening.low, wall.line + half_cm, opening.high)


def hang_doors(plan: FloorPlan, dice: Dice) -> tuple[Door, ...]:
    """All doors of the plan; an open leaf lies flat against the wall or along the next one."""
    doors: list[Door] = []
    wood = dice.pick(["white", "brown", "brown", "grey"])
    for wall in plan.walls:
        for opening in wall.openings:
            if opening.kind == "window":
                continue
            rect = opening_rect(wall, opening)
            name = f"door_{len(doors) + 1}"
            if opening.kind == "front door":
                leaf = opening_rect(wall, Opening("", opening.low + 5, opening.high - 5, 0, 0), 2)
                color = dice.pick(["red", "green", "blue", "black"])
                doors.append(
                    Door(name, wall.rooms, wall.along_x, rect, leaf, color, opening.kind, wall.level)
                )
                continue
            leaf_rect = None
            if opening.kind == "door" and dice.chance(65):
                leaves = [
                    leaf
                    for room in (plan.rooms[r] for r in wall.rooms)
                    if room.kind not in ("hallway", "stairs", "entryway")
                    for leaf in _leaves(wall, opening, room)
                    if not any(
                        leaf.meets(zone) for zone in door_zones(plan, room.index, skip=(wall, opening))
                    )
                    and not any(
                        other.leaf is not None and other.level == wall.level and other.leaf.meets(leaf)
                        for other in doors
                    )
                ]
                leaf_rect = dice.pick(leaves) if leaves else None
            doors.append(
                Door(name, wall.rooms, wall.along_x, rect, leaf_rect, wood, opening.kind, wall.level)
            )
    return tuple(doors)


def _leaves(wall: Wall, opening: Opening, room: Room) -> list[Rect]:
    """Where an open leaf may stand in `room`, in the plan's frame."""
    inner = room.inner
    first, last = (inner.x0, inner.x1) if wall.along_x else (inner.z0, inner.z1)
    face, inward = (wall.line + 5, 1) if wall.after == room.index else (wall.line - 5, -1)
    spans = []
    if opening.low - first >= _LEAF_CM + 2:
        spans.append((opening.low - _LEAF_CM, opening.low, 4))
    elif opening.low - first <= 40:
        spans.append((opening.low + 1, opening.low + 5, _LEAF_CM))
    if last - opening.high >= _LEAF_CM + 2:
        spans.append((opening.high, opening.high + _LEAF_CM, 4))
    elif last - opening.high <= 40:
        spans.append((opening.high - 5, opening.high - 1, _LEAF_CM))
    leaves = []
    for low, high, thick in spans:
        near, far = sorted((face + 2 * inward, face + (thick + 2) * inward))
        leaves.append(Rect(low, near, high, far) if wall.along_x else Rect(near, low, far, high))
    return leaves


def door_zones(plan: FloorPlan, room: int, skip: tuple[Wall, Opening] | None = None) -> list[Rect]:
    """Floor inside a room that must stay empty in front of its doors."""
    zones = []
    for wall in plan.walls:
        if room not in wall.rooms:
            continue
        low, high = (5, _DOOR_ZONE_CM) if wall.after == room else (-_DOOR_ZONE_CM, -5)
        for opening in wall.openings:
            if opening.kind == "window" or (wall, opening) == skip:
                continue
            if wall.along_x:
                zones.append(Rect(opening.low, wall.line + low, opening.high, wall.line + high))
            else:
                zones.append(Rect(wall.line + low, opening.low, wall.line + high, opening.high))
    return zones
