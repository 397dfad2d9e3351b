"""A ray caster that tries every triangle in float64: slow, plain, and independent of Embree."""

import math

import numpy as np
from numba import njit


@njit(cache=True)
def cast(origin, direction, corners):
    """Möller-Trumbore: nearest t (inf for none) and face (-1) of rays (n, 3) against triangles (f, 3, 3)."""
    n = len(origin)
    nearest = np.full(n, np.inf)
    face = np.full(n, -1)
    for f in range(len(corners)):
        ax, ay, az = corners[f, 0]
        e1x, e1y, e1z = corners[f, 1, 0] - ax, corners[f, 1, 1] - ay, corners[f, 1, 2] - az
        e2x, e2y, e2z = corners[f, 2, 0] - ax, corners[f, 2, 1] - ay, corners[f, 2, 2] - az
        for i in range(n):
            dx, dy, dz = direction[i, 0], direction[i, 1], direction[i, 2]
            px, py, pz = dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x
            det = e1x * px + e1y * py + e1z * pz
            if det == 0.0:
                continue
            sx, sy, sz = origin[i, 0] - ax, origin[i, 1] - ay, origin[i, 2] - az
            u = (sx * px + sy * py + sz * pz) / det
            if u < 0.0 or u > 1.0:
                continue
            qx, qy, qz = sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x
            v = (dx * qx + dy * qy + dz * qz) / det
            if v < 0.0 or u + v > 1.0:
                continue
            t = (e2x * qx + e2y * qy + e2z * qz) / det
            if 0.0 <= t < nearest[i]:
                nearest[i] = t
                face[i] = f
    return nearest, face


def camera_rays(position_m, heading_rad, camera):
    """Origins and unit-depth directions (n * h * w, 3), written down from the definition of the camera."""
    tangent = math.tan(math.radians(camera.hfov_deg) / 2)
    pitch = math.radians(camera.pitch_deg)
    origins, directions = [], []
    for position, heading in zip(position_m, heading_rad, strict=True):
        ahead = np.array([-math.sin(heading), 0.0, -math.cos(heading)])
        right = np.array([math.cos(heading), 0.0, -math.sin(heading)])
        up = np.array([0.0, 1.0, 0.0])
        axis = math.cos(pitch) * ahead + math.sin(pitch) * up
        top = math.cos(pitch) * up - math.sin(pitch) * ahead
        x = ((np.arange(camera.width) + 0.5) / camera.width * 2 - 1) * tangent
        y = (
            (1 - (np.arange(camera.height) + 0.5) / camera.height * 2)
            * tangent
            * camera.height
            / camera.width
        )
        direction = axis + x[None, :, None] * right + y[:, None, None] * top
        directions.append(direction.reshape(-1, 3))
        origins.append(np.tile(np.add(position, [0, camera.height_m, 0]), (camera.width * camera.height, 1)))
    return np.concatenate(origins), np.concatenate(directions)
