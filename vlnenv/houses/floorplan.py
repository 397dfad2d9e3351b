"""Floor plans: a rectangle cut into rooms along a hallway, with doors and windows. Integer centimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from vlnenv.houses.dice import Dice

WALL_CM = 10
"""Thickness of every wall."""
HEIGHT_CM = 260
"""Floor to ceiling."""
DOOR_CM = 100
"""Width of a door's opening in the wall; the frame takes 5 on either side and leaves 90 clear."""
DOOR_HEIGHT_CM = 210
OUTSIDE = -1
"""Room index of the world outside."""


@dataclass(frozen=True)
class Rect:
    """An axis-aligned rectangle on the floor, centimetres; x grows to the right, z towards the viewer."""

    x0: int
    z0: int
    x1: int
    z1: int

    @property
    def width(self) -> int:
        """Extent along x."""
        return self.x1 - self.x0

    @property
    def depth(self) -> int:
        """Extent along z."""
        return self.z1 - self.z0

    @property
    def area(self) -> int:
        """Square centimetres."""
        return self.width * self.depth

    def grown(self, margin: int) -> Rect:
        """The rectangle with every side moved outwards."""
        return Rect(self.x0 - margin, self.z0 - margin, self.x1 + margin, self.z1 + margin)

    def meets(self, other: Rect) -> bool:
        """Whether the two share an area."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.z0 < other.z1 and other.z0 < self.z1

    def holds(self, other: Rect) -> bool:
        """Whether `other` lies inside."""
        return self.x0 <= other.x0 and self.z0 <= other.z0 and self.x1 >= other.x1 and self.z1 >= other.z1


@dataclass(frozen=True)
class Room:
    """A room of the plan."""

    index: int
    kind: str
    """"living room", "kitchen", "bedroom", "bathroom", "dining room", "office", "laundry room", "hallway"."""
    name: str
    """Unique in the house: "bedroom_2"."""
    cell: Rect
    """Up to the middle of the walls."""
    level: int = 0
    """0 on the ground floor, 1 upstairs."""

    @property
    def inner(self) -> Rect:
        """The floor between the walls."""
        return self.cell.grown(-WALL_CM // 2)


@dataclass(frozen=True)
class Opening:
    """A hole in a wall: from `low` to `high` along it, from `sill` to `head` above the floor."""

    kind: str
    """"door", "front door" (closed) or "window"."""
    low: int
    high: int
    sill: int
    head: int


@dataclass(frozen=True)
class Wall:
    """A piece of wall between two rooms, or a room and the outside."""

    along_x: bool
    """Runs along x at z = `line`; else along z at x = `line`."""
    line: int
    """Middle of the wall."""
    low: int
    high: int
    """Ends along the wall."""
    before: int
    """Room on the side of smaller coordinates, or `OUTSIDE`."""
    after: int
    """Room on the side of larger coordinates, or `OUTSIDE`."""
    openings: tuple[Opening, ...] = ()
    level: int = 0

    @property
    def rooms(self) -> tuple[int, int]:
        """Both sides."""
        return (self.before, self.after)


@dataclass(frozen=True)
class FloorPlan:
    """Rooms that tile a rectangle, and the walls between them."""

    rooms: tuple[Room, ...]
    walls: tuple[Wall, ...]

    @property
    def bounds(self) -> Rect:
        """Up to the middle of the outer walls."""
        cells = [room.cell for room in self.rooms]
        return Rect(
            min(c.x0 for c in cells),
            min(c.z0 for c in cells),
            max(c.x1 for c in cells),
            max(c.z1 for c in cells),
        )


def draw_plan(dice: Dice) -> FloorPlan:
    """A plan of 5 to 8 rooms: rows of rooms on both sides of a hallway, turned and mirrored at random."""
    count = dice.pick([5, 6, 6, 7, 7, 8])
    while True:
        cells = _draw_cells(dice, count)
        if cells is not None:
            break
    kinds = _assign_kinds(cells, dice)
    counts: dict[str, int] = {}
    rooms = []
    for index, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
        counts[kind] = counts.get(kind, 0) + 1
        rooms.append(Room(index, kind, f"{kind.replace(' ', '_')}_{counts[kind]}", cell))
    walls = _add_windows(rooms, _add_doors(rooms, _walls_between(cells), dice), dice)
    return FloorPlan(tuple(rooms), tuple(walls))


def _draw_cells(dice: Dice, count: int) -> list[Rect] | None:
    """The hallway's cell first, then the rooms'; None for a draw with ill-shaped rooms."""
    length = dice.between(1000, 1400, 10)
    depth = dice.between(800, 1200, 10)
    hall = dice.between(140, 180, 10)
    if depth - hall < 640:
        return None
    north = dice.between(320, depth - hall - 320, 10)
    has_end_room = dice.chance(50)
    end = dice.between(380, 500, 10) if has_end_room else 0
    row = length - end
    cells = [Rect(0, north, row, north + hall)]
    if has_end_room:
        cells.append(Rect(row, 0, length, depth))
    rows = count - len(cells)
    upper = dice.between(max(1, rows // 2), (rows + 1) // 2)
    if dice.chance(50):
        upper = rows - upper
    for number, z0, z1 in ((upper, 0, north), (rows - upper, north + hall, depth)):
        if row < 230 * number:
            return None
        cuts = [0, *sorted(dice.between(230, row - 230, 10) for _ in range(number - 1)), row]
        for x0, x1 in pairwise(cuts):
            if x1 - x0 < 230 or x1 - x0 > 2 * (z1 - z0) or x1 - x0 > 620 or 5 * (x1 - x0) < 2 * (z1 - z0):
                return None
            cells.append(Rect(x0, z0, x1, z1))
    mirror_x, mirror_z, turn = (
        dice.chance(50),
        dice.chance(50),
        dice.chance(50) and length <= 1200 and depth >= 900,
    )
    placed = []
    for c in cells:
        if mirror_x:
            c = Rect(length - c.x1, c.z0, length - c.x0, c.z1)
        if mirror_z:
            c = Rect(c.x0, depth - c.z1, c.x1, depth - c.z0)
        placed.append(Rect(c.z0, c.x0, c.z1, c.x1) if turn else c)
    return placed


def _assign_kinds(cells: list[Rect], dice: Dice) -> list[str]:
    """Room kinds: the largest is the living room, the smallest the bathroom; dining is beside the kitchen."""
    kinds = ["hallway"] + [""] * (len(cells) - 1)
    by_area = sorted(range(1, len(cells)), key=lambda i: (-cells[i].area, i))
    living = by_area[0]
    kinds[living] = "living room"
    kinds[by_area[-1]] = "bathroom"
    left = [i for i in by_area if not kinds[i]]
    neighbours = {(i, j) for i in left for j in left if i != j and _shared(cells[i], cells[j]) is not None}
    beside = sorted((i, j) for i, j in neighbours)
    if len(left) >= 3 and beside and dice.chance(65):
        kitchen, dining = dice.pick(beside)
        kinds[kitchen], kinds[dining] = "kitchen", "dining room"
    else:
        near = [i for i in left if _shared(cells[i], cells[living]) is not None] or left
        kinds[dice.pick(near)] = "kitchen"
    rest = dice.shuffled([i for i in left if not kinds[i]])
    spare = ["bedroom", *dice.shuffled(["office", "office", "bedroom"])]
    for i in sorted(rest, key=lambda i: -cells[i].area):
        small = cells[i].area < 115_000
        if "bedroom" in kinds and small and "laundry room" not in kinds and dice.chance(60):
            kinds[i] = "laundry room"
        else:
            kinds[i] = spare.pop(0) if spare else "office"
    return kinds


def _shared(a: Rect, b: Rect) -> tuple[bool, int, int, int] | None:
    """(along_x, line, low, high) of the border of two cells, None where they do not touch."""
    if a.x1 == b.x0 or b.x1 == a.x0:
        low, high = max(a.z0, b.z0), min(a.z1, b.z1)
        if low < high:
            return (False, b.x0 if a.x1 == b.x0 else a.x0, low, high)
    if a.z1 == b.z0 or b.z1 == a.z0:
        low, high = max(a.x0, b.x0), min(a.x1, b.x1)
        if low < high:
            return (True, b.z0 if a.z1 == b.z0 else a.z0, low, high)
    return None


def _walls_between(cells: list[Rect]) -> list[Wall]:
    walls = []
    for i, a in enumerate(cells):
        for j in range(i + 1, len(cells)):
            border = _shared(a, cells[j])
            if border is not None:
                along_x, line, low, high = border
                first = (a.z1 if along_x else a.x1) == line
                walls.append(Wall(along_x, line, low, high, *((i, j) if first else (j, i))))
    right, bottom = max(c.x1 for c in cells), max(c.z1 for c in cells)
    for i, c in enumerate(cells):
        if c.z0 == 0:
            walls.append(Wall(True, 0, c.x0, c.x1, OUTSIDE, i))
        if c.z1 == bottom:
            walls.append(Wall(True, bottom, c.x0, c.x1, i, OUTSIDE))
        if c.x0 == 0:
            walls.append(Wall(False, 0, c.z0, c.z1, OUTSIDE, i))
        if c.x1 == right:
            walls.append(Wall(False, right, c.z0, c.z1, i, OUTSIDE))
    return walls


def _add_doors(rooms: list[Room], walls: list[Wall], dice: Dice) -> list[Wall]:
    """A door from the hallway to every room, some between rooms that belong together, and the front door."""
    kinds = [room.kind for room in rooms]
    joined = [
        {"living room", "dining room"},
        {"kitchen", "dining room"},
        {"living room", "kitchen"},
        {"bedroom", "bathroom"},
        {"living room", "office"},
    ]
    extra = {}
    for number, wall in enumerate(walls):
        pair = {kinds[r] for r in wall.rooms if r != OUTSIDE}
        roomy = wall.high - wall.low >= 170 and OUTSIDE not in wall.rooms
        extra[number] = roomy and pair in joined and dice.chance(25 if "bedroom" in pair else 65)
    # A kitchen behind the dining room, now and then, so that routes differ from "hallway and in".
    hidden = None
    for number, wall in enumerate(walls):
        if extra[number] and {kinds[r] for r in wall.rooms} == {"kitchen", "dining room"} and dice.chance(35):
            hidden = kinds.index("kitchen")
    front = None
    for number, wall in enumerate(walls):
        if OUTSIDE in wall.rooms and 0 in wall.rooms and front is None:
            front = number
    result = []
    for number, wall in enumerate(walls):
        margin = 20
        hall = 0 in wall.rooms and OUTSIDE not in wall.rooms and hidden not in wall.rooms
        if (hall or extra[number]) and wall.high - wall.low >= DOOR_CM + 2 * margin:
            low = dice.between(wall.low + margin, wall.high - margin - DOOR_CM, 5)
            # Away from the middle: a door near a corner leaves the longer piece of wall for furniture.
            if dice.chance(60):
                low = dice.pick([wall.low + margin, wall.high - margin - DOOR_CM])
            wall = replace(wall, openings=(Opening("door", low, low + DOOR_CM, 0, DOOR_HEIGHT_CM),))
        elif number == front and wall.high - wall.low >= DOOR_CM + 2 * margin:
            low = (wall.low + wall.high - DOOR_CM) // 2
            wall = replace(wall, openings=(Opening("front door", low, low + DOOR_CM, 0, DOOR_HEIGHT_CM),))
        result.append(wall)
    return result


def _add_windows(rooms: list[Room], walls: list[Wall], dice: Dice) -> list[Wall]:
    result = []
    for wall in walls:
        length = wall.high - wall.low
        if OUTSIDE in wall.rooms and not wall.openings and length >= 180:
            kind = rooms[max(wall.rooms)].kind
            small = kind in ("bathroom", "laundry room")
            width = 70 if small else dice.between(100, min(200, length - 80), 10)
            if kind != "hallway" and dice.chance(100 if length > 300 or small else 70):
                middle = (wall.low + wall.high) // 2 + dice.between(-20, 20, 10)
                low = middle - width // 2
                wall = replace(
                    wall, openings=(Opening("window", low, low + width, 150 if small else 90, 210),)
                )
        result.append(wall)
    return result
