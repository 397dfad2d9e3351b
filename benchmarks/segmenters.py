"""How well segmenters find the true objects on the patch grid, and how long they take.

    python -m benchmarks.segmenters [--scenes houses/val_unseen/0000 FLAT.glb] [--size 96]

The truth is the simulator's instance ids at the patches' pixels. An object counts where it covers at least
--min-patches patches; its score is the best intersection over union with any one segment. "objects" leaves
out the building itself (walls, floors, ceilings, door frames), "all" does not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.segmenters import PatchGraphSegmenter, Segmenter, geometry_only, make_segmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

BUILDING = frozenset(("wall", "floor", "ceiling", "door frame", "room wall", "house wall"))
"""Categories that are the building itself."""
WHOLE = "one segment"
VARIANTS = {
    "patchgraph, geometry only": geometry_only(),
    "patchgraph, geometry + semantic features (privileged)": replace(geometry_only(), feature_weight=0.25),
}
HOUSES = tuple(f"houses/val_unseen/{number:04d}" for number in range(6))


@dataclass(frozen=True)
class Args:
    """Segmenter benchmark."""

    scenes: tuple[str, ...] = HOUSES
    """Ids of built-in houses, or paths of scans and models."""
    segmenters: tuple[str, ...] = (WHOLE, "patchgraph", *VARIANTS, "felzenszwalb", "oracle")
    """Names that `make_segmenter` knows, and the variants of this file."""
    poses: int = 32
    """Random poses on the walkable floor of each scene, with random headings."""
    size: int = 192
    """Pixels across and down, a multiple of 24."""
    min_patches: int = 4
    """Smaller objects are not counted."""
    depth_noise: float = 0.0
    """Standard deviation of a Gaussian factor on each pixel's depth, independent of its neighbours'."""
    seed: int = 0
    """Seed of the poses and the noise."""
    save_as: str = "segmenters"
    """Name of the JSON file under benchmarks/results."""


class WholeView:
    """The baseline that calls each view one segment."""

    name = WHOLE
    outputs: tuple[str, ...] = ()
    privileged = False

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """All ones."""
        return torch.ones(features.shape[:3], dtype=torch.int64)


def named(name: str) -> Segmenter:
    """A segmenter, or a variant of this file."""
    if name == WHOLE:
        return WholeView()
    if name in VARIANTS:
        return PatchGraphSegmenter(VARIANTS[name])
    return make_segmenter(name)


def best_overlaps(ids: np.ndarray, labels: np.ndarray, min_patches: int) -> list[tuple[int, float]]:
    """Each object's best intersection over union with one segment.

    Args:
        ids: int (24, 24) instance ids, 0 for nothing.
        labels: int (24, 24) segments, 0 for none.
        min_patches: Objects of fewer patches are left out.

    Returns:
        (instance id, best IoU) of each object.
    """
    segment_size = np.bincount(labels.reshape(-1))
    found = []
    for instance in np.unique(ids[ids > 0]):
        inside = ids == instance
        if inside.sum() < min_patches:
            continue
        overlap = np.bincount(labels[inside], minlength=len(segment_size)).astype(np.float64)
        overlap[0] = 0.0
        found.append((int(instance), float((overlap / (inside.sum() + segment_size - overlap)).max())))
    return found


def measure(segmenter: Segmenter, name: str, views: list[tuple[Scene, Frames]], args: Args) -> dict[str, Any]:
    """Overlaps, recall, segments and milliseconds of one segmenter over all views, one frame a call."""
    camera = Camera(width=args.size, height=args.size)
    encoder = SemanticEncoder()
    needs_features = "semantic" in name
    overlaps: list[tuple[float, bool]] = []
    segments, milliseconds = [], []
    for scene, frames in views:
        building = {instance.id for instance in scene.instances if instance.category in BUILDING}
        assert frames.rgb is not None
        assert frames.depth is not None
        assert frames.instance is not None
        for i in range(len(frames.rgb)):
            one = Frames(frames.rgb[i : i + 1], frames.depth[i : i + 1], frames.instance[i : i + 1])
            features = (
                encoder.encode(one, [scene]) if needs_features else torch.zeros(1, PATCH_GRID, PATCH_GRID, 0)
            )
            start = time.perf_counter()
            labels = segmenter.segment(one, features, camera)[0].numpy()
            milliseconds.append(1000.0 * (time.perf_counter() - start))
            segments.append(int(labels.max()))
            for instance, overlap in best_overlaps(
                at_patch_centres(one.instance)[0], labels, args.min_patches
            ):
                overlaps.append((overlap, instance in building))
    score = np.array([overlap for overlap, _ in overlaps])
    is_object = np.array([not is_building for _, is_building in overlaps], dtype=bool)
    return {
        "segmenter": name,
        "privileged": segmenter.privileged or needs_features,
        "objects": int(is_object.sum()),
        "objects_mean_best_iou": round(float(score[is_object].mean()), 4),
        "objects_recall_at_.5": round(float((score[is_object] >= 0.5).mean()), 4),
        "all": len(score),
        "all_mean_best_iou": round(float(score.mean()), 4),
        "all_recall_at_.5": round(float((score >= 0.5).mean()), 4),
        "segments_per_frame": round(float(np.mean(segments)), 1),
        "ms_per_frame_median": round(float(np.median(milliseconds)), 2),
    }


def main(args: Args) -> None:
    """Render, measure, print, save."""
    torch.set_num_threads(1)
    camera = Camera(width=args.size, height=args.size)
    results = []
    groups: dict[str, list[str]] = {}
    for scene_id in args.scenes:
        groups.setdefault("built-in houses" if scene_id.startswith("houses/") else scene_id, []).append(
            scene_id
        )
    for group, scene_ids in groups.items():
        views = []
        for number, scene_id in enumerate(scene_ids):
            if group == "built-in houses":
                simulator, scene_name = EmbreeSimulator(load_scene=houses.load_scene), scene_id
            else:
                folder, _, scene_name = scene_id.rpartition("/")
                simulator = EmbreeSimulator(load_scene=scene_loader("houses", folder or "."))
            scene = simulator.load(scene_name)
            rng = np.random.default_rng([args.seed, number])
            position_m = simulator.sample(scene, rng, args.poses)
            heading_rad = rng.uniform(-np.pi, np.pi, args.poses)
            frames = simulator.render(scene, position_m, heading_rad, camera)
            if args.depth_noise > 0.0:
                assert frames.depth is not None
                factor = 1.0 + args.depth_noise * rng.normal(size=frames.depth.shape)
                frames = replace(frames, depth=(frames.depth * factor).astype(np.float32))
            views.append((scene, frames))
        label = (
            f"{len(scene_ids)} built-in houses" if group == "built-in houses" else group.rpartition("/")[2]
        )
        print(f"\n{label}: {args.poses} poses each, {args.size} x {args.size}")
        print(f"{'':<56} objects: IoU  R@.5   all: IoU  R@.5  segments     ms")
        for name in args.segmenters:
            try:
                segmenter = named(name)
            except ImportError as error:
                print(f"{name:<56} not measured: {error}")
                continue
            measure(segmenter, name, [(views[0][0], first_frames(views[0][1]))], args)  # compiles
            row = {"scenes": label, **measure(segmenter, name, views, args)}
            results.append(row)
            print(
                f"{name:<56} {row['objects_mean_best_iou']:>12.3f} {row['objects_recall_at_.5']:>5.2f} "
                f"{row['all_mean_best_iou']:>10.3f} {row['all_recall_at_.5']:>5.2f} "
                f"{row['segments_per_frame']:>9.1f} {row['ms_per_frame_median']:>6.2f}",
                flush=True,
            )
    path = save_result(
        args.save_as,
        results,
        seed=args.seed,
        poses=args.poses,
        size=args.size,
        min_patches=args.min_patches,
        depth_noise=args.depth_noise,
        building=sorted(BUILDING),
    )
    print(f"\nsaved {path}")


def first_frames(frames: Frames, count: int = 4) -> Frames:
    """The first few frames."""
    assert frames.rgb is not None
    assert frames.depth is not None
    assert frames.instance is not None
    return Frames(frames.rgb[:count], frames.depth[:count], frames.instance[:count])


if __name__ == "__main__":
    main(tyro.cli(Args))
