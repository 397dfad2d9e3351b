"""What the floors and walls of rooms are made of."""

from __future__ import annotations

from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.plan import FloorPlan

_WOODEN = ("planks", "planks", "parquet", "herringbone")
_WOODS = ("brown", "light brown", "beige", "grey", "dark brown")
_TILED = {
    "bathroom": ("small tiles", "hexagon tiles", "tiles", "marble tiles", "checkered tiles"),
    "kitchen": ("tiles", "large tiles", "checkered tiles", "terrazzo", "marble tiles"),
    "laundry room": ("tiles", "large tiles", "terrazzo"),
    "pantry": ("tiles", "large tiles"),
    "entryway": ("large tiles", "marble tiles", "hexagon tiles", "terrazzo"),
    "gym": ("concrete", "terrazzo"),
}
_TILES = ("white", "grey", "beige", "blue", "light grey", "dark grey", "light green")
_CARPETED = ("bedroom", "children's room", "office", "closet", "library", "game room", "family room")
_CARPETS = ("grey", "beige", "blue", "green", "light grey", "dark red", "brown")

_PLAIN = ("paint", "paint", "paint", "plaster")
_LIGHT = ("white", "cream", "beige", "light blue", "light green", "light pink", "light yellow", "light grey")
_STRONG = ("turquoise", "dark blue", "dark green", "grey", "pink")
_PAPERED = ("living room", "bedroom", "dining room", "children's room", "library", "hallway", "entryway")
_PAPERS = ("striped wallpaper", "damask wallpaper", "dotted wallpaper", "wall panels")
_WET = ("bathroom", "laundry room")


def draw_floors(plan: FloorPlan, dice: Dice) -> tuple[Surface, ...]:
    """Finish and colour of every room's floor: one kind of wood in a house, tiles, carpets."""
    wood = (dice.pick(_WOODEN), dice.pick(_WOODS))
    hall: Surface | None = None
    floors: list[Surface] = []
    for room in plan.rooms:
        floor: Surface = wood
        if room.kind in _TILED and not (room.kind in ("kitchen", "entryway", "gym") and dice.chance(35)):
            floor = (dice.pick(_TILED[room.kind]), dice.pick(_TILES))
        elif room.kind in _CARPETED and dice.chance(35):
            floor = ("carpet", dice.pick(_CARPETS))
        elif room.kind == "hallway" and room.level == 0 and dice.chance(25):
            hall = hall or (dice.pick(("tiles", "large tiles", "marble tiles")), dice.pick(_TILES))
            floor = hall
        floors.append(floor)
    return tuple(floors)


def draw_walls(plan: FloorPlan, dice: Dice) -> tuple[Surface, ...]:
    """Finish and colour of every room's walls; the stairwell looks the same on both levels."""
    walls: list[Surface] = []
    shared = (dice.pick(_PLAIN), dice.pick(_LIGHT))
    for room in plan.rooms:
        wall: Surface = (dice.pick(_PLAIN), dice.pick(_LIGHT))
        if room.kind in ("hallway", "stairs"):
            wall = shared
        elif room.kind in _WET and dice.chance(75):
            wall = ("wall tiles", dice.pick(("white", "light blue", "light green", "beige", "light grey")))
        elif room.kind in _PAPERED and dice.chance(35):
            wall = (dice.pick(_PAPERS), dice.pick(_LIGHT[1:]))
        elif dice.chance(7):
            wall = (dice.pick(_PLAIN), dice.pick(_STRONG))
        elif dice.chance(4):
            wall = ("brick", dice.pick(("red", "white", "brown")))
        walls.append(wall)
    return tuple(walls)
