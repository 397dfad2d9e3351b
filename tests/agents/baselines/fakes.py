"""Small networks and made-up episodes, for tests that need no scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.baselines.networks import BaselineNetwork, NetworkConfig, make_network
from agents.baselines.senses import VIEW_CELLS
from agents.baselines.sequences import SequenceRecorder
from agents.config import Perception
from agents.roll_in import Moment
from vlnenv.episodes.vocabulary import Vocabulary

DIM = 8
TEXTS = ("Walk to the red sofa, then turn left.", "turn right at the bed", "Stop.")
SEMANTIC = Perception("semantic", segmenter=None)
"""Quick to see with."""


def small_network(network: str = "cma", seed: int = 0, **settings: Any) -> BaselineNetwork:
    torch.manual_seed(seed)
    settings = {"token_dim": DIM, "width": 32, "instruction_width": 16, "view_width": 16, **settings}
    return make_network(NetworkConfig(network, Vocabulary.of(TEXTS).words, SEMANTIC, **settings)).eval()


def observations(size: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "view_tokens": rng.normal(size=(size, 2 * VIEW_CELLS, DIM)).astype(np.float32),
        "depth": rng.uniform(0.2, 8.0, (size, 24, 24, 1)).astype(np.float32),
        "action_history": rng.integers(0, 12, (size, 4, 3)) * np.array([0, 1, 1]),
        "instruction": tuple(TEXTS[row % len(TEXTS)] for row in range(size)),
    }


def write_sequences(folder: Path, lengths: tuple[int, ...] = (5, 3, 9), seed: int = 0) -> Path:
    """An episode of each length, its first look and its third without a decision; the last one stops."""
    recorder, rng = SequenceRecorder(), np.random.default_rng(seed)
    for route, length in enumerate(lengths):
        recorder.begin(0, route)
        for step in range(length):
            seen = observations(1, seed=int(rng.integers(1 << 30)))
            if step in (0, 2) and step < length - 1:
                recorder.see(seen, [0])
                continue
            label = np.array([0, rng.integers(24), rng.integers(1, 13)])
            if step == length - 1:
                label = np.array([1, 0, 0])
            goal = np.array([3.0, 1.0, -1.0, step / length], dtype=np.float32)
            recorder.note(seen, [Moment(0, label, goal, route, step)])
    folder.mkdir(parents=True)
    settings = {"perception": {"encoder": "semantic", "segmenter": None}, "look_around": True, "seed": seed}
    recorder.write(folder, [TEXTS, *([text] for text in TEXTS[1 : len(lengths)])], settings)
    return folder
