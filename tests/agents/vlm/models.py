"""Small models and memories for the tests of agents.vlm."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from agents.vlm import Dynam3DConfig, Dynam3DForCausalLM
from agents.vlm.backbones import tiny_config

PAD, EOS, ANSWER, TRUNC = 0, 2, 9, 10
LEVEL_IDS = {"patch": 5, "instance": 6, "zone": 7, "path": 8}
TOKEN_DIM = 6
ACTIONS = [EOS, TRUNC, *range(20, 40)]
VOCABULARY = 50


def small_config(**fields: Any) -> Dynam3DConfig:
    """A model of two layers of 32."""
    settings: dict[str, Any] = {
        "truncate_token_id": TRUNC,
        "action_token_ids": ACTIONS,
        "hidden_size": 32,
        "layers": 2,
        "position_width": 8,
    }
    settings.update(fields)
    return tiny_config(VOCABULARY, TOKEN_DIM, LEVEL_IDS, ANSWER, EOS, PAD, **settings)


def small_model(seed: int = 0, **fields: Any) -> Dynam3DForCausalLM:
    """In evaluation mode, with weights large enough that every token matters to the logits."""
    torch.manual_seed(seed)
    model = Dynam3DForCausalLM(small_config(**fields)).eval()
    enlarge(model)
    return model


@torch.no_grad()
def enlarge(model: torch.nn.Module) -> None:
    """Matrices to a standard deviation of about .3 or more, so that no output is near constant."""
    for parameter in model.parameters():
        if parameter.dim() > 1 and parameter.std() < 0.1:
            parameter.mul_(8.0)


def sample(
    seed: int, patches: int, instances: int, zones: int, path: int, words: int, queries: int = 0
) -> tuple[Any, Any]:
    """Token ids (t,) of a prompt and its memory rows (n, 4 + D)."""
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    rows = []
    for code, (token, count) in enumerate(
        zip(LEVEL_IDS.values(), (patches, instances, zones, path), strict=True), start=1
    ):
        ids += [token] * (queries if queries and code == 1 and count else count)
        row = rng.normal(size=(count, 4 + TOKEN_DIM))
        row[:, 0] = code
        rows.append(row)
    ids += [*rng.integers(20, VOCABULARY, words).tolist(), ANSWER]
    return torch.tensor(ids), torch.tensor(np.concatenate(rows), dtype=torch.float32)


def samples(count: int = 3, queries: int = 0) -> list[tuple[Any, Any]]:
    """Prompts of different lengths; the second has no instances, the third neither instances nor zones.

    The sixth has no patches either.
    """
    return [
        sample(
            seed=k,
            patches=0 if k == 5 else 2 + k,
            instances=0 if k in (1, 2, 5) else 3,
            zones=0 if k in (2, 5) else 1 + k % 2,
            path=2,
            words=3 + k % 4,
            queries=queries,
        )
        for k in range(count)
    ]


def collate(prompts: list[tuple[Any, Any]]) -> dict[str, torch.Tensor]:
    """A left-padded batch."""
    length = max(len(ids) for ids, _ in prompts)
    most = max(len(rows) for _, rows in prompts)
    input_ids = torch.full((len(prompts), length), PAD)
    attention_mask = torch.zeros_like(input_ids)
    pixel_values = torch.zeros(len(prompts), most, 4 + TOKEN_DIM)
    for k, (ids, rows) in enumerate(prompts):
        input_ids[k, length - len(ids) :] = ids
        attention_mask[k, length - len(ids) :] = 1
        pixel_values[k, : len(rows)] = rows
    return {"input_ids": input_ids, "attention_mask": attention_mask, "pixel_values": pixel_values}


def of_logits(logits: torch.Tensor) -> torch.Tensor:
    """Log-probabilities; those of tokens ruled out (about -1e4, rounded to 1e-3) are cut at -100."""
    return logits.float().log_softmax(dim=-1).clamp_min(-100.0)


def log_probs(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Log-probabilities (b, t, vocabulary) by a plain forward pass."""
    with torch.no_grad():
        return of_logits(model(**batch).logits)
