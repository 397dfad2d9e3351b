from __future__ import annotations

import pytest
import torch

from agents.policy import LEVELS, NavigationPolicy, PolicyConfig, free_distance
from tests.agents.fakes import COUNTS, random_batch, small_policy


def test_output_shapes_and_size() -> None:
    logits = small_policy()(random_batch(3))
    assert logits.shape == (3, 4)
    assert torch.isfinite(logits).all()


def test_default_network_is_small() -> None:
    network = NavigationPolicy(PolicyConfig(tuple(f"word{index}" for index in range(1000))))
    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000


@pytest.mark.parametrize("level", LEVELS)
def test_masked_tokens_change_nothing(level: str) -> None:
    policy, batch = small_policy(levels=LEVELS), random_batch()
    expected = policy(batch)
    hidden = batch[f"{level}_mask"] == 0
    assert hidden.any()
    for part in ("tokens", "xyz"):
        batch[f"{level}_{part}"][hidden] = float("nan")
    torch.testing.assert_close(policy(batch), expected, rtol=0, atol=0)


@pytest.mark.parametrize("level", LEVELS)
def test_unmasked_tokens_matter(level: str) -> None:
    policy, batch = small_policy(levels=LEVELS), random_batch()
    before = policy(batch)
    batch[f"{level}_xyz"][batch[f"{level}_mask"] == 1] *= -1.0
    assert (policy(batch) - before).abs().max() > 1e-4


@pytest.mark.parametrize("levels", [("patch",), ("view",), ("instance", "zone"), LEVELS])
def test_a_policy_reads_its_levels_alone(levels: tuple[str, ...]) -> None:
    policy, batch = small_policy(levels=levels), random_batch()
    expected = policy(batch)
    needed = {key: value for key, value in batch.items() if key.split("_")[0] not in LEVELS}
    for level in levels:
        needed |= {f"{level}_{part}": batch[f"{level}_{part}"] for part in ("tokens", "xyz", "mask")}
    assert torch.equal(policy(needed), expected)


def test_centres_of_instances_and_zones_block_no_way() -> None:
    batch = random_batch()
    policies = [small_policy(levels=levels) for levels in (("patch",), ("patch", "instance", "zone"))]
    free = [policy.memory(batch)[3] for policy in policies]
    assert torch.equal(*free)
    assert (free[0] < 5.0).any()
    assert (small_policy(levels=("view",)).memory(batch)[3] == 5.0).all()


def test_unused_levels_change_nothing() -> None:
    policy, batch = small_policy(), random_batch()
    # Row 0 alone has instances: the others must not notice that the level is now read.
    batch["instance_mask"][1:] = 0
    together = policy(batch)
    alone = policy({key: value[1:] for key, value in batch.items()})
    torch.testing.assert_close(together[1:], alone, rtol=1e-5, atol=1e-5)


def test_all_masked_is_finite_in_both_directions() -> None:
    policy, batch = small_policy(), random_batch()
    for level in LEVELS:
        batch[f"{level}_mask"][:] = 0
    batch["instruction_ids"][:] = 0
    logits = policy(batch)
    logits.sum().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(p.grad).all() for p in policy.parameters() if p.grad is not None)


def test_order_of_patches_changes_nothing() -> None:
    policy, batch = small_policy(), random_batch()
    expected = policy(batch)
    order = torch.randperm(COUNTS["patch"], generator=torch.Generator().manual_seed(0))
    for part in ("tokens", "xyz", "mask"):
        batch[f"patch_{part}"] = batch[f"patch_{part}"][:, order]
    torch.testing.assert_close(policy(batch), expected, rtol=0, atol=1e-5)


def test_padding_words_change_nothing() -> None:
    policy, batch = small_policy(), random_batch()
    expected = policy({key: value[1:] for key, value in batch.items()})
    batch["instruction_ids"][1:, 6:] = 0
    short = policy({key: value[1:] for key, value in batch.items()})
    beside_longer = policy(batch)
    assert (short - expected).abs().max() > 1e-5
    batch["instruction_ids"][0] = 3  # now a longer neighbour keeps the padding in the batch
    torch.testing.assert_close(policy(batch)[1:], beside_longer[1:], rtol=0, atol=1e-5)


def test_tokens_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"length 8.*length 9"):
        small_policy().features(random_batch(dim=9))


def test_free_distance_is_the_nearest_obstacle_per_direction() -> None:
    xyz = torch.tensor(
        [[[2.0, 0.0, 1.0], [3.0, 0.1, 1.0], [0.0, 1.5, 1.0], [0.5, 0.0, 0.0], [1.0, 0.0, 1.0]]]
    )
    valid = torch.tensor([[True, True, True, True, False]])
    free = free_distance(xyz, valid, 4)
    torch.testing.assert_close(free, torch.tensor([[2.0, 1.5, 5.0, 5.0]]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 30, "heads": 4}, "multiple"),
        ({"dropout": 1.0}, "dropout"),
        ({"train_tokens": 0}, "train_tokens"),
        ({"levels": ("patches",)}, "Did you mean 'patch'"),
        ({"levels": ()}, "at least one level"),
    ],
)
def test_bad_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_policy(**settings)
