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


def register_envs() -> None:
    """Register the environments with Gymnasium; calling it again changes nothing."""
    if "R2RCE-v0" not in gym.registry:
        gym.register(
            id="R2RCE-v0",
            entry_point="vlnenv.env:VLNEnv",
            vector_entry_point="vlnenv.vector:VLNVectorEnv",
            kwargs={"task": "R2RCE"},
        )


register_envs()
