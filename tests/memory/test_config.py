from __future__ import annotations

import pytest

from vlnenv.memory import MemoryConfig


def test_unknown_names_name_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'panorama'"):
        MemoryConfig(patches="panoramas")
    with pytest.raises(ValueError, match="no panorama 'learn'"):
        MemoryConfig(panorama="learn")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cull_far_m", float("nan")),
        ("cull_near_m", -1.0),
        ("cull_near_m", 4.0),
        ("depth_tolerance_m", float("inf")),
        ("panorama_far_m", 0.0),
        ("max_patches", 575),
        ("dedup_voxel_m", -0.1),
        ("match_far_m", float("inf")),
        ("candidates", -1),
        ("merge_probability", 1.5),
        ("merge_probability", float("nan")),
        ("instance_members", 0),
        ("instance_radius_m", -1.0),
        ("zone_m", 0.0),
        ("zone_members", 0),
        ("zone_radius_m", float("nan")),
        ("max_instances", 0),
        ("max_zones", 0),
    ],
)
def test_values_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=r"must"):
        MemoryConfig(**{field: value})  # type: ignore[arg-type]
