"""Small things on tops: lamps on nightstands, books and laptops on desks, bowls on tables."""

from __future__ import annotations

from collections.abc import Iterator

from vlnenv.houses.catalogue import CATALOGUE, FurnitureClass, Shape, Top
from vlnenv.houses.catalogue.shape import OPEN_ROOM
from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.furniture import Furniture
from vlnenv.houses.furnishing.placing import Spot, centered
from vlnenv.houses.furnishing.room_layout import RoomLayout
from vlnenv.houses.furnishing.room_rules import Rule
from vlnenv.houses.furnishing.top_rules import TOP_RULES, Small

_EDGE_CM = 2
_GAP_CM = 2
_RULE = Rule((), "on")


def place_small_things(layout: RoomLayout) -> None:
    """Stand small things on what is in the room; what finds no place is left out."""
    for host in list(layout.pieces):
        for small in TOP_RULES.get(host.category, ()):
            if not layout.dice.chance(small.percent):
                continue
            _place(layout, CATALOGUE[layout.dice.pick(small.classes)], small, host)


def _place(layout: RoomLayout, entry: FurnitureClass, small: Small, host: Furniture) -> None:
    """Stand a thing of a class on a piece; a second draw where the first was too large."""
    for _ in range(2):
        surface, shape = layout.draw(entry)
        for spot in _spots(small, shape, layout.tops[host.name], host.facing, layout.dice):
            around = spot.rect.grown(_GAP_CM)
            if layout.is_clear(around, spot.bottom, spot.bottom + shape.height, host.name):
                layout.add(_RULE, entry, surface, shape, spot, support=host.name)
                return


def _spots(small: Small, shape: Shape, tops: tuple[Top, ...], facing: int, dice: Dice) -> Iterator[Spot]:
    """Places for a thing on tops that are large enough and have room above; the widest top first."""
    w, d = (shape.width, shape.depth) if facing % 2 == 0 else (shape.depth, shape.width)
    fitting = [
        top
        for top in tops
        if (top.room >= OPEN_ROOM or top.room >= shape.height)
        and top.x1 - top.x0 >= w + _EDGE_CM
        and top.z1 - top.z0 >= d + _EDGE_CM
    ]
    for top in sorted(
        dice.shuffled(fitting), key=lambda t: -(t.x1 - t.x0) * (t.z1 - t.z0) * (small.spot != "any")
    ):
        x0, x1 = top.x0 + (w + 1) // 2, top.x1 - (w + 1) // 2
        z0, z1 = top.z0 + (d + 1) // 2, top.z1 - (d + 1) // 2
        back, front = ((z0, z1), (x0, x1), (z1, z0), (x1, x0))[facing]
        across = (x0, x1) if facing % 2 == 0 else (z0, z1)
        for _ in range(5):
            along = (across[0] + across[1]) // 2
            if small.spot != "center":
                along = dice.between(across[0], across[1])
            off = {"back": back, "front": front, "center": (back + front) // 2}.get(
                small.spot, dice.between(min(back, front), max(back, front))
            )
            x, z = (along, off) if facing % 2 == 0 else (off, along)
            rect = centered(x, z, shape.width, shape.depth, facing)
            yield Spot(rect, facing, top.y)
