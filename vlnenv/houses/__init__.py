"""The built-in data set: furnished houses, expert routes through them, and instructions for the routes.

Nothing is downloaded and nothing is random: a scene id names a house, and the episode files lie in the
package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from vlnenv.episodes import Episode, EpisodeDataset
    from vlnenv.houses.house import House
    from vlnenv.sim.scene import Scene
    from vlnenv.sim.simulator import Simulator

__all__ = [
    "SPLITS",
    "generate_episodes",
    "house_of",
    "load_episodes",
    "load_scene",
    "write_glb",
    "write_house",
]

SPLITS = ("train", "train_large", "val_seen", "val_unseen", "test")
"""Splits of the built-in data set."""


def load_scene(scene_id: str) -> Scene:
    """The scene of a built-in house, e.g. "houses/train/0003", from the disk cache or built now.

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.scenes import load_scene as load

    return load(scene_id)


def house_of(scene_id: str) -> House:
    """The facts of a built-in house: rooms, doors and furniture.

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.house import house_of as draw

    return draw(scene_id)


def load_episodes(split: str, style: str = "r2r") -> EpisodeDataset:
    """The episodes of a split of the built-in data set, from the files in the package.

    Args:
        split: One of `SPLITS`.
        style: What the instructions tell: "r2r" the way, "reverie" an object to find, "navrag" what a person
            wants. The routes are the same.

    Raises:
        ValueError: If there is no such split or style.
    """
    from vlnenv.houses.dataset import load

    return load(split, style)


def generate_episodes(simulator: Simulator, scene: Scene, count: int, seed: int | str = 0) -> list[Episode]:
    """New episodes in any scene with named instances; see `routes.generate_episodes` for more options.

    Raises:
        ValueError: If the scene has too few named objects or too little room for `count` routes.
    """
    from vlnenv.houses.house import house_of as draw
    from vlnenv.houses.routes.routes import generate_episodes as generate

    house = draw(scene.id) if scene.id.startswith("houses/") else None
    return generate(simulator, scene, count, seed, house=house)


def write_glb(scene: Scene, path: str | Path) -> None:
    """Write a scene as a GLB file with a node per instance.

    Raises:
        ValueError: If the path does not end in `.glb`.
    """
    from vlnenv.houses.construction.export import write_glb as write

    write(scene, path)


def write_house(scene_id: str, folder: str | Path) -> Path:
    """Write a built-in house as a GLB file with its scene card and a stage configuration for Habitat.

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.construction.export import write_house as write

    return write(scene_id, folder)
