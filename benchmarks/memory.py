"""What a step of the token memory costs as the memory grows, by part and batch size.

    python -m benchmarks.memory [--scene FLAT.glb] [--steps 1000] [--batches 1 4 16]

An agent walks shortest ways between random places of a built-in house, and of a scene file if one is given.
The views are rendered once; then the memory alone is timed over them, agents of a batch starting apart.
"""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.memory import MemoryConfig, TokenMemory
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import FORWARD, LEFT, follow
from vlnenv.sim.scene import Scene

HOUSE = "houses/val_unseen/0000"
CAMERA = Camera(width=96, height=96)
MARKS = (50, 200, 500, 1000)


@dataclass(frozen=True)
class Args:
    """Growth and speed of the memory."""

    scene: Path | None = None
    """A scan or model to walk through beside the built-in house, .glb or .ply."""
    steps: int = 1000
    batches: tuple[int, ...] = (1, 4, 16)
    dim: int = 64
    """Length of a feature."""
    seed: int = 0
    """Of the places."""


def walk(
    simulator: EmbreeSimulator, scene: Scene, steps: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions (s, 3), headings (s,) and depth images (s, 96, 96) of a walk."""
    rng = np.random.default_rng(seed)
    position_m, heading_rad = simulator.sample(scene, rng, 1)[0], 0.0
    positions, headings = [], []
    while len(positions) < steps:
        found = follow(
            simulator, scene, position_m, heading_rad, simulator.sample(scene, rng, 1), max_steps=200
        )
        forward = 0
        for action in found.actions[:-1]:
            if action == FORWARD:
                forward += 1
                position_m = found.positions_m[forward]
            else:
                heading_rad += math.radians(15.0) * (1 if action == LEFT else -1)
            positions.append(position_m)
            headings.append(heading_rad)
    position_all, heading_all = np.array(positions[:steps]), np.array(headings[:steps])
    depth = simulator.render(scene, position_all, heading_all, CAMERA, ("depth",)).depth
    assert depth is not None
    return position_all, heading_all, depth


def timed(function: Callable[..., Any], log: list[float]) -> Callable[..., Any]:
    """The function, with milliseconds of each call appended to `log`."""

    def run(*arguments: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments)
        log.append(1e3 * (time.perf_counter() - start))
        return result

    return run


def measure(views: tuple[np.ndarray, np.ndarray, np.ndarray], count: int, args: Args) -> list[dict[str, Any]]:
    """Milliseconds of each part at the marked steps, medians of the 21 steps around them."""
    positions, headings, depth = views
    memory = TokenMemory(count, args.dim, MemoryConfig(), CAMERA)
    logs: dict[str, list[float]] = defaultdict(list)
    memory._cull = timed(memory._cull, logs["cull"])  # type: ignore[method-assign]
    memory._insert = timed(memory._insert, logs["insert"])  # type: ignore[method-assign]
    update, read = timed(memory.update, logs["update"]), timed(memory.read, logs["read"])
    features = torch.zeros(count, 24, 24, args.dim)
    stored, slots = [], np.arange(count)
    for step in range(args.steps):
        now = (step + slots * (args.steps // count)) % args.steps
        update(slots, features, depth[now], positions[now], headings[now])
        read(slots, positions[now], headings[now])
        stored.append(int(memory.count().mean()))
    rows = []
    for mark in (mark for mark in MARKS if mark <= args.steps):
        around = slice(max(mark - 11, 0), min(mark + 10, args.steps))
        row: dict[str, Any] = {"batch": count, "step": mark, "stored": stored[mark - 1]}
        row.update({f"{part}_ms": round(float(np.median(log[around])), 3) for part, log in logs.items()})
        row["step_ms"] = round(row["update_ms"] + row["read_ms"], 3)
        rows.append(row)
    return rows


def main(args: Args) -> None:
    """Measure, print, save."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    scenes = [(HOUSE, houses.load_scene)]
    if args.scene is not None:
        scenes.append((args.scene.name, scene_loader("houses", str(args.scene.parent))))
    rows: list[dict[str, Any]] = []
    print("scene                        batch  step  stored    cull  insert    read    step   ms")
    for name, load in scenes:
        simulator = EmbreeSimulator(load_scene=load)
        views = walk(simulator, simulator.load(name), args.steps, args.seed)
        for count in args.batches:
            own = measure(views, count, args)
            for row in own:
                row.update(scene=name, over_first_mark=round(row["step_ms"] / own[0]["step_ms"], 2))
                print(
                    f"{name:<28} {count:>5} {row['step']:>5} {row['stored']:>7} {row['cull_ms']:>7.2f} "
                    f"{row['insert_ms']:>7.2f} {row['read_ms']:>7.2f} {row['step_ms']:>7.2f}   "
                    f"x {row['over_first_mark']:.2f}",
                    flush=True,
                )
            rows += own
    print(f"saved {save_result('memory', rows, seed=args.seed, dim=args.dim)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
