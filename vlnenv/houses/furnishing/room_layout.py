"""One room while it is being furnished: what stands where, and whether one more piece fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy import ndimage

from vlnenv.houses.catalogue import CATALOGUE, FurnitureClass, Shape, Top
from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.furniture import Furniture, front_strip
from vlnenv.houses.furnishing.placing import (
    Spot,
    against,
    by_host,
    centered,
    extent_along,
    free_spans,
    placed_solids,
    placed_tops,
)
from vlnenv.houses.furnishing.room_rules import Rule
from vlnenv.houses.furnishing.style import Style, draw_surface
from vlnenv.houses.looks.textures import MATERIAL_WORD
from vlnenv.houses.plans.doors import Door, door_zones, opening_rect
from vlnenv.houses.plans.plan import HEIGHT_CM, OUTSIDE, FloorPlan, Room
from vlnenv.houses.plans.rect import Rect

CLEARANCE_CM = 30
"""Half the width of the way that stays open to every door and every piece of furniture."""
HEAD_CM = 180
"""What hangs lower than this above open floor is in the way."""
_OVER_SILL_CM = 35
DOORWAY_CM = 210
"""What hangs lower than this before a door is in the way."""
_GRID_CM = 5
_DRAWS, _DRAWS_OF_NEEDED = 2, 6
_TRIES = 18
_BY_HOST = ("beside", "front", "facing", "around", "flank", "row", "above", "over", "under")


@dataclass(frozen=True, eq=False)
class _Block:
    """What takes up room: a piece or an open door's leaf."""

    rect: Rect
    bottom: int
    top: int
    name: str = ""


class RoomLayout:
    """One room while it is being furnished."""

    def __init__(self, plan: FloorPlan, room: Room, doors: Sequence[Door], style: Style, dice: Dice):
        self.room, self.inner, self.base = room, room.inner, room.floor_cm
        self.style, self.dice = style, dice
        self.pieces: list[Furniture] = []
        self.tops: dict[str, tuple[Top, ...]] = {}
        """World frame, by the piece's name."""
        self.zones = door_zones(plan, room.index)
        self.windows: list[tuple[Rect, int, int]] = []
        """(rectangle that reaches into the room, sill, head), absolute heights."""
        self._holes: list[_Block] = []
        self._anchors: list[tuple[int, int]] = []
        self._drawn: dict[str, tuple[Surface, Shape]] = {}
        self._fronts: list[tuple[Rect, str]] = []
        leaves = [d.leaf for d in doors if d.leaf is not None and d.level == room.level]
        self._blocks = [_Block(leaf, self.base, self.base + 210) for leaf in leaves if leaf.meets(room.cell)]
        self._standing: list[Rect] = []
        for wall in plan.walls:
            if room.index not in wall.rooms:
                continue
            for opening in wall.openings:
                rect = opening_rect(wall, opening, 12)
                low, high = self.base + opening.sill, self.base + opening.head
                self._holes.append(_Block(rect, low, high))
                if opening.kind == "window":
                    self.windows.append((rect, low, high))
                elif OUTSIDE not in wall.rooms:
                    middle = (opening.low + opening.high) // 2
                    off = wall.line + (40 if wall.after == room.index else -40)
                    self._anchors.append((middle, off) if wall.along_x else (off, middle))
        self._free = self._empty_floor()
        for block in self._blocks:
            self._block_floor(self._free, block.rect)

    # -- drawing and placing ----------------------------------------------------------------------------

    def place(self, rule: Rule) -> Furniture | None:
        """Draw one of the rule's classes and place it; None where a few draws found no room."""
        if not self._has_use_for(rule):
            return None
        for _ in range(_DRAWS_OF_NEEDED if rule.percent == 100 and rule.count == 1 else _DRAWS):
            entry = CATALOGUE[self.dice.pick(rule.classes)]
            surface, shape = self.draw(entry, rule.matching)
            for spot in islice(self._spots(rule, entry, shape), _TRIES):
                if self.fits(rule, entry, shape, spot):
                    return self.add(rule, entry, surface, shape, spot)
        return None

    def draw(self, entry: FurnitureClass, matching: bool = False) -> tuple[Surface, Shape]:
        """A new piece of a class, or the room's first of it once more."""
        if matching and entry.name in self._drawn:
            return self._drawn[entry.name]
        surface = draw_surface(entry, self.style, self.dice)
        shape = entry.draw(self.dice, surface)
        self._drawn.setdefault(entry.name, (surface, shape))
        return surface, shape

    def add(
        self, rule: Rule, entry: FurnitureClass, surface: Surface, shape: Shape, spot: Spot, support: str = ""
    ) -> Furniture:
        """Put a piece where it fits."""
        number = 1 + sum(piece.category == entry.name for piece in self.pieces)
        hangs = {"wall": "wall", "ceiling": "ceiling"}.get(entry.stands, "floor")
        piece = Furniture(
            name=f"{self.room.name}/{entry.name}_{number}",
            category=entry.name,
            color=surface[1],
            material=MATERIAL_WORD[surface[0]],
            room=self.room.index,
            rect=spot.rect,
            bottom=spot.bottom,
            top=spot.bottom + shape.height,
            facing=spot.facing,
            support=support or hangs,
            solids=placed_solids(shape, spot),
        )
        self.pieces.append(piece)
        self.tops[piece.name] = placed_tops(shape, spot)
        if entry.name != "rug":
            self._blocks.append(_Block(spot.rect, spot.bottom, piece.top, piece.name))
        if self._is_in_the_way(entry, spot):
            self._standing.append(spot.rect)
            self._block_floor(self._free, spot.rect)
            front = entry.front_cm if rule.front_cm is None else rule.front_cm
            if front:
                self._fronts.append((front_strip(spot.rect, spot.facing, front), entry.name))
        return piece

    def _has_use_for(self, rule: Rule) -> bool:
        """Whether what the rule refers to is there at all; saves drawing pieces in vain."""
        if rule.mode == "window":
            done = sum(piece.category in rule.classes for piece in self.pieces)
            return done < len(self.windows)
        if rule.mode == "ceiling":
            return not any(piece.support == "ceiling" for piece in self.pieces)
        return rule.mode not in _BY_HOST or any(piece.category in rule.near for piece in self.pieces)

    # -- where to try -----------------------------------------------------------------------------------

    def _spots(self, rule: Rule, entry: FurnitureClass, shape: Shape) -> Iterator[Spot]:
        if rule.mode in ("wall", "middle", "corner", "hung"):
            yield from self.along_walls(rule, entry, shape)
        elif rule.mode in ("center", "ceiling"):
            yield from self._in_the_open(rule, shape)
        elif rule.mode == "window":
            yield from self._at_windows(entry, shape)
        elif rule.mode == "opposite":
            yield from self._opposite(rule, entry, shape)
        elif rule.mode in _BY_HOST:
            yield from self._by_hosts(rule, shape)
        else:
            raise ValueError(f"no mode {rule.mode!r} of placing; see room_rules.Rule.mode")

    def along_walls(self, rule: Rule, entry: FurnitureClass, shape: Shape) -> list[Spot]:
        """Places with the back to a wall: at the ends, in the middle and anywhere of what is free there.

        Corners come first for what stands in corners, long free walls for what stands in the middle of one.
        """
        found: list[tuple[int, Spot]] = []
        bottom = self.base + rule.bottom
        top = bottom + shape.height - _over_sill(entry)
        for facing in range(4):
            length = self.inner.width if facing % 2 == 0 else self.inner.depth
            for low, high in self.spans(facing, shape.depth, bottom, top, rule.near):
                slack = high - low - shape.width
                if slack < 0:
                    continue
                ends = (low, high - shape.width)
                anywhere = low + self.dice.below(slack + 1)
                if rule.mode == "corner":
                    ranked = [(start, 1000 * (low > 1 and high < length - 1)) for start in ends]
                elif rule.mode == "middle":
                    ranked = [(low + slack // 2, 1000 * (slack < 100)), *((start, 1500) for start in ends)]
                elif entry.stands == "wall":
                    ranked = [(low + slack // 2, 0), (anywhere, 0)]
                else:
                    ranked = [(start, 0) for start in (*ends, anywhere)]
                for start, rank in ranked:
                    spot = against(self.inner, facing, start, shape.width, shape.depth)
                    found.append((rank + self.dice.below(1000), Spot(spot, facing, bottom)))
        return [spot for _, spot in sorted(found, key=lambda each: each[0])]

    def spans(
        self, facing: int, depth: int, bottom: int, top: int, near: tuple[str, ...] = (), gap: int = 3
    ) -> list[tuple[int, int]]:
        """Free intervals along a wall for something of a depth, between two heights."""
        inner = self.inner
        length = inner.width if facing % 2 == 0 else inner.depth
        strip = against(inner, facing, 1, length - 2, depth)
        rects = [b.rect.grown(gap) for b in self._blocks if bottom < b.top and b.bottom < top]
        rects += [hole.rect for hole in self._holes if bottom < hole.top and hole.bottom < top]
        if bottom < self.base + DOORWAY_CM:
            rects += self.zones
        if bottom == self.base:
            rects += [front for front, owner in self._fronts if owner not in near]
        blocked = [extent_along(inner, facing, rect) for rect in rects if rect.meets(strip)]
        return free_spans(1, length - 1, blocked)

    def _in_the_open(self, rule: Rule, shape: Shape) -> Iterator[Spot]:
        inner, dice = self.inner, self.dice
        bottom = self.base
        if rule.mode == "ceiling":
            bottom += HEIGHT_CM - shape.height
        turns = [1, 0] if inner.depth > inner.width else [0, 1]
        x, z = (inner.x0 + inner.x1) // 2, (inner.z0 + inner.z1) // 2
        moves = [(0, 0), *((dice.between(-60, 60, 10), dice.between(-60, 60, 10)) for _ in range(7))]
        for dx, dz in moves:
            for turn in turns:
                yield Spot(centered(x + dx, z + dz, shape.width, shape.depth, turn), turn, bottom)

    def _at_windows(self, entry: FurnitureClass, shape: Shape) -> Iterator[Spot]:
        for rect, sill, _ in self.dice.shuffled(self.windows):
            for facing in range(4):
                low, high = extent_along(self.inner, facing, rect)
                spot = against(self.inner, facing, (low + high - shape.width) // 2, shape.width, shape.depth)
                is_there = rect.meets(spot) and (rect.width > rect.depth) == (facing % 2 == 0)
                if not is_there or (entry.stands == "floor" and self.base + shape.height > sill):
                    continue
                # Curtains hang from just below the ceiling.
                bottom = self.base if entry.stands == "floor" else self.base + 248 - shape.height
                yield Spot(spot, facing, max(self.base, bottom))

    def _opposite(self, rule: Rule, entry: FurnitureClass, shape: Shape) -> list[Spot]:
        hosts = [piece for piece in self.pieces if piece.category in rule.near]
        spots = self.along_walls(rule, entry, shape)
        if not hosts:
            return spots
        host = hosts[0]
        middle = sum(extent_along(self.inner, host.facing, host.rect)) // 2
        facing = (host.facing + 2) % 4
        for low, high in self.spans(facing, shape.depth, self.base, self.base + shape.height):
            if high - low >= shape.width:
                start = min(max(middle - shape.width // 2, low), high - shape.width)
                rect = against(self.inner, facing, start, shape.width, shape.depth)
                spots.insert(0, Spot(rect, facing, self.base))
        return sorted(
            spots,
            key=lambda s: (
                s.facing != facing,
                abs(sum(extent_along(self.inner, facing, s.rect)) // 2 - middle),
            ),
        )

    def _by_hosts(self, rule: Rule, shape: Shape) -> Iterator[Spot]:
        for host in reversed([piece for piece in self.pieces if piece.category in rule.near]):
            gaps = (3, 8, 15) if host.category == "bed" else (45, 38, 55)
            for spot in by_host(rule.mode, host.rect, host.facing, shape, self.dice, gaps):
                bottom = self.base
                if rule.mode == "above":
                    bottom = max(self.base + rule.bottom, host.top + 8)
                elif rule.mode == "over":
                    bottom = self.base + HEIGHT_CM - shape.height
                yield spot._replace(bottom=bottom)

    # -- judging ----------------------------------------------------------------------------------------

    def fits(self, rule: Rule, entry: FurnitureClass, shape: Shape, spot: Spot, gap: int = 2) -> bool:
        """Whether a piece may stand there: inside, on nothing and before nothing, with all in reach."""
        rect, top = spot.rect, spot.bottom + shape.height
        if not self.inner.holds(rect) or top > self.base + HEIGHT_CM:
            return False
        if entry.name == "rug":
            under = [p.rect for p in self.pieces if p.category == "rug"]
            leaves = [
                b.rect
                for b in self._blocks[: len(self._blocks) - len(self._standing)]
                if b.top == self.base + 210
            ]
            return not any(rect.meets(other) for other in (*under, *leaves))
        reach = rect.grown(gap) if spot.bottom == self.base else rect
        if any(reach.meets(b.rect) and spot.bottom < b.top and b.bottom < top for b in self._blocks):
            return False
        if rule.mode != "window":
            # What rises little above a sill, a tap or a headboard, hides no window.
            high = top - _over_sill(entry)
            if any(rect.meets(h.rect) and spot.bottom < h.top and h.bottom < high for h in self._holes):
                return False
        if spot.bottom < self.base + DOORWAY_CM and any(rect.meets(zone) for zone in self.zones):
            return False
        if not self._is_in_the_way(entry, spot):
            return entry.stands != "ceiling" or rule.mode == "over" or spot.bottom >= self.base + HEAD_CM
        if any(rect.meets(front) and owner not in rule.near for front, owner in self._fronts):
            return False
        front_cm = entry.front_cm if rule.front_cm is None else rule.front_cm
        if front_cm:
            front = front_strip(rect, spot.facing, front_cm)
            if not self.inner.holds(front) or any(
                front.meets(b.rect) and b.bottom < self.base + HEAD_CM for b in self._blocks
            ):
                return False
        return self._all_reachable(rect)

    def is_clear(self, rect: Rect, bottom: int, top: int, host: str) -> bool:
        """Whether a box holds nothing but parts of the piece named `host`, and hides no window."""
        others = [block for block in (*self._blocks, *self._holes) if block.name != host]
        return not any(rect.meets(b.rect) and bottom < b.top and b.bottom < top for b in others)

    def _is_in_the_way(self, entry: FurnitureClass, spot: Spot) -> bool:
        return entry.stands in ("floor", "top") and entry.name != "rug" and spot.bottom == self.base

    def _empty_floor(self) -> np.ndarray:
        """Where the middle of a body of `CLEARANCE_CM` may be in the empty room."""
        free = np.zeros((self.inner.depth // _GRID_CM + 1, self.inner.width // _GRID_CM + 1), dtype=bool)
        margin = -(-CLEARANCE_CM // _GRID_CM)
        free[margin:-margin, margin:-margin] = True
        return free

    def _cells(self, rect: Rect) -> tuple[slice, slice]:
        """Raster points inside a rectangle, as rows and columns."""
        i = self.inner
        x0, z0 = max(0, -(-(rect.x0 - i.x0) // _GRID_CM)), max(0, -(-(rect.z0 - i.z0) // _GRID_CM))
        x1, z1 = max(-1, (rect.x1 - i.x0) // _GRID_CM), max(-1, (rect.z1 - i.z0) // _GRID_CM)
        return slice(z0, z1 + 1), slice(x0, x1 + 1)

    def _block_floor(self, free: np.ndarray, rect: Rect) -> None:
        free[self._cells(rect.grown(CLEARANCE_CM))] = False

    def _all_reachable(self, rect: Rect) -> bool:
        """Whether a wide way joins all doors and passes every piece, with little of the floor cut off."""
        free = self._free.copy()
        self._block_floor(free, rect)
        labels, _ = ndimage.label(free)
        i = self.inner
        at_doors = {int(labels[(z - i.z0) // _GRID_CM, (x - i.x0) // _GRID_CM]) for x, z in self._anchors}
        if len(at_doors) != 1 or 0 in at_doors:
            return False
        main = labels == at_doors.pop()
        if 10 * int(main.sum()) < 9 * int(free.sum()):
            return False
        around = CLEARANCE_CM + 15
        return all(main[self._cells(each.grown(around))].any() for each in (*self._standing, rect))


def _over_sill(entry: FurnitureClass) -> int:
    """How far a piece may rise above the sill of the window behind it."""
    return _OVER_SILL_CM if entry.name in ("bed", "kitchen sink") else 0
