"""Agents that follow instructions, and how they are trained: `agents.load(name)` gives one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.base import agent_names, load

__all__ = ["agent_names", "load"]


def __getattr__(name: str) -> Any:
    # On demand: the command line's help does not wait for what agents need.
    if name in __all__:
        from agents import base

        return getattr(base, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
