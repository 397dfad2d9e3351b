"""Colours for what is remembered: by feature, by instance, by likeness to a query."""

from __future__ import annotations

import numpy as np

NONE_RGB = (176, 180, 186)
"""Of points in no instance."""

_HEAT = np.array(
    [(206, 212, 222), (222, 216, 196), (250, 205, 110), (243, 126, 46), (196, 24, 36)], dtype=np.float64
)
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
_BRIGHTNESS = ((0.62, 0.92), (0.85, 0.72), (0.45, 0.80))  # saturation and value, in turn


def feature_colors(features: np.ndarray) -> np.ndarray:
    """The three directions in which features differ most, as red, green and blue.

    Args:
        features: float (k, d).

    Returns:
        uint8 (k, 3). Colours compare points of one call alone: another set has other directions.
    """
    features = np.asarray(features, dtype=np.float64)
    colors = np.full((len(features), 3), 128, dtype=np.uint8)
    if len(features) < 2:
        return colors
    centred = features - features.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    for channel in range(min(3, features.shape[1])):
        direction = directions[:, -1 - channel]
        # An eigenvector's sign is arbitrary; its largest component is made positive.
        direction = direction * np.sign(direction[np.abs(direction).argmax()])
        value = centred @ direction
        low, high = np.quantile(value, [0.02, 0.98])
        if high - low > 1e-6:
            colors[:, channel] = (40.0 + 200.0 * ((value - low) / (high - low)).clip(0.0, 1.0)).round()
    return colors


def instance_colors(ids: np.ndarray) -> np.ndarray:
    """A colour for each instance id, the same in every picture; grey for -1.

    Args:
        ids: int (k,).

    Returns:
        uint8 (k, 3). Ids that follow each other lie far apart in hue.
    """
    ids = np.asarray(ids, dtype=np.int64)
    hue = (ids * _GOLDEN) % 1.0
    saturation, value = np.array(_BRIGHTNESS)[ids % len(_BRIGHTNESS)].T
    # Hue, saturation and value to red, green and blue: each channel falls by its distance to the hue.
    away = np.abs((6.0 * hue[:, None] + np.array([0.0, 4.0, 2.0])) % 6.0 - 3.0) - 1.0
    rgb = value[:, None] * (1.0 - saturation[:, None] * (1.0 - away.clip(0.0, 1.0)))
    colors: np.ndarray = (255.0 * rgb).round().astype(np.uint8)
    colors[ids < 0] = NONE_RGB
    return colors


def heat_colors(values: np.ndarray) -> np.ndarray:
    """Pale to red from the median of some values to their greatest.

    Args:
        values: float (k,).

    Returns:
        uint8 (k, 3); all pale where the values are equal.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return np.zeros((0, 3), dtype=np.uint8)
    low, high = float(np.median(values)), float(values.max())
    share = ((values - low) / (high - low)).clip(0.0, 1.0) if high - low > 1e-9 else np.zeros(len(values))
    stops = np.linspace(0.0, 1.0, len(_HEAT))
    return (
        np.stack([np.interp(share, stops, channel) for channel in _HEAT.T], axis=1).round().astype(np.uint8)
    )
