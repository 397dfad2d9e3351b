"""The command `vlnenv`: demo, eval, view, train, data, doctor."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agents.baselines.config import BaselineConfig
from agents.config import EvaluationConfig, ImitationConfig, PPOConfig
from agents.pretraining.config import RepresentationConfig
from agents.vlm_config import DaggerConfig, DecisionConfig, VLMConfig


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
class House:
    """Write a built-in house as GLB, with its scene card and a stage file for Habitat."""

    scene: tyro.conf.Positional[str]
    """Its id: houses/<group>/<four digits>, group train, val_unseen or test."""
    out: str = "."
    """Folder for the files."""


@dataclass(frozen=True)
class Check:
    """Say what lies in a data folder: data sets found, missing and damaged, and where to ask for them."""

    path: tyro.conf.Positional[str | None] = None
    """A data folder (None: VLNENV_DATA, else ./data), or an episode file to read and describe."""


@dataclass(frozen=True)
class Convert:
    """Make the paths of R2R or REVERIE continuous, as an R2R-CE file."""

    kind: Annotated[Literal["r2r", "reverie"], tyro.conf.arg(name="from")]
    """What the file is."""
    file: str
    """R2R's or REVERIE's .json file."""
    connectivity: str
    """Folder of Matterport3D's viewpoint graphs, SCAN_connectivity.json."""
    out: str
    """The episode file to write, .json.gz."""
    split: str | None = None
    """Name of the split; None takes the written file's."""
    first_id: int = 1
    """Id of the first episode."""
    heading_step: float | None = None
    """Round starting headings to multiples of this, degrees; 30 is what R2R-CE's files have."""
    boxes: str | None = None
    """REVERIE's folder of bounding boxes, for the targets' classes and where they are visible from."""


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
class RecordEpisodes:
    """Record what an agent does, compactly: `vlnenv.recordings.replay` makes any observation of it again."""

    out: str
    """The .npz file to write."""
    agent: str = "expert"
    """A shipped agent's name, a policy's .safetensors file, or module:attribute."""
    dataset: str = "houses"
    """"houses", "r2r_ce" or the path of an episode file."""
    split: str = "train"
    episodes: int | None = None
    """How many episodes, evenly spread over the split; None records all."""
    num_envs: int = 8
    """Episodes side by side; recordings do not depend on it."""
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
            DecisionConfig,
            tyro.conf.subcommand("decisions", description="Note what the expert would do, along walks."),
        ]
        | Annotated[
            VLMConfig, tyro.conf.subcommand("vlm", description="Imitation of the 3D-VLM on decisions.")
        ]
        | Annotated[
            DaggerConfig,
            tyro.conf.subcommand("dagger", description="DAgger of the 3D-VLM, from an imitation start."),
        ]
        | Annotated[
            BaselineConfig,
            tyro.conf.subcommand("baseline", description="Seq2Seq or CMA: imitation, then DAgger."),
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
        | Annotated[House, tyro.conf.subcommand("house")]
        | Annotated[SceneEpisodes, tyro.conf.subcommand("scene")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Convert, tyro.conf.subcommand("convert")]
        | Annotated[RecordEpisodes, tyro.conf.subcommand("record")]
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
        elif isinstance(config, DecisionConfig):
            from agents.collect import collect_decisions

            _say(f"decisions: {collect_decisions(config)}")
            return
        elif isinstance(config, VLMConfig):
            from agents.vlm.imitation import train_vlm

            weights = train_vlm(config)
        elif isinstance(config, DaggerConfig):
            from agents.dagger import train_dagger

            _say(f"weights: {train_dagger(config)}")
            return
        elif isinstance(config, BaselineConfig):
            from agents.baselines.training import train_baseline

            weights = train_baseline(config)
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
    elif isinstance(what, House):
        from vlnenv.houses import write_house

        _say(f"{write_house(what.scene, what.out)}, its .card.json and its .stage_config.json")
    elif isinstance(what, Check):
        _check(what.path)
    elif isinstance(what, Convert):
        report = data_commands.convert_report(
            what.kind,
            Path(what.file),
            Path(what.connectivity),
            Path(what.out),
            what.split,
            what.first_id,
            what.heading_step,
            None if what.boxes is None else Path(what.boxes),
        )
        _say(report)
    elif isinstance(what, RecordEpisodes):
        _record(what)
    else:
        _say(data_commands.make_scene_episodes(Path(what.path), Path(what.out), what.episodes, what.seed))


def _record(command: RecordEpisodes) -> None:
    from agents.closed_loop import record_agent

    if not command.out.endswith(".npz"):  # before the episodes are run
        raise ValueError(f"recordings are written to .npz files, got {command.out}")
    fields = {each.name: getattr(command, each.name) for each in dataclasses.fields(command)}
    del fields["out"]
    recordings = record_agent(EvaluationConfig(**fields))
    recordings.save(command.out)
    _say(f"{len(recordings)} episodes of {recordings.dataset} by {recordings.agent}: {command.out}")


def _check(path: str | None) -> None:
    """Exit code 1 says that something in the folder can't be read."""
    from agents import data_commands
    from vlnenv.data import data_dir

    if path is not None and (path.endswith((".json", ".json.gz")) or Path(path).is_file()):
        _say(data_commands.check_report(Path(path)))
        return
    if path is not None and not Path(path).is_dir():
        raise FileNotFoundError(f"no data folder {path}")
    report, is_whole = data_commands.check_folder(data_dir(path))
    _say(report)
    if not is_whole:
        sys.exit(1)


if __name__ == "__main__":
    main()
