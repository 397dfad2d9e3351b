"""A 3D-VLM on disk: model, processor and card in one folder, as transformers writes and reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.vlm.model import Dynam3DForCausalLM
from agents.vlm.processor import Dynam3DProcessor
from vlnenv.cache import build_folder
from vlnenv.evaluation.manifest import file_hash

CARD = "card.json"
WEIGHTS = "model.safetensors"


def save_agent(
    folder: Path, model: Dynam3DForCausalLM, processor: Dynam3DProcessor, card: Mapping[str, Any]
) -> None:
    """Write a model with its processor and card; the folder appears complete, in place of an older one.

    Args:
        folder: Where to.
        model: Weights are written as they are.
        processor: What makes its inputs.
        card: Where the weights come from: command, seed, data, figures. JSON values only.
    """

    def write(building: Path) -> None:
        model.save_pretrained(building)
        processor.save_pretrained(building)
        named = {**card, "sha256": file_hash(building / WEIGHTS)} if (building / WEIGHTS).is_file() else card
        (building / CARD).write_text(json.dumps(named, indent=2, sort_keys=True) + "\n")

    build_folder(folder, write)
