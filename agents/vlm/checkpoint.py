"""A 3D-VLM on disk or on a hub: model, processor and card in one folder, as transformers writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.vlm.loading import ADAPTER, BASE, plain_model, save_adapter
from agents.vlm.model import Dynam3DForCausalLM
from agents.vlm.model_card import model_card
from agents.vlm.processor import Dynam3DProcessor
from vlnenv.cache import build_folder
from vlnenv.evaluation.manifest import file_hash

CARD = "card.json"
PAGE = "README.md"
WEIGHTS, ADAPTER_WEIGHTS = "model.safetensors", "adapter_model.safetensors"


def save_agent(folder: Path, model: Any, processor: Dynam3DProcessor, card: Mapping[str, Any]) -> None:
    """Write a model with its processor and card; the folder appears complete, in place of an older one.

    Args:
        folder: Where to.
        model: Weights are written as they are: of a `Dynam3DForCausalLM` all, of a `peft.PeftModel` around
            one those that were trained.
        processor: What makes its inputs.
        card: Where the weights come from: command, seed, data, figures. JSON values only. Written as
            `card.json`, and as `README.md` for a hub's page.
    """

    def write(building: Path) -> None:
        is_adapter = not isinstance(model, Dynam3DForCausalLM)
        if is_adapter:
            save_adapter(model, building)
        else:
            model.save_pretrained(building)
        processor.save_pretrained(building)
        weights = building / (ADAPTER_WEIGHTS if is_adapter else WEIGHTS)
        named = {**card, "sha256": file_hash(weights)} if weights.is_file() else dict(card)
        (building / CARD).write_text(json.dumps(named, indent=2, sort_keys=True) + "\n")
        # Last: peft has written a page of its own.
        (building / PAGE).write_text(model_card(named, plain_model(model).config.source, is_adapter))

    build_folder(folder, write)


def push_agent(
    folder: str | Path, repository: str, *, private: bool | None = None, token: str | None = None
) -> str:
    """Upload an agent's folder to a hub repository, in one commit.

    Args:
        folder: What `save_agent` wrote.
        repository: "owner/name"; made where it is missing.
        private: Whether a new repository is private; None for the owner's default.
        token: Of the hub's account; None for the one that is logged in.

    Returns:
        The commit's address.

    Raises:
        FileNotFoundError: If the folder lacks a file that loading it needs, or its page.
        ValueError: If it holds an adapter of a model that is only on this machine.
    """
    from huggingface_hub import HfApi

    path = Path(folder)
    is_adapter = (path / ADAPTER).is_file()
    needed = (ADAPTER, BASE) if is_adapter else ("config.json",)
    lacking = [
        name
        for name in (*needed, "processor_config.json", "tokenizer.json", CARD, PAGE)
        if not (path / name).is_file()
    ]
    if not any(path.glob("*.safetensors")):
        lacking.append(ADAPTER_WEIGHTS if is_adapter else WEIGHTS)
    if lacking:
        raise FileNotFoundError(f"{path} lacks {lacking}: push a folder that save_agent or training wrote")
    if is_adapter:
        fields = json.loads((path / BASE).read_text())
        base = fields.get("base_folder") or fields.get("source")
        if base is None or Path(base).exists():
            raise ValueError(
                f"{path} holds an adapter of {base}, which is on this machine only: push the whole model, "
                "VLMAgent.from_pretrained(folder) merged and saved by save_agent"
            )
    api = HfApi(token=token)
    api.create_repo(repository, private=private, exist_ok=True)
    commit = api.upload_folder(
        repo_id=repository, folder_path=path, commit_message="Upload a 3D-VLM agent of vlnenv"
    )
    return str(commit.commit_url)


def agent_folder(name: str | Path) -> Path:
    """The folder of an agent: of this machine, or a hub repository's, downloaded once.

    Raises:
        FileNotFoundError: If there is neither.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(name)))
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"no folder {name}, and no such repository on the hub: {error}") from error
