"""An axis-aligned rectangle on the plan, integer centimetres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """An axis-aligned rectangle on the floor, centimetres; x grows to the right, z towards the viewer."""

    x0: int
    z0: int
    x1: int
    z1: int

    @property
    def width(self) -> int:
        """Extent along x."""
        return self.x1 - self.x0

    @property
    def depth(self) -> int:
        """Extent along z."""
        return self.z1 - self.z0

    @property
    def area(self) -> int:
        """Square centimetres."""
        return self.width * self.depth

    def grown(self, margin: int) -> Rect:
        """The rectangle with every side moved outwards."""
        return Rect(self.x0 - margin, self.z0 - margin, self.x1 + margin, self.z1 + margin)

    def meets(self, other: Rect) -> bool:
        """Whether the two share an area."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.z0 < other.z1 and other.z0 < self.z1

    def holds(self, other: Rect) -> bool:
        """Whether `other` lies inside."""
        return self.x0 <= other.x0 and self.z0 <= other.z0 and self.x1 >= other.x1 and self.z1 >= other.z1

    def within(self, other: Rect) -> Rect:
        """The part inside `other`; without area where the two do not meet."""
        x0, z0 = max(self.x0, other.x0), max(self.z0, other.z0)
        return Rect(x0, z0, max(x0, min(self.x1, other.x1)), max(z0, min(self.z1, other.z1)))
