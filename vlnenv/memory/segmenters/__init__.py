"""Segmenters: which patches of a view belong together."""

from vlnenv.memory.segmenters.patchgraph import PatchGraphConfig, PatchGraphSegmenter, geometry_only
from vlnenv.memory.segmenters.segmenter import SEGMENTERS, Segmenter, make_segmenter

__all__ = [
    "SEGMENTERS",
    "PatchGraphConfig",
    "PatchGraphSegmenter",
    "Segmenter",
    "geometry_only",
    "make_segmenter",
]
