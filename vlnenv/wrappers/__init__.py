"""Wrappers that reshape what an agent observes or does."""

from vlnenv.wrappers.flatten import FlattenArrays
from vlnenv.wrappers.moving import MovingObjects, VectorMovingObjects
from vlnenv.wrappers.text import TextToIds, VectorTextToIds

__all__ = ["FlattenArrays", "MovingObjects", "TextToIds", "VectorMovingObjects", "VectorTextToIds"]
