"""Which cell becomes which room: programs of rooms, judged by size and by what lies beside what."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.borders import shared
from vlnenv.houses.plans.plan import DOOR_CM
from vlnenv.houses.plans.plan_cells import Cell

AREAS_DM2: dict[str, tuple[int, int]] = {
    "hallway": (0, 10_000),
    "entryway": (0, 10_000),
    "stairs": (0, 10_000),
    "living room": (1500, 4500),
    "family room": (1250, 3200),
    "dining room": (850, 2400),
    "kitchen": (850, 2300),
    "bedroom": (950, 2500),
    "children's room": (900, 2000),
    "office": (750, 1800),
    "library": (800, 2200),
    "gym": (900, 2500),
    "game room": (1100, 3000),
    "bathroom": (340, 1300),
    "laundry room": (340, 1100),
    "closet": (280, 900),
    "pantry": (280, 900),
}
"""Kind of room to its least and largest floor area, up to the middle of the walls, square decimetres."""

WALKED_THROUGH = ("hallway", "entryway", "stairs")
SMALL_KINDS = ("bathroom", "laundry room", "closet", "pantry")
BEHIND: dict[str, tuple[str, ...]] = {
    "bathroom": ("bedroom", "children's room", "laundry room"),
    "closet": ("bedroom", "children's room", "office"),
    "pantry": ("kitchen",),
    "laundry room": ("kitchen", "bathroom", "family room"),
    "kitchen": ("dining room", "living room", "family room"),
    "dining room": ("kitchen", "living room", "family room"),
    "living room": ("dining room", "family room"),
    "family room": ("living room", "dining room", "kitchen"),
    "office": ("living room", "library", "family room"),
    "library": ("living room", "family room", "office"),
    "game room": ("living room", "family room"),
    "gym": ("family room", "game room", "living room"),
}
"""Kind of room to the kinds that one may have to pass to get to it, where it has no door to a hall."""

PASSAGE_CM = DOOR_CM + 40
"""Shortest border that takes a door."""

_BESIDE = {
    ("dining room", "kitchen"): 40,
    ("dining room", "living room"): 15,
    ("kitchen", "living room"): 8,
    ("family room", "kitchen"): 8,
    ("kitchen", "pantry"): 40,
    ("kitchen", "laundry room"): 6,
    ("bathroom", "bedroom"): 12,
    ("bedroom", "closet"): 25,
    ("children's room", "closet"): 12,
    ("bedroom", "bedroom"): 4,
    ("bedroom", "children's room"): 6,
    ("library", "office"): 4,
    ("living room", "library"): 5,
    ("entryway", "living room"): 8,
    ("bathroom", "kitchen"): -6,
    ("bathroom", "dining room"): -10,
    ("bathroom", "living room"): -3,
}
_BELONGS = (("pantry", "kitchen"), ("closet", "bedroom"))
"""Rooms that are odd anywhere but beside another."""
_TRIES = 60
_SMALL_DM2 = 760

_ONE_FLOOR = (
    ("living room", "kitchen", "bedroom"),
    (
        ("bedroom", 3),
        ("dining room", 4),
        ("office", 2),
        ("children's room", 2),
        ("library", 1),
        ("family room", 1),
        ("gym", 1),
        ("game room", 1),
    ),
    (("closet", 3), ("laundry room", 3), ("pantry", 2), ("bathroom", 3)),
)
_GROUND_FLOOR = (
    ("living room", "kitchen"),
    (
        ("dining room", 9),
        ("family room", 2),
        ("office", 2),
        ("library", 2),
        ("game room", 1),
        ("gym", 1),
        ("bedroom", 1),
    ),
    (("pantry", 4), ("laundry room", 4), ("closet", 1)),
)
_UPPER_FLOOR = (
    ("bedroom", "bedroom"),
    (
        ("children's room", 4),
        ("bedroom", 4),
        ("office", 2),
        ("library", 1),
        ("gym", 1),
        ("game room", 1),
        ("family room", 1),
    ),
    (("closet", 4), ("bathroom", 4), ("laundry room", 2)),
)
_ROLES = {"hall": "hallway", "entry": "entryway", "stairs": "stairs", "hub": "living room"}


def assign_kinds(cells: Sequence[Cell], level: int, floors: int, dice: Dice) -> list[str] | None:
    """The kind of every cell of one level; None where no draw is plausible.

    Args:
        cells: All of one level.
        level: 0 or 1.
        floors: How many levels the house has: bedrooms go upstairs.
        dice: Draws the program and the order.
    """
    needed, large_pool, small_pool = _UPPER_FLOOR if level else _GROUND_FLOOR if floors == 2 else _ONE_FLOOR
    fixed = [_ROLES.get(cell.role, "") for cell in cells]
    spare = [i for i, kind in enumerate(fixed) if not kind]
    small = [i for i in spare if cells[i].rect.area < 100 * _SMALL_DM2]
    large = [i for i in spare if i not in small]
    beside = _neighbours(cells)
    best: list[str] | None = None
    best_score = -500
    for _ in range(_TRIES):
        wanted = [kind for kind in needed if kind not in fixed]
        if not small:
            wanted.append("bathroom")
        if len(wanted) > len(large):
            return None
        large_kinds = wanted + _drawn(large_pool, len(large) - len(wanted), wanted, dice)
        small_kinds = ["bathroom", *_drawn(small_pool, len(small) - 1, [], dice)] if small else []
        kinds = list(fixed)
        for places, program in ((large, large_kinds), (small, small_kinds)):
            for i, kind in zip(places, dice.shuffled(program), strict=True):
                kinds[i] = kind
        score = _score(cells, kinds, beside) + dice.below(12)
        if score > best_score:
            best, best_score = kinds, score
    return best


def _needs_passing(cells: Sequence[Cell], beside: Sequence[tuple[int, int]]) -> list[bool]:
    """Which cells have no border to a hall or hub that takes a door."""
    open_to = {i for pair in beside for i in pair if any(_is_hall(cells[j]) for j in pair if j != i)}
    return [i not in open_to and not _is_hall(cell) and cell.role != "stairs" for i, cell in enumerate(cells)]


def _is_hall(cell: Cell) -> bool:
    return cell.role in ("hall", "entry", "hub")


def _neighbours(cells: Sequence[Cell]) -> list[tuple[int, int]]:
    pairs = []
    for i, a in enumerate(cells):
        for j in range(i + 1, len(cells)):
            border = shared(a.rect, cells[j].rect)
            if border is not None and border[3] - border[2] >= PASSAGE_CM:
                pairs.append((i, j))
    return pairs


def _drawn(pool: Sequence[tuple[str, int]], count: int, taken: Sequence[str], dice: Dice) -> list[str]:
    """`count` kinds by weight; all but bedrooms and bathrooms at most once."""
    drawn: list[str] = []
    for _ in range(count):
        have = [*taken, *drawn]
        left = [
            kind
            for kind, weight in pool
            for _ in range(weight)
            if have.count(kind) < (3 if kind == "bedroom" else 1)
        ]
        drawn.append(dice.pick(left) if left else pool[0][0])
    return drawn


def _score(cells: Sequence[Cell], kinds: Sequence[str], beside: Sequence[tuple[int, int]]) -> int:
    score = 0
    for cell, kind in zip(cells, kinds, strict=True):
        low, high = (100 * limit for limit in AREAS_DM2[kind])
        area = cell.rect.area
        miss = max(low - area, area - high, 0)
        if miss:
            score -= 40 + miss // 500
    for i, j in beside:
        a, b = sorted((kinds[i], kinds[j]))
        score += _BESIDE.get((a, b), 0)
    for kind, owner in _BELONGS:
        pairs = {(kinds[i], kinds[j]) for i, j in beside}
        if kind in kinds and not {(kind, owner), (owner, kind)} & pairs:
            score -= 50
    largest = max(range(len(kinds)), key=lambda i: (kinds[i] not in WALKED_THROUGH, cells[i].rect.area))
    score += 12 * (kinds[largest] in ("living room", "family room", "game room"))
    halls = [k in WALKED_THROUGH for k in kinds]
    passing = _needs_passing(cells, beside)
    score += 30 * any(kind == "bathroom" and not behind for kind, behind in zip(kinds, passing, strict=True))
    for i in range(len(cells)):
        if passing[i] and not halls[i]:
            parents = [kinds[b if a == i else a] for a, b in beside if i in (a, b)]
            if not set(parents) & set(BEHIND.get(kinds[i], ())):
                score -= 1000
    return score
