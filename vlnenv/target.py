"""Whether an episode's target object can be seen from where an agent stopped."""

from __future__ import annotations

import math

import numpy as np

from vlnenv.episodes import Target
from vlnenv.sim.camera import Camera, ray_directions
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

_SIZE_PX = 128
_PITCHES_DEG = (-30.0, 0.0, 30.0)
_HEADINGS = 4
_MIN_PIXELS = 16
"""A tenth of a per cent of one view: less is a sliver that no annotator would have boxed."""


def find_target(scene: Scene, target: Target | None) -> int | None:
    """The id of the scene's instance that a target is; None where there is no target or no such instance.

    An instance is found by its name ("sofa_2"), or by the number of the object in its building, with which
    annotated scans name theirs ("66" is "dining_table_66").
    """
    if target is None:
        return None
    for each in scene.instances:
        numbered = f"{each.category.replace(' ', '_')}_{target.object_id}"
        if each.name in (target.object_id, numbered):
            return each.id
    return None


def is_in_view(
    simulator: Simulator,
    scene: Scene,
    instance_id: int,
    position_m: np.ndarray,
    camera_height_m: float,
    max_distance_m: float,
) -> bool:
    """Whether an object shows within a distance when looking all around, up and down.

    As in REVERIE, whose panoramas cover every heading at -30, 0 and 30 degrees, it does not matter where the
    agent looks.

    Args:
        simulator: Renders.
        scene: The place as it stands.
        instance_id: The object.
        position_m: (3,) the agent's feet, world frame.
        camera_height_m: Of the eyes above them, metres.
        max_distance_m: Straight from the eyes to the part of the object that shows, metres.
    """
    headings_rad = np.arange(_HEADINGS) * (2.0 * math.pi / _HEADINGS)
    feet_m = np.repeat(np.asarray(position_m, dtype=np.float64)[None], _HEADINGS, axis=0)
    for pitch_deg in _PITCHES_DEG:
        camera = Camera(
            _SIZE_PX,
            _SIZE_PX,
            360.0 / _HEADINGS,
            height_m=camera_height_m,
            pitch_deg=pitch_deg,
            max_depth_m=max_distance_m + 1.0,
        )
        frames = simulator.render(scene, feet_m, headings_rad, camera, ("depth", "instance"))
        assert frames.depth is not None
        assert frames.instance is not None
        distance_m = frames.depth * np.linalg.norm(ray_directions(camera), axis=-1)
        shows = (frames.instance == instance_id) & (distance_m <= max_distance_m)
        if (shows.sum(axis=(1, 2)) >= _MIN_PIXELS).any():
            return True
    return False
