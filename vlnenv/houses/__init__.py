"""The built-in data set: furnished houses, expert routes through them, and instructions for the routes.

Nothing is downloaded and nothing is random: a scene id names a house, and the episode files lie in the
package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlnenv.episodes import EpisodeDataset
    from vlnenv.houses.house import House
    from vlnenv.sim.scene import Scene

__all__ = ["SPLITS", "house_of", "load_episodes", "load_scene"]

SPLITS = ("train", "val_seen", "val_unseen")
"""Splits of the built-in data set."""


def load_scene(scene_id: str) -> Scene:
    """The scene of a built-in house, e.g. "houses/train/0003".

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.building import build_scene
    from vlnenv.houses.house import house_of

    return build_scene(house_of(scene_id))


def house_of(scene_id: str) -> House:
    """The facts of a built-in house: rooms, doors and furniture.

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.house import house_of as draw

    return draw(scene_id)


def load_episodes(split: str) -> EpisodeDataset:
    """The episodes of a split of the built-in data set, from the file in the package.

    Raises:
        ValueError: If there is no such split.
    """
    from vlnenv.houses.dataset import load

    return load(split)
