"""Open-vocabulary retrieval: how often the instance most alike to an object's name is such an object.

    python -m benchmarks.retrieval [--houses 15] [--scene FLAT.glb]

An agent looks all around at every stop of a tour through a scene (`vlnenv.sim.tour`) and remembers. Then
each name of an object of the scene that it has seen is a query, and the instances of the memory are ranked as
`vlnenv.memory.query.best_instances` ranks them. An instance is a hit if most of its live patches showed an
object of that name when they were looked at, says the simulator. Of houses also "colour name" is asked, where
an object has a colour ("red sofa"): then the colour has to be right, too. Of a scene with other things than
the houses hold, names that `mini` was trained on, or that are other words for one, are also counted apart.
The building itself (walls, floors, ceilings, door frames) is asked for apart; its instances stay in every
ranking. Chance is the expected share of hits of a random order of the same instances. Intervals resample
scenes, then queries.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks.record import save_result
from benchmarks.segmenters import BUILDING
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.evaluation.statistics import mean_interval
from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.memory import Encoder, MemoryConfig, MemorySnapshot, TokenMemory, make_encoder
from vlnenv.memory.levels import make_levels
from vlnenv.memory.query import best_instances, instance_rows, query_feature
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames
from vlnenv.sim.tour import look_around, tour_stops

KNOWN_WORD = 0.6
"""Cosine of two names from which on one is called a word for the other."""
TRAINED = (*CATALOGUE, *sorted(BUILDING), "door", "front door", "window")
"""Names of what built-in houses hold: all that `mini` was trained to tell apart."""
KINDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "object": lambda record: record["kind"] == "object",
    "  a known word": lambda record: record["kind"] == "object" and record["nearest_trained"] >= KNOWN_WORD,
    "  another word": lambda record: record["kind"] == "object" and record["nearest_trained"] < KNOWN_WORD,
    "colour and object": lambda record: record["kind"] == "colour and object",
    "building": lambda record: record["kind"] == "building",
}
"""Queries that are counted together."""


@dataclass(frozen=True)
class Stack:
    """What a memory is made with."""

    encoder: str
    segmenter: str = "patchgraph"
    levels: str = "auto"

    @property
    def label(self) -> str:
        """Encoder + segmenter, levels."""
        return f"{self.encoder} + {self.segmenter}, levels {self.levels}"


STACKS = (
    Stack("mini"),
    Stack("mini", levels="mean"),
    Stack("mini", "oracle"),
    Stack("untrained mini", levels="mean"),
    Stack("semantic"),
    Stack("semantic", "oracle"),
)


@dataclass(frozen=True)
class Args:
    """Open-vocabulary instance retrieval."""

    houses: int = 15
    """Houses of val_unseen."""
    scene: Path | None = None
    """A scan or model to measure beside the houses, .glb or .ply."""
    stacks: tuple[str, ...] = ()
    """ENCODER, ENCODER/SEGMENTER or ENCODER/SEGMENTER/LEVELS; none for the usual ones."""
    seen_patches: int = 4
    """A name is asked for if at least so many of the patches left showed an object of that name."""
    seed: int = 0
    """Of the untrained network."""
    save_as: str = "retrieval"
    """Name of the JSON file under benchmarks/results; empty for none."""


@dataclass
class Views:
    """A tour through one scene, rendered once for each image size."""

    simulator: EmbreeSimulator
    scene: Scene
    stops_m: np.ndarray
    _frames: dict[int, list[Frames]] = field(default_factory=dict)

    def __call__(self, camera: Camera) -> Iterator[tuple[np.ndarray, float, Frames]]:
        """Position, heading and frames (a batch of one) of each view."""
        headings = look_around(camera.hfov_deg)
        if camera.width not in self._frames:
            poses = [(stop_m[None], np.array([heading])) for stop_m in self.stops_m for heading in headings]
            self._frames[camera.width] = [self.simulator.render(self.scene, *pose, camera) for pose in poses]
        frames = iter(self._frames[camera.width])
        for stop_m in self.stops_m:
            for heading in headings:
                yield stop_m, float(heading), next(frames)


def named_encoder(name: str, seed: int) -> Encoder:
    """An encoder, or `mini` with the weights that its training begins with."""
    if name != "untrained mini":
        return make_encoder(name)
    from vlnenv.memory.mini import MiniEncoder
    from vlnenv.memory.mini_network import MiniNetwork

    torch.manual_seed(seed)
    return MiniEncoder(weights=MiniNetwork())


def remember(views: Views, stack: Stack, encoder: Encoder) -> tuple[MemorySnapshot, np.ndarray]:
    """A tour through a scene.

    Returns:
        What is remembered, and the true instance id of each patch by its id, int64 (next_id,).
    """
    segmenter = make_segmenter(stack.segmenter)
    levels = make_levels(stack.levels, encoder.name, encoder.dim)
    camera = Camera(width=encoder.image_size, height=encoder.image_size)
    memory = TokenMemory(1, encoder.dim, MemoryConfig(), camera, levels=levels)
    truth = []
    for stop_m, heading, frames in views(camera):
        assert frames.depth is not None
        assert frames.instance is not None
        features = encoder.encode(frames, [views.scene])
        segments = segmenter.segment(frames, features, camera)
        memory.update([0], features, frames.depth, stop_m[None], np.array([heading]), segments)
        depth_m = at_patch_centres(frames.depth)[0]
        shown = at_patch_centres(frames.instance)[0]
        # Ids of patches follow the valid ones row by row.
        truth.append(shown[(depth_m > 0.0) & (depth_m < camera.max_depth_m)])
    snapshot = memory.snapshot(0)
    ids = np.concatenate(truth).astype(np.int64)
    assert len(ids) == snapshot.next_id, "patches are numbered in another order than this benchmark expects"
    return snapshot, ids


def queries_of(scene: Scene, live: np.ndarray, seen_patches: int) -> list[tuple[str, str, set[int]]]:
    """What is asked of a scene: (kind, phrase, ids of the instances that it means).

    Args:
        scene: With names.
        live: int (k,) true instance ids of the patches left.
        seen_patches: Fewest patches of a phrase's instances together.
    """
    seen = np.bincount(live, minlength=max(instance.id for instance in scene.instances) + 1)
    meant: dict[tuple[str, str], set[int]] = {}
    for instance in scene.instances:
        kind = "building" if instance.category in BUILDING else "object"
        meant.setdefault((kind, instance.category), set()).add(instance.id)
        if instance.color and kind == "object":
            phrase = f"{instance.color} {instance.category}"
            meant.setdefault(("colour and object", phrase), set()).add(instance.id)
    return [
        (kind, phrase, ids)
        for (kind, phrase), ids in sorted(meant.items())
        if seen[list(ids)].sum() >= seen_patches
    ]


def unseen_of(scene: Scene, live: np.ndarray, seen_patches: int) -> list[str]:
    """Names of a scene that are not asked for, as the tour left too few patches of them."""
    asked = {phrase for _, phrase, _ in queries_of(scene, live, seen_patches)}
    return sorted({instance.category for instance in scene.instances} - asked)


def shares_of(snapshot: MemorySnapshot, truth: np.ndarray) -> np.ndarray:
    """Of each remembered instance the share of its live patches that showed each true one, (j, ids)."""
    row = instance_rows(snapshot)
    shown = truth[snapshot.patch_id.numpy()]
    counts = np.zeros((len(snapshot.instance_ids), int(truth.max()) + 1))
    np.add.at(counts, (row[row >= 0], shown[row >= 0]), 1.0)
    return counts / counts.sum(axis=1, keepdims=True)


def ask(views: Views, snapshot: MemorySnapshot, truth: np.ndarray, seen_patches: int) -> list[dict[str, Any]]:
    """One record a query: whether the first, and one of the first five, is a hit; and by chance."""
    names = np.stack([query_feature(name, snapshot.features.shape[1]) for name in TRAINED])
    ids = snapshot.instance_ids.numpy()
    shares = shares_of(snapshot, truth)
    live = truth[snapshot.patch_id.numpy()]
    records = []
    for kind, phrase, meant in queries_of(views.scene, live, seen_patches):
        known = [instance for instance in sorted(meant) if instance < shares.shape[1]]
        is_hit = shares[:, known].sum(axis=1) > 0.5
        best = [match.instance_id for match in best_instances(snapshot, phrase, count=5)]
        rows = np.searchsorted(ids, best)
        hits, total = int(is_hit.sum()), len(ids)
        misses_5 = comb(total - hits, 5) / comb(total, 5) if total >= 5 else float(hits == 0)
        records.append(
            {
                "scene": views.scene.id,
                "kind": kind,
                "query": phrase,
                "nearest_trained": float((names @ query_feature(phrase, snapshot.features.shape[1])).max()),
                "top1": bool(is_hit[rows[:1]].any()),
                "top5": bool(is_hit[rows].any()),
                "chance1": hits / max(total, 1),
                "chance5": 1.0 - misses_5,
                "has_instance": hits > 0,
            }
        )
    return records


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Means with 95 % intervals of one stack and kind of query."""
    scenes = [record["scene"] for record in records]
    out: dict[str, Any] = {"queries": len(records), "scenes": len(set(scenes))}
    for name in ("top1", "top5", "chance1", "chance5", "has_instance"):
        interval = mean_interval([float(record[name]) for record in records], scenes)
        out[name] = [round(value, 4) for value in (interval.mean, interval.low, interval.high)]
    above = mean_interval([record["top1"] - record["chance1"] for record in records], scenes)
    out["top1_minus_chance"] = [round(value, 4) for value in (above.mean, above.low, above.high)]
    return out


def by_name(records: list[dict[str, Any]]) -> dict[str, list[int]]:
    """For each name of an object: in how many scenes it was found first, in the first five, asked for."""
    found: dict[str, list[int]] = {}
    for record in filter(KINDS["object"], records):
        counts = found.setdefault(record["query"], [0, 0, 0])
        for place, value in enumerate((record["top1"], record["top5"], True)):
            counts[place] += int(value)
    return found


def tours(args: Args) -> dict[str, list[Views]]:
    """The scenes to measure, in groups."""
    groups = {}
    if args.houses:
        simulator = EmbreeSimulator(load_scene=houses.load_scene)
        scenes = [simulator.load(f"houses/val_unseen/{number:04d}") for number in range(args.houses)]
        groups[f"{args.houses} houses of val_unseen"] = [
            Views(simulator, scene, tour_stops(simulator, scene)) for scene in scenes
        ]
    if args.scene is not None:
        simulator = EmbreeSimulator(load_scene=scene_loader("houses", str(args.scene.parent)))
        scene = simulator.load(args.scene.name)
        groups[args.scene.name] = [Views(simulator, scene, tour_stops(simulator, scene))]
    return groups


def main(args: Args) -> None:
    """Tour, remember, ask, print, save."""
    torch.set_num_threads(1)
    stacks = [Stack(*name.split("/")) for name in args.stacks] or STACKS
    rows, names = [], {}
    for group, group_views in tours(args).items():
        print(f"\n{group}")
        print(f"{'':<44}{'queries':<19}{'n':>4}  top-1 [95 %]        top-5  chance 1, 5    there  s/view")
        for stack in stacks:
            encoder = named_encoder(stack.encoder, args.seed)
            records, seconds, count = [], 0.0, 0
            sizes, unseen = [], []
            for views in group_views:
                camera = Camera(width=encoder.image_size, height=encoder.image_size)
                count += sum(1 for _ in views(camera))  # renders
                start = time.perf_counter()
                snapshot, truth = remember(views, stack, encoder)
                seconds += time.perf_counter() - start
                live = truth[snapshot.patch_id.numpy()]
                unseen += [(views.scene.id, name) for name in unseen_of(views.scene, live, args.seen_patches)]
                sizes.append((len(snapshot.patch_id), len(snapshot.instance_ids)))
                records += ask(views, snapshot, truth, args.seen_patches)
            for kind, is_meant in KINDS.items():
                own = [record for record in records if is_meant(record)]
                if not own or (kind.startswith(" ") and len(own) == sum(map(KINDS["object"], records))):
                    continue
                row = {"scenes_of": group, "stack": stack.label, "kind": kind.strip(), **summary(own)}
                row["privileged"] = encoder.privileged or stack.segmenter == "oracle"
                row["patches_mean"], row["instances_mean"] = (round(m) for m in np.mean(sizes, axis=0))
                row["names_seen_too_little"] = len(unseen)
                rows.append(row)
                print(
                    f"{stack.label:<44}{kind:<19}{row['queries']:>4}  {row['top1'][0]:.3f} "
                    f"[{row['top1'][1]:.2f}, {row['top1'][2]:.2f}]  {row['top5'][0]:.3f}  "
                    f"{row['chance1'][0]:.3f}, {row['chance5'][0]:.3f}   {row['has_instance'][0]:.3f}  "
                    f"{seconds / max(count, 1):.3f}",
                    flush=True,
                )
            print(f"{'':<44}names seen too little: {unseen}")
            names[f"{group}, {stack.label}"] = by_name(records)
    if args.save_as:
        results = {"summary": rows, "names: first, in five, asked": names}
        path = save_result(args.save_as, results, seed=args.seed, building=sorted(BUILDING))
        print(f"\nsaved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
