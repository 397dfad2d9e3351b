"""Wording shared by the errors that callers see."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, name: object, known: Iterable[str], limit: int = 12) -> str:
    """Message for a name that is not among the known ones, with the nearest one suggested.

    Args:
        kind: What the name stands for: "split", "reward".
        name: What came.
        known: The choices, in the order to list them; the list is cut at `limit`.
        limit: How many choices to spell out.
    """
    choices = list(known)
    listed = ", ".join(repr(choice) for choice in choices[:limit])
    if len(choices) > limit:
        listed += f", ... ({len(choices)} in all)"
    near = difflib.get_close_matches(str(name), choices, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"no {kind} {name!r}. Known: {listed or 'none'}.{hint}"
