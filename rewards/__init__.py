"""Rewards of vision-and-language navigation: pure functions of what a step achieved. Needs numpy alone."""

from rewards import terms
from rewards.facts import StepFacts
from rewards.presets import PRESETS, make_reward
from rewards.reward import Reward, Term
from rewards.route import (
    advance_route,
    distance_to_route,
    resample_route,
    route_completion,
    route_progress,
    start_pointer,
)

__all__ = [
    "PRESETS",
    "Reward",
    "StepFacts",
    "Term",
    "advance_route",
    "distance_to_route",
    "make_reward",
    "resample_route",
    "route_completion",
    "route_progress",
    "start_pointer",
    "terms",
]
