"""What a 3D-VLM saves by not decoding its explanations.

    python -m benchmarks.truncation --agent dynam3d-tiny [--episodes 20]

Truncated and whole answers are decoded for the same inputs of a closed-loop run, in turn, and their actions
have to be the same: so is the success rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro

from agents.base import load
from agents.closed_loop import spread
from agents.environments import make_env_for
from agents.macros import MOVES_QUANTILE, STOP_CHANCE
from agents.vlm.agent import VLMAgent
from agents.vlm.decoding import decode
from agents.vlm.explanations import explanation_automaton
from benchmarks.latency import Stopwatch
from benchmarks.record import save_result
from vlnenv.evaluation import evaluate, summarise


@dataclass(frozen=True)
class Args:
    """Decoding with and without explanations."""

    agent: str
    """A shipped 3D-VLM's name, or a folder."""
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int = 20
    """How many episodes, evenly spread, one at a time."""
    max_steps: int | None = None
    """Steps before an episode is cut; None takes the task's 500."""
    replayed: int = 200
    """Calls of the model whose answers are decoded again."""
    rounds: int = 3
    """How often; medians are reported."""
    threads: int = 1
    save_as: str = "truncation"
    """Name of the JSON file under benchmarks/results."""


def noted_run(agent: VLMAgent, args: Args) -> tuple[list[dict[str, Any]], list[Any]]:
    """Run the episodes; returns their records and the inputs of the model's calls."""
    calls: list[Any] = []
    make_inputs = agent.processor.from_observation

    def noted(*args: Any, **kwargs: Any) -> Any:
        calls.append(make_inputs(*args, **kwargs))
        return calls[-1]

    agent.processor.from_observation = noted  # type: ignore[method-assign]
    env = make_env_for(
        agent,
        1,
        dataset=args.dataset,
        split=args.split,
        max_steps=args.max_steps,
        autoreset_mode="Disabled",
    )
    try:
        ids = spread(env.unwrapped.batch.episodes, args.episodes)  # type: ignore[attr-defined]
        return evaluate(agent, env, ids, progress=False), calls
    finally:
        env.close()


def truncation(agent: VLMAgent, calls: list[Any], rounds: int) -> dict[str, Any]:
    """Decisions a second with the stop at `<trunc>` and with explanations.

    Args:
        agent: The agent.
        calls: Inputs of its model.
        rounds: How often they are decoded.

    Raises:
        AssertionError: If an action differs.
    """
    device = agent.model.device
    watch = Stopwatch(device)
    inputs = [{name: value.to(device) for name, value in call.items()} for call in calls]
    automata = {
        "stops at <trunc>": None,
        "explanation decoded": explanation_automaton(agent.processor.tokenizer),
    }

    def answers(automaton: Any) -> list[Any]:
        return [
            decode(
                agent.model,
                each,
                agent.automaton,
                explanations=automaton,
                stop_chance=STOP_CHANCE,
                moves_quantile=MOVES_QUANTILE,
            )
            for each in inputs
        ]

    seconds: dict[str, list[float]] = {name: [] for name in automata}
    passes: dict[str, float] = {}
    for _ in range(rounds):
        actions = []
        for name, automaton in automata.items():
            start = watch.now()
            found = answers(automaton)
            seconds[name].append(watch.now() - start)
            passes[name] = float(np.mean([each.passes for each in found]))
            actions.append(np.concatenate([each.actions for each in found]))
        np.testing.assert_array_equal(actions[0], actions[1])
    decisions = sum(len(each["input_ids"]) for each in inputs)
    rates = {name: decisions / float(np.median(each)) for name, each in seconds.items()}
    short, long = rates.values()
    return {
        "decisions": decisions,
        "prompt_tokens": float(np.mean([int(each["attention_mask"].sum()) for each in inputs])),
        "decisions_per_second": {name: round(rate, 2) for name, rate in rates.items()},
        "passes": {name: round(count, 2) for name, count in passes.items()},
        "speed_up": round(short / long, 3),
        "same_actions": True,
    }


def main(args: Args) -> dict[str, Any]:
    """Measure, print, save; returns the results.

    Raises:
        ValueError: If the agent has learned no explanations.
    """
    torch.set_num_threads(args.threads)
    agent = load(args.agent)
    if not isinstance(agent, VLMAgent):
        raise ValueError(f"{args.agent} is no 3D-VLM: expected a folder of one")
    if not agent.processor.explained:
        raise ValueError(f"{args.agent} learned no explanations: nothing to truncate")
    records, calls = noted_run(agent, args)
    results = truncation(agent, calls[: args.replayed], args.rounds)
    print("| decoding | decisions a second | passes |\n| --- | ---: | ---: |")
    for name, rate in results["decisions_per_second"].items():
        print(f"| {name} | {rate:.1f} | {results['passes'][name]:.2f} |")
    print(f"\nsame actions, {results['speed_up']:.2f} times as many decisions a second")
    results["success"] = summarise(records)["metrics"]["is_success"]
    facts = {name: getattr(args, name) for name in ("dataset", "split", "episodes", "threads")}
    print(f"\nsaved {save_result(args.save_as, results, agent=args.agent, **facts)}")
    return results


if __name__ == "__main__":
    main(tyro.cli(Args))
