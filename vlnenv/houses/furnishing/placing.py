"""Where a piece can stand: against walls, by another piece, on a top; and its solids once it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vlnenv.houses.catalogue import Shape, Top
from vlnenv.houses.construction.solids import Solid, moved, turned
from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.rect import Rect


class Spot(NamedTuple):
    """A place for a piece."""

    rect: Rect
    facing: int
    """Quarter turns, see `Furniture`."""
    bottom: int
    """Absolute height of its foot, centimetres."""


def against(inner: Rect, facing: int, along: int, width: int, depth: int) -> Rect:
    """The rectangle of a piece with its back 1 cm off the wall that it looks away from.

    Args:
        inner: The room between its walls.
        facing: Quarter turns of the piece; 0 stands at the wall of smallest z, 1 at that of smallest x.
        along: From the wall's end of smaller coordinates to the piece.
        width: Of the piece, across its front.
        depth: Of the piece, from back to front.
    """
    if facing == 0:
        return Rect(inner.x0 + along, inner.z0 + 1, inner.x0 + along + width, inner.z0 + 1 + depth)
    if facing == 1:
        return Rect(inner.x0 + 1, inner.z0 + along, inner.x0 + 1 + depth, inner.z0 + along + width)
    if facing == 2:
        return Rect(inner.x0 + along, inner.z1 - 1 - depth, inner.x0 + along + width, inner.z1 - 1)
    return Rect(inner.x1 - 1 - depth, inner.z0 + along, inner.x1 - 1, inner.z0 + along + width)


def extent_along(inner: Rect, facing: int, rect: Rect) -> tuple[int, int]:
    """Where a rectangle begins and ends along the wall of `facing`, from the wall's start."""
    if facing % 2 == 0:
        return rect.x0 - inner.x0, rect.x1 - inner.x0
    return rect.z0 - inner.z0, rect.z1 - inner.z0


def centered(x: int, z: int, width: int, depth: int, facing: int) -> Rect:
    """The rectangle of a turned piece around a point."""
    w, d = (width, depth) if facing % 2 == 0 else (depth, width)
    return Rect(x - w // 2, z - d // 2, x - w // 2 + w, z - d // 2 + d)


def free_spans(low: int, high: int, blocked: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of [low, high] between blocked intervals, in order."""
    spans = []
    for start, end in sorted(blocked):
        if start > low:
            spans.append((low, min(start, high)))
        low = max(low, end)
    if low < high:
        spans.append((low, high))
    return [(a, b) for a, b in spans if a < b]


def by_host(mode: str, host: Rect, facing: int, shape: Shape, dice: Dice, gaps: Sequence[int]) -> list[Spot]:
    """Places beside, in front of, around, ... a piece; with bottom 0, for the caller to set.

    Args:
        mode: See `room_rules.Rule.mode`.
        host: Rectangle of the piece that the new one belongs to.
        facing: Its quarter turns.
        shape: The new piece.
        dice: Orders equal places.
        gaps: Distances in front of the host, for "front".
    """
    w, d = (host.width, host.depth) if facing % 2 == 0 else (host.depth, host.width)
    sw, sd = shape.width, shape.depth
    local: list[tuple[int, int, int]] = []  # x0, z0 in the host's frame, quarter turns
    if mode == "beside":
        local = [(x, 0, 0) for x in dice.shuffled([-sw - 3, w + 3])]
    elif mode == "front":
        local = [((w - sw) // 2, d + gap, 0) for gap in gaps]
    elif mode == "facing":
        local = [((w - sw) // 2 + dx, d + 4, 2) for dx in (0, *dice.shuffled([-15, 15]), -30, 30)]
    elif mode == "row":
        seats = max(1, w // (sw + 12))
        local = [(i * (w // seats) + (w // seats - sw) // 2, d + 4, 2) for i in range(seats)]
    elif mode == "around":
        local = _around(w, d, sw, sd)
    elif mode == "flank":
        middle = (d - sw) // 2
        local = dice.shuffled([(-sd - 40, middle, 1), (w + 40, middle, 3)])
        local.append(((w - sw) // 2, d + 40, 2))
    elif mode in ("above", "over"):
        local = [((w - sw) // 2, 0 if mode == "above" else (d - sd) // 2, 0)]
    elif mode == "under":
        local = [((w - sw) // 2, z, 0) for z in ((d - sd) // 2, d - sd // 3, d - sd // 2)]
    return [_with_host(host, facing, x0, z0, turn, sw, sd) for x0, z0, turn in local]


def _around(w: int, d: int, sw: int, sd: int) -> list[tuple[int, int, int]]:
    """Seats at a table: opposite each other along the long sides, then one at each end."""
    seats = 1 if abs(w - d) < 15 else max(1, w // (sw + 14))
    local = []
    for i in range(seats):
        x = i * (w // seats) + (w // seats - sw) // 2
        local += [(x, d + 3, 2), (x, -sd - 3, 0)]
    return [*local, (-sd - 3, (d - sw) // 2, 1), (w + 3, (d - sw) // 2, 3)]


def _with_host(host: Rect, facing: int, x0: int, z0: int, turn: int, sw: int, sd: int) -> Spot:
    """A place in the host's frame, turned with the host."""
    pw, pd = (sw, sd) if turn % 2 == 0 else (sd, sw)
    return Spot(turned_rect(Rect(x0, z0, x0 + pw, z0 + pd), host, facing), (facing + turn) % 4, 0)


def turned_rect(local: Rect, host: Rect, facing: int) -> Rect:
    """A rectangle of a piece's own frame on the plan.

    Args:
        local: In the frame of the piece: back on z = 0, x across.
        host: The piece's rectangle on the plan.
        facing: Its quarter turns.
    """
    w, d = (host.width, host.depth) if facing % 2 == 0 else (host.depth, host.width)
    x0, z0, x1, z1 = (
        (local.x0, local.z0, local.x1, local.z1),
        (local.z0, w - local.x1, local.z1, w - local.x0),
        (w - local.x1, d - local.z1, w - local.x0, d - local.z0),
        (d - local.z1, local.x0, d - local.z0, local.x1),
    )[facing]
    return Rect(host.x0 + x0, host.z0 + z0, host.x0 + x1, host.z0 + z1)


def placed_solids(shape: Shape, spot: Spot) -> tuple[Solid, ...]:
    """The solids of a piece in the world frame."""
    return tuple(
        moved(turned(solid, spot.facing, shape.width, shape.depth), spot.rect.x0, spot.bottom, spot.rect.z0)
        for solid in shape.solids
    )


def placed_tops(shape: Shape, spot: Spot) -> tuple[Top, ...]:
    """The tops of a piece in the world frame."""
    tops = []
    for top in shape.tops:
        rect = turned_rect(Rect(top.x0, top.z0, top.x1, top.z1), spot.rect, spot.facing)
        tops.append(Top(rect.x0, rect.z0, rect.x1, rect.z1, spot.bottom + top.y, top.room))
    return tuple(tops)
