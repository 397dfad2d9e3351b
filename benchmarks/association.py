"""How well the memory's instances are the true objects, after a walk.

    python -m benchmarks.association [--houses 8] [--scene FLAT.glb] [--learned FILE]

An agent walks shortest ways between random places. Then each live patch belongs to an instance of the memory
and to a true object of the simulator. "accuracy" is the share of live patches in the best one-to-one
assignment of instances to objects; "pure" the share of instances of which at least 90 % are one object; and
"whole" the share of objects of which at least 90 % are in one instance. "objects" leaves out the building.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from scipy.optimize import linear_sum_assignment

from agents.pretraining.walks import draw_walk
from benchmarks.record import save_result
from benchmarks.segmenters import BUILDING
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.evaluation.statistics import mean_interval
from vlnenv.memory import MemoryConfig, MemorySnapshot, TokenMemory
from vlnenv.memory.encoder import make_encoder
from vlnenv.memory.learned_levels import LearnedLevels
from vlnenv.memory.levels import Levels, MeanLevels, make_levels
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

PART = 0.9
"""Of an instance or object, that must agree for it to count as pure or whole."""
CAMERA = Camera(width=192, height=192)


@dataclass(frozen=True)
class Args:
    """Association benchmark."""

    houses: int = 8
    """The first so many built-in houses of val_unseen."""
    scene: Path | None = None
    """A scan or model beside them, .glb or .ply."""
    steps: int = 200
    encoders: tuple[str, ...] = ("mini", "semantic")
    segmenters: tuple[str, ...] = ("oracle", "patchgraph")
    levels: tuple[str, ...] = ("mean", "learned")
    learned: Path | None = None
    """Weights of the learned levels; None takes the shipped ones."""
    seed: int = 0
    """Of the walks."""
    save_as: str = "association"
    """Name of the JSON file under benchmarks/results."""


@dataclass(frozen=True, eq=False)
class SeenWalk:
    """One walk, as a camera and the simulator's truth saw it."""

    scene: Scene
    position_m: np.ndarray
    heading_rad: np.ndarray
    frames: Frames

    @property
    def truth(self) -> np.ndarray:
        """True instance of each patch, int (s, 24, 24)."""
        assert self.frames.instance is not None
        return at_patch_centres(self.frames.instance)

    @property
    def patch_truth(self) -> np.ndarray:
        """True instance of each patch that the memory took in, by its id."""
        assert self.frames.depth is not None
        depth = at_patch_centres(self.frames.depth)
        return self.truth[(depth > 0.0) & (depth < CAMERA.max_depth_m)]

    def some(self, views: slice) -> Frames:
        """Some of the frames."""
        assert self.frames.rgb is not None
        assert self.frames.depth is not None
        assert self.frames.instance is not None
        return Frames(self.frames.rgb[views], self.frames.depth[views], self.frames.instance[views])


def take_walk(simulator: EmbreeSimulator, scene: Scene, steps: int, seed: Sequence[int]) -> SeenWalk:
    """Walk and look."""
    position_m, heading_rad = draw_walk(simulator, scene, steps, np.random.default_rng(seed))
    return SeenWalk(scene, position_m, heading_rad, simulator.render(scene, position_m, heading_rad, CAMERA))


def encoded(walk: SeenWalk, name: str) -> torch.Tensor:
    """Patch features of a walk, (s, 24, 24, d)."""
    encoder, parts = make_encoder(name), []
    for start in range(0, len(walk.heading_rad), 16):
        frames = walk.some(slice(start, start + 16))
        parts.append(encoder.encode(frames, [walk.scene] * len(walk.heading_rad[start : start + 16])))
    return torch.cat(parts)


def remembered(
    walk: SeenWalk,
    features: torch.Tensor,
    segments: torch.Tensor,
    levels: Levels,
    config: MemoryConfig | None = None,
) -> tuple[MemorySnapshot, float]:
    """What a memory holds after the walk, and the mean milliseconds of processor time of its updates."""
    memory = TokenMemory(1, levels.dim, config, CAMERA, levels=levels)
    assert walk.frames.depth is not None
    start = time.thread_time()
    for step in range(len(walk.heading_rad)):
        now = slice(step, step + 1)
        memory.update(
            [0],
            features[now],
            walk.frames.depth[now],
            walk.position_m[now],
            walk.heading_rad[now],
            segments=segments[now],
        )
    return memory.snapshot(0), 1e3 * (time.thread_time() - start) / len(walk.heading_rad)


def association(instance: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """How well instances and objects fit.

    Args:
        instance: int (k,) instance of each live patch, -1 for none.
        truth: int (k,) its true object.

    Returns:
        "accuracy", "pure", "whole", and the numbers of "instances" and "objects".
    """
    ids, row = np.unique(instance, return_inverse=True)
    objects, column = np.unique(truth, return_inverse=True)
    shared = np.zeros((len(ids), len(objects)))
    np.add.at(shared, (row, column), 1.0)
    known = shared[ids >= 0]
    chosen = linear_sum_assignment(known, maximize=True)
    return {
        "accuracy": float(known[chosen].sum() / max(len(truth), 1)),
        "pure": float((known.max(axis=1) >= PART * known.sum(axis=1)).mean()) if len(known) else 0.0,
        "whole": float((known.max(axis=0) >= PART * shared.sum(axis=0)).mean()) if len(known) else 0.0,
        "instances": float(len(known)),
        "objects": float(len(objects)),
    }


def scored(walk: SeenWalk, memory: MemorySnapshot) -> dict[str, float]:
    """Association of all patches, and of those of objects, of one memory after its walk."""
    truth = walk.patch_truth[memory.patch_id.numpy()]
    instance = memory.instance_id.numpy()
    building = [each.id for each in walk.scene.instances if each.category in BUILDING]
    is_object = ~np.isin(truth, building)
    of_objects = association(instance[is_object], truth[is_object])
    return {
        **association(instance, truth),
        **{f"objects_{name}": of_objects[name] for name in ("accuracy", "pure", "whole")},
    }


def scenes(args: Args) -> Iterator[tuple[str, EmbreeSimulator, Scene]]:
    """Group, simulator and scene of all that is walked through."""
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    for number in range(args.houses):
        yield "val_unseen", simulator, simulator.load(f"houses/val_unseen/{number:04d}")
    if args.scene is not None:
        simulator = EmbreeSimulator(load_scene=scene_loader("houses", str(args.scene.parent)))
        yield args.scene.name, simulator, simulator.load(args.scene.name)


def named_levels(name: str, encoder: str, dim: int, learned: Path | None) -> Levels:
    """Levels by name, the learned ones out of a file if one is given."""
    if name == "learned" and learned is not None:
        return LearnedLevels.load(learned)
    return MeanLevels(dim) if name == "mean" else make_levels(name, encoder, dim)


def main(args: Args) -> None:
    """Walk, measure, print, save."""
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for number, (group, simulator, scene) in enumerate(scenes(args)):
        walk = take_walk(simulator, scene, args.steps, [args.seed, number])
        for encoder in args.encoders:
            features = encoded(walk, encoder)
            for segmenter in args.segmenters:
                segments = make_segmenter(segmenter).segment(walk.frames, features, CAMERA)
                for level in args.levels:
                    levels = named_levels(level, encoder, features.shape[-1], args.learned)
                    memory, milliseconds = remembered(walk, features, segments, levels)
                    rows.append(
                        {
                            "group": group,
                            "scene": scene.id,
                            "encoder": encoder,
                            "segmenter": segmenter,
                            "levels": level,
                            **{name: round(value, 4) for name, value in scored(walk, memory).items()},
                            "update_ms": round(milliseconds, 2),
                        }
                    )
        print(f"walked through {scene.id}", flush=True)
    summary = summarised(rows)
    print(f"\n{'':<44} accuracy              pure   whole   instances / objects   objects' accuracy")
    for row in summary:
        low, high = row["accuracy_interval"]
        print(
            f"{row['group']:<20} {row['encoder']:<9}{row['segmenter']:<11}{row['levels']:<8} "
            f"{row['accuracy']:.3f} [{low:.3f}, {high:.3f}]  {row['pure']:.3f}  {row['whole']:.3f}   "
            f"{row['instances']:>6.1f} / {row['objects']:<6.1f}      {row['objects_accuracy']:.3f}   "
            f"{row['update_ms']:.1f} ms"
        )
    path = save_result(args.save_as, {"summary": summary, "scenes": rows}, seed=args.seed, steps=args.steps)
    print(f"saved {path}")


def summarised(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the scenes of each setting, with the 95 % interval of the accuracy by scene."""
    keys = ("group", "encoder", "segmenter", "levels")
    summary = []
    for setting in dict.fromkeys(tuple(row[key] for key in keys) for row in rows):
        own = [row for row in rows if tuple(row[key] for key in keys) == setting]
        numbers = [name for name, value in own[0].items() if isinstance(value, float)]
        interval = mean_interval([row["accuracy"] for row in own], [row["scene"] for row in own])
        summary.append(
            {
                **dict(zip(keys, setting, strict=True)),
                "walks": len(own),
                **{name: round(float(np.mean([row[name] for row in own])), 4) for name in numbers},
                "accuracy_interval": [round(interval.low, 4), round(interval.high, 4)],
            }
        )
    return summary


if __name__ == "__main__":
    main(tyro.cli(Args))
