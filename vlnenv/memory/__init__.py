"""The 3D token memory: what was seen, lifted to 3D, kept current, and read as tokens."""

from vlnenv.memory.config import MemoryConfig
from vlnenv.memory.encoder import PATCH_GRID, Encoder, make_encoder
from vlnenv.memory.memory import TokenMemory
from vlnenv.memory.snapshot import MemorySnapshot

__all__ = ["PATCH_GRID", "Encoder", "MemoryConfig", "MemorySnapshot", "TokenMemory", "make_encoder"]
