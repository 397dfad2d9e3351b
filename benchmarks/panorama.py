"""What the forms of the panorama show of places that were not seen from there, and what they cost.

    python -m benchmarks.panorama [--flat FLAT.glb] [--encoder mini]

An agent walks through a scene and remembers. Then it is put at new poses: up to 1 m from a place of the walk,
turned by up to 60 degrees from the heading there. The 12 x 12 cells of the panorama ahead are compared with
the encoder's own features of the view from that pose, the mean of each 2 x 2 patches:

- cosine: over the cells that the form fills; centred: after the view's mean is taken from both;
- filled: of the cells in which the view shows something; all: the cosine with empty cells counted as 0;
- depth error: median over the cells, of what the cell says lies there against the mean depth of the patches.

Intervals resample scenes, then views; of one scene, views only. Milliseconds are of processor time of a
read with one thread (medians), for parts of one large store: what it takes on a core of its own.
"""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch.nn import functional as F

from agents.pretraining.field import front_cells, pooled, snapshot_points
from agents.pretraining.walks import draw_walk
from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.evaluation.statistics import mean_interval
from vlnenv.memory import MemoryConfig, TokenMemory
from vlnenv.memory.config import PANORAMAS
from vlnenv.memory.encoder import Encoder, make_encoder
from vlnenv.memory.field import PanoramaPoints, PanoramaRenderer, make_renderer
from vlnenv.memory.memory import MemorySnapshot
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

_BATCH = 16
_MEASURES = ("cosine", "centred", "filled", "all", "depth_error_m")


@dataclass(frozen=True)
class Args:
    """Quality and cost of the panorama."""

    houses: int = 8
    """Houses of val_unseen."""
    flat: Path | None = None
    """A furnished scene that nothing was trained on, .glb or .ply, measured by itself."""
    encoder: str = "mini"
    forms: tuple[str, ...] = PANORAMAS
    steps: int = 100
    """Views of a walk."""
    poses: int = 16
    """New poses after each walk."""
    flat_walks: int = 5
    """Walks through the flat; of the houses, one each."""
    sizes: tuple[int, ...] = (4_000, 8_000, 16_000, 30_000)
    """Stored points at which a read is timed; more than the walk gathers are left out."""
    batches: tuple[int, ...] = (1, 16)
    repeats: int = 30
    seed: int = 0
    """Of the walks and poses."""
    memory: dict[str, Any] = field(default_factory=dict)
    """Fields of MemoryConfig that are not at their defaults."""


def poses_near(
    simulator: EmbreeSimulator,
    scene: Scene,
    walk: tuple[np.ndarray, np.ndarray],
    count: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Walkable poses up to 1 m and 60 degrees from a walk's: positions (count, 3), headings (count,)."""
    positions: list[np.ndarray] = []
    headings: list[float] = []
    while len(positions) < count:
        i = rng.integers(len(walk[0]))
        distance, bearing = np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
        position_m = walk[0][i] + distance * np.array([np.cos(bearing), 0.0, np.sin(bearing)])
        if simulator.is_navigable(scene, position_m[None])[0]:
            positions.append(position_m)
            headings.append(walk[1][i] + rng.uniform(-np.pi, np.pi) / 3.0)
    return np.array(positions), np.array(headings)


def look(
    simulator: EmbreeSimulator,
    scene: Scene,
    encoder: Encoder,
    camera: Camera,
    position_m: np.ndarray,
    heading_rad: np.ndarray,
) -> tuple[torch.Tensor, np.ndarray]:
    """Patch features (s, 24, 24, dim) and depth images of s views."""
    outputs = tuple(sorted({"depth", *encoder.outputs}))
    features, depths = [], []
    for start in range(0, len(heading_rad), _BATCH):
        part = slice(start, start + _BATCH)
        frames: Frames = simulator.render(scene, position_m[part], heading_rad[part], camera, outputs)
        assert frames.depth is not None
        features.append(encoder.encode(frames, [scene] * len(frames.depth)))
        depths.append(frames.depth)
    return torch.cat(features), np.concatenate(depths)


def compare(
    renderer: PanoramaRenderer, points: PanoramaPoints, target: torch.Tensor, depth_m: torch.Tensor
) -> dict[str, np.ndarray]:
    """The measures of v views: target (v, 144, dim), depth (v, 144); each measure (v,)."""
    tokens, xyz_m, mask = (values[:, front_cells()] for values in renderer.render(points))
    seen = target.norm(dim=-1) > 0.0
    shown = seen & mask
    mean = target.mean(dim=1, keepdim=True)
    cosine = F.cosine_similarity(tokens, target, dim=-1)
    centred = F.cosine_similarity(
        F.normalize(tokens, dim=-1) - mean, F.normalize(target, dim=-1) - mean, dim=-1
    )
    count = shown.sum(dim=1).clamp(min=1)
    error = (xyz_m[..., 0] - depth_m).abs().masked_fill(~shown, torch.nan).nanmedian(dim=1).values
    found = {
        "cosine": (cosine * shown).sum(dim=1) / count,
        "centred": (centred * shown).sum(dim=1) / count,
        "filled": shown.sum(dim=1) / seen.sum(dim=1).clamp(min=1),
        "all": (cosine * shown).sum(dim=1) / seen.sum(dim=1).clamp(min=1),
        "depth_error_m": error,
    }
    return {name: values.double().numpy() for name, values in found.items()}


def measure(
    simulator: EmbreeSimulator, scene: Scene, encoder: Encoder, args: Args, seed: list[int]
) -> dict[str, dict[str, np.ndarray]]:
    """The measures of each form at new poses after one walk."""
    camera = Camera(width=encoder.image_size, height=encoder.image_size)
    rng = np.random.default_rng(seed)
    walk = draw_walk(simulator, scene, args.steps, rng)
    config = MemoryConfig(**args.memory)
    memory = TokenMemory(1, encoder.dim, config, camera)
    features, depth_m = look(simulator, scene, encoder, camera, *walk)
    for step in range(args.steps):
        one = slice(step, step + 1)
        memory.update([0], features[one], depth_m[one], walk[0][one], walk[1][one])
    poses = poses_near(simulator, scene, walk, args.poses, rng)
    truth, depth_m = look(simulator, scene, encoder, camera, *poses)
    pixels = patch_centre_pixels(camera.width)
    patch_depth = torch.from_numpy(depth_m[:, pixels[:, None], pixels])[..., None]
    points = snapshot_points(memory.snapshot(0), *poses, camera, config.panorama_far_m)
    return {
        form: compare(
            make_renderer(form, encoder.dim, encoder.name), points, pooled(truth), pooled(patch_depth)[..., 0]
        )
        for form in args.forms
    }


def summary(found: list[tuple[str, dict[str, dict[str, np.ndarray]]]], args: Args) -> list[dict[str, Any]]:
    """Means and intervals of each form over the views of all scenes."""
    rows = []
    for form in args.forms:
        row: dict[str, Any] = {"form": form}
        for name in _MEASURES:
            values = np.concatenate([of_scene[form][name] for _, of_scene in found])
            owners = [scene for scene, of_scene in found for _ in of_scene[form][name]]
            known = np.isfinite(values)  # a view of which nothing is shown has no depth error
            owners = [owner for owner, is_known in zip(owners, known, strict=True) if is_known]
            interval = mean_interval(values[known], owners, seed=args.seed)
            row[name] = round(interval.mean, 4)
            row[f"{name}_interval"] = [round(interval.low, 4), round(interval.high, 4)]
        rows.append(row)
    return rows


def timings(args: Args, dim: int, encoder: str) -> list[dict[str, Any]]:
    """Milliseconds of a read of each form, by points stored and panoramas at once."""
    camera = Camera(width=96, height=96)
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load("houses/val_unseen/0000")
    rng = np.random.default_rng(args.seed)
    positions, headings = draw_walk(simulator, scene, 800, rng)
    # Every point is kept, so that the largest store fills up.
    memory = TokenMemory(1, dim, MemoryConfig(dedup_voxel_m=0.0), camera)
    features = F.normalize(torch.randn(1, 24, 24, dim, generator=torch.Generator().manual_seed(0)), dim=-1)
    depth = simulator.render(scene, positions, headings, camera, ("depth",)).depth
    assert depth is not None
    for step in range(len(headings)):
        one = slice(step, step + 1)
        memory.update([0], features, depth[one], positions[one], headings[one])
    whole = memory.snapshot(0)
    rows = []
    for size in (size for size in args.sizes if size <= len(whole.patch_id)):
        for batch in args.batches:
            last = slice(len(headings) - batch, None)
            points = snapshot_points(part(whole, size), positions[last], headings[last], camera, 10.0)
            row: dict[str, Any] = {"points": size, "batch": batch}
            for form in args.forms:
                renderer = make_renderer(form, dim, encoder)
                renderer.render(points)
                taken = []
                for _ in range(args.repeats):
                    start = time.process_time()
                    renderer.render(points)
                    taken.append(1e3 * (time.process_time() - start))
                row[f"{form}_ms"] = round(float(np.median(taken)), 3)
            rows.append(row)
    return rows


def part(snapshot: MemorySnapshot, size: int) -> MemorySnapshot:
    """So many points of a snapshot, spread over all that it holds."""
    rows = torch.linspace(0, len(snapshot.patch_id) - 1, size).long()
    return dataclasses.replace(
        snapshot,
        xyz_m=snapshot.xyz_m[:, rows],
        features=snapshot.features[rows],
        direction_rad=snapshot.direction_rad[rows],
        scale_m=snapshot.scale_m[rows],
        patch_id=snapshot.patch_id[rows],
    )


def main(args: Args) -> None:
    """Measure, print, save."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    encoder = make_encoder(args.encoder)
    groups: dict[str, list[tuple[str, dict[str, dict[str, np.ndarray]]]]] = {}
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    label = f"{args.houses} houses of val_unseen"
    for number in range(args.houses):
        scene_id = f"houses/val_unseen/{number:04d}"
        own = measure(simulator, simulator.load(scene_id), encoder, args, [args.seed, number])
        groups.setdefault(label, []).append((scene_id, own))
    if args.flat is not None:
        simulator = EmbreeSimulator(load_scene=scene_loader("houses", str(args.flat.parent)))
        scene = simulator.load(args.flat.name)
        groups[args.flat.name] = [
            (args.flat.name, measure(simulator, scene, encoder, args, [args.seed, 10_000 + walk]))
            for walk in range(args.flat_walks)
        ]
    results: list[dict[str, Any]] = []
    for name, found in groups.items():
        print(f"\n{name}, encoder {args.encoder}\n{'':<10}" + "".join(f"{each:>26}" for each in _MEASURES))
        for row in summary(found, args):
            results.append({"scenes": name, **row})
            cells = (
                f"{row[each]:.3f} [{row[each + '_interval'][0]:.3f}, {row[each + '_interval'][1]:.3f}]"
                for each in _MEASURES
            )
            print(f"{row['form']:<10}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
    costs = timings(args, encoder.dim, encoder.name)
    print("\npoints  batch" + "".join(f"{form:>12} ms" for form in args.forms))
    for row in costs:
        print(
            f"{row['points']:>6} {row['batch']:>6}"
            + "".join(f"{row[form + '_ms']:>15.2f}" for form in args.forms)
        )
    facts = {"seed": args.seed, "encoder": args.encoder, "steps": args.steps, "poses": args.poses}
    print(f"\nsaved {save_result('panorama', {'quality': results, 'cost': costs}, **facts)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
