"""Instances or zones of a batch of environments: a key, a place in the world and a feature each."""

from __future__ import annotations

import torch

NO_KEY = torch.iinfo(torch.int64).max
"""In a slot that nothing lives in. The largest of all, so that it sorts last."""
_FIRST_CAPACITY = 64


class Slots:
    """Slots of `num_envs` environments that things come into and go out of; a thing never changes its slot.

    Which slot a thing lives in says nothing; its key does. Where an order matters it is that of the keys.
    `row` numbers the environments of a call, in [0, n), and `envs`, int64 (n,), says which these are.

    Args:
        num_envs: Environments.
        dim: Length of a feature.
        device: Where the arrays live.
    """

    def __init__(self, num_envs: int, dim: int, device: torch.device) -> None:
        self.num_envs, self.dim, self.device = num_envs, dim, device
        self.capacity = 0
        self.key = torch.zeros(num_envs, 0, dtype=torch.int64, device=device)
        """int64 (num_envs, capacity), `NO_KEY` in an empty slot."""
        self.xyz_m = torch.zeros(3, num_envs, 0, device=device)
        """float32 (3, num_envs, capacity) world frame, metres."""
        self.features = torch.zeros(num_envs, 0, dim, device=device)
        """float32 (num_envs, capacity, dim)."""
        self._allocate(_FIRST_CAPACITY)

    def in_order(self, envs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys (n, m) of each environment, ascending, and their slots (n, m); m holds the fullest one.

        Past an environment's last, the key is `NO_KEY`.
        """
        key, slot = self.key.index_select(0, envs).sort(dim=1)
        fullest = int((key < NO_KEY).sum(dim=1).max()) if len(envs) else 0
        return key[:, :fullest], slot[:, :fullest]

    def place(self, env: torch.Tensor, slot: torch.Tensor) -> torch.Tensor:
        """Index into the flattened (num_envs, capacity) arrays."""
        return env * self.capacity + slot

    def claim(self, envs: torch.Tensor, row: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Give each of k keys an empty slot, with place and feature 0.

        Args:
            envs: int64 (n,).
            row: int64 (k,) ascending, in [0, n).
            key: int64 (k,) that do not live in their environment yet.

        Returns:
            int64 (k,) slots.
        """
        incoming = torch.bincount(row, minlength=len(envs))
        is_free = self.key.index_select(0, envs) == NO_KEY
        missing = int((incoming - is_free.sum(dim=1)).max()) if len(envs) else 0
        if missing > 0:
            self.reserve(self.capacity + missing)
            is_free = self.key.index_select(0, envs) == NO_KEY
        is_taken = is_free & (is_free.cumsum(dim=1) <= incoming[:, None])
        slot = is_taken.nonzero()[:, 1]
        place = self.place(envs[row], slot)
        self.key.view(-1)[place] = key
        self.xyz_m.view(3, -1)[:, place] = 0.0
        self.features.view(-1, self.dim)[place] = 0.0
        return slot

    def put(self, place: torch.Tensor, xyz_m: torch.Tensor, features: torch.Tensor) -> None:
        """Write position (3, k) and feature (k, dim) of k places."""
        self.xyz_m.view(3, -1).index_copy_(1, place, xyz_m)
        self.features.view(-1, self.dim).index_copy_(0, place, features)

    def free(self, place: torch.Tensor) -> None:
        """Empty the slots at these places (k,)."""
        self.key.view(-1)[place] = NO_KEY

    def clear(self, envs: torch.Tensor) -> None:
        """Empty all slots of these environments."""
        self.key[envs] = NO_KEY

    def contents(self, env: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Copies of what lives in one environment: keys (k,) ascending, xyz_m (3, k), features (k, dim)."""
        key, slot = (array[0] for array in self.in_order(torch.tensor([env], device=self.device)))
        return key, self.xyz_m[:, env, slot], self.features[env, slot]

    def fill(self, env: int, key: torch.Tensor, xyz_m: torch.Tensor, features: torch.Tensor) -> None:
        """Put these in place of what lives in one environment: the first into slot 0, and so on."""
        count = len(key)
        self.reserve(count)
        self.key[env] = NO_KEY
        self.key[env, :count] = key.to(self.device)
        self.xyz_m[:, env, :count] = xyz_m.to(self.device)
        self.features[env, :count] = features.to(self.device)

    def reserve(self, slots: int) -> None:
        """Make room for so many in each environment."""
        if slots > self.capacity:
            capacity = self.capacity
            while capacity < slots:
                capacity *= 2
            self._allocate(capacity)

    def _allocate(self, capacity: int) -> None:
        old, shape = self.capacity, (self.num_envs, capacity)
        key = torch.full(shape, NO_KEY, dtype=torch.int64, device=self.device)
        xyz = torch.zeros(3, *shape, device=self.device)
        features = torch.zeros(*shape, self.dim, device=self.device)
        key[:, :old], xyz[..., :old], features[:, :old] = self.key, self.xyz_m, self.features
        self.key, self.xyz_m, self.features, self.capacity = key, xyz, features, capacity
