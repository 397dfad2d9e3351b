"""Scenes and houses as files for this library, Blender and Habitat."""

from __future__ import annotations

import json
from pathlib import Path

from vlnenv.cache import write_atomic
from vlnenv.houses.construction.glb import glb_bytes
from vlnenv.sim.scene import Scene


def write_glb(scene: Scene, path: str | Path) -> None:
    """Write a scene as a GLB file in which every instance is a node of its name.

    An instance's mesh has one primitive per material, with the material's texture; baked light is in the
    vertex colours. `vlnenv.sim.loading.load_scene` reads the same geometry, names and looks from the file.
    Edits of the scene are not applied.

    Args:
        scene: The scene.
        path: Ends in `.glb`; replaced atomically.

    Raises:
        ValueError: If the path does not end in `.glb`.
    """
    path = Path(path)
    if path.suffix.lower() != ".glb":
        raise ValueError(f"expected a path that ends in .glb, got {path}")
    write_atomic(path, glb_bytes(scene))


def write_house(scene_id: str, folder: str | Path) -> Path:
    """Write a house as a GLB file with its scene card and a stage configuration for Habitat.

    Args:
        scene_id: "houses/train/0003".
        folder: Gets `houses_train_0003.glb`, `.card.json` and `.stage_config.json`; created where missing.

    Returns:
        Path of the GLB file.

    Raises:
        KeyError: If the id does not name a house.
    """
    from vlnenv.houses.construction.building import build_scene
    from vlnenv.houses.construction.card import scene_card
    from vlnenv.houses.house import house_of

    house = house_of(scene_id)
    scene = build_scene(house)
    name = scene_id.replace("/", "_")
    path = Path(folder) / f"{name}.glb"
    write_glb(scene, path)
    _write_json(path.with_suffix(".card.json"), scene_card(house, scene))
    # Lit by its vertex colours alone: "flat" asks Habitat for no lamps.
    stage = {
        "render_asset": path.name,
        "collision_asset": path.name,
        "up": [0.0, 1.0, 0.0],
        "front": [0.0, 0.0, -1.0],
        "units_to_meters": 1.0,
        "shader_type": "flat",
    }
    _write_json(path.with_suffix(".stage_config.json"), stage)
    return path


def _write_json(path: Path, content: dict[str, object]) -> None:
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
