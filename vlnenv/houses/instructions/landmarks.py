"""Landmarks: the objects that instructions name, and whether a walker sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.instructions.mentions import Mention
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

CAMERA = Camera(width=48, height=48, hfov_deg=90.0)
"""What visibility is judged through: R2R-CE's view at low resolution."""
LEAST_SHARE = 0.01
"""A landmark is seen where it fills this share of the picture."""

STRUCTURE = frozenset(
    (
        *(
            "wall",
            "floor",
            "ceiling",
            "roof",
            "door",
            "window",
            "railing",
            "stairs",
            "stair",
            "column",
            "beam",
        ),
        *("baseboard", "skirting", "skylight", "doorway", "frame", "carpet", "mat", "light", "background"),
        *("unknown", "object", "mesh", "geometry", "node", "house", "room", "misc", "void"),
    )
)
"""Last words of categories that are parts of the building, or nothing that one can name."""
UNNAMED = frozenset(("curtain", "range hood"))
"""Pieces of a house that nobody finds the way by, or goes to."""
COLORLESS = frozenset(
    (
        "mirror",
        "picture",
        "plant",
        "television",
        "book",
        "fish tank",
        "globe",
        "photo frame",
        "fruit bowl",
        "poster",
    )
)
"""Categories whose one colour name says little about how they look."""
MATERIALS = frozenset(
    ("wooden", "leather", "metal", "marble", "glass", "wicker", "stone", "velvet", "bamboo")
)
"""Materials that people name."""
_MAX_EXTENT_M = 4.5
_MIN_EXTENT_M = 0.2


@dataclass(frozen=True)
class Landmark:
    """An object that an instruction can name."""

    id: int
    """Instance id in the scene."""
    category: str
    color: str
    """Empty when not known."""
    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]
    room: int = -1
    """Index of its room; -1 where rooms are not known."""
    facing: int | None = None
    """Quarter turns, see `Furniture`; None when not known."""
    material: str = ""
    """"wooden"; empty when not known or of no one material."""
    support: str = ""
    """"floor", "wall", "ceiling", or the name of the piece that it stands on; empty when not known."""
    name: str = ""
    """Instance name in the scene."""

    @property
    def corners_m(self) -> list[tuple[float, float]]:
        """The four corners (x, z) of its box on the floor plan."""
        return [(x, z) for x in (self.low_m[0], self.high_m[0]) for z in (self.low_m[2], self.high_m[2])]

    def distance_m(self, points_m: np.ndarray) -> np.ndarray:
        """Distance on the floor plan (n,) of points (n, 3) to the object's box."""
        low, high = np.asarray(self.low_m)[[0, 2]], np.asarray(self.high_m)[[0, 2]]
        plan = points_m[:, [0, 2]]
        return np.linalg.norm(np.maximum(np.maximum(low - plan, plan - high), 0.0), axis=1)

    @property
    def center_m(self) -> np.ndarray:
        """Middle of the box (3,)."""
        return (np.asarray(self.low_m) + np.asarray(self.high_m)) / 2.0


def landmarks_of(scene: Scene, house: House | None = None) -> tuple[Landmark, ...]:
    """All objects worth naming, in the order of their ids.

    Args:
        scene: The place.
        house: Its facts, where it is a built-in house: gives rooms and fronts.
    """
    pieces = {piece.name: piece for piece in house.furniture} if house is not None else {}
    found = []
    for instance in scene.instances:
        if house is not None:
            piece = pieces.get(instance.name)
            if piece is None or piece.support == "ceiling" or piece.category in UNNAMED:
                continue
            room, facing, material, support = piece.room, piece.facing, piece.material, piece.support
        else:
            size = np.subtract(instance.bounds_m[1], instance.bounds_m[0])
            words = instance.category.split()
            is_plain = bool(words) and all(word.isascii() and word.isalpha() for word in words)
            if not is_plain or words[-1] in STRUCTURE or not _MIN_EXTENT_M <= size.max() <= _MAX_EXTENT_M:
                continue
            room, facing, material, support = -1, None, "", ""
        found.append(
            Landmark(
                instance.id,
                instance.category,
                instance.color,
                *instance.bounds_m,
                room=room,
                facing=facing,
                material=material,
                support=support,
                name=instance.name,
            )
        )
    return tuple(found)


def seen_shares(
    simulator: Simulator, scene: Scene, positions_m: np.ndarray, headings_rad: np.ndarray
) -> np.ndarray:
    """Share of the picture that each instance fills from each pose.

    Returns:
        float64 (n, highest id + 1), indexed by instance id.
    """
    frames = simulator.render(scene, positions_m, headings_rad, CAMERA, ("instance",))
    assert frames.instance is not None
    count = 1 + max(instance.id for instance in scene.instances)
    pixels = CAMERA.width * CAMERA.height
    return np.stack(
        [np.bincount(frame.reshape(-1), minlength=count)[:count] / pixels for frame in frames.instance]
    )


def mention_of(landmark: Landmark, others: Sequence[Landmark], with_color: bool = False) -> Mention | None:
    """The shortest mention of a landmark that fits none of the others; None where there is none.

    Args:
        landmark: The one that is meant.
        others: Those that it could be mistaken for; may include itself.
        with_color: Name the colour (or else the material) even where it is not needed.
    """
    rest = [other for other in others if other.id != landmark.id]
    color, material = looks_of(landmark)
    plain = Mention(landmark.category)
    colored = Mention(landmark.category, color)
    made_of = Mention(landmark.category, "", material)
    order = [plain, colored, made_of, Mention(landmark.category, color, material)]
    if with_color:
        order = [colored if color else made_of, *order]
    for mention in order:
        if not any(mention.fits(other.category, other.color, other.material) for other in rest):
            return mention
    return None


def looks_of(landmark: Landmark) -> tuple[str, str]:
    """Colour and material of a landmark as people would name them; empty where they would not."""
    if landmark.category in COLORLESS:
        return "", ""
    return landmark.color, landmark.material if landmark.material in MATERIALS else ""


def noun_phrase(landmark: Landmark, others: Sequence[Landmark], with_color: bool) -> str | None:
    """What to call a landmark so that none of the others is meant; None where words do not suffice.

    Args:
        landmark: The one that is meant.
        others: Those that it could be mistaken for, e.g. all of its room; may include itself.
        with_color: Name the colour even where it is not needed.

    Returns:
        "sofa" or "red sofa", without article.
    """
    mention = mention_of(landmark, others, with_color)
    return None if mention is None else str(mention)
