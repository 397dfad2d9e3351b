"""The scene card: what a house is, in a page of JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vlnenv.houses.furnishing.critics import CRITICS
from vlnenv.houses.furnishing.floor_raster import CELL_CM, FRAME_CM, floor_rasters
from vlnenv.houses.house import VERSION, House
from vlnenv.houses.plans.plan import OUTSIDE
from vlnenv.sim.scene import Scene


def scene_card(house: House, scene: Scene | None = None) -> dict[str, Any]:
    """Facts of a house: rooms, doors, pieces, what the critics say.

    Args:
        house: The house.
        scene: Its scene, where it is at hand; built otherwise.

    Returns:
        What JSON can hold. `critics` maps each critic to its complaints and to a score, the share of the
        rooms and pieces that nothing is said about.
    """
    if scene is None:
        from vlnenv.houses.construction.building import build_scene

        scene = build_scene(house)
    subjects = len(house.rooms) + len(house.furniture)
    verdicts = {}
    for name, critic in CRITICS.items():
        complaints = critic(house)
        blamed = {(complaint.room, complaint.piece) for complaint in complaints}
        verdicts[name] = {
            "score": round(1.0 - len(blamed) / subjects, 4),
            "complaints": [complaint.text for complaint in complaints],
        }
    categories = Counter(piece.category for piece in house.furniture)
    inner = [door for door in house.doors if OUTSIDE not in door.rooms]
    return {
        "scene_id": house.scene_id,
        "version": VERSION,
        "hash": scene.key,
        "floors": house.plan.levels,
        "area_m2": _square_metres(sum(room.inner.area for room in house.rooms)),
        "walkable_m2": _square_metres(
            CELL_CM**2 * sum(int(raster.reached.sum()) for raster in floor_rasters(house))
        ),
        "rooms": [
            {
                "name": room.name,
                "kind": room.kind,
                "level": room.level,
                "area_m2": _square_metres(room.inner.area),
                "floor": " ".join(reversed(floor)),
                "walls": " ".join(reversed(wall)),
                "pieces": sum(piece.room == room.index for piece in house.furniture),
            }
            for room, floor, wall in zip(house.rooms, house.floors, house.walls, strict=True)
        ],
        "doors": [
            {"name": door.name, "kind": door.kind, "rooms": [_room_name(house, room) for room in door.rooms]}
            for door in house.doors
        ],
        "narrowest_door_cm": min(
            (door.opening.width if door.along_x else door.opening.depth) - 2 * FRAME_CM for door in inner
        ),
        "pieces": len(house.furniture),
        "small_things": sum(piece.support not in ("floor", "wall", "ceiling") for piece in house.furniture),
        "categories": dict(sorted(categories.items())),
        "colors": sorted({piece.color for piece in house.furniture}),
        "critics": verdicts,
        "draws": house.draws,
        "triangles": len(scene.faces),
        "materials": len(scene.materials),
    }


def _square_metres(square_cm: int) -> float:
    return round(square_cm / 10_000, 2)


def _room_name(house: House, room: int) -> str:
    return "outside" if room == OUTSIDE else house.rooms[room].name
