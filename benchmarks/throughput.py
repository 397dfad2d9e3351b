"""Frames and environment steps a second, and what batching saves, all measured in one run on one core.

    python -m benchmarks.throughput [--scene FLAT.glb] [--seconds 3]

MiniWorld's RGB + depth step is measured beside ours where it is installed (`pip install miniworld`; it needs
EGL, Debian: libegl1 libgl1-mesa-dri libglu1-mesa).
"""

from __future__ import annotations

import functools
import gc
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import tyro

import vlnenv  # noqa: F401
from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.episodes import EpisodeDataset, write_r2r_ce
from vlnenv.houses.routes.routes import generate_episodes
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator

HOUSE = "houses/val_unseen/0000"
OBSERVATIONS: dict[str, dict[str, Any]] = {
    "rgbd": {"observation": "rgbd"},
    "tokens": {"observation": "tokens"},
    "tokens, semantic, no segmenter": {"observation": "tokens", "encoder": "semantic", "segmenter": None},
}
ROUNDS = 5
"""Turns that each figure of a ratio is measured in, so that what else the machine does falls on both."""


@dataclass(frozen=True)
class Args:
    """Throughput benchmark."""

    scene: Path | None = None
    """A scan or model to measure beside the built-in house, .glb or .ply."""
    seconds: float = 3.0
    """How long each figure is measured."""
    seed: int = 0
    """Seed of poses and actions."""


def rate(action: Callable[[], int], seconds: float) -> float:
    """Items a second of repeated calls of `action`, which returns how many items it made; median of 5."""
    action()
    rates = []
    for _ in range(5):
        items, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / 5:
            items += action()
        rates.append(items / (time.perf_counter() - start))
    return float(np.median(rates))


def render_rates(simulator: EmbreeSimulator, scene_id: str, args: Args) -> list[dict[str, Any]]:
    """Rendered frames a second by resolution and outputs, one pose and sixteen a call."""
    scene = simulator.load(scene_id)
    rng = np.random.default_rng(args.seed)
    position_m = simulator.sample(scene, rng, 64)
    heading_rad = rng.uniform(-np.pi, np.pi, 64)
    rows = []
    for size, outputs in (
        (96, ("depth", "instance")),
        (128, ("rgb", "depth")),
        (224, ("rgb", "depth")),
        (224, ("rgb", "depth", "instance")),
        (256, ("rgb", "depth")),
        (512, ("rgb", "depth")),
    ):
        row = {"scene": scene_id, "triangles": len(scene.faces), "size": size, "outputs": "+".join(outputs)}
        for count in (1, 16):
            turn = iter(range(10**9))

            def render(count: int = count, size: int = size, outputs: Any = outputs, turn: Any = turn) -> int:
                pick = (np.arange(count) + next(turn) * count) % 64
                camera = Camera(width=size, height=size)
                simulator.render(scene, position_m[pick], heading_rad[pick], camera, outputs)
                return count

            row[f"fps_{count}"] = round(rate(render, args.seconds), 1)
        rows.append(row)
        print(
            f"{row['scene']:<28} {row['triangles']:>8} {size:>4}  {row['outputs']:<20} "
            f"{row['fps_1']:>8.1f} {row['fps_16']:>8.1f}",
            flush=True,
        )
    return rows


def env_rates(name: str, settings: dict[str, Any], args: Args) -> list[dict[str, Any]]:
    """Environment steps a second: one environment, sixteen separate ones, sixteen batched."""
    rows = []
    for label, chosen in OBSERVATIONS.items():
        row: dict[str, Any] = {"scene": name, "observation": label}
        for column, count, is_batched in (
            ("1", 1, False),
            ("16 separate", 16, False),
            ("16 batched", 16, True),
        ):
            if is_batched:
                env = gym.make_vec("R2RCE-v0", num_envs=count, **chosen, **settings)
            else:
                make = functools.partial(gym.make, "R2RCE-v0", disable_env_checker=True, **chosen, **settings)
                env = gym.vector.SyncVectorEnv([make] * count)
            row[column] = round(rate(walk(env, args.seed), args.seconds), 1)
            env.close()
            del env
            gc.collect()
        row["batched / separate"] = round(row["16 batched"] / row["16 separate"], 2)
        rows.append(row)
        print(
            f"{name:<28} {label:<30} {row['1']:>8.1f} {row['16 separate']:>12.1f} "
            f"{row['16 batched']:>12.1f} {row['batched / separate']:>10.2f}",
            flush=True,
        )
    return rows


def walk(env: Any, seed: int) -> Callable[[], int]:
    """Begin episodes; returns a step of all environments by random actions, which says how many they are."""
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)

    def step() -> int:
        # Never STOP, which would measure resets; forward twice as often as each turn.
        env.step(rng.choice([1, 1, 2, 3], size=env.num_envs))
        return env.num_envs

    return step


def token_costs(name: str, settings: dict[str, Any], args: Args) -> list[dict[str, Any]]:
    """How many times as long a tokens step takes as an rgbd step through the memory's own camera."""
    rows = []
    for count in (1, 16):
        tokens = gym.make_vec("R2RCE-v0", num_envs=count, observation="tokens", **settings)
        camera = tokens.unwrapped.batch.memories.camera  # type: ignore[attr-defined]
        images = gym.make_vec(
            "R2RCE-v0", num_envs=count, observation="rgbd", image_size=camera.width, **settings
        )
        steps = {"rgbd": walk(images, args.seed), "tokens": walk(tokens, args.seed)}
        rates: dict[str, list[float]] = {label: [] for label in steps}
        for _ in range(ROUNDS):
            for label, step in steps.items():
                rates[label].append(rate(step, args.seconds / ROUNDS))
        config = tokens.unwrapped.config  # type: ignore[attr-defined]
        row: dict[str, Any] = {
            "scene": name,
            "environments": count,
            "image_size": camera.width,
            "encoder": config.encoder,
            "segmenter": config.segmenter,
            "levels": tokens.unwrapped.batch.memories.levels_name,  # type: ignore[attr-defined]
            **{f"{label} ms": round(1000.0 / float(np.median(values)), 2) for label, values in rates.items()},
        }
        row["tokens / rgbd"] = round(float(np.median(rates["rgbd"]) / np.median(rates["tokens"])), 2)
        rows.append(row)
        print(
            f"{name:<28} {count:>4} x {camera.width} px  {row['rgbd ms']:>8.2f} ms "
            f"{row['tokens ms']:>8.2f} ms {row['tokens / rgbd']:>10.2f}",
            flush=True,
        )
        tokens.close()
        images.close()
    return rows


def miniworld_rate(args: Args) -> float | None:
    """Steps a second of MiniWorld's FourRooms with RGB and depth at 224 x 224; None where it is not there."""
    try:
        import pyglet

        pyglet.options["headless"] = True
        import miniworld  # noqa: F401

        env = gym.make("MiniWorld-FourRooms-v0", obs_width=224, obs_height=224, disable_env_checker=True)
        env.reset(seed=args.seed)
    except Exception as error:  # its import alone can fail in a dozen ways without OpenGL
        print(f"MiniWorld not measured: {type(error).__name__}: {error}")
        return None
    env.action_space.seed(args.seed)

    def step() -> int:
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        env.unwrapped.render_depth()  # type: ignore[attr-defined]
        if terminated or truncated:
            env.reset()
        return 1

    return round(rate(step, args.seconds), 1)


def scene_file_settings(path: Path, folder: Path, seed: int) -> dict[str, Any]:
    """Environment settings that run episodes generated in a scene file."""
    file = folder / "flat.json.gz"
    simulator = EmbreeSimulator(load_scene=scene_loader(str(file), str(path.parent)))
    scene = simulator.load(path.name)
    episodes = generate_episodes(simulator, scene, count=8, seed=seed)
    write_r2r_ce(EpisodeDataset(name="flat", split="val", episodes=tuple(episodes)), file)
    return {"dataset": str(file), "split": "val", "data_dir": str(path.parent.resolve())}


def main(args: Args) -> None:
    """Measure, print, save."""
    if hasattr(os, "sched_setaffinity"):
        # One core for this process and every thread it starts, so that figures are per core.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("render, frames a second        triangles size  outputs                 1 pose 16 poses")
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    results: dict[str, Any] = {"render": render_rates(simulator, HOUSE, args)}
    print("\nenvironment, steps a second  observation  1 env, 16 separate, 16 batched, batched / separate")
    house_ids = [e.episode_id for e in houses.load_episodes("val_unseen").episodes if e.scene_id == HOUSE]
    settings = {"dataset": "houses", "split": "val_unseen", "episodes": house_ids}
    results["environment"] = env_rates("built-in house", settings, args)
    print("\nthe same camera               environments       rgbd      tokens      ratio")
    results["tokens_over_rgbd"] = token_costs("built-in house", settings, args)
    with tempfile.TemporaryDirectory() as folder:
        if args.scene is not None:
            settings = scene_file_settings(args.scene, Path(folder), args.seed)
            results["environment"] += env_rates(args.scene.name, settings, args)
            results["tokens_over_rgbd"] += token_costs(args.scene.name, settings, args)
            simulator = EmbreeSimulator(load_scene=scene_loader("houses", str(args.scene.parent)))
            print()
            results["render"] += render_rates(simulator, args.scene.name, args)
    results["miniworld_rgb_depth_224"] = miniworld_rate(args)
    print(f"\nMiniWorld FourRooms, RGB + depth at 224: {results['miniworld_rgb_depth_224']} steps a second")
    print(f"saved {save_result('throughput', results, seed=args.seed, seconds=args.seconds)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
