"""Notes decisions of a split's routes to a folder: `vlnenv train decisions`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.base import weights_path
from agents.decisions import DecisionWriter
from agents.environments import make_env
from agents.roll_in import RollIn, RollInConfig
from agents.vlm_config import DecisionConfig
from vlnenv.cache import build_folder
from vlnenv.episodes import Episode
from vlnenv.evaluation import evaluate
from vlnenv.evaluation.manifest import file_hash


def collect_decisions(config: DecisionConfig) -> Path:
    """Walk through the routes and write what was decided, or leave the folder that is there.

    Returns:
        `config.out`, see `agents.decisions.open_decisions`.

    Raises:
        ValueError: If the folder holds decisions of other settings.
    """
    from agents.vlm.recorder import RowRecorder  # loads transformers
    from agents.vlm.rows import grid_of

    torch.set_num_threads(config.threads)
    out = Path(config.out)
    learner = None
    if config.learner is not None:
        from agents.vlm.agent import VLMAgent

        learner = VLMAgent.from_pretrained(config.learner)
        if learner.levels != config.levels:
            raise ValueError(f"the learner reads {learner.levels}, decisions are to hold {config.levels}")
    env = make_env(
        config.num_envs,
        config.perception,
        config.levels,
        action="macro",
        dataset=config.dataset,
        split=config.split,
        autoreset_mode="Disabled",
    )
    try:
        batch = env.unwrapped.batch  # type: ignore[attr-defined]
        settings = _settings(config, batch)
        if (out / "index.json").is_file():
            _check_same(out, settings)
            return out
        routes = chosen_routes(batch.episodes, config.scenes, config.routes, config.first_scene)
        if not routes:
            raise ValueError(
                f"no routes to walk: scenes from {config.first_scene} on, {config.scenes or 'all'} of them, "
                f"of split {config.split!r}, which has {len({e.scene_id for e in batch.episodes})} scenes"
            )
        walked = [texts[config.paraphrase % len(texts)] for texts in routes]
        writer = DecisionWriter()
        agent = RollIn(
            RollInConfig(
                expert=config.expert,
                wrong_turn=config.wrong_turn,
                jitter=config.jitter,
                stop_m=config.stop_m,
                by_route=config.by_route,
                look_around=config.look_around,
                seed=config.seed,
            ),
            {episode.trajectory_id: index for index, episode in enumerate(walked)},
            RowRecorder(writer, config.levels, config.patch_pool, grid_of(config.perception.patches)),
            learner,
        )
        evaluate(agent, env, [episode.episode_id for episode in walked])
        texts = [[episode.instruction for episode in route] for route in routes]
        build_folder(out, lambda folder: writer.write(folder, texts, settings))
    finally:
        env.close()
    return out


def chosen_routes(
    episodes: Sequence[Episode], scenes: int | None, routes: int | None, first_scene: int = 0
) -> list[list[Episode]]:
    """Episodes by route, neighbours in one scene.

    Args:
        episodes: Of a split.
        scenes: Of so many scenes alone; None for all.
        routes: So many, evenly spread; None for all.
        first_scene: How many scenes are left out before.

    Raises:
        ValueError: If `first_scene` is negative.
    """
    if first_scene < 0:
        raise ValueError(f"first_scene must be at least 0, got {first_scene}")
    by_route: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_route.setdefault(episode.trajectory_id, []).append(episode)
    order = list(dict.fromkeys(episode.scene_id for episode in episodes))[first_scene:][:scenes]
    rank = {scene: index for index, scene in enumerate(order)}
    found = [route for route in by_route.values() if route[0].scene_id in rank]
    found.sort(key=lambda route: rank[route[0].scene_id])
    if routes is not None and routes < len(found):
        found = [found[index] for index in np.linspace(0, len(found) - 1, routes).round().astype(int)]
    return found


def _settings(config: DecisionConfig, batch: Any) -> dict[str, Any]:
    """All that decisions depend on, as JSON values."""
    memories = batch.memories
    limits = dataclasses.asdict(memories.memory.config)
    del limits["patches"]  # an argument of its own
    perception = dataclasses.replace(config.perception, levels=memories.levels_name, memory=limits)
    settings = {
        **dataclasses.asdict(dataclasses.replace(config, perception=perception)),
        "data_hash": batch.dataset.hash,
        "weights": {file.name: file_hash(file) for file in memories.weight_files},
        "learner": None if config.learner is None else _learner_hash(Path(config.learner)),
    }
    for name in ("out", "num_envs", "threads", "dataset"):
        del settings[name]
    return dict(json.loads(json.dumps(settings)))


def _learner_hash(folder: Path) -> str:
    return file_hash(weights_path(folder))


def _check_same(folder: Path, settings: dict[str, Any]) -> None:
    held = json.loads((folder / "index.json").read_text())["settings"]
    for name, value in settings.items():
        if held.get(name) != value:
            raise ValueError(
                f"{folder} holds decisions with {name} = {held.get(name)!r}, now it is {value!r}: choose "
                "another --out, or delete the folder"
            )
