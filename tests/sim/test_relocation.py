import numpy as np
import pytest

from tests.small_houses import SCENE, TWO_FLOORS
from vlnenv import houses
from vlnenv.sim.edits import current_bounds
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.relocation import movable_instances, relocate, relocate_one


@pytest.fixture(scope="module")
def simulator():
    return EmbreeSimulator(load_scene=houses.load_scene)


def moved_ids(before, after):
    return [n for n, matrix in after.edits.items() if not np.array_equal(before.edits.get(n), matrix)]


def test_furniture_moves_and_the_building_does_not(simulator):
    scene = simulator.load(SCENE)
    movable = {instance.category for instance in movable_instances(simulator, scene)}
    free = {"armchair", "chair", "floor lamp", "plant", "stool"}
    assert movable & free == {each.category for each in scene.instances} & free
    # The building, what hangs, what is too big, and what is fixed.
    fixed = {"wall", "door", "door frame", "window", "picture", "rug", "bed", "toilet", "floor", "ceiling"}
    assert not movable & fixed
    names = {each.name: np.asarray(each.bounds_m) for each in scene.instances}
    for each in movable_instances(simulator, scene):
        low, high = names[each.name]
        on_top = [
            name
            for name, box in names.items()
            if name != each.name
            and (low[[0, 2]] < box.mean(axis=0)[[0, 2]]).all()
            and (box.mean(axis=0)[[0, 2]] < high[[0, 2]]).all()
            and abs(box[0, 1] - high[1]) < 0.05
        ]
        assert not on_top, f"{each.name} carries {on_top}"


def test_what_is_put_elsewhere_stands_on_free_floor(simulator):
    scene = simulator.load(SCENE)
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


def test_nothing_is_put_on_stairs():
    class OnStairs(EmbreeSimulator):
        """Offers the places of a staircase and its landing alone."""

        def sample(self, scene, rng, count):
            places_m = super().sample(scene, rng, 200 * count)
            between = (places_m[:, 1] > 0.3) & (places_m[:, 1] < places_m[:, 1].max() - 0.3)
            return places_m[between][:count]

    simulator = OnStairs(load_scene=houses.load_scene)
    scene = simulator.load(TWO_FLOORS)
    assert len(simulator.sample(scene, np.random.default_rng(0), 48)) == 48
    movable = movable_instances(simulator, scene)
    assert len(movable) > 10
    for seed, instance in enumerate(movable):
        assert relocate_one(simulator, scene, instance, np.random.default_rng(seed)) is None


def test_the_same_random_numbers_give_the_same_scene(simulator):
    scene = simulator.load(SCENE)
    one, two, other = (relocate(simulator, scene, 2, np.random.default_rng(seed)).edits for seed in (5, 5, 6))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[n], two[n]) for n in one)
    assert one.keys() != other.keys() or any(not np.array_equal(one[n], other[n]) for n in one)


def test_only_allowed_scenes_and_clear_places_are_taken(simulator):
    scene = simulator.load(SCENE)
    assert relocate(simulator, scene, 3, np.random.default_rng(0), lambda _: False) is scene
    assert relocate(simulator, scene, 0, np.random.default_rng(0)) is scene
    everywhere = simulator.sample(scene, np.random.default_rng(1), 4000)
    assert relocate(simulator, scene, 3, np.random.default_rng(0), keep_clear_m=everywhere) is scene
    with pytest.raises(ValueError, match="count"):
        relocate(simulator, scene, -1, np.random.default_rng(0))
