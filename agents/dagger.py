"""DAgger (Ross et al. 2011): the learner walks, the expert says what it would have done, and that is learned.

Each round is two folders, both of which are left when they are complete and gone on with when they are not:
`round-k/decisions`, walked by the weights of the round before, and `round-k/training`, which starts from
those weights and learns from all decisions so far.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from agents.collect import collect_decisions
from agents.vlm.agent import VLMAgent
from agents.vlm.imitation import train_vlm
from agents.vlm_config import DaggerConfig, DecisionConfig, VLMConfig


def round_settings(config: DaggerConfig, number: int) -> tuple[DecisionConfig, VLMConfig]:
    """How a round walks and how it learns.

    Args:
        config: The run's settings.
        number: The round, from 0.
    """
    folder = Path(config.out) / f"round-{number}"
    start = (
        config.start if number == 0 else str(Path(config.out) / f"round-{number - 1}" / "training" / "best")
    )
    walks = dataclasses.replace(
        config.walks,
        out=str(folder / "decisions"),
        learner=start,
        expert=config.expert * config.expert_decay**number,
        # Another of each route's instructions, and other wrong turns, than in the round before.
        paraphrase=number + 1,
        seed=config.walks.seed + number + 1,
        first_scene=config.walks.first_scene + number * (config.walks.scenes or 0),
    )
    walked = [str(Path(config.out) / f"round-{each}" / "decisions") for each in range(number + 1)]
    training = dataclasses.replace(
        config.training,
        out=str(folder / "training"),
        start=start,
        decisions=(*config.decisions, *walked),
        seed=config.training.seed + number + 1,
    )
    return walks, training


def train_dagger(
    config: DaggerConfig, evaluate: Callable[[VLMAgent], dict[str, float]] | None = None
) -> Path:
    """Run all rounds, or go on with those that are missing.

    Args:
        config: Settings.
        evaluate: As for `agents.vlm.imitation.train_vlm`.

    Returns:
        Folder of the last round's best weights.
    """
    best = Path(config.start)
    for number in range(config.rounds):
        walks, training = round_settings(config, number)
        collect_decisions(walks)
        best = train_vlm(training, evaluate)
    return best
