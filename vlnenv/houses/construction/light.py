"""Baked soft light: corners and what stands under or beside furniture are darker, floors at windows lighter.

An approximation of ambient occlusion from the house's facts alone, no rays: every room is a box with boxes in
it. A corner with another plane darkens with the sine of the plane's elevation seen from a point, a piece of
furniture with the distance to its box. Only sums, products, quotients and square roots, which IEEE 754 fixes,
so every machine gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vlnenv.houses.plans.plan import HEIGHT_CM, OUTSIDE, STOREY_CM, FloorPlan, Room
from vlnenv.houses.plans.rect import Rect

BASE = 0.82
"""Light in the open middle of a room without windows; windows and lamps add up to the rest."""
_CORNER_DEPTH, _CORNER_CM = 0.38, 50.0
_PIECE_DEPTH, _PIECE_CM = 0.62, 38.0
_UNDERSIDE = 0.82
_WINDOW_GAIN = 0.5
_LAMP_GAIN, _LAMP_CM = 0.2, 170.0
_LEAST_PIECE_CM = 12
"""Smaller boxes throw no shadow."""


class Piece(NamedTuple):
    """A box in a room that darkens what is near it, or a lamp that lights it."""

    owner: int
    """Its own instance is not darkened by it."""
    room: int
    rect: Rect
    bottom: int
    top: int
    is_lamp: bool
    """Hangs from the ceiling and shines."""


def bake(
    points: np.ndarray,
    normals: np.ndarray,
    face_room: np.ndarray,
    face_owner: np.ndarray,
    plan: FloorPlan,
    pieces: Sequence[Piece],
) -> np.ndarray:
    """Light at the corners of n faces.

    Args:
        points: float64 (n, 3, 3) corners, world frame, centimetres.
        normals: float64 (n, 3) unit normals.
        face_room: int (n,) room whose light falls on a face; `OUTSIDE` for full light.
        face_owner: int (n,) instance of a face.
        plan: Rooms and windows.
        pieces: Furniture.

    Returns:
        uint8 (n, 3) sRGB greys, to multiply the surfaces' colours with.
    """
    light = np.ones(points.shape[:2])
    order = np.argsort(face_room, kind="stable")
    starts = np.searchsorted(face_room[order], np.arange(len(plan.rooms) + 1))
    for room in plan.rooms:
        own = order[starts[room.index] : starts[room.index + 1]]
        if len(own):
            light[own] = _room_light(points[own], normals[own], face_owner[own], room, plan, pieces)
    # The square root stands for the sRGB curve: the byte is decoded again when the surface is shaded.
    return np.rint(255.0 * np.sqrt(np.round(np.clip(light, 0.0, 1.0), 4))).astype(np.uint8)


def _room_light(
    points: np.ndarray,
    normals: np.ndarray,
    owner: np.ndarray,
    room: Room,
    plan: FloorPlan,
    pieces: Sequence[Piece],
) -> np.ndarray:
    low, high = _space(room, plan)
    is_ceiling = (points[..., 1] >= high[1] - 1.0).all(axis=1)
    # Floors and walls light the ceiling from all over the room.
    light = np.where(is_ceiling[:, None], 1.0, np.full(points.shape[:2], BASE))
    for axis in range(3):
        # A plane does not darken what is parallel to it.
        across = _CORNER_DEPTH * (1.0 - np.abs(normals[:, axis]))[:, None]
        for distance in (points[..., axis] - low[axis], high[axis] - points[..., axis]):
            light *= 1.0 - across * _near(np.abs(distance), _CORNER_CM)
    own = [piece for piece in pieces if piece.room == room.index]
    gain = _from_windows(points, normals, room, plan)
    for piece in own:
        if piece.is_lamp:
            gain += _from_lamp(points, normals, piece)
    light *= 1.0 + np.minimum(gain, 1.0 - BASE) / BASE
    corners = [np.ascontiguousarray(points[..., axis]).ravel() for axis in range(3)]
    shade = np.ones(len(corners[0]))
    corner_owner = np.repeat(owner, 3)
    for piece in own:
        if not piece.is_lamp:
            _darken(shade, corners, corner_owner, piece)
    under = np.where(normals[:, 1] < -0.5, _UNDERSIDE, 1.0)
    under = np.where(is_ceiling, 1.0, under)
    return light * shade.reshape(light.shape) * under[:, None]


def _space(room: Room, plan: FloorPlan) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the box of air in a room; a stairwell is one over both floors."""
    bottom, top = room.floor_cm, room.floor_cm + HEIGHT_CM
    if plan.stairs is not None and room.kind == "stairs":
        bottom, top = 0, STOREY_CM + HEIGHT_CM
    inner = room.inner
    return (
        np.array([inner.x0, bottom, inner.z0], dtype=np.float64),
        np.array([inner.x1, top, inner.z1], dtype=np.float64),
    )


def _near(distance: np.ndarray, reach: float) -> np.ndarray:
    """1 at distance 0, falling to 0; half of it is gone at 0.58 of the reach."""
    return np.asarray(1.0 - distance / np.sqrt(distance * distance + reach * reach))


def _darken(shade: np.ndarray, corners: Sequence[np.ndarray], owner: np.ndarray, piece: Piece) -> None:
    """Darken the corners (x, y and z, each (n,)) around a piece, in place."""
    rect = piece.rect
    low, high = (rect.x0, piece.bottom, rect.z0), (rect.x1, piece.top, rect.z1)
    size = [b - a for a, b in zip(low, high, strict=True)]
    if max(size) < _LEAST_PIECE_CM:
        return
    reach = min(_PIECE_CM, max(6.0, float(min(size))))
    margin = 2.5 * reach
    near = owner != piece.owner
    for values, first, last in zip(corners, low, high, strict=True):
        near &= (values > first - margin) & (values < last + margin)
    index = np.flatnonzero(near)
    if len(index):
        square = np.zeros(len(index))
        for values, first, last in zip(corners, low, high, strict=True):
            away = values[index]
            away = np.maximum(np.maximum(first - away, away - last), 0.0)
            square += away * away
        faded = _near(np.sqrt(square), reach) - _near(np.array(margin), reach)
        depth = _PIECE_DEPTH * reach / _PIECE_CM
        shade[index] *= 1.0 - depth * np.maximum(faded, 0.0)


def _from_lamp(points: np.ndarray, normals: np.ndarray, piece: Piece) -> np.ndarray:
    """The pool of light around a ceiling lamp."""
    rect = piece.rect
    center = np.array(
        [(rect.x0 + rect.x1) / 2.0, (piece.bottom + piece.top) / 2.0, (rect.z0 + rect.z1) / 2.0]
    )
    way = center - points
    square = (way * way).sum(axis=-1)
    facing = (way * normals[:, None, :]).sum(axis=-1) / np.sqrt(np.maximum(square, 1.0))
    return np.asarray(_LAMP_GAIN * (0.3 + 0.7 * np.maximum(facing, 0.0)) / (1.0 + square / _LAMP_CM**2))


def _from_windows(points: np.ndarray, normals: np.ndarray, room: Room, plan: FloorPlan) -> np.ndarray:
    """Light that falls in through the room's windows."""
    gain = np.zeros(points.shape[:2])
    for wall in plan.walls:
        if OUTSIDE not in wall.rooms or room.index not in wall.rooms:
            continue
        inwards = 1.0 if wall.after == room.index else -1.0
        for opening in wall.openings:
            if opening.kind != "window":
                continue
            middle = (opening.low + opening.high) / 2.0
            height = room.floor_cm + (opening.sill + opening.head) / 2.0
            center = np.array([middle, height, wall.line] if wall.along_x else [wall.line, height, middle])
            area = float((opening.high - opening.low) * (opening.head - opening.sill))
            way = center - points
            square = (way * way).sum(axis=-1)
            distance = np.sqrt(square)
            out = -inwards * way[..., 2 if wall.along_x else 0] / np.maximum(distance, 1.0)
            facing = (way * normals[:, None, :]).sum(axis=-1) / np.maximum(distance, 1.0)
            # A wall's and a floor's share of what a window sends, softened for points close to it.
            share = area * np.maximum(out, 0.0) * (0.35 + 0.65 * np.maximum(facing, 0.0)) / (square + area)
            gain += _WINDOW_GAIN * share
    return gain
