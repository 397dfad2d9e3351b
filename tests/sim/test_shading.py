import numpy as np
import pytest

from tests.sim.rooms import BLUE, GREEN, RED, WHITE, checker_image, write
from vlnenv.sim.appearance import linear_to_srgb, srgb_to_linear
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Instance, Material, Scene
from vlnenv.sim.shading import BACKGROUND_RGB, Look, mip_levels, shade


def quad(texture=None, corner_rgb=None, base_color=(1.0, 1.0, 1.0), uv_scale=1.0, flip=False):
    """A 2 x 2 m picture that stands upright 1 m ahead of an agent at the origin, u right, v up."""
    vertices = np.array([[-1, 0, -1], [1, 0, -1], [1, 2, -1], [-1, 2, -1]], dtype=np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32) * np.float32(uv_scale)
    if flip:
        faces = np.ascontiguousarray(faces[:, ::-1])
    return Scene(
        id="quad",
        vertices_m=vertices,
        faces=faces,
        face_instance=np.ones(2, np.int32),
        face_material=np.zeros(2, np.int32),
        corner_uv=uv[faces],
        corner_rgb=None if corner_rgb is None else np.asarray(corner_rgb, np.uint8)[faces],
        materials=(Material(base_color, None if texture is None else np.asarray(texture)),),
        instances=(Instance(1, "picture", "picture"),),
    )


FRONT = Camera(width=64, height=64, hfov_deg=90.0, height_m=1.0)


def look_at(scene, camera=FRONT):
    return EmbreeSimulator().render(scene, np.zeros((1, 3)), np.zeros(1), camera).rgb[0]


def lit(rgb, facing=1.0, up=0.0):
    light = 0.45 + 0.10 * up + 0.45 * facing
    return np.round(linear_to_srgb(srgb_to_linear(np.array(rgb) / 255) * light) * 255)


@pytest.mark.parametrize("flip", [False, True])
def test_checkerboard_stands_upright_whatever_the_winding(flip):
    picture = look_at(quad(checker_image(), flip=flip))
    for (row, column), color in {(16, 16): RED, (16, 48): GREEN, (48, 16): BLUE, (48, 48): WHITE}.items():
        ray = np.array([(column + 0.5) / 32 - 1, 1 - (row + 0.5) / 32, -1])
        facing = 1 / np.linalg.norm(ray)
        np.testing.assert_allclose(picture[row, column], lit(color, facing), atol=1)


def test_texture_orientation_from_a_file(tmp_path, monkeypatch):
    import trimesh

    from vlnenv.sim.loading import load_scene

    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    scene = quad()
    mesh = trimesh.Trimesh(scene.vertices_m, scene.faces, process=False)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)
    mesh.visual = trimesh.visual.TextureVisuals(
        uv=uv, material=trimesh.visual.material.PBRMaterial(baseColorTexture=checker_image())
    )
    loaded = load_scene(write(trimesh.Scene(mesh), tmp_path / "quad.glb"), up="y")
    np.testing.assert_array_equal(look_at(loaded), look_at(quad(checker_image())))


def test_textures_repeat():
    picture = look_at(quad(checker_image(), uv_scale=2.0))
    np.testing.assert_allclose(
        picture[4:12, 4:12].astype(int).mean(axis=(0, 1)), lit(RED, 0.75), atol=25
    )  # The top left quarter of the top left copy.
    assert picture[8, 40].argmax() == 0
    assert picture[8, 24].argmax() == 1


def test_a_texture_far_away_is_its_mean():
    rng = np.random.default_rng(0)
    noise = rng.choice([0, 255], (512, 512, 1)).astype(np.uint8).repeat(3, axis=2)
    camera = Camera(width=4, height=4, hfov_deg=60.0, height_m=1.0)
    picture = look_at(quad(noise, uv_scale=8.0), camera)[1:3, 1:3]
    assert np.ptp(picture) < 30
    assert abs(int(picture.mean()) - lit([127] * 3)[0]) < 20


def test_mip_levels_are_means():
    levels = mip_levels(np.arange(8 * 4 * 3, dtype=np.uint8).reshape(8, 4, 3))
    assert [level.shape for level in levels] == [(8, 4, 3), (4, 2, 3), (2, 1, 3)]
    expected = np.arange(96).reshape(8, 4, 3)[:2, :2].mean(axis=(0, 1))
    np.testing.assert_allclose(levels[1][0, 0], expected, atol=0.5)
    assert [level.shape for level in mip_levels(np.zeros((5, 1, 3), np.uint8))] == [(5, 1, 3)]


def test_base_colour_is_linear_and_multiplies():
    picture = look_at(quad(base_color=(0.5, 0.25, 1.0)))
    expected = linear_to_srgb(np.array([0.5, 0.25, 1.0]) * 0.9) * 255
    np.testing.assert_allclose(picture[32, 32], expected, atol=1)
    both = look_at(quad(checker_image(), base_color=(0.5, 0.25, 1.0)))
    assert both[16, 16, 0] == pytest.approx(look_at(quad(base_color=(0.5, 0, 0)))[16, 16, 0], abs=1)


def test_corner_colours_interpolate():
    picture = look_at(quad(corner_rgb=[[0, 0, 0], [200, 0, 0], [200, 200, 0], [0, 200, 0]]))
    for row, column in ((10, 20), (50, 40), (33, 5)):
        u, v = (column + 0.5) / 64, 1 - (row + 0.5) / 64
        facing = 1 / np.linalg.norm([2 * u - 1, 2 * v - 1, 1])
        np.testing.assert_allclose(picture[row, column], lit([200 * u, 200 * v, 0], facing), atol=2)


def test_nothing_is_background():
    picture = look_at(quad(), Camera(width=64, height=64, hfov_deg=150.0, height_m=1.0))
    assert tuple(picture[0, 0]) == BACKGROUND_RGB


def test_shading_handles_odd_input():
    look = Look.of(quad(checker_image(1)))
    n = 3
    weights = np.full(n, 1 / 3, np.float32)
    rgb = shade(
        look, np.array([-1, 0, 1], np.int32), weights, weights,
        np.array([[0, 0, 1], [0, 0, 0], [0, 0, -5]], np.float32),
        np.array([[0, 0, -1], [0, 0, -1], [0, 0, -3]], np.float32), np.ones(n, np.float32),
    )  # fmt: skip
    assert tuple(rgb[0]) == BACKGROUND_RGB
    np.testing.assert_allclose(rgb[2], lit(checker_image(1).getpixel((0, 0)), 1.0), atol=1)
    assert (rgb[1] <= rgb[2]).all()


def test_srgb_is_its_own_inverse():
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-12)
