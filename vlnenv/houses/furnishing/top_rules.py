"""What may stand on which furniture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Small:
    """What may stand on a piece."""

    classes: tuple[str, ...]
    """One of these is drawn."""
    percent: int
    spot: str = "any"
    """center, back, front or any place of a top."""


_BOOK = Small(("book",), 45)
_VASE = Small(("vase", "flower pot"), 55, "center")

TOP_RULES: dict[str, tuple[Small, ...]] = {
    "nightstand": (
        Small(("table lamp",), 80, "back"),
        Small(("alarm clock", "book", "tissue box", "photo frame", "cup"), 55),
    ),
    "desk": (
        Small(("monitor", "laptop", "laptop"), 85, "center"),
        Small(("keyboard",), 45, "front"),
        Small(("table lamp",), 55),
        Small(("book",), 50),
        Small(("printer", "speaker", "cup", "photo frame"), 50),
    ),
    "dressing table": (Small(("vase", "photo frame", "candle"), 70), Small(("table lamp",), 30)),
    "side table": (
        Small(("table lamp", "flower pot", "telephone"), 75, "center"),
        Small(("book", "cup"), 30),
    ),
    "coffee table": (Small(("vase", "bowl", "tray", "candle"), 70, "center"), _BOOK, Small(("cup",), 30)),
    "console table": (_VASE, Small(("photo frame", "table lamp", "telephone", "basket"), 65)),
    "dining table": (
        Small(("fruit bowl", "vase", "bowl", "candle"), 85, "center"),
        Small(("plate", "cup"), 35),
    ),
    "sideboard": (
        _VASE,
        Small(("table lamp", "radio", "photo frame", "alarm clock"), 55),
        Small(("bowl", "tray"), 35),
    ),
    "dresser": (Small(("photo frame", "vase", "table lamp"), 65), Small(("book", "basket", "candle"), 45)),
    "cabinet": (Small(("basket", "vase", "radio", "flower pot", "speaker"), 60),),
    "chest": (Small(("teddy bear", "basket", "book"), 35),),
    "tv stand": (Small(("television",), 100, "center"), Small(("speaker",), 45)),
    "fireplace": (
        Small(("candle", "photo frame", "vase", "alarm clock"), 75),
        Small(("candle", "photo frame"), 50),
    ),
    "piano": (Small(("photo frame", "vase", "candle"), 60),),
    "kitchen counter": (
        Small(("kettle", "toaster", "coffee maker", "microwave", "bowl"), 75, "back"),
        Small(("bottle", "cup", "pot", "plate", "fruit bowl"), 45),
    ),
    "kitchen island": (
        Small(("fruit bowl", "bowl", "vase"), 80, "center"),
        Small(("plate", "bottle", "cup"), 60),
    ),
    "stove": (Small(("pot", "pan", "kettle"), 75),),
    "washing machine": (Small(("basket", "bottle"), 45),),
    "dryer": (Small(("basket",), 45),),
    "sink": (Small(("soap dispenser",), 70),),
    "shelf": (
        Small(("book", "vase", "flower pot", "photo frame", "bottle"), 85),
        Small(("book", "candle", "cup"), 55),
    ),
    "filing cabinet": (Small(("printer", "flower pot", "book"), 60, "center"),),
    "display cabinet": (),
    "bookshelf": (),
    "wine rack": (Small(("bottle", "bowl"), 40),),
    "shoe rack": (Small(("basket", "flower pot"), 30),),
}
"""Class to what may stand on it, in order."""
