"""Where a 3D-VLM's decision spends its time, and what it saves not to decode explanations.

    python -m benchmarks.vlm --agent runs/vlm/best [--episodes 20]

Both are measured in one closed-loop run. Truncated and whole answers are decoded for the same inputs, in
turn, and their actions have to be the same: so is the success rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro

from agents.base import load
from agents.closed_loop import spread
from agents.environments import make_env_for
from agents.vlm.agent import MOVES_QUANTILE, STOP_CHANCE, VLMAgent
from agents.vlm.decoding import decode
from agents.vlm.explanations import explanation_automaton
from benchmarks.record import save_result
from vlnenv.evaluation import evaluate, summarise

PARTS = {
    "camera": "rendering of the views, which a robot has for nothing",
    "encoder": "features of the views' patches",
    "segmenter": "instances of the views",
    "memory update": "views into the memory, instances and zones",
    "memory read": "the memory as tokens, path and view history",
    "processor": "tokens as rows, text as ids",
    "decoding": "the language model: prompt, answer",
    "rest": "motion, metrics, bookkeeping",
}
"""What a decision's time is split into."""


@dataclass(frozen=True)
class Args:
    """Latency and truncation benchmark of a 3D-VLM."""

    agent: str
    """A shipped 3D-VLM's name, or a folder."""
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int = 20
    """How many episodes, evenly spread."""
    num_envs: int = 1
    """Episodes side by side: decisions are decoded together."""
    max_steps: int | None = None
    """Steps before an episode is cut; None takes the task's 500."""
    replayed: int = 200
    """Calls of the model whose answers are decoded again, with and without explanations."""
    rounds: int = 3
    """How often; medians are reported."""
    threads: int = 1
    save_as: str = "vlm"
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


def measured_run(agent: VLMAgent, args: Args) -> tuple[list[dict[str, Any]], dict[str, Any], list[Any]]:
    """Run the episodes once.

    Returns:
        Records of the episodes, the latencies, and the inputs of the model's calls.
    """
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
        watch = Stopwatch(agent.model.device)
        memories = batch.memories
        watch.time("camera", memories.sensors, "look")
        watch.time("encoder", memories.encoder, "encode")
        if memories.segmenter is not None:
            watch.time("segmenter", memories.segmenter, "segment")
        watch.time("memory update", memories.memory, "update")
        watch.time("memory read", memories.memory, "read")
        for history in memories.histories:
            watch.time("memory update", history, "add")
            watch.time("memory read", history, "read")
        watch.time("processor", agent.processor, "from_observation")
        calls = note_answers(agent, watch)
        start = watch.now()
        records = evaluate(agent, env, ids, progress=False)
        total = watch.now() - start
    finally:
        env.close()
    watch.seconds["decoding"] -= watch.seconds["processor"]
    watch.seconds["rest"] = total - sum(watch.seconds.values())
    decisions = sum(len(inputs["input_ids"]) for inputs in calls)
    per_decision = {part: 1000.0 * seconds / decisions for part, seconds in watch.seconds.items()}
    latency = {
        "decisions": decisions,
        "steps_per_decision": sum(record["steps"] for record in records) / decisions,
        "prompt_tokens": float(
            np.mean([inputs["attention_mask"].sum(dim=1).float().mean() for inputs in calls])
        ),
        "ms_per_decision": {name: round(ms, 3) for name, ms in per_decision.items()},
        "ms_per_decision_in_all": round(1000.0 * total / decisions, 3),
    }
    return records, latency, calls


def note_answers(agent: VLMAgent, watch: Stopwatch) -> list[Any]:
    """Count the agent's answers as decoding, the processor included; their inputs go to the list."""
    calls: list[Any] = []
    make_inputs = agent.processor.from_observation

    def noted(*args: Any, **kwargs: Any) -> Any:
        calls.append(make_inputs(*args, **kwargs))
        return calls[-1]

    agent.processor.from_observation = noted  # type: ignore[method-assign]
    watch.time("decoding", agent, "answer")
    return calls


def truncation(agent: VLMAgent, calls: list[Any], rounds: int) -> dict[str, Any] | None:
    """Decisions a second with the stop at `<trunc>` and with explanations; None for an agent without them.

    Raises:
        AssertionError: If an action differs.
    """
    if not agent.processor.explained:
        return None
    device = agent.model.device
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
            found, spent = timed(lambda automaton=automaton: answers(automaton), Stopwatch(device))
            seconds[name].append(spent)
            passes[name] = float(np.mean([each.passes for each in found]))
            actions.append(np.concatenate([each.actions for each in found]))
        np.testing.assert_array_equal(actions[0], actions[1])
    decisions = sum(len(each["input_ids"]) for each in inputs)
    rates = {name: decisions / float(np.median(each)) for name, each in seconds.items()}
    short, long = rates.values()
    return {
        "decisions": decisions,
        "decisions_per_second": {name: round(rate, 2) for name, rate in rates.items()},
        "passes": {name: round(count, 2) for name, count in passes.items()},
        "speed_up": round(short / long, 3),
        "same_actions": True,
    }


def timed(call: Callable[[], Any], watch: Stopwatch) -> tuple[Any, float]:
    """What a call returns, and the seconds that it takes."""
    start = watch.now()
    result = call()
    return result, watch.now() - start


def main(args: Args) -> dict[str, Any]:
    """Measure, print, save; returns the results."""
    torch.set_num_threads(args.threads)
    agent = load(args.agent)
    if not isinstance(agent, VLMAgent):
        raise ValueError(f"{args.agent} is no 3D-VLM: expected a folder of one")
    records, latency, calls = measured_run(agent, args)
    print(f"{latency['decisions']} decisions, {latency['prompt_tokens']:.0f} tokens a prompt\n")
    print("| part | ms a decision | what |\n| --- | ---: | --- |")
    for part, ms in latency["ms_per_decision"].items():
        print(f"| {part} | {ms:.2f} | {PARTS[part]} |")
    print(f"| in all | {latency['ms_per_decision_in_all']:.2f} | |\n")
    shortened = truncation(agent, calls[: args.replayed], args.rounds)
    if shortened is None:
        print("the agent learned no explanations: nothing to truncate")
    else:
        print("| decoding | decisions a second | passes |\n| --- | ---: | ---: |")
        for name, rate in shortened["decisions_per_second"].items():
            print(f"| {name} | {rate:.1f} | {shortened['passes'][name]:.2f} |")
        print(f"\nsame actions, {shortened['speed_up']:.2f} times as many decisions a second")
    metrics = summarise(records)["metrics"]
    results = {"latency": latency, "truncation": shortened, "success": metrics["is_success"]}
    facts = {name: getattr(args, name) for name in ("dataset", "split", "episodes", "num_envs", "threads")}
    print(f"\nsaved {save_result(args.save_as, results, agent=args.agent, **facts)}")
    return results


if __name__ == "__main__":
    main(tyro.cli(Args))
