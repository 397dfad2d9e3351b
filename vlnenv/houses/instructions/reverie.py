"""Instructions in REVERIE's manner: a room, an object in it, and what to do with it; not the way there."""

from __future__ import annotations

from collections import Counter

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.describing import describe, room_words, thing_words
from vlnenv.houses.instructions.descriptions import ObjectDescription, RoomDescription
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.lexicon import Voice, sentence
from vlnenv.houses.instructions.paraphrases import Draft, paraphrases

LENGTHS = (9, 11, 12, 13, 14, 14, 15, 16, 16, 17, 18, 19, 20, 22, 24, 27)
"""Words of the instructions that are aimed at: about REVERIE's percentiles."""

_CLEAN = (
    "clean {}",
    "wipe down {}",
    "dust off {}",
    "dust {}",
    "wipe {} with a cloth",
    "clean the dust off {}",
)
_SEAT = ("sit on {}", "sit down on {}", "vacuum {}", "take a seat on {}", "check {} for stains", "clean {}")
_SURFACE = ("clear off {}", "tidy up {}", "polish {}", "set the mail on {}", "leave the keys on {}", *_CLEAN)
_STORE = ("open {}", "look inside {}", "close {}", "check if {} is locked", "organize {}", *_CLEAN)
_SHELF = ("organize {}", "tidy up {}", "take everything off {}", "polish {}", *_CLEAN)
_MACHINE = ("turn on {}", "turn off {}", "check if {} is running", "unplug {}", *_CLEAN)
_CARRY = (
    "bring me {}",
    "pick up {}",
    "grab {}",
    "get {}",
    "bring {} to me",
    "fetch {}",
    "move {} out of the way",
)
_WASH = ("clean {}", "scrub {}", "wipe down {}", "rinse {}", "check if {} is clean")
_LAMP = ("turn on {}", "turn off {}", "change the bulb in {}", "switch on {}", "dust {}", "switch off {}")
_HUNG = ("straighten {}", "take down {}", "dust {}", "clean {}", "look at {}")
_SPORT = ("wipe down {}", "try out {}", "clean {}", "dust off {}")

ACTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("sofa", "armchair", "chair", "stool", "bar stool", "bench", "ottoman", "bean bag"),
            *("rocking chair", "office chair", "high chair"),
        ),
        _SEAT,
    ),
    **dict.fromkeys(
        (
            *("coffee table", "side table", "console table", "dining table", "desk", "dressing table"),
            *("sideboard", "kitchen counter", "kitchen island", "tv stand", "nightstand", "piano"),
        ),
        _SURFACE,
    ),
    **dict.fromkeys(
        (
            *("wardrobe", "dresser", "cabinet", "display cabinet", "filing cabinet", "chest"),
            "kitchen cabinet",
        ),
        _STORE,
    ),
    **dict.fromkeys(("bookshelf", "shelf", "shoe rack", "wine rack"), _SHELF),
    **dict.fromkeys(
        (
            *(
                "television",
                "washing machine",
                "dryer",
                "dishwasher",
                "stove",
                "range hood",
                "fan",
                "printer",
            ),
            *("microwave", "coffee maker", "toaster", "kettle", "radio", "laptop", "monitor", "speaker"),
            *("radiator", "water dispenser"),
        ),
        _MACHINE,
    ),
    **dict.fromkeys(
        (
            *(
                "vase",
                "book",
                "bowl",
                "fruit bowl",
                "plate",
                "cup",
                "bottle",
                "pot",
                "pan",
                "candle",
                "toy car",
            ),
            *("photo frame", "teddy bear", "basket", "tray", "telephone", "keyboard", "ball"),
            *(
                "guitar",
                "suitcase",
                "cardboard box",
                "alarm clock",
                "laundry basket",
                "globe",
                "soap dispenser",
            ),
        ),
        _CARRY,
    ),
    **dict.fromkeys(("toilet", "sink", "kitchen sink", "bathtub", "shower"), _WASH),
    **dict.fromkeys(("floor lamp", "table lamp", "ceiling lamp", "chandelier"), _LAMP),
    **dict.fromkeys(("picture", "mirror", "wall clock"), _HUNG),
    **dict.fromkeys(("treadmill", "exercise bike", "pool table"), _SPORT),
    **dict.fromkeys(("plant", "flower pot"), ("water {}", "give {} some water", "check if {} needs water")),
    **dict.fromkeys(
        ("bed", "bunk bed", "crib"),
        ("make {}", "lie down on {}", "put fresh sheets on {}", "fluff the pillows on {}"),
    ),
    "fridge": ("open {}", "empty {}", "look inside {}", "wipe out {}", "check the milk in {}", "defrost {}"),
    "statue": ("dust {}", "polish {}", "look at {}"),
    "poster": ("take down {}", "straighten {}", "look at {}"),
    "weight bench": ("wipe down {}", "disinfect {}", "sit down on {}"),
    "punching bag": ("take down {}", "wipe down {}", "give {} a good punch"),
    "dumbbells": ("wipe down {}", "put away {}", "pick up {}"),
    "drum set": ("dust {}", "cover {} with a sheet", "play {}"),
    "dartboard": ("take the darts out of {}", "take down {}", "throw a dart at {}"),
    "step ladder": ("bring me {}", "fold up {}", "put away {}"),
    "vacuum cleaner": ("bring me {}", "empty {}", "plug in {}", "put away {}"),
    "tissue box": ("bring me {}", "refill {}", "take a tissue from {}"),
    "rug": ("vacuum {}", "roll up {}", "shake out {}", "clean {}"),
    "trash can": ("empty {}", "take the bag out of {}", "put a new bag in {}"),
    "fireplace": ("light {}", "sweep {}", "clean the ashes out of {}"),
    "towel rack": ("hang a fresh towel on {}", "take the towels off {}", "straighten the towels on {}"),
    "curtain": ("open {}", "close {}", "draw {}"),
    "coat rack": ("hang my jacket on {}", "take the coat off {}"),
    "umbrella stand": ("get an umbrella out of {}", "empty {}"),
    "easel": ("fold up {}", "put a canvas on {}"),
    "grandfather clock": ("wind {}", "check the time on {}", "dust {}"),
    "ironing board": ("fold up {}", "wipe down {}", "iron a shirt on {}"),
    "fish tank": ("feed the fish in {}", "clean {}"),
}
"""Category to what one may be asked to do with it; the braces stand for the object."""
_OTHER_ACTIONS = ("clean {}", "dust {}", "check {}", "find {}")


def write_reverie(facts: RouteFacts, count: int, dice: Dice, rejections: Counter[str]) -> list[str]:
    """`count` paraphrases; none (and the reason counted) where the route is dropped."""
    if facts.house is None:
        rejections["rooms are not known"] += 1
        return []

    def draft(detail: int) -> Draft | str:
        said = describe(facts, detail, dice)
        return "description fits another object" if said is None else Draft(_text, said)

    return paraphrases(draft, LENGTHS, count, dice, rejections)


def _text(said: tuple[RoomDescription, ObjectDescription], voice: Voice) -> str:
    place, thing = room_words(said[0], voice), thing_words(said[1], voice)
    action = voice.pick(*ACTIONS.get(said[1].mention.category, _OTHER_ACTIONS)).format(thing)
    go = voice.pick("go to", "go to", "go to", "go to", "head to", "walk to", "go into", "proceed to", "find")
    return sentence(
        voice.pick(
            f"{go} {place} and {action}",
            f"{go} {place} and {action}",
            f"{go} {place} and {action}",
            f"{go} {place} and {action}",
            f"{go} {place}, then {action}",
            f"in {place}, {action}",
            f"{go} {place} and please {action}",
            f"please {go} {place} and {action}",
        )
    )
