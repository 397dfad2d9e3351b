"""A reward: a sum of named, weighted terms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rewards.facts import StepFacts


@dataclass(frozen=True)
class Term:
    """One summand of a reward."""

    name: str
    """Appears in the environment's `info` as "reward/NAME"."""
    function: Callable[[StepFacts], float]
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a reward term needs a name that is not empty")
        if not callable(self.function):
            raise TypeError(
                f"reward term {self.name!r}: expected a function of StepFacts, got {self.function!r}"
            )
        if not math.isfinite(self.weight):
            raise ValueError(f"reward term {self.name!r}: the weight must be finite, got {self.weight}")


@dataclass(frozen=True)
class Reward:
    """Sum of weighted terms; calling it on a step's facts gives the total and its parts.

    Where the goal is not public (a test split), every term is 0.

    Example:
        >>> from rewards import Reward, Term, terms
        >>> reward = Reward("stay_clear", (Term("success", terms.success, 10.0),
        ...                                Term("collision", terms.collision, -0.1)))
    """

    name: str
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        names = [term.name for term in self.terms]
        if not names:
            raise ValueError(f"reward {self.name!r} needs at least one term, got none")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"reward {self.name!r}: the term name {name!r} is used twice; names must differ"
                )

    def __call__(self, facts: StepFacts) -> tuple[float, dict[str, float]]:
        """Reward of a step.

        Returns:
            The total, and each term's weighted part by name; the parts sum to the total.

        Raises:
            ValueError: If a term is NaN or infinite.
        """
        if not facts.is_goal_known:
            return 0.0, {term.name: 0.0 for term in self.terms}
        parts: dict[str, float] = {}
        for term in self.terms:
            part = float(term.weight * term.function(facts))
            if not math.isfinite(part):
                raise ValueError(f"reward {self.name!r}: its term {term.name!r} gave {part} for {facts}")
            parts[term.name] = part
        return sum(parts.values()), parts
