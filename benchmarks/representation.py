"""What each loss of the levels' pretraining is good for: short trainings with one switched off at a time.

    python -m benchmarks.representation [--updates 300] [--houses 4]

Measured on walks through houses of val_unseen. "name" is the share of the memory's instances whose nearest
category name, of all names of the houses, is that of the object that most of their patches show; "room" the
share of zones whose nearest kind of room is the one that they lie in; "oracle" and "patchgraph" the
association accuracy (`benchmarks.association`) with either segmenter. Names and rooms are patchgraph's.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro

from agents.pretraining.config import LevelsTraining, LossWeights
from agents.pretraining.encounters import Encounters
from agents.pretraining.levels import LevelsRun, PatchFeatures, load_encounters
from benchmarks.association import CAMERA, SeenWalk, encoded, remembered, scored, take_walk
from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.evaluation.statistics import mean_interval
from vlnenv.memory import MemorySnapshot
from vlnenv.memory.levels import Levels, MeanLevels
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.text_table import load_text_table
from vlnenv.sim.embree import EmbreeSimulator

LEAST_PATCHES = 4
"""Smaller instances are not asked for their names."""


@dataclass(frozen=True)
class Args:
    """Ablation of the losses."""

    encoder: str = "mini"
    updates: int = 300
    """Of each training."""
    views: int = 6
    """Of an update."""
    houses: int = 4
    """The first so many houses of val_unseen."""
    steps: int = 150
    """Of a walk."""
    seed: int = 0


def trained(args: Args, data: Encounters, features: PatchFeatures, weights: LossWeights) -> LevelsRun:
    """Levels after a short training."""
    config = LevelsTraining(
        encoder=args.encoder, weights=weights, updates=args.updates, views=args.views, seed=args.seed
    )
    run = LevelsRun(config, data, features)
    for _ in range(args.updates):
        run.step()
    run.levels.eval().requires_grad_(False)
    return run


def name_hits(walk: SeenWalk, memory: MemorySnapshot, categories: list[str]) -> np.ndarray:
    """Whether each instance's nearest name is its own, bool."""
    table = load_text_table()
    names = np.stack([table.embed(name) for name in categories])
    of_id = {instance.id: instance.category for instance in walk.scene.instances}
    truth, instance = walk.patch_truth[memory.patch_id.numpy()], memory.instance_id.numpy()
    nearest = (memory.instance_features.numpy() @ names.T).argmax(axis=1)
    hits = []
    for row, number in enumerate(memory.instance_ids.tolist()):
        shown = truth[instance == number]
        if len(shown) >= LEAST_PATCHES:
            hits.append(categories[nearest[row]] == of_id[int(np.bincount(shown).argmax())])
    return np.array(hits)


def room_hits(walk: SeenWalk, memory: MemorySnapshot, kinds: list[str]) -> np.ndarray:
    """Whether each zone's nearest kind of room is its own, bool; zones outside all rooms left out."""
    table, house = load_text_table(), houses.house_of(walk.scene.id)
    names = np.stack([table.embed(kind) for kind in kinds])
    nearest = (memory.zone_features.numpy() @ names.T).argmax(axis=1)
    x, _, z = memory.zone_xyz_m.numpy()
    rooms = [house.room_at(float(a), float(b)) for a, b in zip(x, z, strict=True)]
    return np.array(
        [
            kinds[guess] == house.rooms[room].kind
            for guess, room in zip(nearest, rooms, strict=True)
            if room >= 0
        ]
    )


def measure(levels: Levels, seen: list[tuple[SeenWalk, torch.Tensor]]) -> dict[str, Any]:
    """Names, rooms and association over the walks."""
    scenes = [walk.scene for walk, _ in seen]
    categories = sorted({each.category for scene in scenes for each in scene.instances})
    kinds = sorted({room.kind for scene in scenes for room in houses.house_of(scene.id).rooms})
    hits: dict[str, list[np.ndarray]] = {"name": [], "room": []}
    accuracy: dict[str, list[float]] = {"oracle": [], "patchgraph": []}
    for walk, features in seen:
        for segmenter, found in accuracy.items():
            segments = make_segmenter(segmenter).segment(walk.frames, features, CAMERA)
            memory, _ = remembered(walk, features, segments, levels)
            found.append(scored(walk, memory)["accuracy"])
        hits["name"].append(name_hits(walk, memory, categories))
        hits["room"].append(room_hits(walk, memory, kinds))
    row: dict[str, Any] = {}
    for name, each in hits.items():
        owners = [scene.id for scene, own in zip(scenes, each, strict=True) for _ in own]
        interval = mean_interval(np.concatenate(each), owners)
        row[name] = [round(value, 4) for value in dataclasses.astuple(interval)]
    for name, values in accuracy.items():
        interval = mean_interval(values, [scene.id for scene in scenes])
        row[name] = [round(value, 4) for value in dataclasses.astuple(interval)]
    return row


def main(args: Args) -> None:
    """Train, measure, print, save."""
    torch.set_num_threads(1)
    settings = LevelsTraining(encoder=args.encoder)
    data, features, data_hash = load_encounters(settings, settings.walks)
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    seen = []
    for number in range(args.houses):
        scene = simulator.load(f"houses/val_unseen/{number:04d}")
        walk = take_walk(simulator, scene, args.steps, [args.seed, number])
        seen.append((walk, encoded(walk, args.encoder)))
    losses = [each.name for each in dataclasses.fields(LossWeights)]
    variants = {"all losses": LossWeights()}
    variants |= {f"without {name}": dataclasses.replace(LossWeights(), **{name: 0.0}) for name in losses}
    rows = [{"levels": "mean", **measure(MeanLevels(seen[0][1].shape[-1]), seen)}]
    print_row(rows[0])
    for name, weights in variants.items():
        rows.append({"levels": name, **measure(trained(args, data, features, weights).levels, seen)})
        print_row(rows[-1])
    path = save_result(
        "representation", rows, settings=dataclasses.asdict(args), data_hash=data_hash, seed=args.seed
    )
    print(f"saved {path}")


def print_row(row: dict[str, Any]) -> None:
    """One line of the table."""
    cells = [
        f"{name} {mean:.3f} [{low:.3f}, {high:.3f}]" for name, (mean, low, high) in list(row.items())[1:]
    ]
    print(f"{row['levels']:<24} {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Args))
