"""One picture of an episode in progress: the camera beside a map with path, goal and tokens."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlnenv.batch import EpisodeBatch
from vlnenv.sim.simulator import TopDown
from vlnenv.viewer.colors import instance_colors
from vlnenv.viewer.floor_map import FloorMap, seen_from_above

PANEL_PX = 480
"""Height of the picture's two panels."""
CAPTION_PX = 84
MARGIN_M = 0.5

ROUTE, PATH, GOAL, AGENT = "#2f6fde", "#f28c1e", "#d62839", "#111111"


def draw_frame(batch: EpisodeBatch, slot: int) -> np.ndarray:
    """Picture of a slot: camera view, map from above, instruction and numbers.

    The map shows the reference route (blue), the path so far (orange), the goal with its success radius
    (red), the agent and, where the memory runs, the stored patches up to 1.8 m above the floor, in the colour
    of their instance (grey for none).

    Args:
        batch: The running episodes.
        slot: Which of them; it must have begun.

    Returns:
        uint8 (h, w, 3).
    """
    state = batch.rollout(slot)
    camera = replace(batch.task.camera, width=PANEL_PX, height=PANEL_PX)
    frames = batch.simulator.render(
        state.scene, state.position_m[None], np.array([state.heading_rad]), camera, ("rgb",)
    )
    assert frames.rgb is not None
    floor_map = _draw_map(batch, slot)
    width = PANEL_PX + floor_map.width
    picture = Image.new("RGB", (width + width % 2, PANEL_PX + CAPTION_PX), "white")
    picture.paste(Image.fromarray(frames.rgb[0]), (0, 0))
    picture.paste(floor_map, (PANEL_PX, 0))
    _draw_caption(picture, state.episode.instruction, state.metrics.scalars())
    return np.asarray(picture)


def map_of(batch: EpisodeBatch, slot: int) -> TopDown:
    """A slot's scene from above; kept for the last few scenes, since a video asks for it at every step."""
    state = batch.rollout(slot)
    floor_y_m = round(float(state.path_m[0][1]), 1)
    return _cached_map(batch.simulator, state.scene, floor_y_m)


@functools.lru_cache(maxsize=4)
def _cached_map(simulator: Any, scene: Any, floor_y_m: float) -> TopDown:
    return simulator.top_down(scene, floor_y_m, meters_per_pixel=0.03)


def _draw_map(batch: EpisodeBatch, slot: int) -> Image.Image:
    state = batch.rollout(slot)
    top_down = map_of(batch, slot)
    floor_map = FloorMap(top_down, PANEL_PX)
    if batch.memory is not None:
        snapshot = batch.memory.snapshot(slot)
        points_m = snapshot.xyz_m.T.cpu().numpy()
        rows = seen_from_above(points_m, float(state.position_m[1]))
        colors = instance_colors(snapshot.instance_id.cpu().numpy()[rows])
        floor_map.dots(points_m[rows], colors, radius_px=1.6, opacity=0.85)
    if len(state.episode.reference_path_m) > 1:
        floor_map.line(np.asarray(state.episode.reference_path_m), ROUTE, width_px=3)
    if len(state.path_m) > 1:
        floor_map.line(np.stack(state.path_m), PATH, width_px=3)
    if state.goal_m is not None:
        radius_px = batch.task.success_distance_m * floor_map.px_per_m
        floor_map.ring(state.goal_m, radius_px, GOAL, width_px=2)
        floor_map.disc(state.goal_m, 5, GOAL)
    floor_map.arrow(state.position_m, state.heading_rad, AGENT)
    return floor_map.picture()


def _draw_caption(picture: Image.Image, instruction: str, numbers: dict[str, Any]) -> None:
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    lines = textwrap.wrap(instruction, width=max(40, picture.width // 7))[:3]
    draw.multiline_text((8, PANEL_PX + 6), "\n".join(lines), fill="black", font=font)
    shown = [f"step {numbers['steps']}", f"walked {numbers['path_length']:.1f} m"]
    if "distance_to_goal" in numbers:
        shown.append(f"to goal {numbers['distance_to_goal']:.1f} m")
        shown.append(f"route {100 * numbers['route_completion']:.0f} %")
    draw.text((8, PANEL_PX + CAPTION_PX - 22), "   ".join(shown), fill="#555555", font=font)
