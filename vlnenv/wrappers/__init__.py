"""Wrappers that reshape what an agent observes or does."""

from vlnenv.wrappers.flatten import FlattenArrays
from vlnenv.wrappers.text import TextToIds, VectorTextToIds

__all__ = ["FlattenArrays", "TextToIds", "VectorTextToIds"]
