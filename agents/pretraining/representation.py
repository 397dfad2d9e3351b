"""Stage-1 pretraining as a whole: the patch encoder, then the levels on its features."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from agents.pretraining.config import RepresentationConfig
from agents.pretraining.encoder import EncoderTrainingConfig, train_encoder
from agents.pretraining.levels import train_levels


def train_representation(config: RepresentationConfig) -> dict[str, Path]:
    """Train the parts that `config` names, or go on with a run that was cut off.

    The levels are trained on features of the encoder just trained, or of the one that `config.levels` names
    if "encoder" is not among the parts.

    Returns:
        Each part's weights.
    """
    out, weights = Path(config.out), {}
    if "encoder" in config.parts:
        encoder = EncoderTrainingConfig(out=str(out / "encoder"), threads=config.threads)
        weights["encoder"] = train_encoder(encoder)
    if "levels" in config.parts:
        torch.set_num_threads(config.threads)
        levels = config.levels
        if "encoder" in weights:
            levels = dataclasses.replace(levels, encoder_weights=str(weights["encoder"]))
        weights["levels"] = train_levels(levels, out / "levels")
    return weights
