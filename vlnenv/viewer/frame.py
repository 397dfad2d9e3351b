"""One picture of an episode in progress: the camera beside a map with path, goal and tokens."""

from __future__ import annotations

import functools
import math
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlnenv.batch import EpisodeBatch, Rollout
from vlnenv.sim.simulator import TopDown

PANEL_PX = 480
"""Height of the picture's two panels."""
CAPTION_PX = 84
MARGIN_M = 0.5

ROUTE, PATH, GOAL, AGENT, TOKEN = "#2f6fde", "#f28c1e", "#d62839", "#111111", (20, 140, 90)


def draw_frame(batch: EpisodeBatch, slot: int) -> np.ndarray:
    """Picture of a slot: camera view, map from above, instruction and numbers.

    The map shows the reference route (blue), the path so far (orange), the goal with its success radius
    (red), the agent and, where the memory runs, the stored patches (green dots).

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
    points_m = _remembered_points_m(batch, slot)
    top_down = _map_of(batch, state)
    floor_map = _draw_map(top_down, state, points_m, batch.task.success_distance_m)
    width = PANEL_PX + floor_map.width
    picture = Image.new("RGB", (width + width % 2, PANEL_PX + CAPTION_PX), "white")
    picture.paste(Image.fromarray(frames.rgb[0]), (0, 0))
    picture.paste(floor_map, (PANEL_PX, 0))
    _draw_caption(picture, state.episode.instruction, state.metrics.scalars())
    return np.asarray(picture)


def _remembered_points_m(batch: EpisodeBatch, slot: int) -> np.ndarray:
    if batch.memory is None:
        return np.zeros((0, 3))
    return batch.memory.snapshot(slot).xyz_m.T.cpu().numpy()


def _map_of(batch: EpisodeBatch, state: Rollout) -> TopDown:
    """The scene from above; kept for the last few scenes, since a video asks for it at every step."""
    floor_y_m = round(float(state.path_m[0][1]), 1)
    return _cached_map(batch.simulator, state.scene, floor_y_m)


@functools.lru_cache(maxsize=4)
def _cached_map(simulator: Any, scene: Any, floor_y_m: float) -> TopDown:
    return simulator.top_down(scene, floor_y_m, meters_per_pixel=0.03)


def _draw_map(top_down: TopDown, state: Rollout, points_m: np.ndarray, goal_radius_m: float) -> Image.Image:
    height, width = top_down.rgb.shape[:2]
    scale = PANEL_PX / height
    size = (max(1, round(width * scale)), PANEL_PX)
    pale = top_down.rgb // 2 + 112
    image = Image.fromarray(pale.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image, "RGBA")

    def pixels(points: Any) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in np.atleast_2d(top_down.to_pixel(np.asarray(points))) * scale]

    if len(points_m):
        near_floor = np.abs(points_m[:, 1] - state.position_m[1]) < 2.5
        for x, y in pixels(points_m[near_floor]) if near_floor.any() else []:
            draw.rectangle((x - 1, y - 1, x + 1, y + 1), fill=(*TOKEN, 110))
    route = state.episode.reference_path_m
    if len(route) > 1:
        draw.line(pixels(route), fill=ROUTE, width=3)
    if len(state.path_m) > 1:
        draw.line(pixels(np.stack(state.path_m)), fill=PATH, width=3)
    if state.goal_m is not None:
        (x, y), radius = pixels(state.goal_m)[0], goal_radius_m / top_down.meters_per_pixel * scale
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=GOAL, width=2)
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=GOAL)
    _draw_agent(draw, pixels(state.position_m)[0], state.heading_rad)
    return image


def _draw_agent(draw: ImageDraw.ImageDraw, at: tuple[float, float], heading_rad: float) -> None:
    # On the map world x is right and world z is down, so heading 0 (along -z) points up.
    ahead = np.array([-math.sin(heading_rad), -math.cos(heading_rad)])
    left = np.array([ahead[1], -ahead[0]])
    centre = np.asarray(at)
    corners = [centre + 12 * ahead, centre - 7 * ahead + 7 * left, centre - 7 * ahead - 7 * left]
    draw.polygon([(float(x), float(y)) for x, y in corners], fill=AGENT, outline="white")


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
