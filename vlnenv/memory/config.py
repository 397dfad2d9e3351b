"""Limits and thresholds of the token memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vlnenv.errors import unknown_name

PATCH_SOURCES = ("panorama", "egocentric")
PANORAMAS = ("nearest", "weighted", "learned")
PATCH_TOKENS = 576
"""Patch tokens in an observation: 12 x 48 of a panorama or 24 x 24 of a view."""


@dataclass(frozen=True)
class MemoryConfig:
    """What the memory keeps, what it forgets and what it shows.

    Source: Dynam3D's released code for the culling range, the tolerance, the panorama's size, the candidates,
    the radii and the zones (its store has no caps, and it re-encodes all members: those limits are ours).
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
    dedup_voxel_m: float = 0.25
    """Beyond the culling range one point is kept in each cube of this side, metres: the one that was seen
    from nearest. 0 keeps all."""
    panorama: str = "nearest"
    """How the panorama is made of points: "nearest" (the nearest in each cell), "weighted" (the points around
    a ray by distance) or "learned" (by a trained network)."""
    panorama_far_m: float = 10.0
    """Points farther than this from the camera are hidden from the panorama, not forgotten, metres."""
    match_far_m: float = 10.0
    """Stored points up to this depth tell which instance a segment shows where they lie on it, metres."""
    candidates: int = 2
    """Instances near a segment that it is compared with, beside the one that most of its points belong to."""
    merge_probability: float = 0.5
    """A segment joins an instance that it is the same as with more than this probability."""
    instance_members: int = 8
    """Patches of an instance that are encoded, at most; the same ones as long as they live. 32 cost a third
    more of an update and give the same association and names (`benchmarks/memory.py --tables members`)."""
    instance_radius_m: float = 5.0
    """Instances whose centre is farther than this from the feet are hidden, not forgotten, metres."""
    max_instances: int = 64
    """Instance tokens in an observation; the nearest."""
    zone_m: float = 2.0
    """Side of the cubes that instances are gathered in, metres."""
    zone_members: int = 32
    """Instances that a zone's feature is made of; of fuller zones a sample."""
    zone_radius_m: float = 100.0
    """Zones whose centre is farther than this from the feet are hidden, not forgotten, metres."""
    max_zones: int = 64
    """Zone tokens in an observation; the nearest."""

    def __post_init__(self) -> None:
        if self.patches not in PATCH_SOURCES:
            raise ValueError(unknown_name("patch source", self.patches, PATCH_SOURCES))
        if self.panorama not in PANORAMAS:
            raise ValueError(unknown_name("panorama", self.panorama, PANORAMAS))
        lengths = ("cull_near_m", "cull_far_m", "depth_tolerance_m", "dedup_voxel_m", "panorama_far_m")
        for name in (*lengths, "match_far_m", "instance_radius_m", "zone_m", "zone_radius_m"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{name} must be finite and at least 0, got {value}")
        if self.cull_near_m > self.cull_far_m:
            raise ValueError(
                f"culling range must satisfy near <= far, got [{self.cull_near_m}, {self.cull_far_m}]"
            )
        for name in ("panorama_far_m", "zone_m"):
            if getattr(self, name) == 0.0:
                raise ValueError(f"{name} must be above 0, got 0")
        if not 0.0 <= self.merge_probability <= 1.0:
            raise ValueError(f"merge_probability must lie in [0, 1], got {self.merge_probability}")
        if self.candidates < 0:
            raise ValueError(f"candidates must be at least 0, got {self.candidates}")
        if self.max_patches < PATCH_TOKENS:
            raise ValueError(
                f"max_patches must hold at least one view of {PATCH_TOKENS} patches, got {self.max_patches}"
            )
        for name in ("instance_members", "max_instances", "zone_members", "max_zones"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
