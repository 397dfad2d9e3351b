"""Where an agent's decision spends its time: a row each of the agents that decide in macro actions.

    python -m benchmarks.latency --agents dynam3d-tiny runs/imitation/2d-history-0/best [--episodes 20]

Measured in closed-loop runs, one after the other in one process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
import tyro

from agents.base import load
from agents.baselines.agent import BaselineAgent
from agents.closed_loop import spread
from agents.environments import make_env_for
from agents.vlm.agent import VLMAgent
from benchmarks.record import save_result
from vlnenv.evaluation import evaluate

PARTS = {
    "camera": "rendering of the views, which a robot has for nothing",
    "encoder": "features of the views' patches",
    "memory": "instances of the views; views into the memory or history, and out of it as tokens",
    "network": "prompt and language model, or recurrent network",
    "rest": "motion, metrics, bookkeeping",
}
"""What a decision's time is split into."""


@dataclass(frozen=True)
class Args:
    """Latency of agents, split into parts."""

    agents: tuple[str, ...] = ("dynam3d-tiny",)
    """Shipped agents' names, or folders."""
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int = 20
    """How many episodes, evenly spread."""
    num_envs: int = 1
    """Episodes side by side: their decisions are made together."""
    max_steps: int | None = None
    """Steps before an episode is cut; None takes the task's 500."""
    threads: int = 1
    save_as: str = "latency"
    """Name of the JSON file under benchmarks/results."""


class Stopwatch:
    """Adds up what calls of some methods take."""

    def __init__(self, device: torch.device) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._device = device

    def time(self, part: str, owner: Any, method: str) -> None:
        """Count the calls of a method of an object as a part's, from now on."""
        call = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = self.now()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[part] += self.now() - start

        setattr(owner, method, timed)

    def now(self) -> float:
        """Seconds, with all that the GPU was given done."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def latency(agent: VLMAgent | BaselineAgent, args: Args) -> dict[str, Any]:
    """Run the episodes once; returns milliseconds a decision, in parts and in all."""
    env = make_env_for(
        agent,
        min(args.num_envs, args.episodes),
        dataset=args.dataset,
        split=args.split,
        max_steps=args.max_steps,
        autoreset_mode="Disabled",
    )
    try:
        batch = env.unwrapped.batch  # type: ignore[attr-defined]
        ids = spread(batch.episodes, args.episodes)
        evaluate(agent, env, ids[:1], progress=False)  # what is compiled and loaded once is not a latency
        watch = Stopwatch(_device(agent))
        memories = batch.memories
        watch.time("camera", memories.sensors, "look")
        watch.time("encoder", memories.encoder, "encode")
        if memories.segmenter is not None:
            watch.time("memory", memories.segmenter, "segment")
        watch.time("memory", memories.memory, "update")
        watch.time("memory", memories.memory, "read")
        for history in memories.histories:
            watch.time("memory", history, "add")
            watch.time("memory", history, "read")
        watch.time("network", agent, "act")
        before, start = agent.queue.decisions, watch.now()
        records = evaluate(agent, env, ids, progress=False)
        total, decisions = watch.now() - start, agent.queue.decisions - before
    finally:
        env.close()
    watch.seconds["rest"] = total - sum(watch.seconds.values())
    return {
        "decisions": decisions,
        "steps_per_decision": sum(record["steps"] for record in records) / decisions,
        "ms_per_decision": {
            part: round(1000.0 * seconds / decisions, 3) for part, seconds in watch.seconds.items()
        },
        "ms_per_decision_in_all": round(1000.0 * total / decisions, 3),
    }


def _device(agent: VLMAgent | BaselineAgent) -> torch.device:
    module = agent.model if isinstance(agent, VLMAgent) else agent.network
    return next(module.parameters()).device


def main(args: Args) -> dict[str, Any]:
    """Measure, print, save; returns the results.

    Raises:
        ValueError: If an agent does not decide in macro actions.
    """
    torch.set_num_threads(args.threads)
    agents = {name: load(name) for name in args.agents}
    for name, agent in agents.items():
        if not isinstance(agent, VLMAgent | BaselineAgent):
            raise ValueError(f"{name} is neither a 3D-VLM nor a recurrent baseline: it decides step by step")
    results = {name: latency(agent, args) for name, agent in agents.items()}
    print(f"| ms a decision | {' | '.join(PARTS)} | in all |\n| --- |{' ---: |' * (len(PARTS) + 1)}")
    for name, found in results.items():
        times = [*found["ms_per_decision"].values(), found["ms_per_decision_in_all"]]
        print(f"| {name} | {' | '.join(f'{ms:.1f}' for ms in times)} |")
    facts = {name: getattr(args, name) for name in ("dataset", "split", "episodes", "num_envs", "threads")}
    print(f"\nsaved {save_result(args.save_as, results, **facts)}")
    return results


if __name__ == "__main__":
    main(tyro.cli(Args))
