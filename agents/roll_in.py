"""Roll-ins: an agent that walks by a mixture of expert and learner, and notes what the expert would do.

It is a privileged agent, run by `vlnenv.evaluation.evaluate` like any other: behaviour cloning is a roll-in
of the expert alone, DAgger one in which the learner decides more and more often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from agents.expert import expert_macro
from agents.macros import STOP_MACRO, TurnQueue
from vlnenv.batch import EpisodeBatch
from vlnenv.episodes import Episode
from vlnenv.evaluation.agent import PublicEpisode, public
from vlnenv.path_history import to_agent_frame
from vlnenv.sim.strides import MAX_STEPS
from vlnenv.vector import VLNVectorEnv


class Decider(Protocol):
    """Decides on macro actions; `agents.vlm.agent.VLMAgent` does."""

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        ...

    def see(self, observations: Mapping[str, Any], rows: Sequence[int]) -> None:
        """Take in what s rows show while their last decision is carried out."""
        ...

    def decide(self, observations: Mapping[str, Any], rows: Sequence[int]) -> np.ndarray:
        """Macro actions int64 (s, 3) for s rows of a batched observation; once a decision."""
        ...


@dataclass(frozen=True)
class Moment:
    """A decision to be noted."""

    slot: int
    label: np.ndarray
    """int64 (3,), what the expert does."""
    goal: np.ndarray
    """float32 (4,), see `privileged_goal`."""
    route: int
    """Index of the episode's route."""
    number: int
    """How many decisions of the episode came before; 0 begins one."""


class Recorder(Protocol):
    """Takes what a roll-in notes; `agents.vlm.recorder.RowRecorder` does."""

    def begin(self, slot: int, route: int) -> None:
        """An episode begins in a slot, on the route of that index."""
        ...

    def see(self, observations: Mapping[str, Any], slots: Sequence[int]) -> None:
        """Note what some slots show while their last decision is carried out."""
        ...

    def note(self, observations: Mapping[str, Any], moments: Sequence[Moment]) -> None:
        """Note decisions of one step, with a batched observation that their slots are rows of."""
        ...


@dataclass(frozen=True)
class RollInConfig:
    """How a roll-in walks."""

    expert: float = 1.0
    """Chance at each decision that the expert's is carried out, else the learner's: DAgger's beta."""
    wrong_turn: float = 0.1
    """Chance at each decision that a random turn and walk is carried out instead, to come back from."""
    jitter: float = 0.5
    """Chance at each decision of the expert's that it is carried out badly: up to two turn steps off, and
    anything from one step to four too many. Its strides end where the way bends, and a learner that never
    decided elsewhere is lost as soon as it walks too far (noise injection, Laskey et al. 2017)."""
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
        for name in ("expert", "wrong_turn", "jitter"):
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
        routes: Trajectory id -> the index that decisions are noted under.
        recorder: Takes the decisions.
        learner: Who decides where the expert doesn't; None where it always does.
    """

    privileged = True

    def __init__(
        self,
        config: RollInConfig,
        routes: Mapping[str, int],
        recorder: Recorder,
        learner: Decider | None = None,
    ) -> None:
        if learner is None and config.expert < 1.0:
            raise ValueError(f"a roll-in with expert={config.expert} needs a learner for the other decisions")
        self.config = config
        self.routes = routes
        self.recorder = recorder
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
        route = self.routes[episode.trajectory_id]
        self._rngs[index] = np.random.default_rng([self.config.seed, route])
        self.recorder.begin(index, route)
        if self.learner is not None:
            self.learner.reset(index, public(episode))

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Macro actions int64 (n, 3); notes the decisions of those slots that have none to carry out."""
        actions = np.tile(np.array(STOP_MACRO), (len(active), 1))
        turning, deciding = self._queue.split(active)
        for slot in turning:
            actions[slot] = self._queue.next(slot)
        if turning:
            self.recorder.see(observations, turning)
            if self.learner is not None:
                self.learner.see(observations, turning)
        if deciding:
            for slot, macro in zip(deciding, self._decide(observations, deciding), strict=True):
                actions[slot] = self._queue.begin(slot, macro)
        return actions

    def _decide(self, observations: Mapping[str, Any], slots: list[int]) -> list[np.ndarray]:
        assert self._batch is not None, "bind(env) comes first"
        learned = None if self.learner is None else self.learner.decide(observations, slots)
        moments = [self._moment(self._batch, slot) for slot in slots]
        self.recorder.note(observations, moments)
        return [
            self._carried_out(moment.slot, moment.label, None if learned is None else learned[place])
            for place, moment in enumerate(moments)
        ]

    def _moment(self, batch: EpisodeBatch, slot: int) -> Moment:
        return Moment(
            slot,
            expert_macro(batch, slot, self.config.stop_m, self.config.by_route),
            privileged_goal(batch, slot),
            self.routes[batch.rollout(slot).episode.trajectory_id],
            self._numbers[slot],
        )

    def _carried_out(self, slot: int, label: np.ndarray, learned: np.ndarray | None) -> np.ndarray:
        rng, config = self._rngs[slot], self.config
        self._numbers[slot] += 1
        # Drawn in any case, so that what one setting changes leaves the other draws alone.
        by_learner, wrong = rng.random() >= config.expert, rng.random() < config.wrong_turn
        turn, moves = rng.integers(-4, 5), rng.integers(1, 9)
        badly, off, part = rng.random() < config.jitter, rng.integers(-2, 3), rng.random()
        if self._numbers[slot] >= config.max_decisions:
            return np.array(STOP_MACRO)
        if label[0]:
            return label
        if wrong:
            return np.array([0, turn % 24, moves])
        if by_learner and learned is not None and not learned[0]:
            return learned
        return jittered(label, int(off), float(part)) if badly else label


def jittered(macro: np.ndarray, off: int, part: float) -> np.ndarray:
    """A macro action carried out badly, int64 (3,).

    Args:
        macro: [0, turn, moves].
        off: Turn steps to the left that are added.
        part: In [0, 1): where the moves end, between one and four too many; no moves stay none.
    """
    moves = int(macro[2])
    if moves:
        moves = min(1 + int(part * (moves + 4)), MAX_STEPS)
    return np.array([0, (int(macro[1]) + off) % 24, moves], dtype=np.int64)


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
