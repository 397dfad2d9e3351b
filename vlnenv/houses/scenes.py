"""Scenes of built-in houses, built once a machine and then read from the disk.

A house takes about a second to draw and build; a scene of 5 to 10 MB is read in some hundredths of one.
"""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np

from vlnenv.cache import cache_dir, load_arrays, save_arrays
from vlnenv.houses.house import VERSION, parse_scene_id
from vlnenv.sim.loading import scene_from_arrays, scene_to_arrays
from vlnenv.sim.scene import Scene

_MAKERS = ("catalogue", "construction", "furnishing", "looks", "plans", "dice.py", "house.py")
"""What a scene depends on, beside this file."""


def load_scene(scene_id: str) -> Scene:
    """The scene of a built-in house, e.g. "houses/train/0003", from the disk cache or built now.

    Raises:
        KeyError: If the id does not name a house.
    """
    group, number = parse_scene_id(scene_id)
    cached = cache_dir() / VERSION / _makers_hash() / f"{group}_{number:04d}.npz"
    arrays = load_arrays(cached)
    if arrays is not None:
        try:
            return scene_from_arrays(arrays, scene_id, arrays["key"].tobytes().decode())
        except (KeyError, ValueError, IndexError, TypeError) as error:
            warnings.warn(f"the cache file {cached} is damaged and will be made again: {error}", stacklevel=2)
    from vlnenv.houses.construction.building import build_scene
    from vlnenv.houses.house import house_of

    scene = build_scene(house_of(scene_id))
    save_arrays(cached, {**scene_to_arrays(scene), "key": np.frombuffer(scene.key.encode(), dtype=np.uint8)})
    return scene


@lru_cache(maxsize=1)
def _makers_hash() -> str:
    """Of the code that makes scenes: a changed generator reads no scene of the old one."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in _MAKERS:
        place = here / name
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
