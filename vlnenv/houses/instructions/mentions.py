"""Mentions: what an instruction calls an object, and everything that a reader could take it for."""

from __future__ import annotations

from dataclasses import dataclass


def _groups(*lines: str) -> dict[str, frozenset[str]]:
    found = {}
    for line in lines:
        name, others = line.split(":")
        found[name] = frozenset(other.strip() for other in others.split(","))
    return found


MISTAKEN_FOR = _groups(
    "chair: armchair, rocking chair, office chair",
    "armchair: rocking chair, sofa",
    "rocking chair: armchair",
    "office chair: armchair",
    "sofa: armchair",
    "stool: bar stool, ottoman, side table",
    "bar stool: stool",
    "ottoman: stool, bean bag, bench",
    "bean bag: ottoman, armchair",
    "bench: shoe rack",
    "table: desk",
    "dining table: kitchen island",
    "coffee table: side table, console table",
    "side table: nightstand, coffee table, console table, stool",
    "console table: side table, desk, sideboard, dressing table",
    "nightstand: side table",
    "desk: dressing table, console table",
    "dressing table: desk, console table, dresser",
    "cabinet: sideboard, dresser, tv stand, chest, wardrobe, shoe rack, wine rack, nightstand",
    "sideboard: cabinet, dresser, console table, tv stand, chest",
    "dresser: sideboard, cabinet, chest, dressing table",
    "display cabinet: cabinet, bookshelf",
    "filing cabinet: cabinet, nightstand",
    "tv stand: sideboard, console table",
    "chest: dresser, cabinet, bench, cardboard box",
    "wardrobe: cabinet, display cabinet",
    "bookshelf: shelf, display cabinet",
    "shelf: bookshelf",
    "shoe rack: shelf, cabinet, bench",
    "wine rack: shelf, cabinet",
    "kitchen cabinet: cabinet",
    "kitchen counter: kitchen island, kitchen cabinet",
    "kitchen island: kitchen counter, dining table",
    "sink: kitchen sink",
    "kitchen sink: sink",
    "washing machine: dryer, dishwasher",
    "dryer: washing machine",
    "dishwasher: washing machine",
    "plant: flower pot, vase",
    "flower pot: plant, vase",
    "vase: flower pot, plant",
    "picture: photo frame, poster",
    "poster: picture",
    "dumbbells: weight bench",
    "photo frame: picture",
    "floor lamp: table lamp",
    "ceiling lamp: chandelier",
    "trash can: laundry basket, umbrella stand",
    "laundry basket: trash can, basket",
    "umbrella stand: trash can",
    "basket: laundry basket",
    "television: monitor, computer monitor",
    "monitor: television, laptop",
    "computer monitor: television, laptop",
    "bed: bunk bed, crib",
    "bathtub: shower",
    "bowl: fruit bowl, plate",
    "plate: bowl, tray",
    "tray: plate",
    "pot: pan, kettle",
    "pan: pot",
    "cup: bottle",
    "shower: bathtub",
    "wall clock: alarm clock, grandfather clock",
    "alarm clock: wall clock",
    "treadmill: exercise bike",
    "exercise bike: treadmill",
    "piano: sideboard",
)
"""Categories that a reader could take another category's name for, beside names that end in it."""

_ALIKE = (
    {"white", "cream", "beige"},
    {"brown", "beige"},
    {"blue", "turquoise"},
    {"green", "turquoise"},
    {"purple", "pink"},
    {"black", "dark grey"},
    {"yellow", "cream"},
)


@dataclass(frozen=True)
class Mention:
    """What a text says about an object; empty fields are not said."""

    category: str
    color: str = ""
    material: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.color, self.material, self.category) if part)

    def fits(self, category: str, color: str, material: str) -> bool:
        """Whether a reader could take an object for the one that is meant."""
        if not may_mean(self.category, category):
            return False
        if self.color and color and not colors_alike(self.color, color):
            return False
        return not (self.material and material and self.material != material)


def colors_alike(said: str, color: str) -> bool:
    """Whether a reader could call a colour by the said name."""
    plain = said.removeprefix("light "), color.removeprefix("light ")
    return said == color or plain[0] == plain[1] or any(set(plain) <= alike for alike in _ALIKE)


def may_mean(name: str, category: str) -> bool:
    """Whether a reader could take an object of a category for one of that name.

    >>> may_mean("sink", "kitchen sink"), may_mean("kitchen sink", "chair")
    (True, False)
    """
    if name == category or category.endswith(f" {name}"):
        return True
    return category in MISTAKEN_FOR.get(name, ())
