"""Protocol cards: the named, hashed settings under which results of a task compare."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from vlnenv.errors import unknown_name
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import AgentBody


@dataclass(frozen=True)
class Task:
    """All of a benchmark's protocol that moves its numbers; results compare if the hashes agree."""

    name: str
    dataset: str
    """The data set that the task is defined on; "houses" stands in where it is not installed."""
    forward_m: float = 0.25
    """One forward step, metres."""
    turn_deg: float = 15.0
    """One turn step, degrees."""
    max_steps: int = 500
    """Primitive steps, STOP included, after which an episode is truncated."""
    success_distance_m: float = 3.0
    """An episode succeeds when STOP is called nearer to its goal than this, metres of walking distance."""
    sliding: bool = True
    """Whether a blocked step slides along the obstacle."""
    camera: Camera = field(default_factory=Camera)
    """RGB-D camera of the protocol."""
    body: AgentBody = field(default_factory=AgentBody)

    @property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the card's JSON."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


TASKS: dict[str, Task] = {
    # VLN-CE's R2R configuration (Krantz et al., 2020): 0.25 m, 15 degrees, 500 steps, sliding on, camera at
    # 1.25 m with 90 degrees, depth up to 10 m, body of 0.1 x 1.5 m, success below 3 m and STOP called.
    "R2RCE": Task(name="R2RCE", dataset="r2r_ce"),
}


def get_task(name: str) -> Task:
    """The protocol card of that name.

    Raises:
        ValueError: If there is none; the message names the nearest one.
    """
    if name not in TASKS:
        raise ValueError(unknown_name("task", name, TASKS))
    return TASKS[name]
