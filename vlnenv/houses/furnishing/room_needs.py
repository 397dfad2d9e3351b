"""What makes a room one of its kind, and what belongs to some kinds alone: the measure of critics."""

from __future__ import annotations

NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "living room": (("sofa",), ("television", "fireplace", "bookshelf", "coffee table")),
    "family room": (("sofa",),),
    "kitchen": (("fridge",), ("stove",), ("kitchen sink",), ("kitchen counter",)),
    "dining room": (("dining table",), ("chair",)),
    "bedroom": (("bed",), ("wardrobe", "dresser", "nightstand")),
    "children's room": (("bed", "bunk bed", "crib"),),
    "bathroom": (("toilet",), ("sink",)),
    "office": (("desk",), ("office chair", "bookshelf", "filing cabinet")),
    "library": (("bookshelf",), ("armchair", "desk")),
    "laundry room": (("washing machine",),),
    "entryway": (("coat rack", "shoe rack", "console table", "bench", "cabinet", "mirror", "picture"),),
    "closet": (("wardrobe", "dresser", "shoe rack", "chest", "suitcase"),),
    "pantry": (("cabinet", "wine rack", "shelf"),),
    "gym": (("treadmill", "exercise bike"),),
    "game room": (("pool table", "television", "sofa"),),
}
"""Kind of room to what makes it one: of each tuple, one class at least."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "bed": ("bedroom", "children's room"),
    "bunk bed": ("children's room",),
    "crib": ("children's room", "bedroom"),
    "nightstand": ("bedroom", "children's room"),
    "wardrobe": ("bedroom", "children's room", "closet"),
    "toilet": ("bathroom",),
    "bathtub": ("bathroom",),
    "shower": ("bathroom",),
    "sink": ("bathroom", "laundry room"),
    "stove": ("kitchen",),
    "kitchen sink": ("kitchen",),
    "kitchen counter": ("kitchen",),
    "kitchen cabinet": ("kitchen",),
    "kitchen island": ("kitchen",),
    "range hood": ("kitchen",),
    "dishwasher": ("kitchen",),
    "fridge": ("kitchen", "pantry"),
    "washing machine": ("laundry room", "bathroom"),
    "dryer": ("laundry room",),
    "treadmill": ("gym",),
    "exercise bike": ("gym",),
    "pool table": ("game room",),
    "dining table": ("dining room", "kitchen", "living room"),
    "coat rack": ("entryway", "hallway"),
    "towel rack": ("bathroom", "laundry room", "gym"),
}
"""Classes that belong to some kinds of rooms alone."""
