"""Words: what rooms, objects and floors are called, and how a phrase is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.mentions import Mention

ROOM_WORDS: Mapping[str, Sequence[str]] = {
    "hallway": ("hallway", "hallway", "hallway", "hall", "corridor"),
    "entryway": ("entryway", "entryway", "foyer", "entrance area"),
    "living room": ("living room", "living room", "living room", "lounge"),
    "family room": ("family room",),
    "bathroom": ("bathroom", "bathroom", "bathroom", "restroom"),
    "office": ("office", "office", "study"),
    "laundry room": ("laundry room", "laundry room", "utility room"),
    "closet": ("closet", "walk-in closet"),
    "gym": ("gym", "exercise room"),
    "game room": ("game room", "games room"),
    "children's room": ("children's room", "kids' room"),
    "stairs": ("stairs", "stairs", "staircase", "steps"),
}
"""Kind of room to its names; the more common ones come more often. Other kinds go by their own."""

THING_WORDS: Mapping[str, Sequence[str]] = {
    "sofa": ("sofa", "couch"),
    "fridge": ("fridge", "refrigerator"),
    "television": ("television", "tv"),
    "bookshelf": ("bookshelf", "bookcase"),
    "plant": ("plant", "potted plant"),
    "trash can": ("trash can", "bin"),
    "nightstand": ("nightstand", "bedside table"),
    "bathtub": ("bathtub", "tub"),
    "picture": ("picture", "painting"),
    "stove": ("stove", "oven"),
    "floor lamp": ("floor lamp", "standing lamp"),
    "wardrobe": ("wardrobe", "wardrobe", "armoire"),
    "dresser": ("dresser", "chest of drawers"),
    "ottoman": ("ottoman", "footstool"),
    "tv stand": ("tv stand", "tv cabinet"),
    "kitchen counter": ("kitchen counter", "counter"),
    "washing machine": ("washing machine", "washer"),
    "chest": ("chest", "trunk"),
    "laundry basket": ("laundry basket", "hamper"),
    "display cabinet": ("display cabinet", "glass cabinet"),
    "pool table": ("pool table", "billiard table"),
    "coffee maker": ("coffee maker", "coffee machine"),
    "telephone": ("telephone", "phone"),
    "kitchen island": ("kitchen island", "island"),
    "bean bag": ("bean bag", "bean bag chair"),
    "water dispenser": ("water dispenser", "water cooler"),
    "monitor": ("monitor", "computer screen"),
    "computer monitor": ("computer monitor", "computer screen"),
}
"""Category to its names; other categories go by their own."""

ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
MOST_ORDINAL = len(ORDINALS) - 1


class Voice:
    """One writer's choice of words: within a text a kind of room always goes by the same name.

    Args:
        dice: Chooses.
    """

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._names: dict[str, str] = {}

    def pick(self, *choices: str) -> str:
        """One of the choices; one that is listed twice comes twice as often."""
        return self.dice.pick(choices)

    def room(self, kind: str) -> str:
        """Name of a kind of room."""
        return self._name(kind, ROOM_WORDS)

    def thing(self, mention: Mention) -> str:
        """A mention in words, without article."""
        name = self._name(mention.category, THING_WORDS)
        # "glass glass cabinet" and the like.
        words = [part for part in (mention.color, mention.material) if part and part not in name.split()]
        return " ".join([*words, name])

    def _name(self, key: str, words: Mapping[str, Sequence[str]]) -> str:
        if key not in self._names:
            self._names[key] = self.dice.pick(words.get(key, (key,)))
        return self._names[key]


def article(noun: str) -> str:
    """The noun with "a" or "an".

    >>> article("office"), article("red sofa"), article("utility room")
    ('an office', 'a red sofa', 'a utility room')
    """
    is_vowel = noun[0] in "aeio" or (noun[0] == "u" and not noun.startswith("ut"))
    return f"{'an' if is_vowel else 'a'} {noun}"


def sentence(text: str) -> str:
    """Upper-case first letter and a full stop."""
    text = text.strip()
    end = "" if text[-1] in ".?!" else "."
    return text[0].upper() + text[1:] + end
