"""The command `vlnenv`: demo, eval, view, train, data, doctor."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agents.config import EvaluationConfig, ImitationConfig, PPOConfig
from agents.pretraining.config import RepresentationConfig


@dataclass(frozen=True)
class Demo:
    """Run expert, random, forward-only and the shipped trained agent on unseen houses; film one episode."""

    out: str = "demo"
    """Folder for results, video and picture."""
    agent: str | None = None
    """The trained agent: a shipped one's name or a .safetensors file; None takes the best shipped."""
    episodes: int = 30
    """Episodes for each agent."""
    num_envs: int = 8
    """Episodes side by side; results do not depend on it."""


@dataclass(frozen=True)
class View:
    """Let an agent walk through an episode, then look at what it remembers; ask for a thing in words."""

    query: str | None = None
    """What to look for, such as "red sofa"; None colours patches by their features and names instances."""
    episode: str | None = None
    """Episode id; None takes the first of the split."""
    agent: str = "expert"
    """A shipped agent's name, a policy's .safetensors file, or module:attribute."""
    dataset: str = "houses"
    """"houses", "r2r_ce" or the path of an episode file."""
    split: str = "val_unseen"
    encoder: str | None = None
    """Patch encoder; None takes the agent's, else the environment's default."""
    memory_scope: str = "episode"
    """"pre_exploration" begins with what a tour of the whole scene saw."""
    out: str = "view"
    """Folder for the pictures and the point cloud."""


@dataclass(frozen=True)
class Houses:
    """Statistics of the built-in houses and their episodes."""


@dataclass(frozen=True)
class Check:
    """Read an episode file and say what is in it, or what is wrong with it."""

    path: tyro.conf.Positional[str]
    """A .json or .json.gz file in R2R-CE's format."""


@dataclass(frozen=True)
class SceneEpisodes:
    """Make episodes between the named objects of a scene, as an R2R-CE file."""

    path: tyro.conf.Positional[str]
    """The scene: .glb, .gltf, .ply or .obj."""
    out: str
    """The episode file to write, .json.gz."""
    episodes: int = 50
    seed: int = 0


@dataclass(frozen=True)
class Train:
    """Train a policy, or what it sees with."""

    method: (
        Annotated[ImitationConfig, tyro.conf.subcommand("bc", description="Behaviour cloning of the expert.")]
        | Annotated[
            PPOConfig, tyro.conf.subcommand("ppo", description="PPO from an imitation-trained start.")
        ]
        | Annotated[
            RepresentationConfig,
            tyro.conf.subcommand("representation", description="The memory's networks, on renders."),
        ]
    )


@dataclass(frozen=True)
class Data:
    """Look at or make episodes."""

    what: (
        Annotated[Houses, tyro.conf.subcommand("houses")]
        | Annotated[SceneEpisodes, tyro.conf.subcommand("scene")]
        | Annotated[Check, tyro.conf.subcommand("check")]
    )


@dataclass(frozen=True)
class Doctor:
    """Say what is installed, what is cached, and what this machine offers."""


Command = (
    Annotated[Demo, tyro.conf.subcommand("demo")]
    | Annotated[
        EvaluationConfig,
        tyro.conf.subcommand("eval", description="Run an agent through a split and print its metrics."),
    ]
    | Annotated[View, tyro.conf.subcommand("view")]
    | Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Data, tyro.conf.subcommand("data")]
    | Annotated[Doctor, tyro.conf.subcommand("doctor")]
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line on stderr and exit code 2.

    VLNENV_DEBUG=1 shows where an error came from.
    """
    command = tyro.cli(
        Command,
        prog="vlnenv",
        description="Vision-and-language navigation environments with a 3D token memory.",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagConversionOff),
    )
    try:
        _run(command)
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, KeyError, OSError, ImportError) as error:
        if os.environ.get("VLNENV_DEBUG"):
            raise
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        sys.stderr.write(f"vlnenv: error: {message}\n")
        sys.exit(2)


def _run(command: object) -> None:
    if isinstance(command, Train):
        _train(command)
    elif isinstance(command, Data):
        _data(command)
    elif isinstance(command, Demo):
        _demo(command)
    elif isinstance(command, EvaluationConfig):
        _evaluate(command)
    elif isinstance(command, View):
        _view(command)
    else:
        from agents.doctor import report

        _say(report())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _demo(command: Demo) -> None:
    from agents.base import best_trained
    from agents.demo import run_demo

    agents = ["expert", "random", "forward", command.agent or best_trained()]
    result = run_demo(Path(command.out), agents, command.episodes, command.num_envs, say=_say)
    outcome = "stopped at the goal" if result.is_success else "did not stop at the goal"
    _say(f"\n{result.tables}\n")
    _say(f"In the video the agent {outcome}: {result.instruction!r}")
    _say(f"video:   {result.video}\npicture: {result.picture}\nresults: {Path(command.out) / 'results'}")


def _evaluate(config: EvaluationConfig) -> None:
    from agents.base import load
    from agents.closed_loop import evaluate_agent
    from vlnenv.evaluation import is_privileged, results_table

    records = evaluate_agent(config)
    privileged = [config.agent] if is_privileged(load(config.agent)) else []
    _say(f"\n{results_table({config.agent: records}, privileged=privileged)}\n\nresults: {config.folder}")


def _view(command: View) -> None:
    from agents.view_command import report, run_view

    result = run_view(
        Path(command.out),
        command.query,
        command.episode,
        command.agent,
        command.dataset,
        command.split,
        encoder=command.encoder,
        memory_scope=command.memory_scope,
    )
    _say(report(result, command.query))


def _train(command: Train) -> None:
    config = command.method
    try:
        if isinstance(config, ImitationConfig):
            from agents.imitation import train_imitation

            weights = train_imitation(config)
        elif isinstance(config, RepresentationConfig):
            from agents.pretraining.representation import train_representation

            for part, path in train_representation(config).items():
                _say(f"{part}: {path}")
            return
        else:
            from agents.ppo import train_ppo

            weights = train_ppo(config)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"training needs {error.name}, which is not installed: pip install 'vlnenv[train]'"
        ) from error
    _say(f"weights: {weights}\ncurve:   {Path(config.out) / 'curve.jsonl'}")


def _data(command: Data) -> None:
    from agents import data_commands

    what = command.what
    if isinstance(what, Houses):
        _say(data_commands.houses_report())
    elif isinstance(what, Check):
        _say(data_commands.check_report(Path(what.path)))
    else:
        _say(data_commands.make_scene_episodes(Path(what.path), Path(what.out), what.episodes, what.seed))


if __name__ == "__main__":
    main()
