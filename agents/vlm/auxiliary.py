"""The auxiliary objective: what will the memory look like after the next decision?

From what the policy makes of the present memory, and from what was carried out, a predictor tells what the
memory is read out as at the episode's next decision, in latent space. The future is a target alone: it passes
a slow copy of the read-out, without gradient, and the policy never sees it. Nothing here is a part of the
agent.

Source: VLA-JEPA's leakage-free state prediction. Theirs predicts an image encoder's latents from tokens that
stand for latent actions; ours predicts the 3D memory's tokens, in the frame of the next pose, and is told the
action.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.decisions import Decisions
from agents.transitions import find_transitions
from agents.vlm.config import query_placeholder
from agents.vlm.model import Dynam3DForCausalLM
from agents.vlm.querying import read_out
from agents.vlm.rows import stack_rows

_STEP_RAD = math.pi / 12
_MOVES = 12.0
_LAYERS = 2
_HEAD_WIDTH = 64


class Predictor(nn.Module):
    """Queries' hidden states and what was carried out, to the next read-out."""

    def __init__(self, queries: int, width: int) -> None:
        super().__init__()
        heads = max(1, width // _HEAD_WIDTH)
        self.slots = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.enter = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.action = nn.Sequential(nn.Linear(3, width), nn.GELU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                heads if width % heads == 0 else 1,
                2 * width,
                dropout=0.0,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(_LAYERS)
        )
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))

    def forward(self, hidden: Tensor, turn: Tensor, moves: Tensor) -> Tensor:
        """Float (b, queries, width), from as many hidden states, steps to the left (b,) and moves (b,)."""
        angle = turn.to(hidden) * _STEP_RAD
        action = self.action(torch.stack([angle.sin(), angle.cos(), moves.to(hidden) / _MOVES], dim=-1))
        found = self.enter(hidden) + self.slots + action[:, None]
        for layer in self.layers:
            found = layer(found)
        return self.leave(found)


class NextMemory(nn.Module):
    """The predictor and the slow copy of the read-out, with the decisions that give the targets.

    Args:
        model: The policy, whose read-out is copied.
        decisions: What it learns from.
        decay: How much of the copy stays at each update.

    Raises:
        ValueError: If the model has no queries.
    """

    def __init__(self, model: Dynam3DForCausalLM, decisions: Decisions, decay: float) -> None:
        super().__init__()
        config = model.config
        if not config.queries:
            raise ValueError(
                "the auxiliary objective predicts what the queries read, and this model has none: choose "
                "queries > 0, or jepa_weight 0"
            )
        self.decisions = decisions
        self.decay = decay
        self.levels = tuple(config.query_levels)
        assert config.level_token_ids is not None
        self.token = config.level_token_ids[query_placeholder(self.levels)]
        self.predictor = Predictor(config.queries, config.text.hidden_size)
        self.target = copy.deepcopy(_Reader(model)).requires_grad_(False)
        self._transitions = find_transitions(decisions)

    def forward(
        self, hidden: Tensor, input_ids: Tensor, indices: np.ndarray, mirrored: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        """The loss of a batch: smooth L1, the mean over samples with a next memory, 0 if fewer than two.

        Args:
            hidden: What the policy made of the batch, (b, t, width).
            input_ids: Its tokens, (b, t).
            indices: Its decisions, (b,).
            mirrored: Bool (b,), which of them had left and right swapped; so are their targets.

        Returns:
            The loss (), and which part of the targets' variance is predicted, (): 0 is as good as always
            telling their mean, 1 is perfect.
        """
        target, follows = self._read(self.next_rows(indices, mirrored).to(hidden.device))
        is_slot = input_ids == self.token
        has_slots = is_slot.any(dim=1)
        kept = follows & has_slots
        count, width = target.shape[1:]
        now = hidden[is_slot].view(-1, count, width)[kept[has_slots]].to(target.dtype)
        turn, moves = self._transitions.turn[indices], self._transitions.moves[indices]
        done = np.stack([np.where(mirrored, -turn, turn), moves])
        if len(now) < 2:
            return hidden.new_zeros(()), hidden.new_zeros(())
        found = self.predictor(now, *torch.from_numpy(done).to(hidden.device)[:, kept])
        target = standardised(target[kept])
        explained = 1.0 - (found.detach() - target).square().mean()
        return F.smooth_l1_loss(found, target), explained

    def next_rows(self, indices: np.ndarray, mirrored: np.ndarray) -> Tensor:
        """Memory at the decisions that follow some, float32 (b, n, 4 + D); padding alone where none does."""
        samples = []
        for following, swap in zip(self._transitions.following[indices].tolist(), mirrored, strict=True):
            if following < 0:
                samples.append(np.zeros((0, 0), dtype=np.float32))
                continue
            rows = self.decisions.rows_of(following).astype(np.float32)
            if swap:
                rows[:, 2] = -rows[:, 2]
            samples.append(rows)
        return torch.from_numpy(stack_rows(samples, self.decisions.token_dim))

    @torch.no_grad()
    def _read(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The slow copy's read-out (b, queries, width), and bool (b,), False where there was nothing."""
        found, valid = read_out(self.target.embedding, self.target.transformer, self.levels, rows)
        return found, valid.any(dim=1)

    @torch.no_grad()
    def follow(self, model: Dynam3DForCausalLM) -> None:
        """Let the slow copy come a little closer to the policy's read-out."""
        for slow, fast in zip(self.target.parameters(), _Reader(model).parameters(), strict=True):
            slow.lerp_(fast.to(slow), 1.0 - self.decay)


class _Reader(nn.Module):
    """What reads a model's memory out."""

    def __init__(self, model: Dynam3DForCausalLM) -> None:
        super().__init__()
        assert model.model.query_transformer is not None
        self.embedding = model.model.memory_embedding
        self.transformer = model.model.query_transformer


def standardised(target: Tensor) -> Tensor:
    """Read-outs (b, queries, width) less their mean over the batch, in units of what is left of them.

    A query's tokens are mostly the same in every situation. A layer norm of each, the usual target, leaves
    99 % to be told without a look at the memory.
    """
    apart = target - target.mean(dim=0)
    return apart / apart.square().mean().sqrt().clamp_min(1e-6)
