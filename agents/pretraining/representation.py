"""Stage-1 pretraining as a whole: the patch encoder, then levels and panorama on its features."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from agents.pretraining.config import RepresentationConfig
from agents.pretraining.encoder import EncoderTrainingConfig, train_encoder
from agents.pretraining.field import FieldTraining, train_field
from agents.pretraining.levels import train_levels


def train_representation(config: RepresentationConfig) -> dict[str, Path]:
    """Train the parts that `config` names, or go on with a run that was cut off.

    Levels and field are trained on features of the encoder just trained, or of the one that `config.levels`
    names if "encoder" is not among the parts. The other settings of encoder and field are their defaults;
    their own modules take more.

    Returns:
        Each part's weights.
    """
    out, weights = Path(config.out), {}
    if "encoder" in config.parts:
        encoder = EncoderTrainingConfig(out=str(out / "encoder"), threads=config.threads)
        weights["encoder"] = train_encoder(encoder)
    levels = config.levels
    if "encoder" in weights:
        levels = dataclasses.replace(levels, encoder="mini", encoder_weights=str(weights["encoder"]))
    if "levels" in config.parts:
        torch.set_num_threads(config.threads)
        weights["levels"] = train_levels(levels, out / "levels")
    if "field" in config.parts:
        field = FieldTraining(
            out=str(out / "field"),
            encoder=levels.encoder,
            encoder_weights=levels.encoder_weights,
            threads=config.threads,
        )
        weights["field"] = train_field(field)
    return weights
