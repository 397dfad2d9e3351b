"""What a step of the token memory costs as it grows, by part and batch; and against the paper's memory.

    python -m benchmarks.memory [--scenes houses/val_unseen/0000 FLAT.glb] [--tables growth paper members]

An agent walks shortest ways between random places of a scene. The views are rendered and encoded once; then
segmenter and memory alone are timed over them, agents of a batch starting apart. Milliseconds are processor
time of the one thread that all of it runs in, so that what else the machine does counts little.

Three tables:

- growth: the default size, milliseconds of each part around some steps, points stored and megabytes held;
- paper: 768 dimensions and the paper's networks with random weights, ours against all members encoded again
  (`benchmarks.paper_memory`) over the same views in turns;
- members: what it costs in accuracy that an instance is encoded from a bounded sample of its patches.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any
from unittest import mock

import numpy as np
import torch
import tyro

from agents.pretraining.walks import draw_walk
from benchmarks.paper_memory import PaperMemory
from benchmarks.record import save_result
from vlnenv import houses
from vlnenv.data import scene_loader
from vlnenv.memory import MemoryConfig, MemorySnapshot, TokenMemory, instances, make_encoder, zones
from vlnenv.memory.levels import Levels, MeanLevels, make_levels
from vlnenv.memory.merging import MergingDiscriminator
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.memory.set_encoder import SetEncoder
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

HOUSE = "houses/val_unseen/0000"
MARKS = (50, 200, 500, 1000)
WINDOW = 25
"""Steps before and after a mark that its median is taken over."""
PAPER_DIM, PAPER_HEADS, PAPER_FFN = 768, 12, 3072
TABLES = ("growth", "paper", "members")


@dataclass(frozen=True)
class Args:
    """Growth, speed and accuracy of the memory."""

    scenes: tuple[str, ...] = (HOUSE,)
    """Ids of built-in houses, or paths of scans and models."""
    steps: int = 1000
    batches: tuple[int, ...] = (1, 4, 16)
    encoder: str = "mini"
    """Whose features come in; it is not timed."""
    segmenter: str = "patchgraph"
    paper_steps: int = 200
    """Steps of the comparison with the paper's memory; timed over the last tenth."""
    paper_members: tuple[int, ...] = (8, 16, 32)
    """Bounds on the patches of one encoding that are compared with the paper's memory."""
    members: tuple[int, ...] = (8, 16, 32, 128, 512)
    """Bounds on the patches of one encoding whose accuracy is compared."""
    tables: tuple[str, ...] = TABLES
    save_as: str = "memory"
    """Name of the JSON file under benchmarks/results."""
    seed: int = 0
    """Of the places and the random weights."""


@dataclass(frozen=True)
class Views:
    """What is seen along a walk of s steps."""

    position_m: np.ndarray
    heading_rad: np.ndarray
    frames: Frames
    features: torch.Tensor
    """(s, 24, 24, dim)."""
    truth: np.ndarray
    """int (s, 24, 24): the true object of each patch, 0 for none."""
    camera: Camera

    def at(self, steps: np.ndarray) -> tuple[Frames, torch.Tensor, tuple[np.ndarray, np.ndarray]]:
        """Frames, features and poses of n steps."""
        assert self.frames.rgb is not None
        assert self.frames.depth is not None
        frames = Frames(self.frames.rgb[steps], self.frames.depth[steps], None)
        return frames, self.features[steps], (self.position_m[steps], self.heading_rad[steps])


def see(name: str, load: Callable[[str], Scene], args: Args) -> Views:
    """Walk through a scene; render and encode what is seen."""
    simulator = EmbreeSimulator(load_scene=load)
    scene = simulator.load(name)
    position_m, heading_rad = draw_walk(simulator, scene, args.steps, np.random.default_rng(args.seed))
    encoder = make_encoder(args.encoder)
    camera = Camera(width=encoder.image_size, height=encoder.image_size)
    rgb, depth, features, truth = [], [], [], []
    for start in range(0, args.steps, 50):
        part = slice(start, start + 50)
        poses = position_m[part], heading_rad[part]
        frames = simulator.render(scene, *poses, camera, ("rgb", "depth", "instance"))
        assert frames.instance is not None
        with torch.no_grad():
            features.append(encoder.encode(frames, [scene] * len(poses[0])))
        rgb.append(frames.rgb)
        depth.append(frames.depth)
        truth.append(at_patch_centres(frames.instance))
    all_frames = Frames(np.concatenate(rgb), np.concatenate(depth), None)  # type: ignore[arg-type]
    return Views(position_m, heading_rad, all_frames, torch.cat(features), np.concatenate(truth), camera)


class Clock:
    """Milliseconds of each part, summed up step by step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def next_step(self) -> None:
        """Start a step."""
        self.steps.append(defaultdict(float))

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls count for `part`."""

        def run(*arguments: Any, **named: Any) -> Any:
            start = time.thread_time()
            result = function(*arguments, **named)
            self.steps[-1][part] += 1e3 * (time.thread_time() - start)
            return result

        return run

    @contextmanager
    def inside(self, memory: TokenMemory) -> Iterator[None]:
        """Time the parts of a memory's step; those of an update in their order, then the panorama."""
        with ExitStack() as stack:

            def watch(part: str, owner: Any, name: str) -> None:
                function = self.timed(part, getattr(owner, name))
                stack.enter_context(mock.patch.object(owner, name, function))

            watch("describe", instances, "describe")
            watch("cull", memory, "_cull")
            watch("match", memory, "_match")
            watch("thin out", memory, "_thin_out")
            watch("insert", memory, "_insert")
            watch("instances", instances, "refresh")
            watch("zones", zones, "refresh")
            watch("panorama", memory, "_read_panorama")
            watch("encode instances", memory.levels, "encode_instances")
            watch("encode zones", memory.levels, "encode_zones")
            watch("same", memory.levels, "same")
            yield

    def medians(self, steps: slice) -> dict[str, float]:
        """Median milliseconds of each part over some steps."""
        window = self.steps[steps]
        parts = sorted({part for step in window for part in step})
        return {part: round(float(np.median([step[part] for step in window])), 3) for part in parts}


class PaperSizeLevels:
    """Set encoders of the paper's size with random weights, which start as the mean of the members.

    What segment shows what instance is decided by the rule of `MeanLevels`; a discriminator of the paper's
    size runs beside it for its cost.

    Args:
        dim: Length of a feature.
        seed: Of the weights.
    """

    def __init__(self, dim: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.dim = dim
        self._instances = SetEncoder(dim, 7, PAPER_HEADS, PAPER_FFN).eval().requires_grad_(False)
        self._zones = SetEncoder(dim, 4, PAPER_HEADS, PAPER_FFN).eval().requires_grad_(False)
        self._merging = MergingDiscriminator(dim, PAPER_FFN).eval().requires_grad_(False)
        self._rule = MeanLevels(dim)
        self.uses_networks = True
        """False gives the mean, as the untrained encoders do, at once: a quick way to a late step."""

    def encode_instances(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """See `Levels`."""
        return (self._instances if self.uses_networks else self._rule.encode_instances)(
            features, position, mask
        )

    def encode_zones(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """See `Levels`."""
        return (self._zones if self.uses_networks else self._rule.encode_zones)(features, position, mask)

    def same(
        self, f3d: torch.Tensor, f2d: torch.Tensor, offset_m: torch.Tensor, overlap: torch.Tensor
    ) -> torch.Tensor:
        """See `Levels`."""
        if self.uses_networks:
            self._merging(f3d, f2d, offset_m, overlap)
        return self._rule.same(f3d, f2d, offset_m, overlap)


def held_mb(thing: Any) -> float:
    """Megabytes of all tensors and arrays that an object of this package holds."""
    seen: set[int] = set()

    def size(thing: Any) -> int:
        if id(thing) in seen:
            return 0
        seen.add(id(thing))
        if isinstance(thing, torch.Tensor):
            storage = thing.untyped_storage()
            address = storage.data_ptr()
            return 0 if address in seen or seen.add(address) else storage.nbytes()  # type: ignore[func-returns-value]
        if isinstance(thing, np.ndarray):
            return int(thing.nbytes)
        if isinstance(thing, dict):
            return sum(map(size, thing.values()))
        if isinstance(thing, list | tuple | set):
            return sum(map(size, thing))
        if type(thing).__module__.startswith("vlnenv.memory"):
            if is_dataclass(thing):
                return sum(size(getattr(thing, field.name)) for field in fields(thing))
            return sum(map(size, vars(thing).values()))
        return 0

    return round(size(thing) / 2**20, 2)


def growth(name: str, views: Views, count: int, args: Args) -> list[dict[str, Any]]:
    """Milliseconds of each part around the marked steps for a batch of `count` agents."""
    clock = Clock()
    levels = make_levels("auto", args.encoder, views.features.shape[-1])
    memory = TokenMemory(count, levels.dim, MemoryConfig(), views.camera, levels=levels)
    segment = clock.timed("segment", make_segmenter(args.segmenter).segment)
    update, read = clock.timed("update", memory.update), clock.timed("read", memory.read)
    slots = np.arange(count)
    rows: list[dict[str, Any]] = []
    for step in range(args.steps):
        now = (step + slots * (args.steps // count)) % args.steps
        frames, features, pose = views.at(now)
        clock.next_step()
        segments = segment(frames, features, views.camera)
        with clock.inside(memory):
            update(slots, features, frames.depth, *pose, segments)
            read(slots, *pose)
        if step + 1 in MARKS:
            state = memory.snapshot(0)
            stored = int(memory.count().mean())
            row: dict[str, Any] = {"scene": name, "batch": count, "step": step + 1, "stored": stored}
            row |= {"instances": len(state.instance_ids), "zones": len(state.zone_keys)}
            rows.append(row | {"held_mb": held_mb(memory)})
    for row in rows:
        parts = clock.medians(slice(max(row["step"] - WINDOW - 1, 0), row["step"] + WINDOW))
        row |= {"ms": parts, "step_ms": round(parts["update"] + parts["read"], 3)}
        row["over_first_mark"] = round(row["step_ms"] / rows[0]["step_ms"], 3)
    return rows


class Truth:
    """The true object of every patch that one environment ever stored, by id.

    Args:
        camera: The camera that the patches are seen by.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.of_patch: list[int] = []

    def add(self, depth: np.ndarray, truth: np.ndarray) -> None:
        """Take in one view: depth (height, width) and true objects (24, 24)."""
        seen = at_patch_centres(depth[None])[0]
        self.of_patch += truth[(seen > 0.0) & (seen < self.camera.max_depth_m)].tolist()

    def agreement(self, patch: np.ndarray, instance: np.ndarray) -> dict[str, float]:
        """How well instances and true objects are the same, over the patches that are in both.

        Args:
            patch: int (k,) ids of patches.
            instance: int (k,) instance of each, -1 for none.

        Returns:
            `purity`: share of patches that are of their instance's main object; `unity`: share that are in
            their object's main instance; `association`: share of which both is true.
        """
        objects = np.array(self.of_patch)[patch]
        both = (objects > 0) & (instance >= 0)
        _, o = np.unique(objects[both], return_inverse=True)
        _, i = np.unique(instance[both], return_inverse=True)
        counts = np.zeros((o.max() + 1, i.max() + 1), dtype=np.int64)
        np.add.at(counts, (o, i), 1)
        pure, whole = counts.argmax(axis=0)[i] == o, counts.argmax(axis=1)[o] == i
        shares = {"purity": pure, "unity": whole, "association": pure & whole}
        return {name: round(float(share.mean()), 4) for name, share in shares.items()}


def against_paper(name: str, views: Views, args: Args) -> list[dict[str, Any]]:
    """Milliseconds of the last of `paper_steps`, the paper's and ours in turns over the same views."""
    torch.manual_seed(args.seed)
    dim = views.features.shape[-1]
    widen = torch.linalg.qr(torch.randn(PAPER_DIM, dim))[0].T  # keeps lengths and angles
    paper, paper_clock = PaperMemory(PAPER_DIM, views.camera, seed=args.seed), Clock()
    levels = PaperSizeLevels(PAPER_DIM, args.seed)
    ours = {
        bound: TokenMemory(1, PAPER_DIM, MemoryConfig(instance_members=bound), views.camera, levels=levels)
        for bound in args.paper_members
    }
    clocks = {bound: Clock() for bound in ours}
    segmenter, truth = make_segmenter(args.segmenter), Truth(views.camera)
    first = args.paper_steps - max(args.paper_steps // 10, 1)
    tokens = []
    for step in range(args.paper_steps):
        paper.uses_networks = levels.uses_networks = step >= first
        frames, features, pose = views.at(np.array([step]))
        segments = segmenter.segment(frames, features, views.camera)
        features = features @ widen
        assert frames.depth is not None
        truth.add(frames.depth[0], views.truth[step])
        for bound, memory in ours.items():
            clock = clocks[bound]
            clock.next_step()
            with clock.inside(memory):
                clock.timed("update", memory.update)([0], features, frames.depth, *pose, segments)
                clock.timed("read", memory.read)([0], *pose)
        paper_clock.next_step()
        labels = segments[0].numpy()
        update = paper_clock.timed("step", paper.update)
        update(features[0], frames.depth[0], pose[0][0], pose[1][0], labels, views.truth[step])
        paper_clock.steps[-1].update(paper.milliseconds)
        tokens.append(paper.tokens)
    last = slice(first, None)
    patch = paper.id.numpy()
    instance = np.array([paper.instance_of.get(number, -1) for number in patch.tolist()])
    parts = paper_clock.medians(last)
    row: dict[str, Any] = {"scene": name, "memory": "paper, told the truth", "steps": args.paper_steps}
    row |= {"step_ms": parts.pop("step"), "stored": len(paper), "instances": len(paper.members)}
    rows = [row | truth.agreement(patch, instance) | {"patches_encoded": int(np.median(tokens[last]))}]
    rows[0]["ms"] = parts
    for bound, memory in ours.items():
        state, parts = memory.snapshot(0), clocks[bound].medians(last)
        row = {"scene": name, "memory": f"ours, {bound} members", "steps": args.paper_steps}
        row |= {"step_ms": round(parts["update"] + parts["read"], 3)}
        row |= {"stored": len(state.patch_id), "instances": len(state.instance_ids)}
        row |= truth.agreement(state.patch_id.numpy(), state.instance_id.numpy())
        rows.append(row | {"times_faster": round(rows[0]["step_ms"] / row["step_ms"], 1), "ms": parts})
    return rows


def bounded_members(name: str, views: Views, args: Args) -> list[dict[str, Any]]:
    """What a bound on the patches of one encoding does to the instances and to their features."""
    rows = []
    for kind in ("mean", "auto"):
        levels = make_levels(kind, args.encoder, views.features.shape[-1])
        if kind == "auto" and isinstance(levels, MeanLevels):
            continue
        for bound in args.members:
            memory = TokenMemory(
                1, levels.dim, MemoryConfig(instance_members=bound), views.camera, levels=levels
            )
            segmenter, truth = make_segmenter(args.segmenter), Truth(views.camera)
            start = time.thread_time()
            for step in range(args.steps):
                frames, features, pose = views.at(np.array([step]))
                assert frames.depth is not None
                segments = segmenter.segment(frames, features, views.camera)
                memory.update([0], features, frames.depth, *pose, segments)
                truth.add(frames.depth[0], views.truth[step])
            milliseconds = 1e3 * (time.thread_time() - start) / args.steps
            state = memory.snapshot(0)
            cosine, sizes = cosine_to_all_members(state, levels)
            over = cosine[sizes > bound]
            row: dict[str, Any] = {"scene": name, "levels": type(levels).__name__, "members": bound}
            row |= truth.agreement(state.patch_id.numpy(), state.instance_id.numpy())
            row |= {"instances": len(sizes), "larger_than_bound": len(over)}
            row |= {"cosine_mean": round(float(cosine.mean()), 5), "ms_a_step": round(milliseconds, 2)}
            if len(over):
                row |= {"cosine_mean_of_larger": round(float(over.mean()), 5)}
                row |= {"cosine_least": round(float(over.min()), 5)}
            rows.append(row)
    return rows


@torch.no_grad()
def cosine_to_all_members(state: MemorySnapshot, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of each instance's feature with the encoding of all of its patches, and how many those are."""
    cosines, sizes = [], []
    for instance, feature in zip(state.instance_ids, state.instance_features, strict=True):
        own = state.instance_id == instance
        xyz, direction = state.xyz_m[:, own].T, state.direction_rad[own, None]
        away = xyz - xyz.double().mean(dim=0).float()
        columns = [away, away.norm(dim=1, keepdim=True), direction.sin(), direction.cos()]
        position = torch.cat([*columns, state.scale_m[own, None]], dim=1)
        everything = torch.ones(1, len(xyz), dtype=torch.bool)
        full = levels.encode_instances(state.features[own][None], position[None], everything)[0]
        cosines.append(float(full @ feature))
        sizes.append(len(xyz))
    return np.array(cosines), np.array(sizes)


def main(args: Args) -> None:
    """Measure, print, save."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    results: dict[str, list[dict[str, Any]]] = {table: [] for table in args.tables}
    for scene in args.scenes:
        folder, _, name = scene.rpartition("/")
        is_house = scene.startswith("houses/")
        load = houses.load_scene if is_house else scene_loader("houses", folder or ".")
        name = scene if is_house else name
        views = see(name, load, args)
        print(f"\n{name}", flush=True)
        for count in args.batches if "growth" in args.tables else ():
            for row in growth(name, views, count, args):
                results["growth"].append(row)
                print(
                    f"batch {count:>2} step {row['step']:>4} stored {row['stored']:>6} "
                    f"{row['held_mb']:>7.1f} MB step {row['step_ms']:>7.2f} ms "
                    f"(x {row['over_first_mark']:.2f})  "
                    + "  ".join(f"{part} {ms:.2f}" for part, ms in row["ms"].items()),
                    flush=True,
                )
        if "members" in args.tables:
            for row in bounded_members(name, views, args):
                results["members"].append(row)
                print("  ".join(f"{key} {value}" for key, value in row.items() if key != "scene"), flush=True)
        if "paper" in args.tables:
            for row in against_paper(name, views, args):
                results["paper"].append(row)
                print("  ".join(f"{key} {value}" for key, value in row.items() if key != "scene"), flush=True)
    path = save_result(args.save_as, results, seed=args.seed, encoder=args.encoder, segmenter=args.segmenter)
    print(f"saved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
