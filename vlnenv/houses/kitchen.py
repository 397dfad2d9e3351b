"""A kitchen's run: appliances and counters side by side along a wall, cabinets on the wall above."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.catalogue import CATALOGUE, Shape
from vlnenv.houses.placing import Spot, against, extent_along
from vlnenv.houses.room_layout import RoomLayout
from vlnenv.houses.room_rules import NEEDS, Rule
from vlnenv.houses.solids import Surface

_CABINETS_CM = 142
"""Height of the wall cabinets' lower edge."""
_BELOW_CABINETS = ("kitchen counter", "kitchen sink", "dishwasher")


def place_run(layout: RoomLayout, classes: Sequence[str]) -> None:
    """Place pieces side by side, as many as there is room for, on one wall or on two.

    The longest free wall takes as many as it holds, what the room needs first; the next takes the rest.
    """
    needed = {name for group in NEEDS["kitchen"] for name in group}
    left = [(name, *layout.draw(CATALOGUE[name])) for name in classes]
    deepest = max(shape.depth for _, _, shape in left)
    for _ in range(3):
        spans = [
            (high - low, layout.dice.below(100), facing, low)
            for facing in range(4)
            for low, high in layout.spans(facing, deepest, layout.base, layout.base + 85, gap=0)
        ]
        placed: set[int] = set()
        for length, _, facing, low in sorted(spans, reverse=True)[:3]:
            chosen = _chosen(left, length, needed)
            placed = _place_row(layout, [left[i] for i in chosen], facing, low, length)
            placed = {chosen[i] for i in placed}
            if placed:
                break
        left = [each for i, each in enumerate(left) if i not in placed]
        if not placed or not {name for name, _, _ in left} & needed:
            break
    _hang_cabinets(layout)


def _chosen(left: Sequence[tuple[str, Surface, Shape]], length: int, needed: set[str]) -> list[int]:
    """Which pieces go on a wall: needed ones first, one of each class before a second; in the given order."""
    seen: set[str] = set()
    ranks = []
    for i, (name, _, _) in enumerate(left):
        ranks.append((name not in needed, name in seen, i))
        seen.add(name)
    chosen = []
    for *_, i in sorted(ranks):
        if left[i][2].width <= length:
            chosen.append(i)
            length -= left[i][2].width
    return sorted(chosen)


def _place_row(
    layout: RoomLayout, row: list[tuple[str, Surface, Shape]], facing: int, low: int, length: int
) -> set[int]:
    """Place a row from one end of a span; returns the numbers of those that fitted."""
    total = sum(shape.width for _, _, shape in row)
    starts = layout.dice.shuffled([low, low + length - total])
    best: tuple[int, int, bool] | None = None
    for start in starts:
        for backwards in layout.dice.shuffled([False, True]):
            spots = _row_spots(layout, row, start, facing, backwards)
            count = sum(_fits(layout, row, i, spot) for i, spot in spots)
            if best is None or count > best[0]:
                best = (count, start, backwards)
    assert best is not None
    placed = set()
    for i, spot in _row_spots(layout, row, best[1], facing, best[2]):
        if _fits(layout, row, i, spot):
            name, surface, shape = row[i]
            layout.add(_RULE, CATALOGUE[name], surface, shape, spot)
            placed.add(i)
    return placed


_RULE = Rule((), "run")


def _row_spots(
    layout: RoomLayout,
    row: list[tuple[str, Surface, Shape]],
    start: int,
    facing: int,
    backwards: bool,
) -> list[tuple[int, Spot]]:
    spots = []
    for i in reversed(range(len(row))) if backwards else range(len(row)):
        shape = row[i][2]
        rect = against(layout.inner, facing, start, shape.width, shape.depth)
        spots.append((i, Spot(rect, facing, layout.base)))
        start += shape.width
    return spots


def _fits(layout: RoomLayout, row: list[tuple[str, Surface, Shape]], i: int, spot: Spot) -> bool:
    name, _, shape = row[i]
    return layout.fits(_RULE, CATALOGUE[name], shape, spot, gap=0)


def _hang_cabinets(layout: RoomLayout) -> None:
    """A range hood above the stove, and cabinets as wide as what stands below them."""
    layout.place(Rule(("range hood",), "above", near=("stove",), bottom=150))
    rule = Rule((), "hung", bottom=_CABINETS_CM)
    entry = CATALOGUE["kitchen cabinet"]
    for host in [piece for piece in layout.pieces if piece.category in _BELOW_CABINETS]:
        low, high = extent_along(layout.inner, host.facing, host.rect)
        for _ in range(6):
            surface, shape = layout.draw(entry)
            if shape.width == high - low:
                rect = against(layout.inner, host.facing, low, shape.width, shape.depth)
                spot = Spot(rect, host.facing, layout.base + _CABINETS_CM)
                if layout.fits(rule, entry, shape, spot):
                    layout.add(rule, entry, surface, shape, spot)
                break
