"""Agents' folders: complete, with a page, to a hub and back."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
import torch
import transformers

from agents.vlm import Dynam3DForCausalLM, Dynam3DProcessor
from agents.vlm.agent import VLMAgent
from agents.vlm.checkpoint import push_agent, save_agent
from agents.vlm.loading import BASE, new_lora
from agents.vlm.model_card import model_card
from tests.agents.vlm.fake_hub import FakeHub
from tests.agents.vlm.test_agent import make_agent

CARD = {
    "method": "imitation of the expert's macro actions",
    "command": "vlnenv train vlm --out runs/vlm",
    "machine": "a laptop, 2 cores",
    "hours": 1.5,
    "update": 6000,
    "decisions": 1234,
    "shards": [{"split": "train", "data_hash": "0123456789abcdef", "routes": 40}],
    "settings": {"seed": 7, "eval_split": "val_seen"},
    "figures": {"success": 0.25, "spl": 0.2},
    "val_unseen": {"episodes": 600, "is_success": [0.21, 0.18, 0.24]},
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(transformers.utils.hub, "_hf_api", None, raising=False)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield server
        server.shutdown()
        thread.join()


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_an_agent_goes_to_a_hub_and_comes_back(tmp_path: Path, hub: FakeHub) -> None:
    agent = make_agent()
    save_agent(tmp_path / "agent", agent.model, agent.processor, CARD)
    address = push_agent(tmp_path / "agent", "someone/walker")
    assert address.startswith(f"{hub.address}/someone/walker/commit/")
    pushed = hub.repositories["someone/walker"]
    assert {path.name for path in (tmp_path / "agent").iterdir()} == set(pushed)
    assert {
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "card.json",
        "README.md",
    } <= set(pushed)
    assert hub.pages[0].startswith("---\n")

    again = VLMAgent.from_pretrained("someone/walker")
    assert same_weights(again.model, agent.model)
    assert again.perception == agent.perception
    assert again.processor.tokenizer.get_vocab() == agent.processor.tokenizer.get_vocab()
    with pytest.raises(FileNotFoundError, match="no such repository"):
        VLMAgent.from_pretrained("someone/nobody")


def test_transformers_own_calls_do_it_too(hub: FakeHub, tmp_path: Path) -> None:
    agent = make_agent()
    agent.model.push_to_hub("someone/model")
    agent.processor.push_to_hub("someone/model")
    assert {"model.safetensors", "config.json", "processor_config.json"} <= set(
        hub.repositories["someone/model"]
    )
    cache = str(tmp_path / "cache")
    model = Dynam3DForCausalLM.from_pretrained("someone/model", cache_dir=cache)
    assert same_weights(model, agent.model)
    processor = Dynam3DProcessor.from_pretrained("someone/model", cache_dir=cache)
    assert processor.levels == agent.processor.levels


def test_a_folder_that_is_not_complete_is_not_pushed(tmp_path: Path, hub: FakeHub) -> None:
    agent = make_agent()
    save_agent(tmp_path / "agent", agent.model, agent.processor, CARD)
    (tmp_path / "agent/processor_config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks \['processor_config.json'\]"):
        push_agent(tmp_path / "agent", "someone/walker")
    assert not hub.repositories


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_of_a_model_of_this_machine_is_not_pushed(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("peft")
    agent = make_agent()
    save_agent(tmp_path / "agent", agent.model, agent.processor, CARD)
    base = VLMAgent.from_pretrained(tmp_path / "agent")
    save_agent(tmp_path / "adapter", new_lora(base.model, 2), base.processor, CARD)
    fields = json.loads((tmp_path / "adapter" / BASE).read_text())
    assert fields["base_folder"] == str(tmp_path / "agent")
    page = (tmp_path / "adapter/README.md").read_text()
    assert 'library_name: "peft"' in page
    assert "under LoRA" in page
    with pytest.raises(ValueError, match="is on this machine only"):
        push_agent(tmp_path / "adapter", "someone/walker")


def test_the_page_says_where_the_weights_come_from() -> None:
    page = model_card(CARD)
    _, front, text = page.split("---\n", 2)
    assert 'library_name: "transformers"' in front
    assert "base_model" not in front
    for line in (
        "| command | `vlnenv train vlm --out runs/vlm` |",
        "| data | 1234 decisions (split train data_hash 0123456789abcdef routes 40) |",
        "| seed | 7 |",
        "| steps | 6000 |",
        "| hours | 1.50 |",
        "| machine | a laptop, 2 cores |",
        "| val_seen (chose the weights) | success | 0.250 |",
        "| val_unseen | is_success | 0.210 [0.180, 0.240] |",
    ):
        assert line in text, line
    assert 'base_model: "HuggingFaceTB/SmolLM2-135M-Instruct"' in model_card({}, "smollm2", True)
    assert "Results" not in model_card({})
