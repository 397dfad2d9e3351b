"""Cutting the outline of a house into cells: corridor, T and L shaped halls, a living room as hub, wings.

All topologies are drawn in one position: a row of rooms along z = 0 (with the stairwell in it, if there is
one), below it the hall or the hub, below that more rooms. `turned` mirrors and turns the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.rect import Rect

ROOM = (280, 560)
"""Least and largest width of a room in a row."""
SMALL = (190, 250)
"""The same of a bathroom, closet or the like; two behind each other where the row is deep enough."""
STAIRWELL = (205, 225)
STAIR_ROW = (420, 470)
"""Depth of the row that holds the stairwell, middle to middle of its walls."""


@dataclass(frozen=True)
class Cell:
    """A rectangle of the plan up to the middle of its walls."""

    rect: Rect
    role: str = "room"
    """"hall", "entry", "hub" (a living room that one walks through), "stairs" or "room"."""
    level: int = 0


@dataclass(frozen=True)
class Layout:
    """The cells of a house before its rooms have names."""

    cells: tuple[Cell, ...]
    topology: str
    facing: int = 2
    """Of the stairs, see `stairs.Stairs`."""


def draw_layout(dice: Dice, floors: int) -> Layout | None:
    """One try at a house of one or two floors; None where the draws do not fit together."""
    topology = dice.pick(
        ["corridor", "corridor", "T hall", "T hall", "L hall", "L hall", "hub", "hub", "wings"]
    )
    north = dice.between(*STAIR_ROW, 10) if floors == 2 else dice.between(330, 460, 10)
    cells = _GROUND[topology](dice, north, floors == 2)
    if cells is None:
        return None
    if floors == 2:
        upper = _upper(dice, cells, north)
        if upper is None:
            return None
        cells = cells + upper
    else:
        cells = _recessed(dice, cells)
    return turned(Layout(tuple(cells), topology), dice.chance(50), dice.chance(50), dice.chance(50))


def turned(layout: Layout, mirror_x: bool, mirror_z: bool, transpose: bool) -> Layout:
    """The layout mirrored and turned, moved to a corner at (0, 0)."""
    facing = layout.facing
    rects = [cell.rect for cell in layout.cells]
    if mirror_x:
        rects = [Rect(-r.x1, r.z0, -r.x0, r.z1) for r in rects]
        facing = (0, 3, 2, 1)[facing]
    if mirror_z:
        rects = [Rect(r.x0, -r.z1, r.x1, -r.z0) for r in rects]
        facing = (2, 1, 0, 3)[facing]
    if transpose:
        rects = [Rect(r.z0, r.x0, r.z1, r.x1) for r in rects]
        facing = (1, 0, 3, 2)[facing]
    x, z = min(r.x0 for r in rects), min(r.z0 for r in rects)
    cells = tuple(
        replace(cell, rect=Rect(r.x0 - x, r.z0 - z, r.x1 - x, r.z1 - z))
        for cell, r in zip(layout.cells, rects, strict=True)
    )
    return replace(layout, cells=cells, facing=facing)


# -- rows and columns of rooms --------------------------------------------------------------------------


def _cut(dice: Dice, length: int, slots: list[tuple[int, int]]) -> list[int]:
    """Widths of the slots, each within its (least, largest), that add up to `length`."""
    widths = [low for low, _ in slots]
    left = length - sum(widths)
    order = dice.shuffled(range(len(slots)))
    for place, slot in enumerate(order):
        later = sum(slots[other][1] - slots[other][0] for other in order[place + 1 :])
        low, high = max(0, left - later), min(left, slots[slot][1] - slots[slot][0])
        more = left if place == len(order) - 1 else dice.between(-(-low // 10) * 10, high, 10)
        widths[slot] += more
        left -= more
    return widths


def _slots(dice: Dice, length: int, with_small: int = 80) -> list[tuple[int, int]] | None:
    """Which slots a row of that length gets; None where none fit."""
    fitting = [
        (rooms, smalls)
        for rooms in range(5)
        for smalls in range(3)
        if rooms * ROOM[0] + smalls * SMALL[0] <= length <= rooms * ROOM[1] + smalls * SMALL[1]
        and smalls <= max(1, rooms)
    ]
    if not fitting:
        return None
    wanted = dice.chance(with_small)
    liked = [each for each in fitting if (each[1] > 0) == wanted] or fitting
    rooms, smalls = dice.pick(liked)
    return dice.shuffled([ROOM] * rooms + [SMALL] * smalls)


def _row(dice: Dice, x0: int, x1: int, z0: int, z1: int, hall_at_z1: bool) -> list[Cell] | None:
    """Rooms from `x0` to `x1` with the hall on one of the row's long sides; none for a row of no length."""
    if x1 == x0:
        return []
    slots = _slots(dice, x1 - x0)
    if slots is None:
        return None
    cells = []
    x = x0
    for slot, width in zip(slots, _cut(dice, x1 - x0, slots), strict=True):
        cells += _slot(dice, Rect(x, z0, x + width, z1), slot, hall_at_z1)
        x += width
    return cells


def _slot(dice: Dice, rect: Rect, slot: tuple[int, int], hall_at_z1: bool) -> list[Cell]:
    """One room, or two small ones behind each other."""
    if slot != SMALL or rect.depth < 370:
        return [Cell(rect)]
    front = dice.between(200, min(260, rect.depth - 160), 10)
    middle = rect.z1 - front if hall_at_z1 else rect.z0 + front
    return [
        Cell(Rect(rect.x0, rect.z0, rect.x1, middle)),
        Cell(Rect(rect.x0, middle, rect.x1, rect.z1)),
    ]


def _column(dice: Dice, rect: Rect, most: int) -> list[Cell]:
    """Rooms above each other that fill `rect`."""
    fitting = [n for n in range(1, most + 1) if n * 270 <= rect.depth <= n * 620]
    number = dice.pick(fitting) if fitting else 1
    cells = []
    z = rect.z0
    for depth in _cut(dice, rect.depth, [(min(270, rect.depth), max(620, rect.depth))] * number):
        cells.append(Cell(Rect(rect.x0, z, rect.x1, z + depth)))
        z += depth
    return cells


def _north_row(dice: Dice, x0: int, x1: int, north: int, with_stairs: bool) -> list[Cell] | None:
    """The row along z = 0, with the stairwell between two parts if there is one."""
    if not with_stairs:
        return _row(dice, x0, x1, 0, north, hall_at_z1=True)
    width = dice.between(*STAIRWELL, 10)
    places = [x for x in range(x0, x1 - width + 1, 10) if _splits(x - x0) and _splits(x1 - width - x)]
    if not places:
        return None
    x = dice.pick(places)
    left = _row(dice, x0, x, 0, north, hall_at_z1=True)
    right = _row(dice, x + width, x1, 0, north, hall_at_z1=True)
    if left is None or right is None:
        return None
    return [*left, Cell(Rect(x, 0, x + width, north), "stairs"), *right]


def _splits(length: int) -> bool:
    """Whether rooms fit into a row of that length, or it is empty."""
    return length == 0 or (SMALL[0] <= length <= SMALL[1]) or length >= ROOM[0]


# -- topologies of the ground floor -----------------------------------------------------------------------


def _corridor(dice: Dice, north: int, with_stairs: bool) -> list[Cell] | None:
    """Two rows with a corridor between, the front door at its end, often a room across the other end."""
    hall = dice.between(150, 190, 10)
    south = dice.between(330, 470, 10)
    row = dice.between(800, 1200, 10)
    depth = north + hall + south
    end = dice.between(380, 500, 10) if dice.chance(50) else 0
    start = dice.between(180, 230, 10) if dice.chance(50) else 0
    upper = _north_row(dice, 0, row, north, with_stairs)
    lower = _row(dice, 0, row, north + hall, depth, hall_at_z1=False)
    if upper is None or lower is None:
        return None
    cells = [Cell(Rect(start, north, row, north + hall), "hall"), *upper, *lower]
    if start:
        cells.insert(0, Cell(Rect(0, north, start, north + hall), "entry"))
    if end:
        cells += _column(dice, Rect(row, 0, row + end, depth), 2)
    return cells


def _t_hall(dice: Dice, north: int, with_stairs: bool) -> list[Cell] | None:
    """A corridor whose foot leads to the front door between the rooms of the lower row."""
    hall = dice.between(150, 180, 10)
    south = dice.between(330, 470, 10)
    row = dice.between(900, 1200, 10)
    stem = dice.between(170, 240, 10)
    depth = north + hall + south
    end = dice.between(380, 480, 10) if dice.chance(35) else 0
    places = [x for x in range(0, row - stem + 1, 10) if x and _splits(x) and _splits(row - stem - x)]
    if not places:
        return None
    x = dice.pick(places)
    parts = [
        _north_row(dice, 0, row, north, with_stairs),
        _row(dice, 0, x, north + hall, depth, hall_at_z1=False),
        _row(dice, x + stem, row, north + hall, depth, hall_at_z1=False),
    ]
    cells = [
        Cell(Rect(0, north, row, north + hall), "hall"),
        Cell(Rect(x, north + hall, x + stem, depth), "entry"),
    ]
    for part in parts:
        if part is None:
            return None
        cells += part
    if end:
        cells += _column(dice, Rect(row, 0, row + end, depth), 2)
    return cells


def _l_hall(dice: Dice, north: int, with_stairs: bool) -> list[Cell] | None:
    """A hallway round a corner: along the upper row, then down beside a column of rooms."""
    hall = dice.between(150, 180, 10)
    stem = dice.between(150, 180, 10)
    south = dice.between(340, 470, 10)
    row = dice.between(760, 1050, 10)
    end = dice.between(340, 460, 10)
    depth = north + hall + south
    upper = _north_row(dice, 0, row, north, with_stairs)
    lower = _row(dice, 0, row - stem, north + hall, depth, hall_at_z1=False)
    if upper is None or lower is None:
        return None
    return [
        Cell(Rect(0, north, row, north + hall), "hall"),
        Cell(Rect(row - stem, north + hall, row, depth), "hall"),
        *upper,
        *lower,
        *_column(dice, Rect(row, 0, row + end, depth), 3),
    ]


def _hub(dice: Dice, north: int, with_stairs: bool) -> list[Cell] | None:
    """A living room in the middle that all rooms open to."""
    middle = dice.between(460, 620, 10)
    hub = dice.between(480, 640, 10)
    west = dice.between(290, 420, 10) if dice.chance(70) else 0
    east = dice.between(290, 420, 10) if dice.chance(70) or not west else 0
    front = dice.between(170, 220, 10) if dice.chance(60) else 0
    width, depth = west + hub + east, north + middle
    upper = _north_row(dice, 0, width, north, with_stairs)
    if upper is None or any(
        c.role == "stairs" and (c.rect.x0 < west or c.rect.x1 > west + hub) for c in upper
    ):
        return None
    cells = [Cell(Rect(west, north, west + hub, depth), "hub")]
    if front:
        door = dice.between(200, 260, 10)
        cells.insert(0, Cell(Rect(west, depth, west + door, depth + front), "entry"))
        cells.append(Cell(Rect(west + door, depth, west + hub, depth + front)))
    cells += upper
    if west:
        cells += _column(dice, Rect(0, north, west, depth + front), 2)
    if east:
        cells += _column(dice, Rect(west + hub, north, width, depth + front), 2)
    return cells


def _wings(dice: Dice, north: int, with_stairs: bool) -> list[Cell] | None:
    """A block with a corridor, and a wing before it that the corridor's other arm leads through."""
    hall = dice.between(150, 180, 10)
    south = dice.between(330, 420, 10)
    row = dice.between(800, 1000, 10)
    stem = dice.between(150, 180, 10)
    beside = dice.between(340, 460, 10)
    wing = dice.between(340, 420, 10)
    depth = north + hall + south
    x = row - stem - (beside if dice.chance(50) and row - stem - beside >= ROOM[0] else 0)
    parts = [
        _north_row(dice, 0, row, north, with_stairs),
        _row(dice, 0, x, north + hall, depth, hall_at_z1=False),
        _row(dice, x + stem, row, north + hall, depth, hall_at_z1=False),
    ]
    cells = [
        Cell(Rect(0, north, row, north + hall), "hall"),
        Cell(Rect(x, north + hall, x + stem, depth + wing), "hall"),
        Cell(Rect(x - beside, depth, x, depth + wing)),
    ]
    if x - beside < 0:
        return None
    for part in parts:
        if part is None:
            return None
        cells += part
    if x + stem < row:
        cells.append(Cell(Rect(x + stem, depth, row, depth + wing)))
    return cells


_GROUND = {"corridor": _corridor, "T hall": _t_hall, "L hall": _l_hall, "hub": _hub, "wings": _wings}


# -- the upper floor, and the outline -----------------------------------------------------------------------


def _upper(dice: Dice, ground: list[Cell], north: int) -> list[Cell] | None:
    """A corridor along the stairwell's row, over the ground floor or a part of it."""
    well = next(cell.rect for cell in ground if cell.role == "stairs")
    in_row = [c.rect for c in ground if c.rect.z0 == 0 and c.rect.z1 <= north]
    x0, x1 = min(r.x0 for r in in_row), max(r.x1 for r in in_row)
    depth = min(max(c.rect.z1 for c in ground if c.rect.x0 <= x < c.rect.x1) for x in range(x0, x1, 10))
    hall = dice.between(150, 180, 10)
    south = min(depth - north - hall, dice.between(340, 460, 10))
    if south < 280:
        return None
    # Now and then an end of the upper floor stays away: the ground floor has a roof of its own there.
    if dice.chance(40):
        cuts = [c for c in range(x0, x1, 10) if c <= well.x0 and _splits(well.x0 - c) and x1 - c >= 800]
        x0 = dice.pick(cuts) if cuts else x0
    elif dice.chance(40):
        cuts = [c for c in range(x0, x1, 10) if c >= well.x1 and _splits(c - well.x1) and c - x0 >= 800]
        x1 = dice.pick(cuts) if cuts else x1
    parts = [
        _row(dice, x0, well.x0, 0, north, hall_at_z1=True),
        _row(dice, well.x1, x1, 0, north, hall_at_z1=True),
        _row(dice, x0, x1, north + hall, north + hall + south, hall_at_z1=False),
    ]
    cells = [Cell(Rect(x0, north, x1, north + hall), "hall", 1), Cell(well, "stairs", 1)]
    for part in parts:
        if part is None:
            return None
        cells += [replace(cell, level=1) for cell in part]
    return cells


def _recessed(dice: Dice, cells: list[Cell]) -> list[Cell]:
    """Some rooms along the outer wall at z = 0 step back, so that the outline is no plain rectangle."""
    result = []
    for cell in cells:
        r = cell.rect
        step = dice.between(50, 120, 10)
        if cell.role == "room" and r.z0 == 0 and r.depth - step >= 300 and dice.chance(30):
            cell = replace(cell, rect=Rect(r.x0, step, r.x1, r.z1))
        result.append(cell)
    return result
