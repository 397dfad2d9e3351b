"""What node names of scene files say: the object's class, and whether one can walk on it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GENERIC = _words(
    """
    mesh meshes node geometry object obj model instance group scene root default lod part primitive glb
    gltf ply dae fbx stl visual collision link body
    """
)
_WALKABLE = _words(
    """
    floor flooring ground carpet rug mat doormat stair stairs staircase stairway step steps ramp landing
    terrain lawn pavement walkway sidewalk
    """
)
_NOT_WALKABLE = _words(
    """
    airconditioner appliance armchair art bag balustrade banister bar basin basket bathtub bed bench bin
    blanket blinds board boiler book bookcase bookshelf books bottle bowl box bucket cabinet camera candle
    ceiling chair chandelier chest clock closet computer cooker cooktop couch counter countertop crib cup
    cupboard curtain curtains cushion desk dish dishwasher door doorframe drawer drawers dresser dryer
    dumbbell duvet easel equipment fan faucet fence fireplace flower flowers frame freezer fridge fruit
    garbage glass handle headboard heater holder hood jar kettle keyboard lamp laptop light lighting
    lights machine magazine mantel mattress microwave mirror monitor mug oven painting pan paper person
    phone photo piano picture pillar pillow pipe plant plate poster portrait pot printer puff rack
    radiator railing rangehood refrigerator roof safe screen sculpture seat shade shelf shelves shelving
    shoe shoes shower sideboard sink soap sofa speaker spoon stand statue stool stove suitcase switch
    table tablet tableware tap telephone television tissue toaster toilet toothbrush towel toy trash tray
    treadmill tree trolley tv umbrella urinal utensils vase wall walls wardrobe washer washbasin window
    windows windowsill workbench
    """
)


def category(name: str) -> str:
    """Class of an object from its node's name: lower case words with spaces, without numbers and variants.

    Camel case is split; numbers, a variant's single letter, repetitions and file-format words go. Where some
    of a name's parts are in camel case, the others are a publisher's prefix and go too.

    Examples:
        >>> category("SofaC_01_001__SofaC__0")
        'sofa'
        >>> category("aws_robomaker_residential_KitchenTable_01")
        'kitchen table'
        >>> category("TVCabinet_01")
        'tv cabinet'
        >>> category("coffee_table_2")
        'coffee table'
        >>> category("geometry_17")
        'object'
    """
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part and not part.isdigit()]
    camel = [part for part in parts if part[0].isupper()]
    words: list[str] = []
    for part in camel or parts:
        split = [word for word in _WORD.findall(part) if not word.isdigit()]
        while len(split) > 1 and len(split[-1]) == 1:
            split.pop()
        words += [word.lower() for word in split]
    kept: list[str] = []
    for word in words:
        if len(word) > 1 and word not in _GENERIC and word not in kept:
            kept.append(word)
    return " ".join(kept) or "object"


def unique_names(names: Iterable[str]) -> list[str]:
    """The names, with "_2", "_3", ... appended to those that were there before."""
    taken: set[str] = set()
    result = []
    for name in names:
        name = name or "object"
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        result.append(candidate)
    return result


def walkable_hint(object_category: str) -> int:
    """Whether a body may stand on objects of a class: 1 surely, -1 surely not, 0 unknown.

    The last word decides: a "floor lamp" is a lamp, a "bath mat" is a mat. Furniture, walls and ceilings are
    -1; classes that say nothing ("object", "building", "cube") are 0.
    """
    words = object_category.split()
    head = words[-1] if words else ""
    for word in (head, head[:-1] if head.endswith("s") else head):
        if word in _WALKABLE:
            return 1
        if word in _NOT_WALKABLE:
            return -1
    return 0
