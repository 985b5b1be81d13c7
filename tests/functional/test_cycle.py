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
