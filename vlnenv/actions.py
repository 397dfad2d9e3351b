"""Action modes: what an agent says, and the primitive steps it stands for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from vlnenv.errors import unknown_name

STOP, FORWARD, LEFT, RIGHT = range(4)
"""The discrete actions of VLN-CE."""

HISTORY = 4
"""How many past actions an observation carries."""


class Primitive(NamedTuple):
    """One counted step: a turn, then a move ahead."""

    turn_rad: float
    """Counter-clockwise, so positive is left."""
    forward_m: float


Plan = tuple[Primitive, ...]
"""The primitive steps of one action; the empty plan is STOP."""


class ActionMode(ABC):
    """Translates the actions of one space into plans."""

    space: spaces.Space
    """Action space of one environment."""
    history_space: spaces.Box
    """Space of the last four actions, oldest first."""

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        self.forward_m = forward_m
        self.turn_rad = turn_rad

    @abstractmethod
    def plan(self, action: Any) -> Plan:
        """The primitive steps that `action` stands for.

        Raises:
            ValueError: If the action is not in the space (wrong shape, out of range, NaN or infinite).
        """

    def empty_history(self) -> np.ndarray:
        """History before the first action: every entry is the space's lowest value, kept for "none"."""
        return self.history_space.low.copy()

    def push(self, history: np.ndarray, action: Any) -> np.ndarray:
        """A new history with `action` as its last row; `history` is left alone."""
        entry = np.asarray(action, dtype=history.dtype).reshape(1, *history.shape[1:])
        return np.concatenate([history[1:], entry])


class DiscreteActions(ActionMode):
    """0 stop, 1 forward, 2 left, 3 right: VLN-CE's own."""

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        self.space = spaces.Discrete(4)
        self.history_space = spaces.Box(-1, 3, (HISTORY,), np.int64)
        self._plans: dict[int, Plan] = {
            STOP: (),
            FORWARD: (Primitive(0.0, forward_m),),
            LEFT: (Primitive(turn_rad, 0.0),),
            RIGHT: (Primitive(-turn_rad, 0.0),),
        }

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`."""
        value = np.asarray(action)
        if value.shape not in ((), (1,)) or not np.issubdtype(value.dtype, np.integer):
            raise ValueError(
                f"a discrete action is one integer 0 stop, 1 forward, 2 left or 3 right, got {action!r}"
            )
        code = int(value.reshape(()))
        if code not in self._plans:
            raise ValueError(f"a discrete action is 0 stop, 1 forward, 2 left or 3 right, got {code}")
        return self._plans[code]


class MacroActions(ActionMode):
    """[stop, turn, moves]: turn by a multiple of the turn step, then walk ahead a number of steps."""

    MAX_MOVES = 12

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        self.headings = round(2.0 * math.pi / turn_rad)
        self._choices = np.array([2, self.headings, self.MAX_MOVES + 1])
        self.space = spaces.MultiDiscrete(self._choices)
        high = np.tile(self._choices - 1, (HISTORY, 1)).astype(np.int64)
        self.history_space = spaces.Box(np.full_like(high, -1), high, dtype=np.int64)

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`."""
        value = np.asarray(action)
        if value.shape != (3,) or not np.issubdtype(value.dtype, np.integer):
            raise ValueError(f"a macro action is three integers [stop, turn, moves], got {action!r}")
        if (value < 0).any() or (value >= self._choices).any():
            raise ValueError(
                "a macro action [stop, turn, moves] must be at least 0 and below "
                f"{self._choices.tolist()}, got {value.tolist()}"
            )
        stop, turn, moves = (int(part) for part in value)
        if stop:
            return ()
        # 1..half turns left; above half the shorter way round is to the right.
        turns = turn if turn <= self.headings // 2 else turn - self.headings
        step = math.copysign(self.turn_rad, turns)
        plan = (Primitive(step, 0.0),) * abs(turns) + (Primitive(0.0, self.forward_m),) * moves
        return plan or (Primitive(0.0, 0.0),)


class WaypointActions(ActionMode):
    """[heading, distance]: turn by the heading (radians, left positive), then walk the distance (metres).

    A distance below `STOP_BELOW_M` is STOP, so that a two-number policy needs no third output.
    """

    MAX_DISTANCE_M = 3.0
    STOP_BELOW_M = 0.1

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        low = np.array([-math.pi, 0.0], dtype=np.float32)
        high = np.array([math.pi, self.MAX_DISTANCE_M], dtype=np.float32)
        self._low, self._high = low.astype(np.float64), high.astype(np.float64)
        self.space = spaces.Box(low, high, dtype=np.float32)
        self.history_space = spaces.Box(np.tile(low, (HISTORY, 1)), np.tile(high, (HISTORY, 1)))

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`. Long turns and walks are cut into steps of the protocol's size."""
        value = np.asarray(action, dtype=np.float64)
        if value.shape != (2,):
            raise ValueError(f"a waypoint is [heading, distance], got an array of shape {value.shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"a waypoint must be finite, got {value.tolist()}")
        if (value < self._low).any() or (value > self._high).any():
            raise ValueError(
                f"a waypoint [heading, distance] must lie within {self._low.round(3).tolist()} and "
                f"{self._high.round(3).tolist()}, got {value.tolist()}"
            )
        heading, distance = float(value[0]), float(value[1])
        if distance < self.STOP_BELOW_M:
            return ()
        # A hair below the ratio, so that 0.25 m asked for in float32 is one step and not two.
        turns = math.ceil(abs(heading) / self.turn_rad - 1e-6)
        moves = math.ceil(distance / self.forward_m - 1e-6)
        turn = tuple(Primitive(heading / turns, 0.0) for _ in range(turns))
        return turn + tuple(Primitive(0.0, distance / moves) for _ in range(moves))


ACTION_MODES: dict[str, type[ActionMode]] = {
    "discrete": DiscreteActions,
    "macro": MacroActions,
    "waypoint": WaypointActions,
}


def make_action_mode(name: str, forward_m: float, turn_deg: float) -> ActionMode:
    """The action mode of that name, with the task's step sizes.

    Raises:
        ValueError: If there is none; the message names the nearest one.
    """
    if name not in ACTION_MODES:
        raise ValueError(unknown_name("action mode", name, ACTION_MODES))
    return ACTION_MODES[name](forward_m, math.radians(turn_deg))
