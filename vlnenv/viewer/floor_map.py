"""A scene from above to draw on: points, squares, rings and labels given in world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlnenv.sim.simulator import TopDown

_FINE = 2
"""Drawn so much larger and then reduced, as PIL's shapes have no smooth edges."""
CUT_M = 1.8
"""Higher points are not drawn: seen from above, the ceiling would hide everything."""
BELOW_M = 0.3
"""Points lower than the floor by more are on another storey."""

Color = tuple[int, int, int]


class FloorMap:
    """A pale picture of a scene from above, `width_px` x `height_px`, and what is drawn on it.

    Args:
        top_down: The scene.
        height_px: Height of the finished picture; its width follows.
        pale: How much of the scene's colours to take away, 0 to 1.
    """

    def __init__(self, top_down: TopDown, height_px: int, pale: float = 0.5) -> None:
        height, width = top_down.rgb.shape[:2]
        self._top_down = top_down
        self._scale = _FINE * height_px / height
        self.width_px, self.height_px = max(1, round(width * height_px / height)), height_px
        colors = (1.0 - pale) * top_down.rgb + pale * np.array([238.0, 238.0, 238.0])
        image = Image.fromarray(colors.round().astype(np.uint8))
        self._image = image.resize((_FINE * self.width_px, _FINE * self.height_px), Image.Resampling.BILINEAR)

    @property
    def px_per_m(self) -> float:
        """Pixels of the finished picture a metre."""
        return self._scale / _FINE / self._top_down.meters_per_pixel

    def picture(self) -> Image.Image:
        """What has been drawn, at its finished size."""
        return self._image.resize((self.width_px, self.height_px), Image.Resampling.BOX)

    def dots(self, points_m: np.ndarray, colors: np.ndarray, radius_px: float, opacity: float = 1.0) -> None:
        """Discs, later ones over earlier ones.

        Args:
            points_m: (k, 3) world frame, metres.
            colors: uint8 (k, 3).
            radius_px: In the finished picture.
            opacity: Of all together: where discs overlap nothing shows through the last but the map.
        """
        reach = int(np.ceil(_FINE * radius_px))
        rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        inside = rows**2 + columns**2 <= (_FINE * radius_px) ** 2
        centre = np.floor(self._fine_pixels(points_m)).astype(np.int64)
        column = (centre[:, :1] + columns[inside]).reshape(-1)
        row = (centre[:, 1:] + rows[inside]).reshape(-1)
        color = np.repeat(colors, int(inside.sum()), axis=0)
        width, height = self._image.size
        seen = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        place = row[seen], column[seen]
        before = np.asarray(self._image)
        after = before.copy()
        after[place] = color[seen]  # of repeated places the last colour stays
        after[place] = (1.0 - opacity) * before[place] + opacity * after[place] + 0.5
        self._image = Image.fromarray(after)

    def line(self, points_m: np.ndarray, color: Any, width_px: float) -> None:
        """A line through (k, 3) points."""
        self._draw().line(self._pairs(points_m), fill=color, width=round(_FINE * width_px), joint="curve")

    def square(
        self, low_m: np.ndarray, high_m: np.ndarray, fill: Color, opacity: float, width_px: float = 1.5
    ) -> None:
        """An axis-aligned rectangle between two world points (3,), with an outline of its colour."""
        (left, top), (right, bottom) = self._pairs(np.stack([low_m, high_m]))
        self._draw().rectangle(
            (left, top, right, bottom),
            fill=(*fill, round(255 * opacity)),
            outline=(*fill, 255),
            width=round(_FINE * width_px),
        )

    def ring(self, centre_m: np.ndarray, radius_px: float, color: Any, width_px: float) -> None:
        """A circle around a world point (3,)."""
        ((x, y),) = self._pairs(centre_m)
        radius = _FINE * radius_px
        self._draw().ellipse(
            (x - radius, y - radius, x + radius, y + radius), outline=color, width=round(_FINE * width_px)
        )

    def disc(self, centre_m: np.ndarray, radius_px: float, color: Any, outline: Any = None) -> None:
        """A filled circle on a world point (3,)."""
        ((x, y),) = self._pairs(centre_m)
        radius = _FINE * radius_px
        self._draw().ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=color, outline=outline, width=_FINE
        )

    def arrow(self, position_m: np.ndarray, heading_rad: float, color: Any) -> None:
        """An agent that looks along a heading."""
        # On the map world x is right and world z is down, so heading 0 (along -z) points up.
        ahead = np.array([-np.sin(heading_rad), -np.cos(heading_rad)])
        left = np.array([ahead[1], -ahead[0]])
        centre = self._fine_pixels(position_m)[0]
        corners = [centre + 12 * _FINE * ahead]
        corners += [centre - 7 * _FINE * ahead + side * 7 * _FINE * left for side in (1, -1)]
        self._draw().polygon(
            [(float(x), float(y)) for x, y in corners], fill=color, outline="white", width=_FINE
        )

    def labels(
        self, centres_m: np.ndarray, texts: Sequence[str], color: Any, size_px: int, offset_px: float = 0.0
    ) -> None:
        """Texts at world points (k, 3), the first ones first: one that would cover another is left out."""
        draw = self._draw()
        font = ImageFont.load_default(_FINE * size_px)
        taken: list[tuple[float, float, float, float]] = []
        width, height = self._image.size
        for (x, y), text in zip(self._pairs(centres_m) if len(texts) else [], texts, strict=True):
            box = draw.textbbox((x, y + _FINE * offset_px), text, font=font, anchor="mm", stroke_width=_FINE)
            # Moved into the picture where it would be cut off.
            right = max(0.0, -box[0]) - max(0.0, box[2] - width)
            down = max(0.0, -box[1]) - max(0.0, box[3] - height)
            box = (box[0] + right, box[1] + down, box[2] + right, box[3] + down)
            if any(
                box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
                for other in taken
            ):
                continue
            taken.append(box)
            draw.text(
                (x + right, y + down + _FINE * offset_px),
                text,
                fill=color,
                font=font,
                anchor="mm",
                stroke_width=_FINE,
                stroke_fill="white",
            )

    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self._image, "RGBA")

    def _fine_pixels(self, points_m: np.ndarray) -> np.ndarray:
        return self._top_down.to_pixel(np.atleast_2d(points_m)) * self._scale

    def _pairs(self, points_m: np.ndarray) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in self._fine_pixels(points_m)]


def seen_from_above(points_m: np.ndarray, floor_y_m: float) -> np.ndarray:
    """Rows of the points (k, 3) to draw on a storey's map, the lowest first: the highest end on top."""
    height_m = points_m[:, 1] - floor_y_m
    rows = np.argsort(height_m, kind="stable")
    kept: np.ndarray = rows[(height_m[rows] > -BELOW_M) & (height_m[rows] < CUT_M)]
    return kept
