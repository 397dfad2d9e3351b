from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from tests.viewer.rooms import nothing, remembered
from vlnenv.memory import TokenMemory
from vlnenv.memory.query import patch_similarity
from vlnenv.viewer.point_cloud import point_colors, save_ply, to_open3d


def test_a_ply_file_holds_places_and_colors(tmp_path: Path) -> None:
    path = save_ply(remembered(), tmp_path / "new" / "memory.ply", "instance")
    cloud = trimesh.load(path)
    np.testing.assert_allclose(cloud.vertices, remembered().xyz_m.T.numpy(), atol=1e-6)
    np.testing.assert_array_equal(cloud.colors[:, :3], point_colors(remembered(), "instance"))
    with pytest.raises(ValueError, match="nothing is remembered"):
        save_ply(nothing(), tmp_path / "empty.ply")


def test_a_query_paints_what_is_most_alike_reddest() -> None:
    colors = point_colors(remembered(), "query", "bed").astype(int)
    similarity = patch_similarity(remembered(), "bed")
    best = similarity > similarity.max() - 1e-6
    assert (colors[best] == colors[best][0]).all()
    redness = colors[:, 0] - colors[:, 2]
    assert redness[best].min() > redness[similarity < np.median(similarity)].max() + 100


def test_colorings_that_make_no_sense_are_named() -> None:
    with pytest.raises(ValueError, match="Did you mean 'instance'"):
        point_colors(remembered(), "instances")
    with pytest.raises(ValueError, match="only with it"):
        point_colors(remembered(), "query")
    with pytest.raises(ValueError, match="only with it"):
        point_colors(remembered(), "pca", "sofa")


def test_without_open3d_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(ImportError, match=r"vlnenv\[open3d\].*save_ply"):
        to_open3d(remembered())


@pytest.mark.parametrize(("color", "query"), [("pca", None), ("instance", None), ("query", "red sofa")])
def test_open3d_shows_the_points_in_their_colors(color: str, query: str | None) -> None:
    pytest.importorskip("open3d", exc_type=ImportError)
    cloud = to_open3d(remembered(), color, query)
    np.testing.assert_allclose(np.asarray(cloud.points), remembered().xyz_m.T.numpy(), atol=1e-6)
    expected = point_colors(remembered(), color, query)
    np.testing.assert_allclose(255.0 * np.asarray(cloud.colors), expected, atol=1e-6)
    assert cloud.voxel_down_sample(0.5).has_colors()
    assert len(to_open3d(nothing()).points) == 0


def test_a_memory_shows_its_own_points() -> None:
    pytest.importorskip("open3d", exc_type=ImportError)
    memory = TokenMemory(2, 64)
    memory.restore(1, remembered())
    assert len(memory.to_open3d(0).points) == 0
    expected = np.asarray(to_open3d(remembered(), "query", "bed").colors)
    np.testing.assert_array_equal(np.asarray(memory.to_open3d(1, "query", "bed").colors), expected)
