"""How well encoders name what each patch and each object shows, among the scene's own category names.

    python -m benchmarks.encoders [--flat FLAT.glb] [--weights runs/mini/last.safetensors]

The truth is the simulator's instance ids at the patches' pixels; a patch is named by the category whose text
embedding is nearest to its feature. "objects" leaves out the building itself: walls, floors, ceilings, doors
and windows stay among the names to choose from, but their patches are not counted. Macro figures are means
over categories of what is right in each, over all views together. "Retrieval" looks for a category's objects
by its name: an object's feature is the mean of its patches over all views (true masks); a hit at k is a true
one among the k nearest objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.record import save_result
from benchmarks.segmenters import BUILDING
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.memory.encoder import Encoder, make_encoder
from vlnenv.memory.mini import MiniEncoder
from vlnenv.memory.mini_network import MiniNetwork
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.memory.text_table import load_text_table
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

STRUCTURE = BUILDING | {
    "archway",
    "door",
    "folding door",
    "front door",
    "railing",
    "roof",
    "room window",
    "stairs",
    "structure",
    "window",
}
"""Categories that are no objects."""
UNTRAINED = "mini, untrained"
HOUSES = tuple(f"houses/val_unseen/{number:04d}" for number in range(15))


@dataclass(frozen=True)
class Args:
    """Encoder benchmark."""

    scenes: tuple[str, ...] = HOUSES
    """Ids of built-in houses, measured together."""
    flat: str | None = None
    """Path of a furnished scene that nothing was trained on, measured by itself."""
    encoders: tuple[str, ...] = ("mini", UNTRAINED, "semantic")
    """Names that `make_encoder` knows, and the untrained network."""
    weights: str | None = None
    """Weights of "mini"; None for the shipped ones."""
    poses: int = 32
    """Random poses on the walkable floor of each house, with random headings."""
    flat_poses: int = 400
    """The same for the flat."""
    seed: int = 0
    """Seed of poses, the untrained network and the bootstrap."""
    save_as: str = "encoders"
    """Name of the JSON file under benchmarks/results; empty saves nothing."""


@dataclass(frozen=True)
class Tally:
    """What was counted of one scene."""

    categories: tuple[str, ...]
    """c names, sorted."""
    seen: np.ndarray
    """int64 (views, c) patches of each category."""
    right: np.ndarray
    """int64 (views, c) those that were named so."""
    ranks: dict[str, int]
    """For each category with an object in view: place of its first object in the retrieval, from 0."""
    objects: int
    """Objects in view, among which is retrieved."""
    milliseconds: float
    """Median a frame, one frame a call."""


def named(name: str, args: Args) -> Encoder:
    """An encoder, or the untrained one."""
    if name == UNTRAINED:
        torch.manual_seed(args.seed)
        return MiniEncoder(weights=MiniNetwork())
    if name == "mini" and args.weights is not None:
        return MiniEncoder(weights=args.weights)
    return make_encoder(name)


def tally(encoder: Encoder, scene: Scene, poses: int, rng: np.random.Generator) -> Tally:
    """Views of a scene from random poses, encoded one by one."""
    simulator = EmbreeSimulator()
    position_m = simulator.sample(scene, rng, poses)
    heading_rad = rng.uniform(-np.pi, np.pi, poses)
    camera = Camera(encoder.image_size, encoder.image_size)
    outputs = tuple({*encoder.outputs, "instance"})
    categories = tuple(sorted({instance.category for instance in scene.instances}))
    row = {name: index for index, name in enumerate(categories)}
    category_of = np.full(max(instance.id for instance in scene.instances) + 1, -1)
    for instance in scene.instances:
        category_of[instance.id] = row[instance.category]
    names = np.stack([load_text_table().embed(name) for name in categories])
    seen = np.zeros((poses, len(categories)), dtype=np.int64)
    right = np.zeros_like(seen)
    sums = np.zeros((len(category_of), encoder.dim))
    milliseconds = []
    for view in range(poses):
        at = slice(view, view + 1)
        frames = simulator.render(scene, position_m[at], heading_rad[at], camera, outputs)
        given = frames if "instance" in encoder.outputs else replace(frames, instance=None)
        if view == 0:
            encoder.encode(given, [scene])
        start = time.perf_counter()
        features = encoder.encode(given, [scene])[0].reshape(-1, encoder.dim).numpy()
        milliseconds.append(1000.0 * (time.perf_counter() - start))
        ids = truth(frames)
        category = category_of[ids]
        there = category >= 0
        guess = (features @ names.T).argmax(axis=1)
        np.add.at(seen[view], category[there], 1)
        np.add.at(right[view], category[there & (guess == category)], 1)
        np.add.at(sums, ids[there], features[there])
    known = np.flatnonzero(np.linalg.norm(sums, axis=1) > 0.0)
    units = sums[known] / np.linalg.norm(sums[known], axis=1, keepdims=True)
    ranks = {}
    for index, name in enumerate(categories):
        hits = category_of[known][np.argsort(-units @ names[index], kind="stable")] == index
        if hits.any():
            ranks[name] = int(hits.argmax())
    return Tally(categories, seen, right, ranks, len(known), float(np.median(milliseconds)))


def truth(frames: Frames) -> np.ndarray:
    """Instance ids of a view's patches, int (576,)."""
    assert frames.instance is not None
    return at_patch_centres(frames.instance)[0].reshape(-1)


def macro(seen: np.ndarray, right: np.ndarray, counted: np.ndarray) -> float:
    """Mean over the counted categories that were seen of the part that is right.

    Args:
        seen: (c,) patches.
        right: (c,) patches named correctly.
        counted: bool (c,).
    """
    there = counted & (seen > 0)
    return float((right[there] / seen[there]).mean())


def summary(tallies: list[Tally], rng: np.random.Generator) -> dict[str, Any]:
    """Figures of some scenes together, with 95 % intervals from a bootstrap over scenes, or views of one."""
    categories = sorted({name for each in tallies for name in each.categories})
    row = {name: index for index, name in enumerate(categories)}
    counts = []
    for each in tallies:
        places = [row[name] for name in each.categories]
        both = np.zeros((2, len(each.seen), len(categories)))
        both[0][:, places], both[1][:, places] = each.seen, each.right
        counts.append(both)
    units = (
        np.stack([both.sum(axis=1) for both in counts], axis=1)
        if len(counts) > 1
        else np.concatenate(counts, axis=1)
    )
    everything = np.ones(len(categories), dtype=bool)
    objects = np.array([name not in STRUCTURE for name in categories])
    draws = [units[:, rng.integers(0, units.shape[1], units.shape[1])].sum(axis=1) for _ in range(1000)]
    seen, right = units.sum(axis=1)
    ranks = [(rank, each.objects) for each in tallies for name, rank in each.ranks.items()]
    object_ranks = [rank for each in tallies for name, rank in each.ranks.items() if name not in STRUCTURE]
    found: dict[str, Any] = {
        "names_per_scene": round(float(np.mean([len(each.categories) for each in tallies])), 1),
        "chance": round(float(np.mean([1.0 / len(each.categories) for each in tallies])), 4),
        "patches": int(seen.sum()),
        "patch_accuracy": round(float(right.sum() / seen.sum()), 4),
    }
    for key, counted in (("macro_all", everything), ("macro_objects", objects)):
        spread = np.percentile([macro(draw[0], draw[1], counted) for draw in draws], [2.5, 97.5])
        found[key] = round(macro(seen, right, counted), 4)
        found[f"{key}_95"] = [round(float(value), 4) for value in spread]
    found |= {
        "queries": len(ranks),
        "retrieval_top1": round(float(np.mean([rank < 1 for rank, _ in ranks])), 4),
        "retrieval_top5": round(float(np.mean([rank < 5 for rank, _ in ranks])), 4),
        "object_retrieval_top1": round(float(np.mean([rank < 1 for rank in object_ranks])), 4),
        "object_retrieval_top5": round(float(np.mean([rank < 5 for rank in object_ranks])), 4),
        "ms_per_frame_median": round(float(np.median([each.milliseconds for each in tallies])), 2),
        "per_category": {
            name: [round(float(right[index] / seen[index]), 3), int(seen[index])]
            for name, index in row.items()
            if seen[index]
        },
    }
    return found


def main(args: Args) -> None:
    """Render, measure, print, save."""
    torch.set_num_threads(1)
    groups: dict[str, tuple[Callable[[str], Scene], tuple[str, ...], int]] = {}
    groups[f"{len(args.scenes)} val_unseen houses"] = (houses.load_scene, args.scenes, args.poses)
    if args.flat is not None:
        folder, _, name = args.flat.rpartition("/")
        groups[name] = (scene_loader("houses", folder or "."), (name,), args.flat_poses)
    results = []
    for group, (load_scene, scene_ids, poses) in groups.items():
        print(f"\n{group}: {poses} poses each")
        print(f"{'':<18} chance  patches  macro all  objects  [95 %]           top-1  top-5      ms")
        for encoder_name in args.encoders:
            encoder = named(encoder_name, args)
            tallies = [
                tally(encoder, load_scene(scene_id), poses, np.random.default_rng([args.seed, number]))
                for number, scene_id in enumerate(scene_ids)
            ]
            found = summary(tallies, np.random.default_rng(args.seed))
            results.append(
                {"scenes": group, "encoder": encoder_name, "privileged": encoder.privileged, **found}
            )
            low, high = found["macro_objects_95"]
            print(
                f"{encoder_name:<18} {found['chance']:>6.3f} {found['patch_accuracy']:>8.3f} "
                f"{found['macro_all']:>10.3f} {found['macro_objects']:>8.3f}  [{low:.3f}, {high:.3f}] "
                f"{found['retrieval_top1']:>9.3f} {found['retrieval_top5']:>6.3f} "
                f"{found['ms_per_frame_median']:>7.2f}",
                flush=True,
            )
    if args.save_as:
        facts = {"seed": args.seed, "structure": sorted(STRUCTURE)}
        print(f"\nsaved {save_result(args.save_as, results, **facts)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
