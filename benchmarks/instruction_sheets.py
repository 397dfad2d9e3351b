"""Sheets for reading instructions beside their routes: maps from above with the way drawn in, text below."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vlnenv.houses.house import House
from vlnenv.houses.routes.route import Route
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

COLUMNS, ROWS = 4, 3
_CELL_PX, _TEXT_PX, _LINE_PX = 480, 118, 13
_LEVEL_M = 2.9
_UPPER_FROM_M = 1.45
_WAY, _START, _GOAL = (220, 30, 30), (20, 120, 220), (20, 160, 40)


@dataclass(frozen=True)
class Reading:
    """One instruction and what is needed to judge it."""

    number: int
    style: str
    text: str
    route: Route
    scene: Scene
    house: House


def write_sheets(readings: Sequence[Reading], simulator: Simulator, folder: Path) -> list[Path]:
    """Write sheets of 4 x 3 instructions as PNG files.

    Blue is the start with its heading, red the way, green the goal, and a green box the target.

    Args:
        readings: What to draw.
        simulator: Draws the maps.
        folder: Gets `sheet_01.png` and so on; made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    size = COLUMNS * ROWS
    for first in range(0, len(readings), size):
        sheet = Image.new("RGB", (COLUMNS * _CELL_PX, ROWS * (_CELL_PX + _TEXT_PX)), "white")
        for place, reading in enumerate(readings[first : first + size]):
            cell = _cell(reading, simulator)
            sheet.paste(cell, (place % COLUMNS * _CELL_PX, place // COLUMNS * (_CELL_PX + _TEXT_PX)))
        path = folder / f"sheet_{first // size + 1:02d}.png"
        sheet.save(path)
        paths.append(path)
    return paths


def _cell(reading: Reading, simulator: Simulator) -> Image.Image:
    cell = Image.new("RGB", (_CELL_PX, _CELL_PX + _TEXT_PX), "white")
    levels = sorted({int(y > _UPPER_FROM_M) for y in reading.route.path_m[:, 1]})
    maps = [_map(reading, simulator, level) for level in levels]
    if len(maps) == 1:
        box = (_CELL_PX - 8, _CELL_PX - 8)
    else:
        # Two floors stand above each other or side by side, whichever leaves them larger.
        is_wide = maps[0].width > maps[0].height
        box = (_CELL_PX - 8, _CELL_PX // 2 - 8) if is_wide else (_CELL_PX // 2 - 8, _CELL_PX - 8)
    x = y = 4
    for picture in maps:
        scale = min(box[0] / picture.width, box[1] / picture.height)
        small = picture.resize((int(scale * picture.width), int(scale * picture.height)), Image.LANCZOS)
        cell.paste(small, (x, y))
        if box[0] < _CELL_PX // 2:
            x += box[0] + 8
        else:
            y += box[1] + 8
    draw = ImageDraw.Draw(cell)
    lines = textwrap.wrap(f"{reading.number}. [{reading.style}] {reading.text}", 78)
    for number, line in enumerate(lines[: _TEXT_PX // _LINE_PX]):
        draw.text((6, _CELL_PX + number * _LINE_PX), line, fill="black")
    return cell


def _map(reading: Reading, simulator: Simulator, level: int) -> Image.Image:
    route, house = reading.route, reading.house
    top = simulator.top_down(reading.scene, level * _LEVEL_M, 0.02)
    pale = (0.6 * top.rgb + 0.4 * 255).astype(np.uint8)
    picture = Image.fromarray(pale)
    draw = ImageDraw.Draw(picture)
    for room in house.rooms:
        if room.level == level:
            x = (room.cell.x0 + room.cell.x1) / 200.0
            z = (room.cell.z0 + room.cell.z1) / 200.0
            column, row = top.to_pixel(np.array([x, 0.0, z]))
            draw.text((column, row), room.kind, fill=(90, 0, 140), anchor="mm", font_size=30)
    points = top.to_pixel(route.path_m)
    on_level = (route.path_m[:, 1] > _UPPER_FROM_M) == bool(level)
    for i in range(len(points) - 1):
        if on_level[i] and on_level[i + 1]:
            draw.line([tuple(points[i]), tuple(points[i + 1])], fill=_WAY, width=8)
    low, high = route.target.low_m, route.target.high_m
    if (route.goal_m[1] > _UPPER_FROM_M) == bool(level):
        corners = top.to_pixel(np.array([[low[0], 0.0, low[2]], [high[0], 0.0, high[2]]]))
        draw.rectangle([tuple(corners[0]), tuple(corners[1])], outline=_GOAL, width=6)
        _disc(draw, points[-1], _GOAL)
    if (route.start_m[1] > _UPPER_FROM_M) == bool(level):
        _disc(draw, points[0], _START)
        ahead = np.array([-math.sin(route.heading_rad), -math.cos(route.heading_rad)])
        draw.line([tuple(points[0]), tuple(points[0] + 45 * ahead)], fill=_START, width=8)
    return picture


def _disc(draw: ImageDraw.ImageDraw, center: np.ndarray, color: tuple[int, int, int]) -> None:
    x, y = (float(v) for v in center)
    draw.ellipse([x - 14, y - 14, x + 14, y + 14], fill=color)
