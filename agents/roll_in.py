"""Roll-ins: an agent that walks by a mixture of expert and learner, and notes what the expert would do.

It is a privileged agent, run by `vlnenv.evaluation.evaluate` like any other: behaviour cloning is a roll-in
of the expert alone, DAgger one in which the learner decides more and more often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from agents.decisions import DecisionWriter
from agents.expert import expert_macro
from agents.macros import STOP_MACRO, TurnQueue
from agents.vlm.rows import memory_rows
from vlnenv.batch import EpisodeBatch
from vlnenv.episodes import Episode
from vlnenv.path_history import to_agent_frame
from vlnenv.vector import VLNVectorEnv


class Decider(Protocol):
    """Decides on macro actions; `agents.vlm.agent.VLMAgent` does."""

    def decide(self, observations: Mapping[str, Any], rows: Sequence[int]) -> np.ndarray:
        """Macro actions int64 (s, 3) for s rows of a batched observation."""
        ...


@dataclass(frozen=True)
class RollInConfig:
    """How a roll-in walks."""

    expert: float = 1.0
    """Chance at each decision that the expert's is carried out, else the learner's: DAgger's beta."""
    wrong_turn: float = 0.1
    """Chance at each decision that a random turn and walk is carried out instead, to come back from."""
    stop_m: float = 1.5
    """The expert stops within this walking distance of the goal."""
    by_route: bool = False
    """Whether the expert returns to the reference route before it goes on to the goal; False takes the
    shortest way, which is the same where routes are shortest ways."""
    look_around: bool = True
    """Whether an episode begins with a whole turn, which nothing is decided on: it fills the memory."""
    max_decisions: int = 40
    """An episode ends after so many."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("expert", "wrong_turn"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.max_decisions < 1:
            raise ValueError(f"max_decisions must be at least 1, got {self.max_decisions}")


class RollIn:
    """Walks and notes. Privileged: it knows the goal.

    A wrong stop of the learner is not carried out, the expert's action is: it would end what there is to
    learn from. All chance follows from the seed and the episode.

    Args:
        config: How it walks.
        levels: Levels of memory rows that are noted.
        patch_pool: Rows and columns of patches that are noted as one.
        routes: Trajectory id -> the index that decisions are noted under.
        writer: Takes the decisions.
        learner: Who decides where the expert doesn't; None where it always does.
    """

    privileged = True

    def __init__(
        self,
        config: RollInConfig,
        levels: Sequence[str],
        patch_pool: tuple[int, int],
        routes: Mapping[str, int],
        writer: DecisionWriter,
        learner: Decider | None = None,
    ) -> None:
        if learner is None and config.expert < 1.0:
            raise ValueError(f"a roll-in with expert={config.expert} needs a learner for the other decisions")
        self.config = config
        self.levels = tuple(levels)
        self.patch_pool = patch_pool
        self.routes = routes
        self.writer = writer
        self.learner = learner
        self._batch: EpisodeBatch | None = None
        self._queue = TurnQueue()
        self._rngs: dict[int, np.random.Generator] = {}
        self._numbers: dict[int, int] = {}

    def bind(self, env: VLNVectorEnv) -> None:
        """Take the environment, with its simulator."""
        self._batch = env.batch

    def reset(self, index: int, episode: Episode) -> None:
        """Begin an episode in slot `index`."""
        self._queue.reset(index, self.config.look_around)
        self._numbers[index] = 0
        self._rngs[index] = np.random.default_rng([self.config.seed, self.routes[episode.trajectory_id]])

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Macro actions int64 (n, 3); notes the decisions of those slots that have none to carry out."""
        actions = np.tile(np.array(STOP_MACRO), (len(active), 1))
        deciding = []
        for slot in map(int, np.flatnonzero(active)):
            if self._queue.has(slot):
                actions[slot] = self._queue.next(slot)
            else:
                deciding.append(slot)
        if deciding:
            for slot, macro in zip(deciding, self._decide(observations, deciding), strict=True):
                actions[slot] = self._queue.begin(slot, macro)
        return actions

    def _decide(self, observations: Mapping[str, Any], slots: list[int]) -> list[np.ndarray]:
        assert self._batch is not None, "bind(env) comes first"
        rows, _ = memory_rows(observations, slots, self.levels, patch_pool=self.patch_pool)
        learned = None if self.learner is None else self.learner.decide(observations, slots)
        macros = []
        for place, slot in enumerate(slots):
            label = expert_macro(self._batch, slot, self.config.stop_m, self.config.by_route)
            rollout = self._batch.rollout(slot)
            self.writer.add(
                rows[place],
                np.asarray(observations["action_history"])[slot],
                label,
                privileged_goal(self._batch, slot),
                self.routes[rollout.episode.trajectory_id],
                self._numbers[slot],
            )
            macros.append(self._carried_out(slot, label, None if learned is None else learned[place]))
        return macros

    def _carried_out(self, slot: int, label: np.ndarray, learned: np.ndarray | None) -> np.ndarray:
        rng, config = self._rngs[slot], self.config
        self._numbers[slot] += 1
        # Drawn in any case, so that what one setting changes leaves the other draws alone.
        by_learner, wrong = rng.random() >= config.expert, rng.random() < config.wrong_turn
        turn, moves = rng.integers(-4, 5), rng.integers(1, 9)
        if self._numbers[slot] >= config.max_decisions:
            return np.array(STOP_MACRO)
        if label[0]:
            return label
        if wrong:
            return np.array([0, turn % 24, moves])
        if by_learner and learned is not None and not learned[0]:
            return learned
        return label


def privileged_goal(batch: EpisodeBatch, slot: int) -> np.ndarray:
    """What a slot's goal is to its agent, float32 (4,).

    Returns:
        The walking distance to it, its place ahead and to the left (metres), and the part of the route that
        is done.
    """
    rollout = batch.rollout(slot)
    assert rollout.goal_m is not None, "the expert needs a goal"
    ahead, left, _ = to_agent_frame(rollout.goal_m - rollout.position_m, rollout.heading_rad)
    distance = batch.simulator.geodesic(rollout.scene, rollout.position_m[None], rollout.goal_m)[0]
    return np.array([distance, ahead, left, rollout.metrics.route_completion], dtype=np.float32)
