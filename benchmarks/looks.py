"""How much there is to see in the built-in houses, beside a real scene.

    python -m benchmarks.looks --flat FLAT.glb

Views from random poses. "classes" and "instances" are those with at least 0.2 % of a view, without the
building itself; "colourfulness" is Hasler and Suesstrunk's M (2003, Eq. 1); "luminance" the entropy of its
64-bin histogram; "texture" the mean step of luminance (0 to 255) from a pixel to the next within one
instance, so that outlines don't count; "bare" the part of such steps below 1; "range" the median depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tyro

from benchmarks.encoders import STRUCTURE
from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.houses.house import VERSION
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.loading import load_scene
from vlnenv.sim.scene import Scene

LEAST_PART = 0.002
PERCENTILES = (10, 50, 90)
LUMINANCE = np.array([0.299, 0.587, 0.114])
CAMERA = Camera(224, 224)


@dataclass(frozen=True)
class Args:
    """Looks of scenes."""

    flat: str
    """A real scene's file."""
    houses: int = 40
    """The first so many houses of --group."""
    group: str = "val_unseen"
    views: int = 20
    """Random poses a house; the flat has as many as all houses together."""
    seed: int = 0


def looks(scene: Scene, views: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Figures of random views of a scene, each float64 (views,)."""
    simulator = EmbreeSimulator()
    position_m = simulator.sample(scene, rng, views)
    frames = simulator.render(scene, position_m, rng.uniform(-np.pi, np.pi, views), CAMERA)
    assert frames.rgb is not None
    assert frames.depth is not None
    assert frames.instance is not None
    things = {each.id: each.category for each in scene.instances if each.category not in STRUCTURE}
    rows = [look(*view, things) for view in zip(frames.rgb, frames.depth, frames.instance, strict=True)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def look(
    rgb: np.ndarray, depth_m: np.ndarray, instance: np.ndarray, things: dict[int, str]
) -> dict[str, float]:
    """Figures of one view.

    Args:
        rgb: uint8 (h, w, 3).
        depth_m: float32 (h, w), 0 where nothing is.
        instance: int (h, w), 0 where nothing is.
        things: Category of each instance that is no part of the building.
    """
    ids, counts = np.unique(instance, return_counts=True)
    seen = [things[i] for i in ids[counts >= LEAST_PART * instance.size].tolist() if i in things]
    pixels = rgb.astype(np.float64)
    luminance = pixels @ LUMINANCE
    part = np.histogram(luminance, bins=64, range=(0.0, 256.0))[0] / luminance.size
    step = np.abs(np.diff(luminance, axis=1))
    inside = (instance[:, 1:] == instance[:, :-1]) & (instance[:, 1:] > 0)
    red_green = pixels[..., 0] - pixels[..., 1]
    yellow_blue = 0.5 * (pixels[..., 0] + pixels[..., 1]) - pixels[..., 2]
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return {
        "classes": len(set(seen)),
        "instances": len(seen),
        "colourfulness": float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean())),
        "luminance_bits": float(-(part[part > 0] * np.log2(part[part > 0])).sum()),
        "texture": float(step[inside].mean()) if inside.any() else 0.0,
        "bare": float((step[inside] < 1.0).mean()) if inside.any() else 1.0,
        "range_m": float(np.median(depth_m)),
    }


def main(args: Args) -> None:
    """Measure, print, save."""
    rng = np.random.default_rng(args.seed)
    ids = [f"houses/{args.group}/{number:04d}" for number in range(args.houses)]
    each = [looks(houses.load_scene(scene_id), args.views, rng) for scene_id in ids]
    found = {
        f"{args.houses} houses of {args.group}": {
            name: np.concatenate([one[name] for one in each]) for name in each[0]
        },
        "flat": looks(load_scene(args.flat), args.views * args.houses, rng),
    }
    results = {
        where: {name: np.percentile(values, PERCENTILES).round(3).tolist() for name, values in of.items()}
        for where, of in found.items()
    }
    for name in each[0]:
        print(f"{name:<16}", *(f"{where}: {row[name]}" for where, row in results.items()), sep="  ")
    path = save_result("looks", results, seed=args.seed, percentiles=PERCENTILES, version=VERSION)
    print(f"saved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
