"""Which files habitat-sim needs to show a scene, and which way is up in them."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vlnenv.cache import cache_dir, write_atomic

_SEARCHED_PARENTS = 4
_AXES = {
    "y": {"up": [0.0, 1.0, 0.0], "front": [0.0, 0.0, -1.0]},
    "z": {"up": [0.0, 0.0, 1.0], "front": [0.0, 1.0, 0.0]},
}


@dataclass(frozen=True)
class Stage:
    """Files of a scene."""

    stage: str
    """The scene's file, or a `stage_config.json` that says how to turn it."""
    dataset_config: str = "default"
    """A `scene_dataset_config.json`: HM3D's semantics are found by it alone."""
    navmesh: str | None = None
    """Navigation mesh; None computes one."""


def find_stage(path: str | Path, dataset_config: str | Path | None = None) -> Stage:
    """The files that show a scene in habitat-sim as `loading.load_scene` shows it.

    - HM3D (`X.basis.glb`), MP3D and Gibson: the data set's `scene_dataset_config.json` in a folder above, if
      there is one (for HM3D the annotated one first). All are Z-up, as Habitat takes any bare GLB to be.
    - HM3D without it, and a file with a `stage_config.json` or a Matterport `.house` beside it, stand alone.
    - Else the axis that points up is judged as for Embree and written to a `stage_config.json` in
      `cache_dir()/habitat`.

    Args:
        path: The scene's file.
        dataset_config: Names the `scene_dataset_config.json` instead of searching.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the file cannot be read to see which way is up.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no scene file at {path.absolute()}")
    path = path.absolute()
    if dataset_config is not None and not Path(dataset_config).is_file():
        raise FileNotFoundError(f"no scene dataset config at {Path(dataset_config).absolute()}")
    config = _dataset_config(path) if dataset_config is None else Path(dataset_config).absolute()
    navmesh = path.with_suffix(".navmesh")
    if path.name == "mesh.ply":  # Replica
        navmesh = path.parent / "habitat" / "mesh_semantic.navmesh"
    stands_alone = path.name.endswith(".basis.glb") or any(
        (path.parent / f"{path.stem}{suffix}").is_file() for suffix in (".stage_config.json", ".house")
    )
    return Stage(
        stage=str(path if config or stands_alone else _written_config(path)),
        dataset_config=str(config) if config else "default",
        navmesh=str(navmesh) if navmesh.is_file() else None,
    )


def up_axis(path: Path) -> str:
    """Which axis is up, "y" or "z": what `loading.load_scene` takes for up in a file.

    Raises:
        ValueError: If the file cannot be read.
    """
    import trimesh

    from vlnenv.sim.loading import load_scene

    # Of a Z-up file, x stays, z becomes y and y becomes -z.
    turned = load_scene(path).bounds_m
    raw = np.asarray(trimesh.load_scene(path, process=False).bounds, dtype=np.float64)
    as_y = raw
    as_z = np.stack([raw[:, 0], raw[:, 2], -raw[::-1, 1]], axis=1)
    return "y" if np.abs(turned - as_y).sum() <= np.abs(turned - as_z).sum() else "z"


def _dataset_config(path: Path) -> Path | None:
    """The nearest config of the scene's data set; one with annotations before one without."""
    is_hm3d = path.name.endswith(".basis.glb")
    patterns = ("hm3d*annotated*basis", "hm3d*basis") if is_hm3d else ("mp3d", "gibson_semantic")
    for pattern in patterns:
        for folder in path.parents[:_SEARCHED_PARENTS]:
            found = folder.glob(f"{pattern}.scene_dataset_config.json")
            nearest = min(found, key=lambda file: (len(file.name), file.name), default=None)
            if nearest is not None:
                return nearest
    return None


def _written_config(path: Path) -> Path:
    """A `stage_config.json` in the cache for a file that has none, made once for each state of the file."""
    state = path.stat()
    key = hashlib.blake2b(f"{path}|{state.st_size}|{state.st_mtime_ns}".encode(), digest_size=8).hexdigest()
    config = cache_dir().absolute() / "habitat" / f"{path.stem}-{key}.stage_config.json"
    if not config.is_file():
        config.parent.mkdir(parents=True, exist_ok=True)
        # Habitat joins the asset's path to the config's folder.
        asset = os.path.relpath(path.resolve(), config.parent.resolve())
        content = {"render_asset": asset, "collision_asset": asset, **_AXES[up_axis(path)]}
        write_atomic(config, json.dumps(content, indent=2).encode())
    return config
