"""An object is moved while out of sight: how much of what was remembered of it is left after looking again?

    python -m benchmarks.changing_worlds [--scene FLAT.glb] [--objects 8]

For each movable object: an agent looks at it from two places at most 2.5 m away and remembers it; turns away;
the object is put elsewhere; the agent looks all around from a third place near the old one, then from the
first two as well. A remembered point of the object is stale if it is still stored: counted after the one new
place, from which other furniture hides some of the old place, and after all three. Which points are the
object's the simulator says, at the time of looking.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.evaluation.statistics import mean_interval
from vlnenv.memory import MemoryConfig, TokenMemory, make_encoder
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera
from vlnenv.sim.edits import current_bounds
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.relocation import movable_instances, relocate_one
from vlnenv.sim.scene import Instance, Scene
from vlnenv.sim.tour import look_around

CAMERA = Camera(width=96, height=96)
NEAR_M, FAR_M = 0.9, 2.5


@dataclass(frozen=True)
class Args:
    """Share of stale tokens with and without dynamic update."""

    houses: int = 6
    """Houses of val_unseen."""
    objects: int = 8
    """Objects of each scene, at most."""
    scene: Path | None = None
    """A scan or model to measure beside the houses, .glb or .ply."""
    seed: int = 0
    """Of places and of which objects move where."""


def looking_at(position_m: np.ndarray, target_m: np.ndarray) -> float:
    """Heading from a position to a target."""
    away = target_m - position_m
    return float(np.arctan2(-away[0], -away[2]))


def view_points(
    simulator: EmbreeSimulator, scene: Scene, instance: Instance, rng: np.random.Generator
) -> np.ndarray:
    """Three places (3, 3) within 2.5 m from which much of an object is seen; (0, 3) if there are none."""
    box = current_bounds(instance, scene)
    assert box is not None
    centre_m = box.mean(axis=0)
    places_m = simulator.sample(scene, rng, 600)
    distance_m = np.linalg.norm((places_m - centre_m)[:, [0, 2]], axis=1)
    places_m = places_m[
        (distance_m > NEAR_M) & (distance_m < FAR_M) & (abs(places_m[:, 1] - box[0, 1]) < 0.3)
    ]
    places_m = places_m[:24]
    if len(places_m) < 3:
        return np.zeros((0, 3))
    headings = np.array([looking_at(place_m, centre_m) for place_m in places_m])
    seen = simulator.render(scene, places_m, headings, CAMERA, ("instance",)).instance
    assert seen is not None
    counts = (seen == instance.id).sum(axis=(1, 2))
    good = np.flatnonzero(counts > 200)
    return places_m[good[:3]] if len(good) >= 3 else np.zeros((0, 3))


def measure(
    simulator: EmbreeSimulator, scene: Scene, instance: Instance, args: Args, config: MemoryConfig
) -> dict[str, Any] | None:
    """Points of an object, and those of them left after it moved; None where it cannot be looked at."""
    rng = np.random.default_rng([args.seed, instance.id])
    encoder = make_encoder("semantic")
    memory = TokenMemory(1, encoder.dim, config, CAMERA)
    places_m = view_points(simulator, scene, instance, rng)
    if not len(places_m):
        return None
    old_box = current_bounds(instance, scene)
    assert old_box is not None
    centre_m = old_box.mean(axis=0)
    rows = patch_centre_pixels(CAMERA.height)
    object_ids: set[int] = set()

    def look(now: Scene, place_m: np.ndarray, heading: float) -> None:
        pose = (place_m[None], np.array([heading]))
        frames = simulator.render(now, *pose, CAMERA, ("depth", "instance"))
        assert frames.depth is not None
        assert frames.instance is not None
        before = memory.snapshot(0).next_id
        memory.update([0], encoder.encode(frames, [now]), frames.depth, *pose)
        if now is scene:
            depth_m = frames.depth[0][rows[:, None], rows]
            hit = (depth_m > 0.0) & (depth_m < CAMERA.max_depth_m)
            shown = frames.instance[0][rows[:, None], rows][hit]
            object_ids.update((before + np.flatnonzero(shown == instance.id)).tolist())

    for place_m in places_m[:2]:
        look(scene, place_m, looking_at(place_m, centre_m))
    look(scene, places_m[1], looking_at(places_m[1], centre_m) + np.pi)
    remembered = object_ids & set(memory.snapshot(0).patch_id.tolist())
    changed = relocate_one(simulator, scene, instance, rng, keep_clear_m=places_m)
    if changed is None or not remembered:
        return None
    left = []
    for place_m in places_m[[2, 0, 1]]:
        for turn in look_around(CAMERA.hfov_deg):
            look(changed, place_m, looking_at(place_m, centre_m) + turn)
        left.append(len(remembered & set(memory.snapshot(0).patch_id.tolist())))
    return {
        "object": instance.name,
        "remembered": len(remembered),
        "stale after one new place": left[0],
        "stale after all places": left[-1],
    }


def main(args: Args) -> None:
    """Measure, print, save."""
    scenes = [(f"houses/val_unseen/{n:04d}", houses.load_scene) for n in range(args.houses)]
    if args.scene is not None:
        scenes.append((args.scene.name, scene_loader("houses", str(args.scene.parent))))
    memories = {"dynamic update": MemoryConfig(), "no culling": MemoryConfig(cull_far_m=0.0)}
    rows: list[dict[str, Any]] = []
    for scene_id, load in scenes:
        simulator = EmbreeSimulator(load_scene=load)
        scene = simulator.load(scene_id)
        order = np.random.default_rng(args.seed).permutation(movable_instances(simulator, scene))  # type: ignore[arg-type]
        found = 0
        for instance in order:
            results = {name: measure(simulator, scene, instance, args, m) for name, m in memories.items()}
            if None in results.values() or found == args.objects:
                continue
            found += 1
            rows += [
                {"scene": scene_id, "memory": name, **result} for name, result in results.items() if result
            ]
    summary = []
    for group in ("houses", args.scene.name if args.scene else None):
        for name in memories:
            own = [r for r in rows if r["memory"] == name and group and r["scene"].startswith(group)]
            if not own:
                continue
            line: dict[str, Any] = {"scenes": group, "memory": name, "objects": len(own)}
            for when in ("stale after one new place", "stale after all places"):
                shares = [row[when] / row["remembered"] for row in own]
                interval = mean_interval(shares, [row["scene"] for row in own])
                line[when] = {
                    "points": round(sum(r[when] for r in own) / sum(r["remembered"] for r in own), 4),
                    "mean over objects": round(interval.mean, 4),
                    "95 % interval": [round(interval.low, 4), round(interval.high, 4)],
                }
            summary.append(line)
            print(line)
    print(f"saved {save_result('changing_worlds', {'summary': summary, 'objects': rows}, seed=args.seed)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
