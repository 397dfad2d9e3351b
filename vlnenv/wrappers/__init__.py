"""Wrappers that reshape what an agent observes or does."""

from vlnenv.wrappers.flatten import FlattenArrays
from vlnenv.wrappers.moving import MovingObjects, VectorMovingObjects
from vlnenv.wrappers.path import PathObservation, VectorPathObservation
from vlnenv.wrappers.text import TextToIds, VectorTextToIds
from vlnenv.wrappers.view_history import VectorViewHistoryObservation, ViewHistoryObservation

__all__ = [
    "FlattenArrays",
    "MovingObjects",
    "PathObservation",
    "TextToIds",
    "VectorMovingObjects",
    "VectorPathObservation",
    "VectorTextToIds",
    "VectorViewHistoryObservation",
    "ViewHistoryObservation",
]
