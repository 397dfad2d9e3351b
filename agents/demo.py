"""`vlnenv demo`: what the package does, in a few minutes, on houses that no agent was trained in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.base import load
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from agents.environments import make_env_for
from vlnenv.evaluation import Record, comparison_table, is_privileged, public, results_table

_FRAMES_PER_SECOND = 6


@dataclass(frozen=True)
class DemoResult:
    """What the demo found out, and where it wrote it."""

    tables: str
    video: Path
    picture: Path
    instruction: str
    is_success: bool


def run_demo(
    out: Path,
    agents: Sequence[str],
    episodes: int = 30,
    num_envs: int = 8,
    dataset: str = "houses",
    split: str = "val_unseen",
    say: Callable[[str], None] = lambda line: None,
) -> DemoResult:
    """Run agents on unseen houses, and film the last of them.

    Args:
        out: Folder for results, video and picture.
        agents: Names of the agents, as for `agents.base.load`; the last one is filmed.
        episodes: Episodes for each.
        num_envs: Episodes side by side.
        dataset: As the environment takes it.
        split: A split that none of the agents was trained on.
        say: Told what goes on.
    """
    results: dict[str, list[Record]] = {}
    for name in agents:
        say(f"{name}: {episodes} episodes of {split}")
        label = Path(name).stem if name.endswith(".safetensors") else name
        config = EvaluationConfig(
            agent=name,
            dataset=dataset,
            split=split,
            episodes=episodes,
            num_envs=num_envs,
            out=str(out / "results" / label),
        )
        _forget(config.folder)
        results[label] = evaluate_agent(config)
    privileged = [label for label, name in zip(results, agents, strict=True) if is_privileged(load(name))]
    tables = results_table(results, privileged=privileged)
    if "random" in results:
        tables += "\n\n" + comparison_table(results, "random")
    chosen = _worth_filming(list(results.values())[-1])
    say(f"filming {agents[-1]} in episode {chosen['episode_id']}")
    frames, instruction, is_success = film(agents[-1], dataset, split, chosen["episode_id"])
    video = write_video(out / "episode.mp4", frames)
    picture = write_picture(out / "top_down.png", frames[-1])
    return DemoResult(tables, video, picture, instruction, is_success)


def _forget(folder: Path) -> None:
    """Delete the results of an earlier demo: it may have been of other weights."""
    for name in ("manifest.json", "episodes.jsonl", "summary.json"):
        (folder / name).unlink(missing_ok=True)


def _worth_filming(records: Sequence[Record]) -> Record:
    """The longest way among the episodes that succeeded; among all, if none did."""
    return max(
        records, key=lambda record: (record["is_success"], record["path_length"], record["episode_id"])
    )


def film(agent_name: str, dataset: str, split: str, episode_id: str) -> tuple[list[np.ndarray], str, bool]:
    """One episode as pictures uint8 (h, w, 3), its instruction, and whether it succeeded."""
    agent: Any = load(agent_name)
    settings = {"dataset": dataset, "split": split, "autoreset_mode": "Disabled"}
    env: Any = make_env_for(agent, 1, **settings, render_mode="rgb_array")
    try:
        observations, _ = env.reset(seed=0, options={"episode_id": episode_id})
        episode = env.unwrapped.episodes[0]
        if is_privileged(agent):
            agent.bind(env.unwrapped)
        agent.reset(0, episode if is_privileged(agent) else public(episode))
        frames = [_render(env)]
        is_over = False
        infos: dict[str, Any] = {}
        while not is_over:
            actions = agent.act(observations, np.array([True]))
            observations, _, terminated, truncated, infos = env.step(actions)
            is_over = bool(terminated[0] | truncated[0])
            frames.append(_render(env))
        return frames, episode.instruction, bool(infos["is_success"][0])
    finally:
        env.close()


def _render(env: Any) -> np.ndarray:
    pictures = env.render()
    assert pictures is not None, "the environment was made with a render mode"
    return pictures[0]


def write_video(path: Path, frames: Sequence[np.ndarray]) -> Path:
    """Write pictures as an .mp4, or as a .gif where there is no ffmpeg; returns the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = (2 * (size // 2) for size in frames[0].shape[:2])  # H.264 wants even sizes
    frames = [frame[:height, :width] for frame in frames]
    try:
        import imageio_ffmpeg

        writer = imageio_ffmpeg.write_frames(
            str(path), (width, height), fps=_FRAMES_PER_SECOND, macro_block_size=2, ffmpeg_log_level="error"
        )
        writer.send(None)
        for frame in [*frames, *[frames[-1]] * _FRAMES_PER_SECOND]:
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        return path
    except (ImportError, RuntimeError, OSError):
        from PIL import Image

        path.unlink(missing_ok=True)
        path = path.with_suffix(".gif")
        images = [Image.fromarray(frame).resize((width // 2, height // 2)) for frame in frames]
        images[0].save(
            path, save_all=True, append_images=images[1:], duration=1000 // _FRAMES_PER_SECOND, loop=0
        )
        return path


def write_picture(path: Path, picture: np.ndarray) -> Path:
    """Write a picture as .png; returns the file."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path
