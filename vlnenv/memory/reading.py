"""What is remembered as arrays for an agent: tokens, positions and masks, nearest first."""

from __future__ import annotations

import torch

from vlnenv.memory.geometry import Pose, world_to_agent
from vlnenv.memory.slots import NO_KEY, Slots

Tokens = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Tokens (n, P, dim), positions (n, P, 3) in the agent frame and mask bool (n, P); 0 where the mask is."""


def read_slots(slots: Slots, envs: torch.Tensor, pose: Pose, radius_m: float, most: int) -> Tokens:
    """The instances or zones around n agents, nearest first, of equally near ones the lowest key first.

    Args:
        slots: The instances or the zones.
        envs: int64 (n,).
        pose: The n agents.
        radius_m: Those whose centre is farther than this from the feet are left out, metres.
        most: How many there is room for.
    """
    n = len(envs)
    key, slot = slots.in_order(envs)
    xyz_m = slots.xyz_m.index_select(1, envs).gather(2, slot.expand(3, -1, -1))
    offset = xyz_m.double() - pose.feet_m.double()
    distance = (offset * offset).sum(dim=0).sqrt()
    distance.masked_fill_((key == NO_KEY) | (distance > radius_m), torch.inf)
    distance, order = distance.sort(dim=1, stable=True)
    distance, order = distance[:, :most], order[:, :most]
    shown = order.shape[1]
    is_shown = distance < torch.inf
    place = slots.place(envs[:, None], slot.gather(1, order))
    near = torch.stack(world_to_agent(xyz_m.gather(2, order.expand(3, -1, -1)), pose), dim=-1)
    features = slots.features.view(-1, slots.dim).index_select(0, place.view(-1)).view(n, shown, slots.dim)
    tokens = torch.zeros(n, most, slots.dim, device=slots.device)
    xyz = torch.zeros(n, most, 3, device=slots.device)
    mask = torch.zeros(n, most, dtype=torch.bool, device=slots.device)
    hidden = ~is_shown[..., None]
    tokens[:, :shown] = features.masked_fill_(hidden, 0.0)
    xyz[:, :shown] = near.masked_fill_(hidden, 0.0)
    mask[:, :shown] = is_shown
    return tokens, xyz, mask
