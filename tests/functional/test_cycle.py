"""Cycle distances per seed."""

import pytest
import torch

from iidgan.functional import cycle


def pairs(batch=6, latent=(3,), shape=(2, 4, 5), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = [latent, latent, shape, shape]
    return [
        torch.randn(batch, *s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes
    ]


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_cycle_consistency_separates_seeds(norm):
    stacked = [tensor.reshape(2, 3, *tensor.shape[1:]) for tensor in pairs()]
    together = cycle.cycle_consistency(*stacked, norm)
    for seed in range(2):
        alone = cycle.cycle_consistency(*(tensor[seed : seed + 1] for tensor in stacked), norm)
        for part, expected in zip(together, alone):
            assert part.shape == (2,)
            torch.testing.assert_close(part[seed : seed + 1], expected)


def test_cycle_consistency_of_equation_7_read_literally():
    """L1 norms, and d / M of the IJCAI paper, which is 24 for CIFAR-10 with 128 latents."""
    z, x = torch.zeros(1, 4, 128), torch.zeros(1, 4, 3, 32, 32)
    parts = cycle.cycle_consistency(z, z + 1, x, x + 0.5, "l1-sum", "d/M")
    assert [part.item() for part in parts] == [128, 24 * 3072 * 0.5]
    (default,) = cycle.cycle_consistency(z, z + 1, x, x + 0.5, "l1-sum")[1]
    assert parts[1].item() == 24 * default


def test_l1_is_l1_sum_divided_by_latent_dimension():
    tensors = [tensor[None] for tensor in pairs()]
    for mean_part, sum_part in zip(
        cycle.cycle_consistency(*tensors, "l1"), cycle.cycle_consistency(*tensors, "l1-sum")
    ):
        torch.testing.assert_close(mean_part, sum_part / 3)
