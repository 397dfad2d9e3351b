"""Recorded episodes for recurrent training: every look of each, and what the expert would do at decisions.

Looks of one episode lie in a row, episodes end to end, in memory-mapped arrays. A roll-in (`agents.roll_in`)
makes them, so that they are the same walks as those the 3D-VLM learns from.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.baselines.config import BASELINE_LEVELS, SequenceConfig
from agents.baselines.senses import Looks, looks
from agents.collect import chosen_routes
from agents.config import Perception
from agents.environments import make_env
from agents.roll_in import Decider, Moment, RollIn, RollInConfig
from vlnenv.batch import EpisodeBatch
from vlnenv.cache import cached_folder, open_folder
from vlnenv.evaluation import evaluate
from vlnenv.evaluation.manifest import file_hash

_VERSION = 1
_NOTHING = np.full(3, -1, dtype=np.int8)


@dataclass(frozen=True)
class EpisodeLooks:
    """t looks of an episode."""

    view: np.ndarray
    """float16 (t, 36, D), see `agents.baselines.senses.Looks`."""
    depth: np.ndarray
    """float16 (t, 36) metres."""
    previous: np.ndarray
    """int8 (t, 3)."""
    label: np.ndarray
    """int8 (t, 3), what the expert does; -1 where nothing is decided."""
    goal: np.ndarray
    """float32 (t, 4), see `agents.roll_in.privileged_goal`; 0 where nothing is decided. For losses alone."""


class Sequences:
    """Episodes of some shards; the arrays are memory-mapped and read-only.

    Args:
        folders: The shards, see `SequenceRecorder.write`.

    Raises:
        ValueError: If there is none, or they were made with other senses.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        if not folders:
            raise ValueError("expected at least one folder of sequences, got none")
        self.settings: list[dict[str, Any]] = []
        """How each shard was made."""
        self.instructions: list[tuple[str, ...]] = []
        """Texts of each route: paraphrases say the same."""
        self._shards: list[dict[str, np.ndarray]] = []
        places, routes = [], []
        for shard, folder in enumerate(folders):
            index, arrays = open_folder(folder)
            offsets, route = np.asarray(arrays.pop("offsets")), np.asarray(arrays.pop("route"))
            places.append(np.stack([np.full(len(route), shard), offsets[:-1], offsets[1:]], axis=1))
            routes.append(route + len(self.instructions))
            self._shards.append(arrays)
            self.settings.append(index["settings"])
            self.instructions += [tuple(texts) for texts in index["instructions"]]
            for name in ("perception", "look_around"):
                if self.settings[-1][name] != self.settings[0][name]:
                    raise ValueError(
                        f"{folder} was made with {name} {self.settings[-1][name]!r}, {folders[0]} with "
                        f"{self.settings[0][name]!r}: what is learned together has to be seen alike"
                    )
        self._places = np.concatenate(places)
        self.route = np.concatenate(routes)
        """int32 (n,), index into `instructions`."""

    def __len__(self) -> int:
        return len(self.route)

    def __getitem__(self, index: int) -> EpisodeLooks:
        shard, start, stop = map(int, self._places[index])
        return EpisodeLooks(**{name: array[start:stop] for name, array in self._shards[shard].items()})

    @property
    def lengths(self) -> np.ndarray:
        """Looks of each episode, int64 (n,)."""
        return self._places[:, 2] - self._places[:, 1]

    @property
    def decisions(self) -> int:
        """How many looks were decided on."""
        return int(sum((shard["label"][:, 0] >= 0).sum() for shard in self._shards))

    @property
    def token_dim(self) -> int:
        """Length of a cell's feature."""
        return int(self._shards[0]["view"].shape[-1])

    @property
    def perception(self) -> Perception:
        """What the looks were made with."""
        return Perception(**self.settings[0]["perception"])

    @property
    def look_around(self) -> bool:
        """Whether episodes begin with a whole turn."""
        return bool(self.settings[0]["look_around"])


class SequenceRecorder:
    """Notes every look of a roll-in, episode by episode; see `agents.roll_in.Recorder`."""

    def __init__(self) -> None:
        self._episodes: list[tuple[int, dict[str, list[np.ndarray]]]] = []
        self._open: dict[int, dict[str, list[np.ndarray]]] = {}

    def begin(self, slot: int, route: int) -> None:
        """An episode begins in a slot, on the route of that index."""
        self._open[slot] = {field.name: [] for field in dataclasses.fields(EpisodeLooks)}
        self._episodes.append((route, self._open[slot]))

    def see(self, observations: Mapping[str, Any], slots: Sequence[int]) -> None:
        """Note looks that nothing is decided on."""
        seen = looks(observations, slots)
        for row, slot in enumerate(slots):
            self._add(slot, seen, row, _NOTHING, np.zeros(4))

    def note(self, observations: Mapping[str, Any], moments: Sequence[Moment]) -> None:
        """Note decisions."""
        seen = looks(observations, [moment.slot for moment in moments])
        for row, moment in enumerate(moments):
            self._add(moment.slot, seen, row, moment.label, moment.goal)

    def _add(self, slot: int, seen: Looks, row: int, label: np.ndarray, goal: np.ndarray) -> None:
        columns = self._open[slot]
        columns["view"].append(seen.view[row].astype(np.float16))
        columns["depth"].append(seen.depth[row].astype(np.float16))
        columns["previous"].append(seen.previous[row].astype(np.int8))
        columns["label"].append(np.asarray(label, dtype=np.int8))
        columns["goal"].append(np.asarray(goal, dtype=np.float32))

    def write(self, folder: Path, instructions: Sequence[Sequence[str]], settings: Mapping[str, Any]) -> None:
        """Write `index.json` and the arrays into an empty folder, episodes by their routes."""
        whole = [(route, columns) for route, columns in self._episodes if columns["label"]]
        # The order in which slots become free depends on their number.
        whole.sort(key=lambda episode: episode[0])
        names = [field.name for field in dataclasses.fields(EpisodeLooks)]
        for name in names:
            _write_rows(folder / f"{name}.npy", [each for _, columns in whole for each in columns[name]])
        counts = [len(columns["label"]) for _, columns in whole]
        np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        np.save(folder / "route.npy", np.array([route for route, _ in whole], dtype=np.int32))
        index = {
            "settings": dict(settings),
            "instructions": [list(texts) for texts in instructions],
            "arrays": [*names, "offsets", "route"],
        }
        (folder / "index.json").write_text(json.dumps(index))


def _write_rows(path: Path, rows: Sequence[np.ndarray]) -> None:
    """Write rows as one array, without a second copy of them in memory."""
    shape = (len(rows), *rows[0].shape)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=rows[0].dtype, shape=shape)
    for place, row in enumerate(rows):
        array[place] = row
    array.flush()


@dataclass(frozen=True)
class Round:
    """One walk through the routes."""

    number: int = 0
    """0 by the expert alone, then DAgger's; each walks with other chance, and reads other paraphrases."""
    expert: float = 1.0
    """Chance at each decision that the expert's is carried out, else the learner's."""
    learner_hash: str | None = None
    """SHA-256 of the learner's weights."""


def collect_sequences(
    config: SequenceConfig, num_envs: int, walk: Round | None = None, learner: Decider | None = None
) -> list[Path]:
    """Walk through the routes of each split, or take what the cache has of the same walk.

    Args:
        config: Which routes, and how.
        num_envs: Episodes side by side; what is written does not depend on it.
        walk: Which round this is; None for the expert's.
        learner: Who decides where the expert doesn't.

    Returns:
        One folder a split.
    """
    walk = Round() if walk is None else walk
    return [_collect(config, split, num_envs, walk, learner) for split in config.splits]


def _collect(config: SequenceConfig, split: str, num_envs: int, walk: Round, learner: Decider | None) -> Path:
    env = make_env(
        num_envs,
        config.perception,
        BASELINE_LEVELS,
        action="macro",
        dataset=config.dataset,
        split=split,
        autoreset_mode="Disabled",
    )
    try:
        batch: EpisodeBatch = env.unwrapped.batch  # type: ignore[attr-defined]
        routes = chosen_routes(batch.episodes, config.scenes, config.routes)
        walked = [texts[walk.number % len(texts)] for texts in routes]

        def write(folder: Path) -> None:
            recorder = SequenceRecorder()
            numbers = {episode.trajectory_id: number for number, episode in enumerate(walked)}
            agent = RollIn(_roll_in(config, walk), numbers, recorder, learner)
            evaluate(agent, env, [episode.episode_id for episode in walked])
            texts = [[episode.instruction for episode in route] for route in routes]
            recorder.write(folder, texts, settings)

        settings = {**_settings(config, batch, walk), "split": split}
        return cached_folder("sequences", settings, write)
    finally:
        env.close()


def _roll_in(config: SequenceConfig, walk: Round) -> RollInConfig:
    return RollInConfig(
        expert=walk.expert,
        wrong_turn=config.wrong_turn,
        jitter=config.jitter,
        stop_m=config.stop_m,
        by_route=config.by_route,
        look_around=config.look_around,
        max_decisions=config.max_decisions,
        seed=config.seed + walk.number,
    )


def _settings(config: SequenceConfig, batch: EpisodeBatch, walk: Round) -> dict[str, Any]:
    """All that sequences depend on, as JSON values: other weights of the encoder make other ones."""
    memories = batch.memories
    assert memories is not None, "the views are those of the memory's encoder"
    limits = dataclasses.asdict(memories.memory.config)
    del limits["patches"]  # an argument of its own
    perception = dataclasses.replace(config.perception, levels=memories.levels_name, memory=limits)
    settings = {
        **dataclasses.asdict(dataclasses.replace(config, perception=perception)),
        "data_hash": batch.dataset.hash,
        "weights": {file.name: file_hash(file) for file in memories.weight_files},
        "round": dataclasses.asdict(walk),
        "version": _VERSION,
    }
    # The data's hash says which they are, wherever the file lies.
    del settings["dataset"], settings["splits"]
    return settings
