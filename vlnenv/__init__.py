"""vlnenv: continuous vision-and-language navigation as Gymnasium environments with a 3D token memory.

Importing the package registers the environments and loads nothing heavy::

    import gymnasium as gym
    import vlnenv

    env = gym.make("R2RCE-v0", split="val_unseen")

`gym.make("vlnenv:R2RCE-v0")` works without the import, and is the form for spawned worker processes.
"""

from __future__ import annotations

import gymnasium as gym

__all__ = ["__version__", "register_envs"]
__version__ = "0.1.0"

# The names of `vlnenv.tasks.TASKS`, written out: importing the cards would load numpy and the simulator.
_TASKS = ("R2RCE", "RxRCE", "REVERIECE", "NavRAGCE")


def register_envs() -> None:
    """Register the environments with Gymnasium; calling it again changes nothing."""
    for task in _TASKS:
        if f"{task}-v0" not in gym.registry:
            gym.register(
                id=f"{task}-v0",
                entry_point="vlnenv.env:VLNEnv",
                vector_entry_point="vlnenv.vector:VLNVectorEnv",
                kwargs={"task": task},
            )


register_envs()
