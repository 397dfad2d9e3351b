"""What a memory meets on its walks: sets of patches, pairs to judge, zones, each with the truth about it.

A memory walks with a `Recorder` for its levels. The features that it is given are no features but the true
instance and the number of each patch, and what it gets for a set is that set's truth and number: whatever a
memory does with features it does with those. So the sets are those that a memory really holds, of many views
and half culled, without a second implementation of it. A segment joins an instance exactly if most of both
is the same true instance: so nothing here depends on an encoder, and one walk serves them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from tqdm import tqdm

from agents.pretraining.walks import Walks
from vlnenv import houses
from vlnenv.cache import settings_key, write_atomic
from vlnenv.memory import TokenMemory
from vlnenv.memory.config import PATCH_TOKENS
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.memory.text_table import load_text_table

_VERSION = 1
MEMBERS = 32
"""Members of a set, of patches and of instances alike."""
SCENE_ZONES = 8
"""Zones that stand for a scene."""


@dataclass(frozen=True, eq=False)
class Encounters:
    """S sets of patches, P pairs of them, Z zones, over V views of walks; I true instances, C categories.

    All arrays are on the host. A view's pairs and zones lie side by side, views in ascending order.
    """

    set_patches: Tensor
    """int32 (S, 32) rows of all patches of all walks, (w * s * 576); of no meaning behind the members."""
    set_position: Tensor
    """float16 (S, 32, 7), as `vlnenv.memory.levels.Levels` describes it."""
    set_count: Tensor
    """int64 (S,) members, the first so many."""
    set_instance: Tensor
    """int64 (S,) the true instance of most members, in [0, I)."""
    set_purity: Tensor
    """float32 (S,) the part of the members that show it."""
    pair_view: Tensor
    """int64 (P,) in [0, V), ascending."""
    pair_sets: Tensor
    """int64 (P, 2): the remembered instance and the segment."""
    pair_offset_m: Tensor
    """float32 (P, 3) from the first's centre to the second's."""
    pair_overlap: Tensor
    """float32 (P, 2)."""
    zone_view: Tensor
    """int64 (Z,) ascending; -1 for zones that only `view_zones` names."""
    zone_sets: Tensor
    """int64 (Z, 32) sets of its instances; -1 where there is none."""
    zone_position: Tensor
    """float32 (Z, 32, 4)."""
    view_walk: Tensor
    """int64 (V,)"""
    view_step: Tensor
    """int64 (V,) which view of its walk it is."""
    view_zones: Tensor
    """int64 (V, 8) some of all zones that the memory holds after the view; -1 where there are fewer."""
    instance_category: Tensor
    """int64 (I,) in [0, C)."""
    instance_name: Tensor
    """float32 (I, d) text embedding of the category."""
    instance_text: Tensor
    """float32 (I, d) of category and colour, as the semantic encoder has it."""
    instance_room: Tensor
    """float32 (I, d) of the kind of room that it stands in; zero outside the house."""
    instance_meaning: Tensor
    """int64 (I,) equal for equal category and colour."""
    scene_text: Tensor
    """float32 (w, d) summary of each walk's house: its rooms and its objects."""
    category_names: Tensor
    """float32 (C, d)."""

    @property
    def pair_is_same(self) -> Tensor:
        """Whether both sides of a pair show the same true instance, bool (P,)."""
        return self.set_instance[self.pair_sets[:, 0]] == self.set_instance[self.pair_sets[:, 1]]


def meet(
    walks: Walks, segmenters: Sequence[str] = ("patchgraph", "oracle"), keep: float = 0.25, seed: int = 0
) -> Encounters:
    """Let a memory walk all walks once with each segmenter, and write down what it meets; cached.

    Args:
        walks: The views.
        segmenters: Names that `Walks.segments` knows.
        keep: Part of the views whose pairs and zones are written down.
        seed: Chooses the views.
    """
    settings = {"segmenters": list(segmenters), "keep": keep, "seed": seed, "version": _VERSION}
    path = walks.folder / f"encounters-{settings_key(settings)}.safetensors"
    if not path.is_file():
        found = vars(_meet(walks, segmenters, keep, seed))
        write_atomic(path, safetensors.torch.save({name: each.contiguous() for name, each in found.items()}))
    return Encounters(**safetensors.torch.load_file(path))


def _meet(walks: Walks, segmenters: Sequence[str], keep: float, seed: int) -> Encounters:
    texts = [_texts(scene_id) for scene_id in walks.scene_ids]
    first_instance = np.cumsum([0, *(len(each.category) for each in texts)])
    parts: list[dict[str, Tensor]] = []
    jobs = [(walk, segmenter) for walk in range(len(walks.scene_ids)) for segmenter in segmenters]
    for number, (walk, segmenter) in enumerate(tqdm(jobs, desc="encounters", unit="walk", smoothing=0.05)):
        rng = np.random.default_rng([seed, number])
        kept = np.asarray(rng.random(walks.heading_rad.shape[1]) < keep)
        part = _walk_once(walks, walk, segmenter, kept, rng)
        part["set_instance"] = part["set_instance"] - 1 + int(first_instance[walk])
        part["set_patches"] = part["set_patches"] + walk * len(kept) * PATCH_TOKENS
        part["view_walk"] = torch.full((len(part["view_step"]),), walk)
        parts.append(part)
    return Encounters(**_joined(parts), **_joined_texts(texts))


class Recorder:
    """Levels that write down all they are asked. Features are (true instance, number of patch or set)."""

    dim = 2

    def __init__(self) -> None:
        self.view = 0
        """Written beside all pairs and zones from now on."""
        self.sets: list[tuple[Tensor, ...]] = []
        self.zones: list[tuple[Tensor, ...]] = []
        self.pairs: list[tuple[Tensor, ...]] = []
        self._sets = 0
        self._zones = 0

    def encode_instances(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """See `Levels`."""
        truth, purity = majority(features[..., 0], mask)
        number = torch.arange(self._sets, self._sets + len(mask))
        self._sets += len(mask)
        patches = torch.where(mask, features[..., 1].int(), 0)
        position = torch.where(mask[..., None], position, 0.0).half()
        self.sets.append((_wide(patches), _wide(position), mask.sum(dim=1), truth, purity))
        return torch.stack([truth, number], dim=1).float()

    def encode_zones(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """See `Levels`."""
        number = torch.arange(self._zones, self._zones + len(mask))
        self._zones += len(mask)
        members = torch.where(mask, features[..., 1].long(), -1)
        position = torch.where(mask[..., None], position, 0.0)
        self.zones.append((torch.full_like(number, self.view), _wide(members, -1), _wide(position)))
        return torch.stack([torch.zeros_like(number), number], dim=1).float()

    def same(self, f3d: Tensor, f2d: Tensor, offset_m: Tensor, overlap: Tensor) -> Tensor:
        """See `Levels`."""
        sets = torch.stack([f3d[:, 1], f2d[:, 1]], dim=1).long()
        self.pairs.append((torch.full((len(sets),), self.view), sets, offset_m.clone(), overlap.clone()))
        return (f3d[:, 0] == f2d[:, 0]).float()


def majority(truth: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The value that most members of each set have (of several the first member's), and their part.

    Args:
        truth: (b, m) whole numbers.
        mask: bool (b, m).

    Returns:
        int64 (b,) and float32 (b,).
    """
    if truth.numel() == 0:
        return torch.zeros(len(truth), dtype=torch.int64), torch.zeros(len(truth))
    alike = ((truth[:, :, None] == truth[:, None]) & mask[:, None] & mask[:, :, None]).sum(dim=2)
    votes, place = alike.max(dim=1)
    return truth.gather(1, place[:, None])[:, 0].long(), votes / mask.sum(dim=1)


def _walk_once(
    walks: Walks, walk: int, segmenter: str, kept: np.ndarray, rng: np.random.Generator
) -> dict[str, Tensor]:
    """The encounters of one walk; sets, zones and views numbered from 0, true instances by their ids."""
    recorder = Recorder()
    memory = TokenMemory(1, recorder.dim, camera=walks.camera, levels=recorder)
    segments, steps = walks.segments(walk, segmenter), len(kept)
    view_zones = torch.full((steps, SCENE_ZONES), -1)
    for step in range(steps):
        recorder.view = step
        truth = torch.from_numpy(walks.instance[walk, step].astype(np.float32))
        number = torch.arange(step * PATCH_TOKENS, (step + 1) * PATCH_TOKENS, dtype=torch.float32)
        view = torch.stack([truth, number.view(PATCH_GRID, PATCH_GRID)], dim=2)[None]
        pose = walks.position_m[walk, step][None], walks.heading_rad[walk, step][None]
        depth = walks.depth_m(walk, slice(step, step + 1))
        memory.update([0], view, depth, *pose, segments=segments[step][None])
        if kept[step]:
            zones = memory.snapshot(0).zone_features[:, 1].long()
            chosen = rng.permutation(len(zones))[:SCENE_ZONES]
            view_zones[step, : len(chosen)] = zones[torch.from_numpy(chosen)]
    sets, zone_rows, pairs = (
        [torch.cat(column) for column in zip(*rows, strict=True)]
        for rows in (recorder.sets, recorder.zones, recorder.pairs)
    )
    # Of all that was written down only what the kept views ask for stays.
    is_kept = torch.from_numpy(kept)
    pairs = [column[is_kept[pairs[0]]] for column in pairs]
    zone_wanted = is_kept[zone_rows[0]]
    zone_wanted[view_zones[view_zones >= 0]] = True
    zone_row = torch.where(zone_wanted, zone_wanted.cumsum(0) - 1, -1)
    zone_rows = [column[zone_wanted] for column in zone_rows]
    set_wanted = torch.zeros(len(sets[0]), dtype=torch.bool)
    set_wanted[pairs[1].flatten()] = True
    set_wanted[zone_rows[1][zone_rows[1] >= 0]] = True
    set_row = set_wanted.cumsum(0) - 1
    view_row = is_kept.cumsum(0) - 1
    return {
        **dict(
            zip(
                ("set_patches", "set_position", "set_count", "set_instance", "set_purity"),
                (column[set_wanted] for column in sets),
                strict=True,
            )
        ),
        "pair_view": view_row[pairs[0]],
        "pair_sets": set_row[pairs[1]],
        "pair_offset_m": pairs[2],
        "pair_overlap": pairs[3],
        # A zone of an earlier view that a kept one shows as a part of its scene belongs to no kept view.
        "zone_view": torch.where(is_kept[zone_rows[0]], view_row[zone_rows[0]], -1),
        "zone_sets": torch.where(zone_rows[1] >= 0, set_row[zone_rows[1].clamp(min=0)], -1),
        "zone_position": zone_rows[2],
        "view_step": is_kept.nonzero()[:, 0],
        "view_zones": torch.where(view_zones >= 0, zone_row[view_zones.clamp(min=0)], -1)[is_kept],
    }


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The walks' encounters behind each other, numbers of sets, zones and views moved on."""
    moved: list[dict[str, Tensor]] = []
    starts = {"set": 0, "zone": 0, "view": 0}
    points_at = {"pair_sets": "set", "zone_sets": "set", "pair_view": "view", "zone_view": "view"}
    points_at["view_zones"] = "zone"
    for part in parts:
        shifted = dict(part)
        for name, what in points_at.items():
            shifted[name] = torch.where(part[name] >= 0, part[name] + starts[what], -1)
        moved.append(shifted)
        starts["set"] += len(part["set_count"])
        starts["zone"] += len(part["zone_view"])
        starts["view"] += len(part["view_step"])
    joined = {name: torch.cat([part[name] for part in moved]) for name in moved[0]}
    order = joined["zone_view"].argsort(stable=True)
    for name in ("zone_view", "zone_sets", "zone_position"):
        joined[name] = joined[name][order]
    row = order.argsort()
    joined["view_zones"] = torch.where(joined["view_zones"] >= 0, row[joined["view_zones"].clamp(min=0)], -1)
    return joined


@dataclass(frozen=True, eq=False)
class _Texts:
    """What a house's instances are called, rows by instance id from 1."""

    category: list[str]
    meaning: list[str]
    text: np.ndarray
    room: np.ndarray
    scene: np.ndarray


def _texts(scene_id: str) -> _Texts:
    scene, house = houses.load_scene(scene_id), houses.house_of(scene_id)
    table, instances = load_text_table(), scene.instances
    if [instance.id for instance in instances] != list(range(1, len(instances) + 1)):
        raise ValueError(f"the instances of {scene_id!r} are not numbered from 1")
    rooms = np.zeros((len(instances), table.dim), dtype=np.float32)
    for row, instance in enumerate(instances):
        x, _, z = np.mean(instance.bounds_m, axis=0)
        index = house.room_at(float(x), float(z))
        if index >= 0:
            rooms[row] = table.embed(house.rooms[index].kind)
    names = np.stack([table.embed(instance.category) for instance in instances])
    summary = _unit(np.stack([table.embed(room.kind) for room in house.rooms]).mean(axis=0))
    return _Texts(
        category=[instance.category for instance in instances],
        meaning=[f"{instance.color} {instance.category}" for instance in instances],
        text=SemanticEncoder().instance_features(scene)[1:].numpy(),
        room=rooms,
        scene=_unit(summary + _unit(names.mean(axis=0))),
    )


def _joined_texts(texts: list[_Texts]) -> dict[str, Tensor]:
    table = load_text_table()
    category = [name for each in texts for name in each.category]
    meaning = [name for each in texts for name in each.meaning]
    categories, category_row = np.unique(category, return_inverse=True)
    names = np.stack([table.embed(str(name)) for name in categories])
    return {
        "instance_category": torch.from_numpy(category_row),
        "instance_name": torch.from_numpy(names[category_row]),
        "instance_text": torch.from_numpy(np.concatenate([each.text for each in texts])),
        "instance_room": torch.from_numpy(np.concatenate([each.room for each in texts])),
        "instance_meaning": torch.from_numpy(np.unique(meaning, return_inverse=True)[1]),
        "scene_text": torch.from_numpy(np.stack([each.scene for each in texts])),
        "category_names": torch.from_numpy(names),
    }


def _wide(values: Tensor, fill: float = 0.0) -> Tensor:
    """(b, m, ...) to (b, 32, ...)."""
    if values.shape[1] > MEMBERS:
        raise ValueError(f"sets of at most {MEMBERS} members are recorded, got {values.shape[1]}")
    behind = values.new_full((len(values), MEMBERS - values.shape[1], *values.shape[2:]), fill)
    return torch.cat([values, behind], dim=1)


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
