"""Zones: cubes of the world, made of the instances whose centre lies in them."""

from __future__ import annotations

import torch

from vlnenv.memory.cubes import KEY_BITS, cube_keys
from vlnenv.memory.levels import Levels
from vlnenv.memory.members import gather, relative
from vlnenv.memory.slots import NO_KEY, Slots

_KEY_MASK = (1 << KEY_BITS) - 1


def zones_of(envs: torch.Tensor, is_wanted: torch.Tensor, instances: Slots, zone_m: float) -> torch.Tensor:
    """The zones that some instances lie in.

    Args:
        envs: int64 (n,).
        is_wanted: bool (n, c) slots of instances; empty ones are left out.
        instances: All of them.
        zone_m: Side of a zone, metres.

    Returns:
        int64 (k,) row << 48 | key of each instance's zone.
    """
    row, slot = (is_wanted & (instances.key.index_select(0, envs) < NO_KEY)).nonzero(as_tuple=True)
    xyz_m = instances.xyz_m.view(3, -1).index_select(1, instances.place(envs[row], slot))
    return (row << KEY_BITS) | cube_keys(xyz_m, zone_m)


def refresh(
    envs: torch.Tensor,
    touched: torch.Tensor,
    instances: Slots,
    zones: Slots,
    levels: Levels,
    zone_m: float,
    most: int,
) -> None:
    """Make zones of the instances that lie in them now; those without any vanish.

    Args:
        envs: int64 (n,).
        touched: int64 (k,) row << 48 | key of the zones that an instance entered or left, or in which one
            changed or died; may repeat.
        instances: All of them.
        zones: Changes.
        levels: Encodes them, in one call.
        zone_m: Side of a zone, metres.
        most: Instances that a feature is made of.

    Source: Dynam3D, where a zone is refreshed only where this view's instances lay before they were merged:
    an instance can leave or die and still be listed, and a zone can be left without a centre.
    """
    touched = touched.unique()
    if not len(touched):
        return
    # In the order of their ids, so that a zone is the same whichever slots its instances live in.
    key, slot = instances.in_order(envs)
    row, rank = (key < NO_KEY).nonzero(as_tuple=True)
    place, xyz_m = instances.place(envs[row], slot[row, rank]), instances.xyz_m.view(3, -1)
    zone = (row << KEY_BITS) | cube_keys(xyz_m.index_select(1, place), zone_m)
    group = torch.searchsorted(touched, zone).clamp_(max=len(touched) - 1)
    (inside,) = (touched[group] == zone).nonzero(as_tuple=True)
    members = gather(xyz_m, instances.key.view(-1), place[inside], group[inside], len(touched), most)
    has_member = members.size > 0

    zone_row, zone_key = touched >> KEY_BITS, touched & _KEY_MASK
    at = zones.key.index_select(0, envs[zone_row]) == zone_key[:, None]
    is_known = at.any(dim=1)
    zone_slot = at.to(torch.uint8).argmax(dim=1)
    zones.free(zones.place(envs[zone_row], zone_slot)[is_known & ~has_member])
    (new,) = (has_member & ~is_known).nonzero(as_tuple=True)
    zone_slot[new] = zones.claim(envs, zone_row[new], zone_key[new])

    (alive,) = has_member.nonzero(as_tuple=True)
    if not len(alive):
        return
    members = members.take(alive)
    member, mask = members.member, members.mask
    away = relative(xyz_m.index_select(1, member.view(-1)).view(3, *member.shape), members.centre_m)
    position = torch.stack(away, dim=-1).masked_fill_(~mask[..., None], 0.0)
    features = instances.features.view(-1, instances.dim).index_select(0, member.view(-1))
    features = levels.encode_zones(features.view(*member.shape, levels.dim), position, mask)
    zones.put(zones.place(envs[zone_row[alive]], zone_slot[alive]), members.centre_m, features)
