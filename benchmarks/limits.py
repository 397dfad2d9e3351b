"""What limits a 3D-VLM: the same weights, with one part at a time told what no robot knows.

    python -m benchmarks.limits [--agent dynam3d-tiny] [--episodes 200]

`semantic` swaps the encoder for the simulator's class names, `oracle masks` the segmenter for its instances,
and with `oracle stop` the agent stops where it decides within 1.5 m of the goal, and nowhere else. A part
that limits is one with which success rises. The agent learned with its own senses, so a swap can also cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro

from agents.base import load
from agents.closed_loop import spread
from agents.config import Perception
from agents.environments import make_env
from agents.macros import STOP_MACRO
from agents.roll_in import privileged_goal
from agents.vlm.agent import VLMAgent
from agents.vlm.automaton import AnswerAutomaton
from agents.vlm.grammar import Grammar
from benchmarks.record import save_result
from vlnenv.batch import EpisodeBatch
from vlnenv.episodes import Episode
from vlnenv.evaluation import Record, comparison_table, evaluate, paired_difference, results_table, summarise
from vlnenv.evaluation.agent import PublicEpisode, public

SWAPS: dict[str, dict[str, str]] = {
    "as it is": {},
    "semantic": {"encoder": "semantic"},
    "oracle masks": {"segmenter": "oracle"},
    "oracle stop": {},
}


@dataclass(frozen=True)
class Args:
    """Swap parts of an agent for oracles."""

    agent: str = "dynam3d-tiny"
    """A shipped 3D-VLM's name, or a folder."""
    swaps: tuple[str, ...] = tuple(SWAPS)
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int | None = 200
    """How many episodes, evenly spread; None runs all."""
    num_envs: int = 16
    max_steps: int | None = None
    """Steps before an episode is cut; None takes the task's 500."""
    threads: int = 1
    save_as: str = "limits"
    """Name of the JSON file under benchmarks/results."""


@dataclass(frozen=True)
class WalkingGrammar(Grammar):
    """Answers but "stop."."""

    def answers(self) -> tuple[str, ...]:
        """All behind the first, which is it."""
        return super().answers()[1:]


class OracleStop(VLMAgent):
    """Walks as a model says, and stops where it decides near the goal. Privileged."""

    privileged = True
    stop_m = 1.5
    """Walking distance; the expert's that it learned from."""

    def __init__(self, agent: VLMAgent) -> None:
        super().__init__(agent.model, agent.processor, agent.temperature, agent.seed)
        grammar = WalkingGrammar(**dataclasses.asdict(agent.automaton.grammar))
        end_token = agent.processor.tokenizer.convert_ids_to_tokens(agent.automaton.end_id)
        self.automaton = AnswerAutomaton(agent.processor.tokenizer, grammar, end_token)

    def bind(self, env: Any) -> None:
        """See `PrivilegedAgent.bind`."""
        self._batch: EpisodeBatch = env.batch

    def reset(self, index: int, episode: PublicEpisode | Episode) -> None:
        """See `Agent.reset`; the goal is looked up in the environment."""
        super().reset(index, public(episode) if isinstance(episode, Episode) else episode)

    def decide(self, observations: Mapping[str, Any], rows: Sequence[int]) -> np.ndarray:
        """See `VLMAgent.decide`."""
        macros = super().decide(observations, rows)
        for macro, row in zip(macros, rows, strict=True):
            if privileged_goal(self._batch, row)[0] <= self.stop_m:
                macro[:] = STOP_MACRO
        return macros


def walk(args: Args, swap: str) -> list[Record]:
    """Run the episodes with one part swapped."""
    agent = load(args.agent)
    if not isinstance(agent, VLMAgent):
        raise ValueError(f"{args.agent} is no 3D-VLM: expected a folder of one")
    perception: Perception = dataclasses.replace(agent.perception, **SWAPS[swap])
    env = make_env(
        args.num_envs,
        perception,
        agent.levels,
        action=agent.action_mode,
        dataset=args.dataset,
        split=args.split,
        max_steps=args.max_steps,
        autoreset_mode="Disabled",
    )
    try:
        ids = spread(env.unwrapped.batch.episodes, args.episodes)  # type: ignore[attr-defined]
        return evaluate(OracleStop(agent) if swap == "oracle stop" else agent, env, ids)
    finally:
        env.close()


def main(args: Args) -> dict[str, Any]:
    """Evaluate, print, save; returns the results."""
    torch.set_num_threads(args.threads)
    records = {swap: walk(args, swap) for swap in args.swaps}
    privileged = [swap for swap in args.swaps if swap != "as it is"]
    first = args.swaps[0]
    print(results_table(records, "markdown", privileged))
    print("\n" + comparison_table(records, first, "markdown"))
    results: dict[str, Any] = {swap: summarise(each) for swap, each in records.items()}
    for swap in args.swaps[1:]:
        gap = paired_difference(records[swap], records[first], "is_success")
        results[swap][f"is_success minus {first}"] = [gap.mean, gap.low, gap.high]
    facts = {name: getattr(args, name) for name in ("agent", "split", "num_envs", "threads")}
    dataset = records[first][0]["dataset"]
    print(f"\nsaved {save_result(args.save_as, results, dataset=dataset, **facts)}")
    return results


if __name__ == "__main__":
    main(tyro.cli(Args))
