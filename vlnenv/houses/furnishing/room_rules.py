"""Which furniture a kind of room gets, in which order, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One wish for a room."""

    classes: tuple[str, ...]
    """One of these is drawn."""
    mode: str
    """Free: wall, middle (of a wall), corner, hung, center, ceiling, window, run (all classes, side by side).
    By the piece of `near`: beside, front, facing, opposite, around, flank, row, above, over, under."""
    percent: int = 100
    """How often it is wished for."""
    count: int = 1
    near: tuple[str, ...] = ()
    """The classes that it belongs to; it may stand in front of them."""
    front_cm: int | None = None
    """Floor in front that must stay free, in place of the class's own."""
    bottom: int = 0
    """Height of a hung piece's lower edge above the floor."""
    matching: bool = False
    """Takes the draw of the first of its class in the room: the chairs of a table look alike."""
    unless: str = ""
    """Not where the house has a room of this kind."""
    least_m2: int = 0
    """Only in rooms of this floor area and more."""


def _wall(*classes: str, percent: int = 100, count: int = 1, front: int | None = None, unless: str = "",
          least_m2: int = 0) -> Rule:  # fmt: skip
    return Rule(classes, "wall", percent, count, front_cm=front, unless=unless, least_m2=least_m2)


def _middle(*classes: str, percent: int = 100, least_m2: int = 0) -> Rule:
    return Rule(classes, "middle", percent, least_m2=least_m2)


def _corner(*classes: str, percent: int = 100, count: int = 1) -> Rule:
    return Rule(classes, "corner", percent, count)


def _hung(*classes: str, bottom: int = 135, percent: int = 70, count: int = 1) -> Rule:
    return Rule(classes, "hung", percent, count, bottom=bottom)


def _lamp(*classes: str, percent: int = 95) -> Rule:
    return Rule(classes or ("ceiling lamp",), "ceiling", percent)


def _seats(count: int, *tables: str) -> Rule:
    return Rule(("chair",), "around", 100, count, near=tables, matching=True)


def _at(mode: str, classes: tuple[str, ...], *near: str, percent: int = 100, count: int = 1,
        matching: bool = False, least_m2: int = 0) -> Rule:  # fmt: skip
    # Seats that look at their host have it right in front of them.
    front = 0 if mode in ("facing", "row") else None
    return Rule(classes, mode, percent, count, near, front, matching=matching, least_m2=least_m2)


_CURTAINS = Rule(("curtain",), "window", 75, 4, matching=True)
_RADIATOR = Rule(("radiator",), "window", 60, 2)
_MIRROR = _hung("mirror", bottom=100, percent=50)
_PLANT = _corner("plant", percent=75)
_SOFAS = (
    _middle("sofa"),
    _at("front", ("coffee table", "coffee table", "ottoman"), "sofa"),
    _at("under", ("rug",), "coffee table", "ottoman", "sofa", percent=80),
    _at("opposite", ("tv stand",), "sofa"),
    _at("beside", ("side table", "floor lamp"), "sofa", percent=75, count=2),
    _wall("sofa", percent=35, least_m2=24),
    _at(
        "flank",
        ("armchair", "armchair", "rocking chair"),
        "sofa",
        "coffee table",
        "ottoman",
        percent=80,
        count=2,
    ),
    _wall("armchair", percent=60),
)

RULES: dict[str, tuple[Rule, ...]] = {
    "living room": (
        _lamp("ceiling lamp", "chandelier"),
        *_SOFAS,
        _middle("fireplace", percent=40),
        _wall("piano", percent=35, least_m2=18),
        _wall("bookshelf", percent=80),
        _wall("display cabinet", "sideboard", "cabinet", percent=70),
        _corner("floor lamp", percent=70),
        _PLANT,
        _CURTAINS,
        _RADIATOR,
        _wall("console table", "chest", "fish tank", percent=50),
        Rule(("dining table",), "center", 80, unless="dining room", least_m2=26),
        _seats(4, "dining table"),
        Rule(("rug",), "center", 50, least_m2=22),
        _wall("desk", percent=40, least_m2=24),
        _at("facing", ("chair", "office chair"), "desk"),
        _wall("bench", "ottoman", "rocking chair", percent=50, least_m2=22),
        _corner("fish tank", "grandfather clock", "statue", "plant", percent=50),
        _corner("guitar", "bean bag", percent=35),
        _hung("picture", count=3),
        _hung("wall clock", bottom=170, percent=45),
        _hung("shelf", bottom=140, percent=30),
    ),
    "family room": (
        _lamp(),
        *_SOFAS,
        _wall("bookshelf", percent=70),
        _wall("sideboard", "cabinet", percent=60),
        _corner("bean bag", "guitar", "plant", percent=80, count=2),
        _CURTAINS,
        _RADIATOR,
        _wall("piano", percent=30, least_m2=18),
        _wall("chest", percent=45),
        _corner("floor lamp", percent=60),
        _corner("ball", percent=40),
        _hung("picture", count=3),
        _hung("shelf", bottom=140, percent=40),
    ),
    "kitchen": (
        _lamp(),
        Rule(
            (
                "fridge",
                "kitchen counter",
                "kitchen sink",
                "dishwasher",
                "kitchen counter",
                "stove",
                "kitchen counter",
                "kitchen counter",
            ),
            "run",
        ),
        Rule(("kitchen island",), "center", 60, least_m2=13),
        _at("row", ("bar stool",), "kitchen island", count=3, matching=True),
        Rule(("dining table",), "center", 85, unless="dining room"),
        _seats(4, "dining table"),
        _wall("cabinet", "display cabinet", "wine rack", percent=50),
        _corner("trash can", percent=85),
        _corner("water dispenser", "plant", percent=40),
        _corner("high chair", "stool", percent=35),
        _RADIATOR,
        _hung("wall clock", bottom=170, percent=60),
        _hung("shelf", bottom=140, percent=30),
        _hung("picture", percent=40),
    ),
    "dining room": (
        Rule(("dining table",), "center"),
        _seats(6, "dining table"),
        _at("over", ("chandelier", "ceiling lamp"), "dining table"),
        _lamp(percent=100),
        _at("under", ("rug",), "dining table", percent=60),
        _wall("sideboard"),
        _wall("display cabinet", "cabinet", percent=80),
        _wall("wine rack", "console table", percent=50),
        _wall("piano", percent=20),
        _CURTAINS,
        _RADIATOR,
        _corner("plant", percent=75),
        _corner("grandfather clock", "floor lamp", "statue", percent=55),
        _wall("bench", percent=35),
        _hung("picture", count=3),
        _MIRROR,
    ),
    "bedroom": (
        _lamp(),
        _middle("bed"),
        _at("beside", ("nightstand",), "bed", percent=90, count=2, matching=True),
        _at("under", ("rug",), "bed", percent=60),
        _wall("wardrobe"),
        _wall("dresser", percent=75),
        _at("front", ("bench", "chest", "ottoman"), "bed", percent=35),
        _wall("desk", percent=35),
        _at("facing", ("chair", "office chair"), "desk"),
        _wall("dressing table", percent=35),
        _at("facing", ("stool",), "dressing table"),
        _wall("armchair", "rocking chair", percent=45),
        _CURTAINS,
        _RADIATOR,
        _wall("bookshelf", percent=35),
        _corner("floor lamp", percent=55),
        _corner("plant", "laundry basket", percent=65, count=2),
        _corner("suitcase", "guitar", "fan", "ball", percent=40),
        _MIRROR,
        _hung("picture", count=2),
        _hung("shelf", bottom=140, percent=30),
    ),
    "children's room": (
        _lamp(),
        _middle("bunk bed", "bed", "bed", "crib"),
        _at("beside", ("nightstand",), "bed", percent=80),
        Rule(("rug",), "center", 85),
        _wall("wardrobe", "dresser"),
        _wall("desk", percent=75),
        _at("facing", ("chair", "office chair"), "desk"),
        _wall("bookshelf", percent=70),
        _wall("chest", percent=75),
        _CURTAINS,
        _RADIATOR,
        _corner("bean bag", percent=65),
        _corner("ball", percent=65),
        _corner("teddy bear", percent=60),
        _hung("poster", percent=80, count=2),
        _corner("globe", "easel", "toy car", "guitar", percent=75, count=2),
        _corner("floor lamp", percent=40),
        _corner("laundry basket", percent=40),
        _hung("picture", count=3),
        _hung("shelf", bottom=130, percent=55),
    ),
    "bathroom": (
        _lamp(),
        _wall("bathtub", "bathtub", "shower"),
        _wall("toilet"),
        _wall("sink"),
        _at("above", ("mirror",), "sink"),
        _wall("shower", percent=40, least_m2=8),
        _wall("washing machine", percent=50, unless="laundry room"),
        _wall("cabinet", percent=55),
        _at("front", ("rug",), "bathtub", "shower", percent=40),
        _corner("laundry basket", percent=60),
        _corner("trash can", percent=70),
        _corner("plant", "stool", percent=50),
        _hung("towel rack", bottom=80, percent=95, count=2),
        _wall("radiator", percent=35),
        _hung("shelf", bottom=140, percent=45),
        _hung("picture", percent=30),
    ),
    "office": (
        _lamp(),
        _wall("desk", front=80),
        _at("facing", ("office chair",), "desk"),
        _wall("bookshelf", count=2, percent=85),
        _wall("filing cabinet", percent=75),
        _at("under", ("rug",), "desk", percent=40),
        _wall("cabinet", "sideboard", percent=60),
        _wall("armchair", percent=60),
        _wall("sofa", percent=25, least_m2=12),
        _CURTAINS,
        _RADIATOR,
        _PLANT,
        _corner("floor lamp", percent=60),
        _corner("trash can", percent=70),
        _corner("globe", "fan", "guitar", "cardboard box", percent=60),
        _hung("picture", count=2),
        _hung("wall clock", bottom=170, percent=60),
        _hung("shelf", bottom=140, percent=45),
    ),
    "library": (
        _lamp("ceiling lamp", "chandelier"),
        _wall("bookshelf", count=4),
        _wall("desk", percent=60),
        _at("facing", ("office chair", "chair"), "desk"),
        Rule(("rug",), "center", 70),
        _wall("armchair", count=2),
        _at("beside", ("side table",), "armchair", percent=80),
        _corner("floor lamp"),
        _corner("globe", "statue", "grandfather clock", percent=80),
        _CURTAINS,
        _PLANT,
        _wall("display cabinet", "sideboard", percent=50),
        _hung("picture", count=2),
    ),
    "laundry room": (
        _lamp(),
        _wall("washing machine"),
        _at("beside", ("dryer",), "washing machine", percent=85),
        _wall("sink", percent=80),
        _wall("cabinet"),
        _wall("ironing board", percent=75),
        _corner("vacuum cleaner", "step ladder", percent=70),
        _corner("laundry basket", percent=95),
        _wall("shoe rack", "bench", percent=50),
        _corner("trash can", percent=60),
        _corner("fan", "cardboard box", "stool", percent=50),
        _hung("shelf", bottom=140, percent=70),
        _hung("towel rack", bottom=80, percent=40),
        _hung("wall clock", bottom=170, percent=30),
    ),
    "hallway": (
        _lamp(),
        _wall("console table", "bench", "cabinet", "dresser", percent=75, front=0),
        _wall("shoe rack", "chest", "bookshelf", percent=45, front=0),
        _corner("plant", "floor lamp", "statue", percent=75),
        _corner("grandfather clock", "plant", percent=35),
        _MIRROR,
        _hung("picture", count=3),
    ),
    "entryway": (
        _lamp("ceiling lamp", "chandelier"),
        _wall("coat rack", front=0),
        _wall("shoe rack", percent=85, front=0),
        _wall("console table", "bench", "cabinet", percent=85, front=0),
        _corner("umbrella stand", percent=75),
        _corner("plant", percent=60),
        _MIRROR,
        _hung("picture", count=2),
        _hung("wall clock", bottom=170, percent=30),
    ),
    "closet": (
        _lamp(),
        _wall("wardrobe"),
        _wall("dresser", "shoe rack", "chest", percent=90),
        _wall("wardrobe", percent=60),
        _corner("suitcase", "vacuum cleaner", percent=80),
        _corner("laundry basket", "cardboard box", percent=70),
        _corner("stool", percent=40),
        _MIRROR,
        _hung("shelf", bottom=150, percent=50),
    ),
    "pantry": (
        _lamp(),
        _wall("cabinet"),
        _wall("wine rack", "cabinet", percent=80),
        _corner("cardboard box", percent=85, count=2),
        _wall("fridge", percent=20),
        _corner("water dispenser", "stool", "trash can", percent=50),
        _hung("shelf", bottom=130, percent=90, count=2),
    ),
    "gym": (
        _lamp(),
        _wall("treadmill"),
        _wall("exercise bike"),
        _wall("bench", percent=70),
        Rule(("rug",), "center", 50),
        _wall("weight bench", percent=60, least_m2=11),
        _wall("dumbbells", percent=85),
        _corner("punching bag", percent=60),
        _corner("ball", percent=85),
        _corner("fan", percent=60),
        _corner("water dispenser", percent=60),
        _wall("cabinet", percent=50),
        _corner("plant", "trash can", percent=60),
        _hung("mirror", bottom=60, percent=90),
        _hung("towel rack", bottom=90, percent=50),
        _hung("picture", count=2),
    ),
    "game room": (
        _lamp(),
        Rule(("pool table",), "center", 85, least_m2=14),
        _middle("sofa", percent=75),
        _at("opposite", ("tv stand",), "sofa"),
        _wall("armchair", "bean bag", percent=80),
        _wall("bar stool", percent=50, count=2, front=0),
        _wall("cabinet", "bookshelf", "wine rack", percent=70),
        _wall("drum set", percent=40, least_m2=14),
        _hung("dartboard", bottom=145, percent=65),
        _corner("bean bag", "plant", percent=60),
        _corner("floor lamp", "guitar", percent=60),
        _CURTAINS,
        _wall("piano", percent=25),
        _hung("picture", count=3),
        _hung("wall clock", bottom=170, percent=40),
    ),
    "stairs": (),
}
"""Kind of room to its wishes, in order; what does not fit is left out."""
