"""Limits and thresholds of the token memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlnenv.errors import unknown_name

PATCH_SOURCES = ("panorama", "egocentric")
PATCH_TOKENS = 576
"""Patch tokens in an observation: 12 x 48 of a panorama or 24 x 24 of a view."""


@dataclass(frozen=True)
class MemoryConfig:
    """What the memory keeps, what it forgets and what it shows.

    Source: Dynam3D's released code for the culling range, the tolerance and the panorama's size
    (its store has no cap: `max_patches` is ours).
    """

    patches: str = "panorama"
    """Where the 576 patch tokens come from: "panorama" (12 x 48 around the agent, out of the memory) or
    "egocentric" (the last view's 24 x 24 patches)."""
    cull_near_m: float = 0.0
    """Stored points nearer than this along the optical axis are never culled, metres."""
    cull_far_m: float = 3.0
    """Stored points farther than this along the optical axis are never culled, metres."""
    depth_tolerance_m: float = 0.1
    """A stored point in view is culled unless it lies at least this far behind the surface seen, metres."""
    max_patches: int = 32768
    """Points kept for each environment. When a view would exceed it, the oldest points (lowest ids: earliest
    view first, then from the top left of that view) make room."""
    panorama_far_m: float = 10.0
    """Points farther than this from the camera are hidden from the panorama, not forgotten, metres."""
    max_instances: int = 64
    """Instance tokens in an observation."""
    max_zones: int = 64
    """Zone tokens in an observation."""

    def __post_init__(self) -> None:
        if self.patches not in PATCH_SOURCES:
            raise ValueError(unknown_name("patch source", self.patches, PATCH_SOURCES))
        for name in ("cull_near_m", "cull_far_m", "depth_tolerance_m", "panorama_far_m"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{name} must be finite and at least 0, got {value}")
        if self.cull_near_m > self.cull_far_m:
            raise ValueError(
                f"culling range must satisfy near <= far, got [{self.cull_near_m}, {self.cull_far_m}]"
            )
        if self.panorama_far_m == 0.0:
            raise ValueError("panorama_far_m must be above 0, got 0")
        if self.max_patches < PATCH_TOKENS:
            raise ValueError(
                f"max_patches must hold at least one view of {PATCH_TOKENS} patches, got {self.max_patches}"
            )
        for name in ("max_instances", "max_zones"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
