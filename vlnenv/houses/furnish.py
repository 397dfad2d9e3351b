"""Furnishing: doors are hung and every room gets its usual furniture, with every place left reachable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from vlnenv.houses.catalogue import CATALOGUE, Box, Shape
from vlnenv.houses.dice import Dice
from vlnenv.houses.doors import Door, door_zones, hang_doors, opening_rect
from vlnenv.houses.floorplan import OUTSIDE, FloorPlan, Rect, Room
from vlnenv.houses.furniture import Furniture, front_strip
from vlnenv.houses.room_rules import RULES, Rule

CLEARANCE_CM = 30
"""Half the width of the way that stays open to every door and every piece of furniture."""
_GRID_CM = 5

__all__ = ["Door", "Furniture", "door_zones", "front_strip", "furnish", "hang_doors"]


def furnish(plan: FloorPlan, doors: Sequence[Door], dice: Dice) -> tuple[Furniture, ...]:
    """Furniture of every room, rooms in the plan's order; names are numbered per category."""
    counts: dict[str, int] = {}
    pieces: list[Furniture] = []
    kinds = {room.kind for room in plan.rooms}
    for room in plan.rooms:
        layout = _Layout(plan, room, doors, dice, counts)
        for rule in RULES[room.kind]:
            if rule.unless in kinds:
                continue
            for _ in range(rule.count):
                if dice.chance(rule.percent):
                    layout.place(rule)
        pieces += layout.pieces
    return tuple(pieces)


class _Layout:
    """One room while it is being furnished."""

    def __init__(
        self, plan: FloorPlan, room: Room, doors: Sequence[Door], dice: Dice, counts: dict[str, int]
    ):
        self.room, self.inner, self.dice, self.counts = room, room.inner, dice, counts
        self.pieces: list[Furniture] = []
        self.zones = door_zones(plan, room.index)
        self.fronts: list[tuple[Rect, str]] = []
        self.leaves = [d.leaf for d in doors if d.leaf is not None and d.leaf.meets(room.cell)]
        self.solids: list[Rect] = list(self.leaves)
        self.filled: list[tuple[Rect, int, int]] = [(leaf, 0, 210) for leaf in self.leaves]
        self.openings: list[tuple[Rect, int, int]] = []
        self.anchors: list[tuple[int, int]] = []
        for wall in plan.walls:
            if room.index not in wall.rooms:
                continue
            for opening in wall.openings:
                self.openings.append((opening_rect(wall, opening, 12), opening.sill, opening.head))
                if opening.kind == "door" and OUTSIDE not in wall.rooms:
                    middle = (opening.low + opening.high) // 2
                    off = wall.line + (40 if wall.after == room.index else -40)
                    self.anchors.append((middle, off) if wall.along_x else (off, middle))

    # -- trying -----------------------------------------------------------------------------------------

    def place(self, rule: Rule) -> bool:
        """Draw the class and try to place it by its rule; False where there is no room for it."""
        entry = CATALOGUE[self.dice.pick(rule.classes)]
        matching = next((p for p in self.pieces if p.category == entry.name and rule.matching), None)
        color = matching.color if matching else self.dice.pick(entry.colors)
        shape = entry.draw(self.dice, (entry.finish, color))
        if matching:
            shape = Shape(shape.width, shape.depth, shape.height, shape.boxes)
        for rect, facing, bottom in self._candidates(rule, shape):
            if self._fits(rule, entry.name, shape, rect, facing, bottom):
                self._add(rule, entry.name, color, shape, rect, facing, bottom)
                return True
        return False

    def _candidates(self, rule: Rule, shape: Shape) -> list[tuple[Rect, int, int]]:
        inner, dice = self.inner, self.dice
        if rule.mode in ("wall", "corner", "hung"):
            found = []
            for _ in range(14):
                facing = dice.below(4)
                length = inner.width if facing % 2 == 0 else inner.depth
                room = length - shape.width - 2
                if room < 0:
                    continue
                along = 1 + (dice.pick([0, room]) if rule.mode == "corner" else dice.below(room // 5 + 1) * 5)
                found.append((self._against(facing, along, shape), facing, rule.bottom))
            return found
        if rule.mode == "center":
            turns = dice.shuffled([0, 1])
            x, z = (inner.x0 + inner.x1) // 2, (inner.z0 + inner.z1) // 2
            moves = [(0, 0), *((dice.between(-60, 60, 10), dice.between(-60, 60, 10)) for _ in range(6))]
            return [(_around(x + dx, z + dz, shape, turn), turn, 0) for dx, dz in moves for turn in turns]
        hosts = [p for p in self.pieces if p.category in rule.near]
        if not hosts:
            return []
        host = hosts[-1]
        return _relative(rule.mode, host, shape, dice, inner)

    def _against(self, facing: int, along: int, shape: Shape) -> Rect:
        i, w, d = self.inner, shape.width, shape.depth
        if facing == 0:
            return Rect(i.x0 + along, i.z0 + 1, i.x0 + along + w, i.z0 + 1 + d)
        if facing == 1:
            return Rect(i.x0 + 1, i.z0 + along, i.x0 + 1 + d, i.z0 + along + w)
        if facing == 2:
            return Rect(i.x0 + along, i.z1 - 1 - d, i.x0 + along + w, i.z1 - 1)
        return Rect(i.x1 - 1 - d, i.z0 + along, i.x1 - 1, i.z0 + along + w)

    # -- judging ----------------------------------------------------------------------------------------

    def _fits(self, rule: Rule, category: str, shape: Shape, rect: Rect, facing: int, bottom: int) -> bool:
        if not self.inner.holds(rect):
            return False
        if rule.mode == "under":
            return not any(p.category == "rug" and p.rect.meets(rect) for p in self.pieces)
        top = bottom + shape.height
        gap = rect.grown(2) if bottom == 0 else rect
        if any(gap.meets(other) and bottom < high and low < top for other, low, high in self.filled):
            return False
        if any(rect.meets(hole) and bottom < high and low < top for hole, low, high in self.openings):
            return False
        if bottom > 0:
            return True
        if any(rect.meets(zone) for zone in self.zones):
            return False
        if any(rect.meets(front) and owner not in rule.near for front, owner in self.fronts):
            return False
        if rule.front_cm:
            front = front_strip(rect, facing, rule.front_cm)
            if not self.inner.holds(front) or any(front.meets(solid) for solid in self.solids):
                return False
        return self._all_reachable([*self.solids, rect])

    def _all_reachable(self, solids: list[Rect]) -> bool:
        """Whether a wide path joins all doors and passes every solid, and no part of the floor is cut off."""
        i = self.inner
        free = np.zeros((i.depth // _GRID_CM + 1, i.width // _GRID_CM + 1), dtype=bool)
        margin = -(-CLEARANCE_CM // _GRID_CM)
        free[margin:-margin, margin:-margin] = True
        for solid in solids:
            grown = solid.grown(CLEARANCE_CM)
            x0, z0 = max(0, -(-(grown.x0 - i.x0) // _GRID_CM)), max(0, -(-(grown.z0 - i.z0) // _GRID_CM))
            x1, z1 = (grown.x1 - i.x0) // _GRID_CM, (grown.z1 - i.z0) // _GRID_CM
            free[z0 : max(0, z1) + 1, x0 : max(0, x1) + 1] = False
        labels, _ = ndimage.label(free)
        at_doors = {int(labels[(z - i.z0) // _GRID_CM, (x - i.x0) // _GRID_CM]) for x, z in self.anchors}
        if len(at_doors) != 1 or 0 in at_doors:
            return False
        main = labels == at_doors.pop()
        if 10 * int(main.sum()) < 9 * int(free.sum()):
            return False
        for solid in solids[len(self.leaves) :]:
            reach = solid.grown(CLEARANCE_CM + 15)
            x0, z0 = max(0, (reach.x0 - i.x0) // _GRID_CM), max(0, (reach.z0 - i.z0) // _GRID_CM)
            x1, z1 = (reach.x1 - i.x0) // _GRID_CM, (reach.z1 - i.z0) // _GRID_CM
            if not main[z0 : z1 + 1, x0 : x1 + 1].any():
                return False
        return True

    def _add(
        self, rule: Rule, category: str, color: str, shape: Shape, rect: Rect, facing: int, bottom: int
    ) -> None:
        number = self.counts.get(category, 0) + 1
        self.counts[category] = number
        boxes = tuple(_turned(box, shape, rect, facing, bottom) for box in shape.boxes)
        name = f"{category.replace(' ', '_')}_{number}"
        top = bottom + shape.height
        self.pieces.append(
            Furniture(name, category, color, "", self.room.index, rect, bottom, top, facing, "floor", boxes)
        )
        if rule.mode == "under":
            return
        self.filled.append((rect, bottom, top))
        if bottom == 0:
            self.solids.append(rect)
            if rule.front_cm:
                self.fronts.append((front_strip(rect, facing, rule.front_cm), category))


def _around(x: int, z: int, shape: Shape, facing: int) -> Rect:
    w, d = (shape.width, shape.depth) if facing % 2 == 0 else (shape.depth, shape.width)
    return Rect(x - w // 2, z - d // 2, x - w // 2 + w, z - d // 2 + d)


def _relative(
    mode: str, host: Furniture, shape: Shape, dice: Dice, inner: Rect
) -> list[tuple[Rect, int, int]]:
    """Candidates of a piece that belongs to `host`, in the host's frame and then turned with it."""
    r, f = host.rect, host.facing
    w, d = (r.width, r.depth) if f % 2 == 0 else (r.depth, r.width)
    sw, sd = shape.width, shape.depth
    local: list[tuple[int, int, int]] = []  # x0, z0 of the piece in the host's frame, quarter turns
    if mode == "beside":
        local = [(x, 0, 0) for x in dice.shuffled([-sw - 3, w + 3])]
    elif mode == "front":
        local = [((w - sw) // 2, d + gap, 0) for gap in (45, 38, 55)]
    elif mode == "facing":
        local = [((w - sw) // 2 + dx, d + 4, 2) for dx in dice.shuffled([0, -15, 15, -30])]
    elif mode == "around":
        seats = max(1, w // 62)
        step = w // seats
        for i in range(seats):
            x = i * step + (step - sw) // 2
            local += [(x, d + 3, 2), (x, -sd - 3, 0)]
        local += [(-sd - 3, (d - sw) // 2, 1), (w + 3, (d - sw) // 2, 3)]
    elif mode == "on":
        local = [((w - sw) // 2, (d - sd) // 2, 0)]
    elif mode == "above":
        local = [((w - sw) // 2, 0, 0)]
    elif mode == "under":
        local = [((w - sw) // 2, (d - sd) // 2, 0), ((w - sw) // 2, d - sd // 3, 0)]
    bottom = {"on": host.top, "above": 120}.get(mode, 0)
    found = []
    for x0, z0, turn in local:
        pw, pd = (sw, sd) if turn % 2 == 0 else (sd, sw)
        x1, z1 = x0 + pw, z0 + pd
        if f == 0:
            rect = Rect(r.x0 + x0, r.z0 + z0, r.x0 + x1, r.z0 + z1)
        elif f == 1:
            rect = Rect(r.x0 + z0, r.z0 + w - x1, r.x0 + z1, r.z0 + w - x0)
        elif f == 2:
            rect = Rect(r.x0 + w - x1, r.z0 + d - z1, r.x0 + w - x0, r.z0 + d - z0)
        else:
            rect = Rect(r.x0 + d - z1, r.z0 + x0, r.x0 + d - z0, r.z0 + x1)
        if mode == "under" and not inner.holds(rect):
            continue
        found.append((rect, (f + turn) % 4, bottom))
    return found


def _turned(box: Box, shape: Shape, rect: Rect, facing: int, bottom: int) -> Box:
    x0, y0, z0, x1, y1, z1, surface = box
    w, d = shape.width, shape.depth
    if facing == 1:
        x0, z0, x1, z1 = z0, w - x1, z1, w - x0
    elif facing == 2:
        x0, z0, x1, z1 = w - x1, d - z1, w - x0, d - z0
    elif facing == 3:
        x0, z0, x1, z1 = d - z1, x0, d - z0, x1
    return (rect.x0 + x0, bottom + y0, rect.z0 + z0, rect.x0 + x1, bottom + y1, rect.z0 + z1, surface)
