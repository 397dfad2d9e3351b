"""Instances: segments of a view as 2D instances, which 3D instance each shows, and what those are made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vlnenv.memory.levels import Levels
from vlnenv.memory.members import Groups, gather, relative
from vlnenv.memory.patches import Points
from vlnenv.memory.scans import of_instances
from vlnenv.memory.slots import NO_KEY, Slots
from vlnenv.memory.store import PatchStore


@dataclass(frozen=True, eq=False)
class Segments:
    """The 2D instances of n views: s segments, ordered by view, then label."""

    of_patch: torch.Tensor
    """int64 (n, 576) the segment that each patch lies in, -1 for none."""
    row: torch.Tensor
    """int64 (s,) its view, in [0, n)."""
    size: torch.Tensor
    """int64 (s,) patches."""
    centre_m: torch.Tensor
    """float32 (3, s) mean of the patches, world frame."""
    features: torch.Tensor
    """float32 (s, dim)."""


@dataclass(frozen=True, eq=False)
class Votes:
    """Stored points that are seen again, counted by instance: one of c slots in each environment."""

    by_segment: torch.Tensor
    """int64 (s, c) those that lie in each segment."""
    all: torch.Tensor
    """int64 (n, c) those that lie anywhere in the view."""


def describe(
    labels: torch.Tensor, points: Points, patch_id: torch.Tensor, levels: Levels, most: int
) -> Segments:
    """The segments of n views as 2D instances.

    Args:
        labels: int64 (n, 576) segment of each patch, 0 for none; 0 where the patch is not valid.
        points: All n * 576 patches.
        patch_id: int64 (n, 576).
        levels: Encodes them, in one call.
        most: Patches that a feature is made of.
    """
    n = len(labels)
    stride = int(labels.max()) + 1
    view = torch.arange(n, device=labels.device)[:, None]
    key = view * stride + labels
    is_there = torch.zeros(n * stride, dtype=torch.bool, device=labels.device)
    is_there[key.view(-1)] = True
    is_there[::stride] = False  # label 0
    (found,) = is_there.nonzero(as_tuple=True)
    number = torch.full((n * stride,), -1, dtype=torch.int64, device=labels.device)
    number[found] = torch.arange(len(found), device=labels.device)
    of_patch = number[key]
    (patch,) = (of_patch.view(-1) >= 0).nonzero(as_tuple=True)
    segments = gather(points.xyz_m, patch_id.view(-1), patch, of_patch.view(-1)[patch], len(found), most)
    features = encode(points, segments, levels)
    row = found.div(stride, rounding_mode="floor")
    return Segments(of_patch, row, segments.size, segments.centre_m, features)


def encode(points: Points, instances: Groups, levels: Levels) -> torch.Tensor:
    """Features of g instances.

    Args:
        points: Where the members are looked up.
        instances: Groups of points.
        levels: Encodes them.

    Returns:
        float32 (g, dim).

    Source: Dynam3D's inputs; its released code takes the norm of the absolute position for the distance to
    the centre, which makes an instance's feature depend on where the world's origin lies.
    """
    member, mask = instances.member, instances.mask
    chosen = points.take(member.view(-1))
    away = relative(chosen.xyz_m.view(3, *member.shape), instances.centre_m)
    direction = chosen.direction_rad.view(member.shape)
    position = torch.stack(
        [*away, direction.sin(), direction.cos(), chosen.scale_m.view(member.shape)], dim=-1
    )
    features = chosen.features.view(*member.shape, levels.dim)
    return levels.encode_instances(features, position.masked_fill_(~mask[..., None], 0.0), mask)


def count_votes(
    row: torch.Tensor, slot: torch.Tensor, segment: torch.Tensor, segments: Segments, slots: int
) -> Votes:
    """Count k stored points that are seen again.

    Args:
        row: int64 (k,) the view.
        slot: int64 (k,) the instance that the point belongs to, -1 for none.
        segment: int64 (k,) where it is seen, -1 for none.
        segments: All of them.
        slots: Slots of an environment, c.
    """
    n, s = len(segments.of_patch), len(segments.row)
    (known,) = (slot >= 0).nonzero(as_tuple=True)
    row, slot, segment = row[known], slot[known], segment[known]
    every = torch.bincount(row * slots + slot, minlength=n * slots)
    (inside,) = (segment >= 0).nonzero(as_tuple=True)
    cell = segment[inside] * slots + slot[inside]
    return Votes(torch.bincount(cell, minlength=s * slots).view(s, slots), every.view(n, slots))


def candidates(
    segments: Segments, votes: Votes, envs: torch.Tensor, instances: Slots, nearest: int
) -> torch.Tensor:
    """The instances that each segment may show, the likeliest first.

    Returns:
        int64 (s, 1 + nearest) slots, -1 for none: the instance with the most votes (of equals the lowest id;
        none without a vote), then the others nearest to the segment by centre (of equals the lowest id).
    """
    key, slot = instances.in_order(envs)
    row, shape = segments.row, (len(segments.row), 1 + nearest)
    if not key.shape[1] or not len(row):
        return torch.full(shape, -1, dtype=torch.int64, device=row.device)
    # All in the order of the ids, so that the first of equals is the one of the lowest id.
    centre = instances.xyz_m.index_select(1, envs).gather(2, slot.expand(3, -1, -1)).double()
    offset = segments.centre_m.double()[..., None] - centre.index_select(1, row)
    distance = (offset * offset).sum(dim=0).masked_fill_((key == NO_KEY)[row], torch.inf)
    order = slot.index_select(0, row)
    most, voted = votes.by_segment.gather(1, order).max(dim=1, keepdim=True)
    voted = votes.by_segment.gather(1, order).argmax(dim=1, keepdim=True)
    picked = torch.where(most > 0, voted, -1)
    distance.scatter_(1, voted, distance.gather(1, voted).masked_fill(most > 0, torch.inf))
    picks = [picked]
    for _ in range(nearest):
        closest = distance.argmin(dim=1, keepdim=True)
        picks.append(torch.where(distance.gather(1, closest) < torch.inf, closest, -1))
        distance.scatter_(1, closest, torch.inf)
    position = torch.cat(picks, dim=1)
    return torch.where(position >= 0, order.gather(1, position.clamp(min=0)), -1)


def match(
    segments: Segments,
    votes: Votes,
    envs: torch.Tensor,
    instances: Slots,
    levels: Levels,
    nearest: int,
    probability: float,
) -> torch.Tensor:
    """The instance that each segment joins.

    All segments are judged against the same state, in one call for all pairs; several may join one instance.

    Returns:
        int64 (s,) slots: of the first candidate that the segment is the same as with more than `probability`;
        -1 where it founds an instance of its own.

    Source: Dynam3D, whose candidates are the nearest alone; ours looks first where the segment's own points
    were seen before, as near centres say little about walls, floors and what stands close together.
    """
    slot = candidates(segments, votes, envs, instances, nearest)
    segment, choice = (slot >= 0).nonzero(as_tuple=True)
    known = slot[segment, choice]
    row = segments.row[segment]
    place = instances.place(envs[row], known)
    shared = votes.by_segment[segment, known]
    overlap = torch.stack(
        [shared / segments.size[segment], shared / votes.all[row, known].clamp(min=1)], dim=1
    ).clamp_(max=1.0)
    p = levels.same(
        instances.features.view(-1, instances.dim).index_select(0, place),
        segments.features.index_select(0, segment),
        (segments.centre_m.index_select(1, segment) - instances.xyz_m.view(3, -1).index_select(1, place)).T,
        overlap,
    )
    is_same = torch.zeros(slot.shape, dtype=torch.uint8, device=slot.device)
    is_same[segment, choice] = (p > probability).to(torch.uint8)
    first = is_same.argmax(dim=1, keepdim=True)
    return torch.where(is_same.gather(1, first) > 0, slot.gather(1, first), -1)[:, 0]


def found(
    envs: torch.Tensor,
    segments: Segments,
    joined: torch.Tensor,
    has_patch: torch.Tensor,
    instances: Slots,
    next_id: torch.Tensor,
) -> torch.Tensor:
    """Instances for the segments that join none, with the next ids in the order of the labels.

    Args:
        envs: int64 (n,).
        segments: All of them.
        joined: int64 (s,) slots, -1 for none.
        has_patch: bool (s,) whether a patch of the segment is kept; one without founds nothing.
        instances: Grows.
        next_id: int64 (num_envs,) of each environment's next instance; counted up.

    Returns:
        int64 (s,) slots, -1 only for segments without a patch.
    """
    (new,) = ((joined < 0) & has_patch).nonzero(as_tuple=True)
    row = segments.row[new]
    founded = torch.bincount(row, minlength=len(envs))
    rank = torch.arange(len(new), device=new.device) - (founded.cumsum(0) - founded)[row]
    slot = instances.claim(envs, row, next_id[envs][row] + rank)
    # Until it is made of its patches it lies where its segment does.
    instances.put(
        instances.place(envs[row], slot), segments.centre_m[:, new], segments.features.index_select(0, new)
    )
    next_id[envs] += founded
    return joined.index_copy(0, new, slot)


def refresh(
    envs: torch.Tensor,
    is_touched: torch.Tensor,
    store: PatchStore,
    instances: Slots,
    levels: Levels,
    most: int,
) -> None:
    """Make the instances that gained or lost a patch of their live patches, or delete those without.

    Each stored point costs one look-up; only a bounded sample of each instance's is encoded, in one call.

    Args:
        envs: int64 (n,).
        is_touched: bool (n, c) slots.
        store: The points.
        instances: Changes.
        levels: Encodes them.
        most: Patches that a feature is made of.
    """
    row, slot = is_touched.nonzero(as_tuple=True)
    if not len(row):
        return
    number = torch.full((len(envs), instances.capacity), -1, dtype=torch.int64, device=row.device)
    number[row, slot] = torch.arange(len(row), device=row.device)
    point, group = of_instances(store.slot, envs, store.count[envs], number)
    points = store.flat()
    touched = gather(points.xyz_m, store.patch_id.view(-1), point, group, len(row), most)
    place, is_alive = instances.place(envs[row], slot), touched.size > 0
    instances.free(place[~is_alive])
    (alive,) = is_alive.nonzero(as_tuple=True)
    if len(alive):
        touched = touched.take(alive)
        instances.put(place[alive], touched.centre_m, encode(points, touched, levels))
