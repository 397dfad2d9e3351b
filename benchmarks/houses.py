"""What the built-in houses are made of, whether all of them can be walked, and what making them takes.

    python -m benchmarks.houses [--houses 500] [--jobs 2] [--pictures]

Each house is drawn, built and judged by the critics again. Its rooms are looked for on the simulator's own
navigation field from inside the front door. Routes are drawn through it and walked twice: along the smooth
path (the ground truth of the episodes), and by the shortest-path follower, the expert that agents learn from.
Seconds are those of one core.
`--pictures` renders a view of twelve of the houses to docs/houses.png.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from benchmarks.record import save_result
from vlnenv.houses.construction.building import build_scene
from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.critics import complaints
from vlnenv.houses.house import VERSION, House, house_of
from vlnenv.houses.plans.plan import Room
from vlnenv.houses.routes.routes import describe_routes
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.fields import navigation_field
from vlnenv.sim.follower import Rollout, follow
from vlnenv.sim.scene import Scene

SUCCESS_M = 3.0
"""R2R-CE's radius."""
PICTURES = Path(__file__).parents[1] / "docs" / "houses.png"
VIEW = Camera(width=1200, height=900, hfov_deg=85.0, height_m=1.45, pitch_deg=-9.0)
GLANCE = Camera(width=64, height=48, hfov_deg=85.0, height_m=1.45, pitch_deg=-9.0)
VIEW_PX = (400, 300)
"""Views are rendered three times as large, so that edges are smooth."""
KINDS = (
    "living room",
    "kitchen",
    "bedroom",
    "bathroom",
    "dining room",
    "office",
    "children's room",
    "library",
)
"""What the pictures show, in turn."""


SAVED = (
    *("house", "complaints", "draws", "floors", "rooms", "unreachable_rooms"),
    *("pieces", "triangles", "facts_s", "scene_s"),
)
"""What the raw results keep of each house."""


@dataclass(frozen=True)
class Args:
    """Houses benchmark."""

    houses: int = 500
    """The first so many of the group."""
    group: str = "train"
    routes: int = 4
    """A house."""
    jobs: int = 2
    """Processes at once."""
    pictures: bool = False
    """Only render the sheet of twelve views."""
    save_as: str = "houses"
    """Name of the JSON file under benchmarks/results."""


@dataclass(frozen=True)
class Found:
    """What was measured on one house."""

    house: str
    complaints: int
    draws: int
    floors: int
    rooms: int
    unreachable_rooms: int
    kinds: tuple[str, ...]
    pieces: int
    classes: tuple[str, ...]
    triangles: int
    area_m2: float
    facts_s: float
    scene_s: float
    field_s: float
    routes_s: float
    rejections: dict[str, int]
    episodes: tuple[dict[str, float], ...]
    """Per route: geodesic, and of both rollouts the distance to the goal and the way, metres."""


@lru_cache(maxsize=1)
def simulator() -> EmbreeSimulator:
    """One for the process; scenes are given to it built."""
    return EmbreeSimulator()


def warm_up() -> None:
    """Compile what is compiled on first use, so that no house is charged for it."""
    measure("houses/test/0000", 1)


def measure(scene_id: str, routes: int) -> Found:
    """Everything about one house."""
    begin = time.process_time()
    house = house_of(scene_id)
    drawn = time.process_time()
    scene = build_scene(house)
    built = time.process_time()
    field = navigation_field(scene, simulator().body)
    ready = time.process_time()
    rejections: Counter[str] = Counter()
    described = describe_routes(simulator(), scene, routes, "benchmark", house=house, rejections=rejections)
    told = time.process_time()
    episodes = []
    for each in described:
        route = each.route
        expert = follow(simulator(), scene, route.start_m, route.heading_rad, route.goal_m)
        episodes.append(
            {
                "geodesic_m": route.length_m,
                **_walk("path", route.rollout, route.goal_m),
                **_walk("expert", expert, route.goal_m),
            }
        )
    return Found(
        house=scene_id,
        complaints=len(complaints(house)),
        draws=house.draws,
        floors=1 + max(room.level for room in house.rooms),
        rooms=len(house.rooms),
        unreachable_rooms=len(unreachable(house, scene)),
        kinds=tuple(room.kind for room in house.rooms),
        pieces=len(house.furniture),
        classes=tuple(sorted({piece.category for piece in house.furniture})),
        triangles=len(scene.faces),
        area_m2=field.area_m2,
        facts_s=drawn - begin,
        scene_s=built - drawn,
        field_s=ready - built,
        routes_s=told - ready,
        rejections=dict(rejections),
        episodes=tuple(episodes),
    )


def unreachable(house: House, scene: Scene) -> list[str]:
    """Names of the rooms that hold no place to walk to from inside the front door."""
    door = next(door for door in house.doors if min(door.rooms) < 0)
    inside = house.rooms[max(door.rooms)]
    x, z = door.center
    entry = np.array([[x / 100.0, inside.floor_cm / 100.0, z / 100.0]])
    goal = simulator().snap(scene, entry, 1.5)[0]
    lost = []
    for room in house.rooms:
        places = standing_places(scene, room)
        is_reached = len(places) > 0 and np.isfinite(simulator().geodesic(scene, places, goal)).any()
        if not is_reached:
            lost.append(room.name)
    return lost


def standing_places(scene: Scene, room: Room, spacing_cm: int = 25) -> np.ndarray:
    """Navigable points (n, 3) of a room's floor, on a grid."""
    inner = room.inner
    x, z = np.meshgrid(
        np.arange(inner.x0 + 5, inner.x1, spacing_cm), np.arange(inner.z0 + 5, inner.z1, spacing_cm)
    )
    points = np.stack([x.ravel(), np.full(x.size, room.floor_cm), z.ravel()], axis=1) / 100.0
    return points[simulator().is_navigable(scene, points)]


def _walk(name: str, rollout: Rollout, goal_m: np.ndarray) -> dict[str, float]:
    steps = np.diff(rollout.positions_m, axis=0)
    return {
        f"{name}_gap_m": float(np.linalg.norm(rollout.positions_m[-1] - goal_m)),
        f"{name}_way_m": float(np.linalg.norm(steps, axis=1).sum()),
    }


def summarised(found: list[Found]) -> dict[str, Any]:
    """One line of figures over all houses."""
    walks = [episode for each in found for episode in each.episodes]
    rejections = sum((Counter(each.rejections) for each in found), Counter[str]())
    kinds = Counter(kind for each in found for kind in each.kinds)
    classes = Counter(name for each in found for name in each.classes)
    return {
        "houses": len(found),
        "houses_with_complaints": sum(each.complaints > 0 for each in found),
        "houses_redrawn": sum(each.draws > 1 for each in found),
        "unreachable_rooms": sum(each.unreachable_rooms for each in found),
        "two_floors": round(float(np.mean([each.floors == 2 for each in found])), 3),
        "rooms": spread([each.rooms for each in found]),
        "kinds_of_rooms": dict(kinds.most_common()),
        "pieces": spread([each.pieces for each in found]),
        "classes_a_house": spread([len(each.classes) for each in found]),
        "houses_with_class": dict(classes.most_common()),
        "triangles": spread([each.triangles for each in found]),
        "walkable_m2": spread([each.area_m2 for each in found]),
        "seconds_facts": spread([each.facts_s for each in found]),
        "seconds_facts_and_scene": spread([each.facts_s + each.scene_s for each in found]),
        "seconds_field": spread([each.field_s for each in found]),
        "seconds_an_episode": spread([each.routes_s / max(len(each.episodes), 1) for each in found]),
        "episodes": len(walks),
        "geodesic_m": spread([walk["geodesic_m"] for walk in walks]),
        "ground_truth": success(walks, "path"),
        "expert": success(walks, "expert"),
        "routes_dropped": dict(rejections.most_common()),
    }


def success(walks: list[dict[str, float]], name: str) -> dict[str, float]:
    """SR and SPL of one kind of walk, and the farthest end."""
    solved = np.array([walk[f"{name}_gap_m"] <= SUCCESS_M for walk in walks])
    spl = [walk["geodesic_m"] / max(walk[f"{name}_way_m"], walk["geodesic_m"]) for walk in walks]
    return {
        "sr": round(float(solved.mean()), 4),
        "spl": round(float((solved * np.array(spl)).mean()), 4),
        "least_spl": round(min(spl), 4),
        "farthest_end_m": round(max(walk[f"{name}_gap_m"] for walk in walks), 3),
    }


def spread(values: list[float] | list[int]) -> dict[str, float]:
    """Least, median, 95th percentile, largest."""
    least, median, high, most = np.quantile(values, [0.0, 0.5, 0.95, 1.0])
    named = {"least": least, "median": median, "p95": high, "most": most}
    return {name: round(float(value), 3) for name, value in named.items()}


def sheet(group: str) -> Image.Image:
    """Twelve views, three rows of four, each of another house."""
    rows = []
    for number in range(12):
        house = house_of(f"houses/{group}/{number:04d}")
        wanted = [KINDS[(number + shift) % len(KINDS)] for shift in range(len(KINDS))]
        kind = next(kind for kind in wanted if any(room.kind == kind for room in house.rooms))
        rows.append(view(house, kind))
    return Image.fromarray(np.vstack([np.hstack(rows[i : i + 4]) for i in range(0, 12, 4)]))


def view(house: House, kind: str) -> np.ndarray:
    """uint8 (h, w, 3): the fullest view of a room of that kind, by how many things it shows."""
    scene = build_scene(house)
    room = max((room for room in house.rooms if room.kind == kind), key=lambda room: room.inner.area)
    places = standing_places(scene, room)
    dice = Dice("pictures", house.scene_id)
    places = np.array(dice.shuffled(list(places))[:60])
    headings = np.array([math.radians(30 * dice.below(12)) for _ in range(6 * len(places))])
    places = np.repeat(places, 6, axis=0)
    seen = simulator().render(scene, places, headings, GLANCE, ("depth", "instance"))
    assert seen.instance is not None
    assert seen.depth is not None
    own = {piece.name for piece in house.furniture if piece.room == room.index}
    ids = [each.id for each in scene.instances if each.name in own]
    pixels = np.stack([(seen.instance == each).sum(axis=(1, 2)) for each in ids], axis=1)
    # Things fill a picture by their number; one that fills a third of it hides the others.
    score = np.sqrt(np.minimum(pixels, 0.1 * GLANCE.width * GLANCE.height)).sum(axis=1)
    score *= np.minimum(np.median(seen.depth, axis=(1, 2)), 3.0)
    score[(seen.depth < 0.8).mean(axis=(1, 2)) > 0.05] = 0.0
    best = int(np.argmax(score))
    frame = simulator().render(scene, places[best : best + 1], headings[best : best + 1], VIEW, ("rgb",))
    assert frame.rgb is not None
    return np.asarray(Image.fromarray(frame.rgb[0]).resize(VIEW_PX, Image.Resampling.LANCZOS))


def main(args: Args) -> None:
    """Measure, print, save; or render."""
    if args.pictures:
        sheet(args.group).save(PICTURES, optimize=True)
        print(f"saved {PICTURES}")
        return
    ids = [f"houses/{args.group}/{number:04d}" for number in range(args.houses)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.jobs, mp_context=context, initializer=warm_up) as pool:
        jobs = pool.map(measure, ids, [args.routes] * len(ids))
        found = list(tqdm(jobs, total=len(ids), unit="house"))
    summary = summarised(found)
    for name, value in summary.items():
        print(f"{name:<26} {value}")
    rows = [[getattr(each, name) for name in SAVED] for each in found]
    path = save_result(args.save_as, {"summary": summary, "columns": SAVED, "houses": rows}, version=VERSION)
    print(f"saved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
