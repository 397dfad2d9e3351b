"""A small furnished room in memory, as a trimesh scene, in either up convention."""

import numpy as np
import trimesh
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def checker_image(size=64):
    """Quarters: red and green above, blue and white below."""
    pixels = np.zeros((size, size, 3), dtype=np.uint8)
    half = size // 2
    pixels[:half, :half], pixels[:half, half:] = RED, GREEN
    pixels[half:, :half], pixels[half:, half:] = BLUE, WHITE
    return Image.fromarray(pixels)


def box(extents, center, rgba=(200, 200, 200, 255), image=None):
    """An axis-aligned box with its own vertices for each side, textured or in a plain colour."""
    mesh = trimesh.creation.box(extents=extents)
    mesh.apply_translation(center)
    mesh = trimesh.Trimesh(mesh.triangles.reshape(-1, 3), np.arange(36).reshape(-1, 3), process=False)
    if image is None:
        mesh.visual = trimesh.visual.TextureVisuals(
            material=trimesh.visual.material.PBRMaterial(baseColorFactor=rgba)
        )
    else:
        uv = np.tile([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], (12, 1))
        mesh.visual = trimesh.visual.TextureVisuals(
            uv=uv, material=trimesh.visual.material.PBRMaterial(baseColorTexture=image)
        )
    return mesh


def room(up="y", width=5.0, depth=4.0, height=2.6, named=True, ceiling=True):
    """Floor from (0, 0) to (width, depth) in x and -ahead, four walls, a table, a box and a lamp."""
    w, d, h = width, depth, height
    parts = {
        "FloorA_01_001": box([w, 0.1, d], [w / 2, -0.05, d / 2], image=checker_image()),
        "wall_1": box([w, h, 0.1], [w / 2, h / 2, -0.05], (230, 220, 200, 255)),
        "wall_2": box([w, h, 0.1], [w / 2, h / 2, d + 0.05], (230, 220, 200, 255)),
        "wall_3": box([0.1, h, d], [-0.05, h / 2, d / 2], (200, 220, 230, 255)),
        "wall_4": box([0.1, h, d], [w + 0.05, h / 2, d / 2], (200, 220, 230, 255)),
        "CoffeeTable_01": box([1.2, 0.4, 0.6], [w / 2, 0.2, d / 2], (120, 80, 40, 255)),
        "box.001": box([0.3, 0.3, 0.3], [w / 2, 0.55, d / 2], image=checker_image(16)),
        "lamp": trimesh.creation.icosphere(subdivisions=2, radius=0.2),
    }
    parts["lamp"].apply_translation([w / 2, 1.8, d / 4])
    parts["lamp"].visual.vertex_colors = np.tile([250, 240, 90, 255], (len(parts["lamp"].vertices), 1))
    if ceiling:
        parts["Ceiling"] = box([w, 0.1, d], [w / 2, h + 0.05, d / 2])
    scene = trimesh.Scene()
    for number, (name, mesh) in enumerate(parts.items()):
        scene.add_geometry(mesh, node_name=name if named else f"mesh_{number}", geom_name=f"g{number}")
    if up == "z":
        # (x, y, z) of the world lies at (x, -z, y) in a Z-up file.
        scene.apply_transform(np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    return scene


def write(scene, path):
    """Export to a file by its suffix."""
    content = scene.export(file_type=path.suffix[1:])
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
