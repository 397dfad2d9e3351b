"""Rewards by name, as their papers give them."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from rewards import terms
from rewards.facts import StepFacts
from rewards.reward import Reward, Term


def route_completion() -> Reward:
    """Route completed, softly penalised, minus 1 for an episode that ends without success; in [-1, 1] in all.

    Source: CaRL (Jaeger et al. 2025), there in percent.
    """
    return Reward(
        "route_completion",
        (Term("route_gain", terms.route_gain), Term("failure", terms.failure, -1.0)),
    )


def progress() -> Reward:
    """Metres gained towards the goal, -0.05 a step, +2.5 for success.

    Source: VLN-CE waypoint models (Krantz et al. 2021).
    """
    return Reward(
        "progress",
        (
            Term("geodesic_progress", terms.geodesic_progress),
            Term("slack", terms.slack, -0.05),
            Term("success", terms.success, 2.5),
        ),
    )


def etp_r1() -> Reward:
    """At the end only: SPL + 1[d <= 1.5 m] + (1 - d / 6), with d the walking distance to the goal.

    Source: ETP-R1 on R2R.
    """
    return Reward(
        "etp_r1",
        (
            Term("spl", terms.spl),
            Term("near_goal", terms.near_goal),
            Term("goal_nearness", terms.goal_nearness),
        ),
    )


def active_vln() -> Reward:
    """At the end only: 15 for success.

    Source: ActiveVLN.
    """
    return Reward("active_vln", (Term("success", terms.success, 15.0),))


PRESETS: dict[str, Callable[[], Reward]] = {
    "route_completion": route_completion,
    "progress": progress,
    "etp_r1": etp_r1,
    "active_vln": active_vln,
}


def make_reward(reward: str | Reward | Callable[[StepFacts], float]) -> Reward:
    """A reward from a preset's name, from a function of a step's facts, or as it is.

    Args:
        reward: Name in `PRESETS`; or a `Reward`; or a function that becomes a reward of one term.

    Raises:
        ValueError: If there is no preset of that name; the message names the nearest one.
        TypeError: If it is none of the three.
    """
    if isinstance(reward, Reward):
        return reward
    if isinstance(reward, str):
        if reward not in PRESETS:
            near = difflib.get_close_matches(reward, PRESETS, n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"no reward {reward!r}. Known: {', '.join(PRESETS)}.{hint}")
        return PRESETS[reward]()
    if not callable(reward):
        raise TypeError(f"expected a reward's name, a Reward or a function of StepFacts, got {reward!r}")
    name = getattr(reward, "__name__", type(reward).__name__)
    return Reward(name, (Term(name, reward),))
