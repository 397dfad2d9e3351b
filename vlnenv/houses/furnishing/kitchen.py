"""A kitchen's run: appliances and counters side by side along a wall, cabinets on the wall above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vlnenv.houses.catalogue import CATALOGUE, Shape
from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.furnishing.placing import Spot, against, extent_along
from vlnenv.houses.furnishing.room_layout import RoomLayout
from vlnenv.houses.furnishing.room_needs import NEEDS
from vlnenv.houses.furnishing.room_rules import Rule

_CABINETS_CM = 142
"""Height of the wall cabinets' lower edge."""
_BELOW_CABINETS = ("kitchen counter", "kitchen sink", "dishwasher")
_LONGEST_CM = 520
"""Counters fill a wall up to this length of the run."""
_WALLS = 3
_RULE = Rule((), "run")


class _Piece(NamedTuple):
    name: str
    surface: Surface
    shape: Shape


_Row = list[tuple[_Piece, Spot]]


def place_run(layout: RoomLayout, classes: Sequence[str]) -> None:
    """Place pieces side by side, as many as there is room for, on one wall or on more.

    The longest free wall takes as many as it holds, what the room needs first; the next takes the rest, and a
    third what is still needed.
    """
    needed = {name for group in NEEDS["kitchen"] for name in group}
    left = [_drawn(layout, name) for name in classes]
    for wall in range(_WALLS):
        row = _best_row(layout, left, needed)
        for piece, spot in row:
            if _fits(layout, piece, spot):
                layout.add(_RULE, CATALOGUE[piece.name], piece.surface, piece.shape, spot)
        there = {piece.category for piece in layout.pieces}
        placed = [piece for piece, _ in row]
        left = [
            piece for piece in left if piece not in placed and (wall == 0 or piece.name in needed - there)
        ]
        if not row or not left:
            break
    _hang_cabinets(layout)


def _drawn(layout: RoomLayout, name: str) -> _Piece:
    return _Piece(name, *layout.draw(CATALOGUE[name]))


def _best_row(layout: RoomLayout, left: Sequence[_Piece], needed: set[str]) -> _Row:
    """The row on the walls with most room of which most fits, the hood has a wall and the sink a window."""
    deepest = max(piece.shape.depth for piece in left)
    spans = [
        (high - low, layout.dice.below(100), facing, low)
        for facing in range(4)
        for low, high in layout.spans(facing, deepest, layout.base, layout.base + 85, gap=0)
    ]
    best: tuple[int, _Row] = (0, [])
    for length, _, facing, low in sorted(spans, reverse=True)[:_WALLS]:
        chosen = _chosen(layout, left, length, needed)
        total = sum(piece.shape.width for piece in chosen)
        for order in _orders(chosen):
            for start in (low, low + length - total):
                row = _row(layout, order, start, facing)
                fitting = [each for each in row if _fits(layout, *each)]
                score = 10 * len(fitting) + sum(_liking(layout, *each) for each in fitting)
                if score > best[0]:
                    best = (score, fitting)
        if len(best[1]) == len(left):
            break
    return best[1]


def _chosen(layout: RoomLayout, left: Sequence[_Piece], length: int, needed: set[str]) -> list[_Piece]:
    """Which pieces go on a wall, in the given order: what is needed first, one of each class before a second.

    What is left of the wall is filled with more counters.
    """
    seen: set[str] = set()
    ranks = []
    for i, piece in enumerate(left):
        ranks.append((piece.name not in needed, piece.name in seen, i))
        seen.add(piece.name)
    numbers = []
    room = length
    for *_, i in sorted(ranks):
        if left[i].shape.width <= room:
            numbers.append(i)
            room -= left[i].shape.width
    chosen = [left[i] for i in sorted(numbers)]
    room = min(room, _LONGEST_CM - (length - room))
    while len(chosen) > 2 and room >= 60:
        more = _drawn(layout, "kitchen counter")
        if more.shape.width > room:
            break
        chosen.append(more)
        room -= more.shape.width
    return chosen


def _orders(pieces: list[_Piece]) -> list[list[_Piece]]:
    """The pieces as they are and with stove and sink in each other's place, forwards and backwards."""
    swapped = list(pieces)
    places = {piece.name: i for i, piece in enumerate(pieces)}
    if {"stove", "kitchen sink"} <= set(places):
        i, j = places["stove"], places["kitchen sink"]
        swapped[i], swapped[j] = swapped[j], swapped[i]
    return [pieces, pieces[::-1], swapped, swapped[::-1]]


def _row(layout: RoomLayout, pieces: list[_Piece], start: int, facing: int) -> _Row:
    row = []
    for piece in pieces:
        rect = against(layout.inner, facing, start, piece.shape.width, piece.shape.depth)
        row.append((piece, Spot(rect, facing, layout.base)))
        start += piece.shape.width
    return row


def _liking(layout: RoomLayout, piece: _Piece, spot: Spot) -> int:
    """A stove wants a wall for its hood, a sink a window."""
    is_at_window = any(spot.rect.meets(window) for window, _, _ in layout.windows)
    return {"stove": 3 * (not is_at_window), "kitchen sink": 2 * is_at_window}.get(piece.name, 0)


def _fits(layout: RoomLayout, piece: _Piece, spot: Spot) -> bool:
    return layout.fits(_RULE, CATALOGUE[piece.name], piece.shape, spot, gap=0)


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
