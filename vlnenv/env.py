"""The environment, one episode at a time."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from vlnenv.batch import EpisodeBatch, SlotSnapshot
from vlnenv.config import make_config
from vlnenv.episodes import Episode
from vlnenv.noise import noise_key
from vlnenv.sim.scene import Scene
from vlnenv.spaces import observation_space

RENDER_MODES = ["rgb_array"]
RENDER_FPS = 4


@dataclass(frozen=True)
class Snapshot:
    """State of one environment, for `restore`: pose, metrics and memory, and what was observed there."""

    slot: SlotSnapshot
    observation: dict[str, Any]
    rng_state: dict[str, Any]
    """State of the random numbers that draw the next episodes."""


class VLNEnv(gym.Env[dict[str, Any], Any]):
    """Continuous vision-and-language navigation.

    ## Description
    An agent stands in a furnished building and follows an instruction such as "Leave the bedroom, turn left
    and stop in front of the red sofa." It moves freely over the floor, not on a graph, and must call STOP
    near the goal. What it observes is a 3D memory of tokens that grows and changes as it looks around (after
    Dynam3D, 2025), camera images, or both. By default it sees with its own eyes: no part of an observation comes from what only a
    simulator knows; `info["privileged"]` names what does under other settings.

    Each id is a benchmark of the field under its own protocol card, `vlnenv.tasks.TASKS`:

    | id | data set | turn | sliding | camera | depth | body | success: STOP called, and |
    |---|---|---|---|---|---|---|---|
    | `R2RCE-v0` | r2r_ce | 15 degrees | on | 224 x 224, 90 degrees, at 1.25 m | 0 to 10 m | 0.1 x 1.5 m | goal within 3 m |
    | `RxRCE-v0` | rxr_ce | 30 degrees | off | 640 x 480, 79 degrees, at 0.88 m | 0.5 to 5 m | 0.18 x 0.88 m | goal within 3 m |
    | `REVERIECE-v0` | reverie_ce | 15 degrees | on | 224 x 224, 90 degrees, at 1.25 m | 0 to 10 m | 0.1 x 1.5 m | goal within 3 m, target object in view within 3 m |
    | `NavRAGCE-v0` | navrag_ce | 15 degrees | on | 224 x 224, 90 degrees, at 1.25 m | 0 to 10 m | 0.1 x 1.5 m | goal within 3 m |

    R2R-CE (Krantz et al., 2020, "Beyond the Nav-Graph") describes the route; RxR-CE describes longer ones, in English,
    Hindi and Telugu (`languages`); REVERIE-CE names an object and its room; NavRAG-CE says what a user wants. A
    card's `not_modelled` says what the benchmark has and this environment has not. An id runs on its data set
    where that is installed (`data_dir` or VLNENV_DATA; `vlnenv data check` says where to get it). Elsewhere it runs
    on the built-in houses and warns once; `info["dataset"]` always names the data.

    ## Action space
    `action="discrete"` (default), `Discrete(4)`, with R2R-CE's turns of 15 degrees (RxR-CE's are of 30):

    | value | meaning |
    |---|---|
    | 0 | stop: ends the episode |
    | 1 | forward 0.25 m |
    | 2 | turn left 15 degrees |
    | 3 | turn right 15 degrees |

    `action="macro"`, `MultiDiscrete([2, 24, 13])`:

    | index | meaning | range |
    |---|---|---|
    | 0 | stop; 1 ends the episode and the rest is ignored | 0 to 1 |
    | 1 | turn: 1 to 12 are left by that many 15 degrees, 13 to 23 right by (24 - value) times 15 degrees (RxR-CE: 12 turns of 30) | 0 to 23 |
    | 2 | then forward that many 0.25 m | 0 to 12 |

    `action="waypoint"`, `Box(float32, (2,))`:

    | index | meaning | range |
    |---|---|---|
    | 0 | heading: turn by this times pi radians, left positive | -1 to 1 |
    | 1 | distance: then walk (value + 1) / 2 times 3 metres; below 0.1 m is stop | -1 to 1 |

    `vlnenv.actions.waypoint(heading_rad, distance_m)` scales them. A macro or a waypoint is carried out in primitive steps of at most 15 degrees or 0.25 m, each of which
    counts towards `max_steps`; the agent observes after the last one. An action that is NaN, infinite or out
    of range raises ValueError and changes nothing.

    ## Observation space
    A flat `Dict`; which keys are there depends on `observation`. D is the encoder's feature length (64 for
    "mini" and "semantic"), S the image size (224; RxR-CE's images are (480, 640, 3) and (480, 640, 1), its
    depth 0 to 5 m), in the frame of the agent: x ahead, y left, z up, origin at its feet.

    | key | shape | dtype | range | unit | observation | meaning |
    |---|---|---|---|---|---|---|
    | `patch_tokens` | (576, D) | float32 | -1 to 1 | | tokens, all | features of the patches around the agent: 12 x 48 panorama read from the memory (`patches="panorama"`) or the current view's 24 x 24 (`"egocentric"`) |
    | `patch_xyz` | (576, 3) | float32 | -1000 to 1000 | m | tokens, all | where they are, agent frame |
    | `patch_mask` | (576,) | int8 | 0 to 1 | | tokens, all | 1 where there is a token; elsewhere tokens and positions are 0 |
    | `instance_tokens` | (64, D) | float32 | -1 to 1 | | tokens, all | objects within 5 m, nearest first |
    | `instance_xyz` | (64, 3) | float32 | -1000 to 1000 | m | tokens, all | their centres, agent frame |
    | `instance_mask` | (64,) | int8 | 0 to 1 | | tokens, all | 1 where there is a token |
    | `zone_tokens` | (64, D) | float32 | -1 to 1 | | tokens, all | zones of 2 x 2 x 2 m that hold objects, nearest first |
    | `zone_xyz` | (64, 3) | float32 | -1000 to 1000 | m | tokens, all | their centres, agent frame |
    | `zone_mask` | (64,) | int8 | 0 to 1 | | tokens, all | 1 where there is a token |
    | `rgb` | (S, S, 3) | uint8 | 0 to 255 | | rgbd, all | camera image |
    | `depth` | (S, S, 1) | float32 | 0 to 10 | m | rgbd, all | along the optical axis; 0 where nothing was hit |
    | `action_history` | (4,) | int64 | -1 to 3 | | all modes | last four actions, oldest first; -1 is none (macro: (4, 3), -1 is none; waypoint: (4, 2) float32, [-1, -1] is none) |
    | `instruction` | text | str | | | all modes | the episode's instruction |

    `vlnenv.wrappers.TextToIds` gives the instruction as word ids. (`AsyncVectorEnv` with shared memory needs it:
    gymnasium 1.4 reads Text from there once and never again; `shared_memory=False` helps too.)

    Each observation looks once: the memory deletes the patches that the view contradicts, takes in the new
    ones, joins the segments of the view (`segmenter`) to the objects that they show or founds new objects, and
    gathers objects in zones. Features lie in the text space of `vlnenv.memory.text_table.load_text_table()`
    with the encoders "mini" and "semantic": the cosine with a phrase's embedding says how well a token fits it.
    Without a segmenter the instance and zone arrays are masked out. Counts and radii are fields of
    `vlnenv.memory.MemoryConfig`, which `memory` sets. `vlnenv.wrappers.ViewHistoryObservation` adds the last
    views without poses and depth, for comparison. The goal is in no observation.

    ## Reward
    `reward` names a preset of the package `rewards`, or is a callable on `rewards.StepFacts`. The default,
    `"route_completion"`, pays the part of the reference route newly completed, times soft penalties, and takes
    1 when the episode ends without success. Terms are in `info` as `reward/<name>`.

    ## Starting state
    The episode's start position and heading, an empty memory. `reset(options={"episode_id": ...})` chooses the
    episode; else it is drawn uniformly with the environment's seeded random numbers.

    `memory_scope` says what the memory holds at the start: nothing (`"episode"`); what a tour of the scene saw
    (`"pre_exploration"`, the paper's protocol of that name and a privileged set-up: the simulator's floor gives
    the stops, about 2.5 m apart, and the agent looks all around at each, before the episode and outside its
    steps; made once a scene); or what it remembers from its last episode if that was in the same scene
    (`"lifelong"`; a new scene begins empty, so run a scene's episodes in a row, as `vlnenv.evaluation` does; a
    reset with a seed begins empty, too). `save_memory(path)` writes a memory, and
    `reset(options={"memory": path})` begins with it, in any scope, if scene, encoder, levels and limits agree.

    ## Worlds that change
    `edit_scene(instance_id, transform)` moves or removes an object of the slot's scene, `add_to_scene(scene,
    transform)` adds one, at any time; `env.scene.instances` lists them. The agent is not told: it sees the
    change when it looks. Ways, collisions and the distance to the goal follow at once. Edits are part of a
    snapshot and end with the episode, or stay while episodes are in the same scene with `keep_edits=True`.
    `vlnenv.wrappers.MovingObjects` relocates furniture by itself.

    With `sensor_noise` the depth that is observed, encoded or remembered and the pose that the memory is told are off;
    the true pose and the metrics are not. The noise follows the environment's seed, its episodes since and
    the step.

    ## Episode end
    - Termination: STOP was called. It succeeds if the walking distance to the goal is below 3 m.
    - Truncation: `max_steps` primitive steps (500) have been made.

    A further step raises `gymnasium.error.ResetNeeded`.

    ## Info
    Flat scalars after every reset and step:

    | key | meaning |
    |---|---|
    | `episode_id`, `scene_id` | which episode, in which scene |
    | `dataset` | name and content hash of the data set |
    | `task` | name and hash of the protocol card, as the arguments changed it: results compare where it is equal |
    | `privileged` | what observations are told that no robot could see, such as "encoder semantic"; "" for nothing |
    | `steps` | primitive steps so far, STOP included |
    | `path_length` | TL, metres walked |
    | `collisions` | primitive steps that met an obstacle |
    | `distance_to_goal` | NE, walking distance in metres |
    | `is_success`, `oracle_success` | SR: stopped within 3 m; OSR: was ever within 3 m |
    | `spl`, `oracle_spl` | success weighted by path length |
    | `ndtw`, `sdtw`, `cls` | fidelity to the reference path |
    | `route_completion` | part of the reference route passed in order, 0 to 1 |
    | `reward/<name>` | terms of the last reward |

    From `distance_to_goal` on they need a public goal: a test split has none. `REVERIECE-v0` adds:

    | key | meaning |
    |---|---|
    | `lenient_success` | stopped within 3 m of the goal, whatever was in view: what Dynam3D counts on REVERIE-CE |
    | `target_in_view` | at STOP, the target object showed within 3 m, looking all around |
    | `target_known` | the episode names an object that the scene has; else `is_success` is `lenient_success` |

    ## Arguments
    | parameter | default | meaning |
    |---|---|---|
    | `render_mode` | None | "rgb_array": the camera beside a top-down map with path, goal and tokens |
    | `task` | "R2RCE" | protocol card |
    | `split` | "train" | split of the data set |
    | `dataset` | "auto" | "auto" (the task's own, else "houses"), "houses", a name of `vlnenv.datasets.EPISODES`, or the path of an episode file in R2R-CE's or RxR-CE's format or of a folder of one list a scene |
    | `data_dir` | None | folder of data sets and scenes; None reads VLNENV_DATA, else ./data |
    | `episodes` | None | list of episode ids to draw from; None is the whole split |
    | `languages` | None | list of the instructions' languages to draw from, such as "hi-IN"; "en" is every English; None is all |
    | `simulator` | "embree" | "embree", "habitat" (habitat-sim of this Python) or "habitat:/path/to/python" (of another one), see docs/habitat.md |
    | `observation` | "tokens" | "tokens", "rgbd" or "all" |
    | `action` | "discrete" | "discrete", "macro" or "waypoint" |
    | `encoder` | "mini" | patch encoder: "mini", "clip" or "clip:FOLDER" (extra), or "semantic", which is privileged: it reads the simulator's class names; see `vlnenv.memory.make_encoder` |
    | `segmenter` | "patchgraph" | what instances are made of: "patchgraph", "felzenszwalb", "sam", "fastsam" (extras), or "oracle", which is privileged: it reads the simulator's instance ids; None for no instances |
    | `levels` | "auto" | how instances and zones are encoded and merged: "learned" (for "mini"), "mean", or "auto": learned where it fits |
    | `memory` | None | dictionary of `vlnenv.memory.MemoryConfig`'s fields that are to differ from the defaults |
    | `patches` | "panorama" | "panorama" or "egocentric" |
    | `reward` | "route_completion" | reward preset or callable |
    | `image_size` | None | pixels across and down rgb and depth; None is the task's (224; RxR-CE: 640 x 480) |
    | `max_steps` | None | primitive steps; None is the task's 500 |
    | `sliding` | None | whether blocked steps slide; None is the task's (True; RxR-CE: False) |
    | `device` | "cpu" | torch device of encoder, segmenter and memory |
    | `memory_scope` | "episode" | "episode", "pre_exploration" or "lifelong", see Starting state |
    | `keep_edits` | False | whether edits of a scene stay when the next episode begins in it |
    | `sensor_noise` | None | dictionary of `vlnenv.noise.SensorNoise`'s fields; `{}` is +-5 cm, +-3 degrees and a Kinect's depth |

    ## Version history
    - v0: first version. Not released yet: until it is, its observation may change. It has since it was first
      there: the default encoder became "mini" (was "semantic"), instance and zone tokens are filled, and beyond
      3 m one patch is kept in each cube of 0.25 m.
    """

    metadata: dict[str, Any] = {"render_modes": RENDER_MODES, "render_fps": RENDER_FPS}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        check_render_mode(render_mode)
        self.render_mode = render_mode
        self.config = make_config(settings)
        self.batch = EpisodeBatch(self.config, num_slots=1)
        self.action_space = self.batch.actions.space
        self.observation_space = observation_space(self.batch)
        self._observation: dict[str, Any] | None = None

    @property
    def episode(self) -> Episode:
        """The episode in progress, with its goal and reference path: for experts and evaluation only.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, 0, "asking for its episode")
        return self.batch.rollout(0).episode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: Seeds the draw of this and all later episodes.
            options: `{"episode_id": id}` begins that episode; `{"memory": path}` begins with a memory that
                `save_memory` wrote.

        Raises:
            KeyError: If there is no such episode; the message names the nearest ids.
            FileNotFoundError: If the memory's file is not there.
            ValueError: If `options` has another key, or the episode does not fit its scene, or the memory
                does not fit.
        """
        super().reset(seed=seed)
        options = check_options(options)
        episode = choose_episode(self.batch, self.np_random, options.get("episode_id"))
        last = self.batch.rollouts[0]
        previous = last.noise_key if seed is None and last is not None else ()
        key = noise_key(self.np_random, episode.episode_id, previous)
        seeded = [] if seed is None else [0]
        self.batch.begin([0], [episode], [key], [options.get("memory")], seeded)
        return self._observe(), self.batch.info(0)

    @property
    def scene(self) -> Scene:
        """The scene of the episode in progress, as it stands: for experts and edits only.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, 0, "asking for its scene")
        return self.batch.rollout(0).scene

    def edit_scene(self, instance_id: int, transform: np.ndarray | None) -> None:
        """Move or remove an object; the agent sees it at its next step.

        Args:
            instance_id: One of `scene.instances`.
            transform: 4 x 4, from where the object stood in the unedited scene to where it shall stand, world
                frame; the identity puts it back; None removes it.

        Raises:
            KeyError: If there is no such instance.
            ValueError: If the transform is no invertible affine matrix, or the object would stand where the
                agent does. Nothing has changed then.
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        self.batch.set_scene(0, self.batch.simulator.edit(self.scene, instance_id, transform))

    def add_to_scene(self, addition: Scene, transform: np.ndarray) -> list[int]:
        """Add the objects of another scene; the agent sees them at its next step.

        Args:
            addition: What to add, e.g. of `vlnenv.sim.loading.load_scene`.
            transform: 4 x 4, from the addition's world frame to this one's.

        Returns:
            The new instances' ids, for `edit_scene`.

        Raises:
            ValueError: As for `edit_scene`.
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        return add_to_scene(self.batch, 0, self.scene, addition, transform)

    def save_memory(self, path: str | Path) -> None:
        """Write the memory to a safetensors file, for `reset(options={"memory": path})` in the same scene.

        Raises:
            ValueError: If no memory runs (observation "rgbd").
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, 0, "save_memory()")
        self.batch.save_memory(0, path)

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Carry out one action.

        Raises:
            ValueError: If the action is not in the action space; nothing has changed then.
            gymnasium.error.ResetNeeded: Before the first reset, and after the episode's end.
        """
        check_in_progress(self.batch, 0)
        rewards, terminated, truncated = self.batch.step([0], [action])
        return (
            self._observe(),
            float(rewards[0]),
            bool(terminated[0]),
            bool(truncated[0]),
            self.batch.info(0),
        )

    def _observe(self) -> dict[str, Any]:
        self._observation = {key: value[0] for key, value in self.batch.observe([0]).items()}
        return dict(self._observation)

    def snapshot(self) -> Snapshot:
        """The whole state; the simulator adds nothing to it, so it costs a copy of the memory.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, 0, "snapshot()")
        assert self._observation is not None, "a reset observes"
        rng_state = dict(self.np_random.bit_generator.state)
        return Snapshot(self.batch.snapshot(0), copy.deepcopy(self._observation), rng_state)

    def restore(self, snapshot: Snapshot) -> dict[str, Any]:
        """Go back to a snapshot of this environment, or of another with the same settings.

        Returns:
            The observation that the snapshot was taken at.
        """
        self.batch.restore(0, snapshot.slot)
        self.np_random.bit_generator.state = snapshot.rng_state
        self._observation = copy.deepcopy(snapshot.observation)
        return dict(self._observation)

    def render(self) -> np.ndarray | None:
        """Camera view beside the top-down map, uint8 (h, w, 3); None without a render mode."""
        if self.render_mode is None:
            return None
        from vlnenv.viewer.frame import draw_frame

        return draw_frame(self.batch, 0)

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        self.batch.close()


def check_render_mode(render_mode: str | None) -> None:
    """Raise ValueError for a render mode that is not there."""
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise ValueError(f"render_mode must be None or one of {RENDER_MODES}, got {render_mode!r}")


def check_options(options: dict[str, Any] | None) -> dict[str, Any]:
    """The options of a reset, `{}` for None; ValueError for a key that is not known."""
    unknown = set(options or {}) - {"episode_id", "memory"}
    if unknown:
        raise ValueError(f"reset options may hold 'episode_id' and 'memory', got {sorted(unknown)}")
    return options or {}


def check_begun(batch: EpisodeBatch, slot: int, what: str) -> None:
    """Raise ResetNeeded unless the slot has begun an episode."""
    if batch.rollouts[slot] is None:
        raise ResetNeeded(f"no episode has begun: call reset() before {what}")


def add_to_scene(
    batch: EpisodeBatch, slot: int, scene: Scene, addition: Scene, transform: np.ndarray
) -> list[int]:
    """Add `addition` to the scene of a slot; returns the new instances' ids."""
    changed = batch.simulator.add(scene, addition, transform)
    batch.set_scene(slot, changed)
    return [instance.id for instance in changed.instances[len(scene.instances) :]]


def check_in_progress(batch: EpisodeBatch, slot: int) -> None:
    """Raise ResetNeeded unless the slot's episode can take an action."""
    check_begun(batch, slot, "step()")
    if batch.rollout(slot).is_over:
        raise ResetNeeded("the episode is over: call reset() before the next step()")


def choose_episode(batch: EpisodeBatch, rng: np.random.Generator, episode_id: str | None) -> Episode:
    """The episode of that id, or one drawn uniformly from the batch's episodes."""
    if episode_id is not None:
        return batch.dataset.by_id(str(episode_id))
    return batch.episodes[int(rng.integers(len(batch.episodes)))]
