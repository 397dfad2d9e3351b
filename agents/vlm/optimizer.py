"""The optimizer of models that are trained from scratch: Muon on matrices, AdamW on all else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from agents.vlm.model import AnswerHead

_BETAS = (0.9, 0.98)
_LEAST_SIDE = 16
"""Narrower matrices have no spectrum to speak of."""


class MuonAdamW(torch.optim.Optimizer):
    """Muon on the matrices between features; AdamW on embeddings, norms, biases and the answers' head.

    Muon's updates are scaled to the size of AdamW's, so that both have one learning rate. `step` and
    `state_dict` are as of one optimizer.

    Source: Jordan et al. 2024 (Muon); Liu et al. 2025, "Muon is scalable for LLM training", for the scale.

    Args:
        modules: Whose parameters that want gradients are trained.
        lr: Learning rate.
        weight_decay: Of all parameters.
    """

    def __init__(self, modules: Iterable[nn.Module], lr: float, weight_decay: float) -> None:
        modules = list(modules)
        matrices = {id(matrix): matrix for module in modules for matrix in _matrices(module)}
        learned = {id(p): p for module in modules for p in module.parameters() if p.requires_grad}
        others = [parameter for key, parameter in learned.items() if key not in matrices]
        shared: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay}
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(torch.optim.Muon(matrices.values(), adjust_lr_fn="match_rms_adamw", **shared))
        if others:
            self._parts.append(torch.optim.AdamW(others, betas=_BETAS, **shared))
        super().__init__([group for part in self._parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Let the parts work on this optimizer's groups and state."""
        for part, group in zip(self._parts, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update from the gradients that are there."""
        assert closure is None, "gradients are computed before"
        for part in self._parts:
            part.step()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        super().load_state_dict(state_dict)
        self._share()


def _matrices(module: nn.Module) -> Iterable[Tensor]:
    for part in module.modules():
        if isinstance(part, nn.Linear) and not isinstance(part, AnswerHead):
            weight = part.weight
            if weight.requires_grad and min(weight.shape) >= _LEAST_SIDE:
                yield weight


def make_optimizer(
    name: str, modules: Iterable[nn.Module], lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """The optimizer of that name, "muon" or "adamw", over what the modules want to learn."""
    if name == "muon":
        return MuonAdamW(modules, lr, weight_decay)
    learned = [p for module in modules for p in module.parameters() if p.requires_grad]
    return torch.optim.AdamW(learned, lr=lr, weight_decay=weight_decay, betas=_BETAS)
