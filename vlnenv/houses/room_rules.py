"""Which furniture a kind of room gets, in which order, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One wish for a room."""

    classes: tuple[str, ...]
    """One of these is drawn."""
    mode: str
    """wall, corner, hung, center; by the piece of `near`: beside, front, facing, around, on, above, under."""
    percent: int = 100
    """How often it is wished for."""
    count: int = 1
    near: tuple[str, ...] = ()
    """The classes that it belongs to; it may stand in front of them."""
    front_cm: int = 0
    """Floor in front that must stay free."""
    bottom: int = 0
    """Height of a hung piece's lower edge."""
    matching: bool = False
    """Takes the colour of the first of its class in the room."""
    unless: str = ""
    """Not where the house has a room of this kind."""


def _wall(*classes: str, percent: int = 100, count: int = 1, front: int = 50, unless: str = "") -> Rule:
    return Rule(classes, "wall", percent, count, front_cm=front, unless=unless)


def _corner(*classes: str, percent: int = 100, count: int = 1) -> Rule:
    return Rule(classes, "corner", percent, count)


def _pictures(percent: int = 70, count: int = 1) -> Rule:
    return Rule(("picture",), "hung", percent, count, bottom=135)


def _seats(count: int, *tables: str) -> Rule:
    return Rule(("chair",), "around", 100, count, near=tables, matching=True)


_MIRROR = Rule(("mirror",), "hung", 50, bottom=110)

RULES: dict[str, tuple[Rule, ...]] = {
    "living room": (
        _wall("sofa", front=60),
        Rule(("coffee table",), "front", near=("sofa",)),
        Rule(("rug",), "under", 75, near=("coffee table", "sofa")),
        _wall("tv stand", front=60),
        Rule(("television",), "on", near=("tv stand",)),
        _wall("fireplace", percent=35, front=60),
        _wall("armchair", percent=85),
        _wall("bookshelf", percent=80),
        _wall("piano", percent=30, front=60),
        _corner("floor lamp", percent=80),
        _corner("plant", percent=80),
        _wall("cabinet", percent=50),
        _wall("armchair", percent=40),
        _pictures(count=2),
    ),
    "kitchen": (
        _wall("fridge", front=70),
        _wall("stove", front=70),
        _wall("kitchen sink", front=60),
        _wall("kitchen counter", front=60),
        _wall("kitchen counter", percent=60, front=60),
        Rule(("dining table",), "center", 70, unless="dining room"),
        _seats(4, "dining table"),
        _wall("cabinet", percent=60),
        _corner("trash can", percent=70),
        _corner("plant", percent=25),
        _wall("stool", percent=40, front=0),
        _pictures(50),
    ),
    "dining room": (
        Rule(("dining table",), "center"),
        Rule(("rug",), "under", 50, near=("dining table",)),
        _seats(6, "dining table"),
        _wall("cabinet"),
        _wall("bench", percent=40),
        _wall("piano", percent=25, front=60),
        _corner("plant", percent=70),
        _corner("floor lamp", percent=50),
        _pictures(count=2),
        _MIRROR,
    ),
    "bedroom": (
        _wall("bed", front=50),
        Rule(("nightstand",), "beside", 85, 2, near=("bed",), matching=True),
        Rule(("rug",), "under", 50, near=("bed",)),
        _wall("wardrobe", front=60),
        _wall("dresser", percent=70),
        _wall("desk", percent=35, front=60),
        Rule(("chair",), "facing", near=("desk",)),
        _wall("armchair", percent=35),
        _wall("bookshelf", percent=35),
        _corner("floor lamp", percent=60),
        _corner("plant", percent=50),
        _wall("bench", percent=20),
        _MIRROR,
        _pictures(),
    ),
    "bathroom": (
        _wall("bathtub", "bathtub", "shower", front=50),
        _wall("toilet", front=50),
        _wall("sink", front=50),
        Rule(("mirror",), "above", near=("sink",)),
        _wall("washing machine", percent=60, unless="laundry room"),
        _wall("cabinet", percent=50),
        _corner("trash can", percent=50),
        _wall("stool", percent=40, front=0),
        _corner("plant", percent=30),
    ),
    "office": (
        _wall("desk", front=70),
        Rule(("office chair",), "facing", near=("desk",)),
        _wall("bookshelf", front=50),
        _wall("bookshelf", percent=60),
        _wall("cabinet", percent=50),
        _wall("armchair", percent=50),
        _wall("sofa", percent=25),
        _corner("plant", percent=70),
        _corner("floor lamp", percent=60),
        _corner("trash can", percent=60),
        _pictures(count=2),
    ),
    "laundry room": (
        _wall("washing machine", front=60),
        _wall("sink", front=50),
        _wall("cabinet"),
        _wall("bench", percent=50),
        _wall("washing machine", percent=30),
        _corner("trash can", percent=70),
        _wall("stool", percent=40, front=0),
        _pictures(40),
    ),
    "hallway": (
        _wall("bench", "cabinet", "dresser", percent=60, front=0),
        _corner("plant", "floor lamp", percent=70),
        _wall("bookshelf", percent=40, front=0),
        _MIRROR,
        _pictures(count=3),
    ),
}
"""Kind of room to its wishes, in order; what does not fit is left out."""
