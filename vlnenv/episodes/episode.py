"""One navigation task: a start, an instruction and, where it is public, where to end and how to get there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Vector3 = tuple[float, float, float]

ENGLISH = "en"
"""Language of instructions whose file does not say."""


@dataclass(frozen=True)
class Target:
    """The object that an episode's instruction asks for."""

    object_id: str
    """The instance's name in the scene: "sofa_2"; REVERIE's number of the object in its building: "66"."""
    category: str = ""
    """Class name, where the file gives it."""
    viewpoints_m: tuple[Vector3, ...] = ()
    """Places that the file says it is visible from; may be empty."""


@dataclass(frozen=True)
class Episode:
    """An episode of a VLN-CE style data set. World frame (Habitat's): x right, y up, -z ahead; metres."""

    episode_id: str
    trajectory_id: str
    """Episodes with the same trajectory differ in their instruction only."""
    scene_id: str
    """As written in the file: "mp3d/ID/ID.glb", "houses/train/0003"."""
    start_position_m: Vector3
    start_rotation_xyzw: tuple[float, float, float, float]
    instruction: str
    instruction_tokens: tuple[int, ...] | None = None
    """The file's own token ids, where it has them (0 pads)."""
    goal_position_m: Vector3 | None = None
    """None in a test split."""
    goal_radius_m: float = 3.0
    reference_path_m: tuple[Vector3, ...] = ()
    """Sparse waypoints, start to goal; empty in a test split."""
    geodesic_distance_m: float | None = None
    """As the file states it; the environment measures its own."""
    gt_locations_m: tuple[Vector3, ...] = ()
    """Dense positions of the file's ground-truth rollout (`_gt`), the reference of nDTW; may be empty."""
    gt_actions: tuple[int, ...] = ()
    """Ground-truth actions: 0 stop, 1 forward, 2 left, 3 right; may be empty."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """JSON fields of the file that no attribute above holds, in their places; kept for the writer."""

    @property
    def language(self) -> str:
        """Language of the instruction: "en-US", "hi-IN"; "en" where the file does not say."""
        return str(self.extra.get("instruction", {}).get("language") or ENGLISH)

    @property
    def target(self) -> Target | None:
        """The object that the instruction asks for; None where the file names none.

        In files it is `info.goal_object`, with `info.goal_category` and `info.goal_viewpoints` where known:
        `info` is the field that Habitat's readers leave alone.
        """
        info = self.extra.get("info", {})
        if info.get("goal_object") is None:
            return None
        viewpoints = tuple((x, y, z) for x, y, z in info.get("goal_viewpoints", ()))
        return Target(str(info["goal_object"]), str(info.get("goal_category", "")), viewpoints)
