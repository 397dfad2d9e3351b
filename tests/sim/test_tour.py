import numpy as np
import pytest

from tests.small_houses import TWO_FLOORS
from vlnenv import houses
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.tour import look_around, tour_stops


def test_every_place_lies_near_a_stop_and_the_walk_goes_nearest_first():
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load(TWO_FLOORS)
    stops = tour_stops(simulator, scene)
    assert simulator.is_navigable(scene, stops).all()
    places = simulator.sample(scene, np.random.default_rng(99), 200)
    distance = np.min([simulator.geodesic(scene, places, stop) for stop in stops], axis=0)
    assert distance[np.isfinite(distance)].max() < 2.5 + 0.8  # sampled floor points stand for the floor
    assert np.isfinite(distance).mean() > 0.95
    apart = np.array([simulator.geodesic(scene, stops, stop) for stop in stops])
    for here in range(len(stops) - 1):
        assert apart[here, here + 1] == pytest.approx(apart[here, here + 1 :].min(), abs=1e-6)
    np.testing.assert_array_equal(stops, tour_stops(simulator, scene))
    assert len(tour_stops(simulator, scene, spacing_m=6.0)) < len(stops)


def test_bad_arguments_are_refused():
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    with pytest.raises(ValueError, match="spacing_m and samples must be positive"):
        tour_stops(simulator, simulator.load(TWO_FLOORS), spacing_m=0.0)


@pytest.mark.parametrize(("hfov_deg", "views"), [(90.0, 4), (60.0, 6), (100.0, 4), (79.0, 5)])
def test_looking_around_leaves_no_gap(hfov_deg, views):
    headings = look_around(hfov_deg)
    assert len(headings) == views
    np.testing.assert_allclose(np.diff(headings), 2 * np.pi / views)
    assert np.degrees(2 * np.pi / views) <= hfov_deg + 1e-9
