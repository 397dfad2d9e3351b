"""Which simulator an environment runs in, by name."""

from __future__ import annotations

from pathlib import Path

from vlnenv import data, houses
from vlnenv.cache import cache_dir
from vlnenv.errors import unknown_name
from vlnenv.sim.simulator import AgentBody, Simulator

EMBREE = "embree"
HABITAT = "habitat"


def check_simulator(name: object) -> None:
    """Refuse what names no simulator.

    Raises:
        ValueError: If `name` is neither "embree" nor "habitat" nor "habitat:" and a path.
    """
    is_path = isinstance(name, str) and name.startswith(f"{HABITAT}:") and len(name) > len(HABITAT) + 1
    if name not in (EMBREE, HABITAT) and not is_path:
        raise ValueError(unknown_name("simulator", name, [EMBREE, HABITAT, f"{HABITAT}:/path/to/python"]))


def simulator_name(name: str) -> str:
    """The name without the path of another Python, which moves no result: "embree" or "habitat"."""
    return name.partition(":")[0]


def simulator_versions(simulator: Simulator) -> dict[str, str]:
    """Versions of what a simulator stands on and this Python does not hold: Habitat's "habitat_sim"."""
    from vlnenv.sim.habitat import HabitatSimulator

    if isinstance(simulator, HabitatSimulator):
        return {"habitat_sim": simulator.versions["habitat_sim"]}
    return {}


def make_simulator(name: str, body: AgentBody, dataset: str, folder: str | Path | None = None) -> Simulator:
    """The simulator of that name, for the scenes of a data set.

    Args:
        name: "embree"; "habitat", whose habitat-sim is in this Python; or "habitat:/path/to/python", which
            runs it in another one. See docs/habitat.md.
        body: The cylinder that walks.
        dataset: As for `data.load_dataset`.
        folder: Data folder, see `data.data_dir`.

    Raises:
        ValueError: If there is no such simulator.
        ImportError: If it needs habitat-sim, which is not there.
        FileNotFoundError: If the other Python is not there.
    """
    check_simulator(name)
    if name == EMBREE:
        from vlnenv.sim.embree import EmbreeSimulator

        return EmbreeSimulator(body=body, load_scene=data.scene_loader(dataset, folder))
    from vlnenv.sim.habitat import HabitatSimulator

    def scene_file(scene_id: str) -> Path:
        if scene_id.startswith(f"{data.HOUSES}/"):
            return _house_file(scene_id)
        return data.find_scene(scene_id, dataset, folder)

    python = name.partition(":")[2] or None
    return HabitatSimulator(body=body, scene_file=scene_file, python=python)


def _house_file(scene_id: str) -> Path:
    """A GLB file of a built-in house, made once for each state of the generator, in the cache."""
    from vlnenv.sim.edits import content_key

    scene = houses.load_scene(scene_id)
    name = f"{scene_id.replace('/', '_')}-{content_key(scene)[:16]}.glb"
    path = cache_dir() / "habitat" / "houses" / name
    if not path.is_file():
        houses.write_glb(scene, path)
    return path
