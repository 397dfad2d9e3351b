import numpy as np
import pytest

from vlnenv import houses
from vlnenv.sim.edits import current_bounds
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.relocation import movable_instances, relocate

HOUSE = "houses/val_unseen/0004"


@pytest.fixture(scope="module")
def simulator():
    return EmbreeSimulator(load_scene=houses.load_scene)


def moved_ids(before, after):
    return [n for n, matrix in after.edits.items() if not np.array_equal(before.edits.get(n), matrix)]


def test_furniture_moves_and_the_building_does_not(simulator):
    names = {instance.name for instance in movable_instances(simulator, simulator.load(HOUSE))}
    assert {"armchair_1", "coffee_table_1", "floor_lamp_1"} <= names
    # The building, what hangs, what is too big, and what carries the television.
    assert not names & {
        "wall_1",
        "door_3",
        "window_1",
        "picture_1",
        "rug_1",
        "bed_1",
        "tv_stand_1",
        "toilet_1",
    }
    assert not any(name.startswith(("wall", "floor_hall", "ceiling", "door", "window")) for name in names)


def test_what_is_put_elsewhere_stands_on_free_floor(simulator):
    scene = simulator.load(HOUSE)
    for seed in range(4):
        changed = relocate(simulator, scene, 3, np.random.default_rng(seed))
        assert len(moved_ids(scene, changed)) == 3
        boxes = {i.id: current_bounds(i, changed) for i in changed.instances}
        solid = [i for i in changed.instances if i.category.split()[-1] not in ("floor", "ceiling", "rug")]
        for number in moved_ids(scene, changed):
            instance = next(i for i in scene.instances if i.id == number)
            old = np.asarray(instance.bounds_m)
            new = boxes[number]
            assert np.linalg.norm(new.mean(axis=0) - old.mean(axis=0)) > 0.4
            assert abs(new[0, 1]) < 0.1, "it hangs in the air or sank"
            for other in solid:
                if other.id != number:
                    depth = np.minimum(new[1], boxes[other.id][1]) - np.maximum(new[0], boxes[other.id][0])
                    assert not (depth > 0.06).all(), f"{instance.name} stands in {other.name}"


def test_the_same_random_numbers_give_the_same_scene(simulator):
    scene = simulator.load(HOUSE)
    one, two, other = (relocate(simulator, scene, 2, np.random.default_rng(seed)).edits for seed in (5, 5, 6))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[n], two[n]) for n in one)
    assert one.keys() != other.keys() or any(not np.array_equal(one[n], other[n]) for n in one)


def test_only_allowed_scenes_and_clear_places_are_taken(simulator):
    scene = simulator.load(HOUSE)
    assert relocate(simulator, scene, 3, np.random.default_rng(0), lambda _: False) is scene
    assert relocate(simulator, scene, 0, np.random.default_rng(0)) is scene
    everywhere = simulator.sample(scene, np.random.default_rng(1), 4000)
    assert relocate(simulator, scene, 3, np.random.default_rng(0), keep_clear_m=everywhere) is scene
    with pytest.raises(ValueError, match="count"):
        relocate(simulator, scene, -1, np.random.default_rng(0))
