"""`vlnenv view`: let an agent walk through an episode, then look at what it remembers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.base import load
from agents.demo import write_picture
from agents.environments import make_env_for
from vlnenv.batch import EpisodeBatch
from vlnenv.evaluation import is_privileged, public
from vlnenv.memory.query import Match, best_instances
from vlnenv.viewer.frame import draw_frame, map_of
from vlnenv.viewer.levels import draw_levels
from vlnenv.viewer.point_cloud import save_ply


@dataclass(frozen=True)
class ViewResult:
    """What was remembered, and where pictures of it are."""

    instruction: str
    counts: dict[str, int]
    """Patches, instances and zones remembered."""
    matches: list[Match]
    """The best instances for the query; none without one."""
    directions: list[str]
    """Of each match, seen from where the agent stands at the end."""
    frame: Path
    """Camera and map, at the end of the episode."""
    levels: Path
    """The three levels over the map."""
    cloud: Path
    """The patches as a coloured point cloud, PLY."""


def run_view(
    out: Path,
    query: str | None = None,
    episode: str | None = None,
    agent: str = "expert",
    dataset: str = "houses",
    split: str = "val_unseen",
    **settings: Any,
) -> ViewResult:
    """Run an agent through one episode and write pictures of its memory.

    Args:
        out: Folder for the pictures.
        query: A phrase to look for, such as "red sofa"; None colours by features and writes names instead,
            out of those that the scene's objects have.
        episode: Episode id; None takes the first of the split.
        agent: As for `agents.base.load`.
        dataset: As the environment takes it.
        split: As the environment takes it.
        **settings: Further arguments of the environment, such as `encoder` or `memory_scope`.

    Raises:
        ValueError: If there is no such agent, split or episode.
        FileNotFoundError: If a file is missing.
    """
    actor: Any = load(agent)
    env: Any = make_env_for(
        actor, 1, dataset=dataset, split=split, autoreset_mode="Disabled", observation="tokens", **settings
    )
    try:
        _walk(actor, env, episode)
        batch = env.unwrapped.batch
        return _look(out, batch, query)
    finally:
        env.close()


def _walk(agent: Any, env: Any, episode_id: str | None) -> None:
    """One episode to its end."""
    first = env.unwrapped.batch.dataset.episodes[0].episode_id
    observations, _ = env.reset(seed=0, options={"episode_id": episode_id or first})
    episode = env.unwrapped.episodes[0]
    if is_privileged(agent):
        agent.bind(env.unwrapped)
    agent.reset(0, episode if is_privileged(agent) else public(episode))
    is_over = False
    while not is_over:
        actions = agent.act(observations, np.array([True]))
        observations, _, terminated, truncated, _ = env.step(actions)
        is_over = bool(terminated[0] | truncated[0])


def _look(out: Path, batch: EpisodeBatch, query: str | None) -> ViewResult:
    memory, state = batch.memory, batch.rollout(0)
    assert memory is not None
    snapshot = memory.snapshot(0)
    matches = [] if query is None else best_instances(snapshot, query)
    levels = draw_levels(
        map_of(batch, 0),
        snapshot,
        float(state.position_m[1]),
        query=query,
        names=sorted({instance.category for instance in state.scene.instances}),
        zone_m=memory.config.zone_m,
    )
    return ViewResult(
        instruction=state.episode.instruction,
        counts={
            "patches": len(snapshot.patch_id),
            "instances": len(snapshot.instance_ids),
            "zones": len(snapshot.zone_keys),
        },
        matches=matches,
        directions=[seen_from(match, state.position_m, state.heading_rad) for match in matches],
        frame=write_picture(out / "frame.png", draw_frame(batch, 0)),
        levels=write_picture(out / "levels.png", levels),
        cloud=save_ply(snapshot, out / "memory.ply", "pca" if query is None else "query", query),
    )


def seen_from(match: Match, position_m: np.ndarray, heading_rad: float) -> str:
    """Where an instance is, for an agent: "3.2 m, 40 degrees to the left"."""
    away_m = np.asarray(match.xyz_m) - position_m
    distance_m = math.hypot(away_m[0], away_m[2])
    left_rad = math.remainder(math.atan2(-away_m[0], -away_m[2]) - heading_rad, 2.0 * math.pi)
    degrees = round(math.degrees(left_rad))
    if degrees == 0:
        return f"{distance_m:.1f} m, straight ahead"
    return f"{distance_m:.1f} m, {abs(degrees)} degrees to the {'left' if degrees > 0 else 'right'}"


def report(result: ViewResult, query: str | None) -> str:
    """What `run_view` found, in words and a table."""
    lines = [repr(result.instruction), ", ".join(f"{n} {level}" for level, n in result.counts.items())]
    if query is not None:
        lines += ["", f'best instances for "{query}":']
        lines += [f"{'':4}{'likeness':>8}  {'patches':>7}  {'x, y, z (m)':<22}from the agent"]
        for rank, (match, direction) in enumerate(zip(result.matches, result.directions, strict=True)):
            place = ", ".join(f"{value:.2f}" for value in match.xyz_m)
            lines.append(
                f"{rank + 1:>3} {match.similarity:>8.2f}  {match.patches:>7}  {place:<22}{direction}"
            )
    lines += ["", f"camera and map: {result.frame}", f"three levels:   {result.levels}"]
    return "\n".join([*lines, f"point cloud:    {result.cloud}"])
