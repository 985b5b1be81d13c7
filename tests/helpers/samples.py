"""Random samples, and comparison of metric values."""

import math

import torch

from iidgan.core import GaussianMixture

RING = GaussianMixture(
    2 * torch.stack([torch.tensor([math.cos(a), math.sin(a)]) for a in torch.arange(8) * 0.7854]),
    0.001,
)
GRID = GaussianMixture(2 * torch.cartesian_prod(*[torch.arange(-2.0, 3)] * 2), 0.05)


def seeded_generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded_generator(seed), dtype=torch.float64)


def draw_mixture(mixture, seeds, num, seed=0):
    """Draw samples of the mixture: (seeds, num, d)."""
    index = torch.randint(len(mixture.centres), (seeds, num), generator=seeded_generator(seed))
    noise = normal(seeds, num, mixture.centres.shape[1], seed=seed + 1)
    return mixture.centres.double()[index] + mixture.std * noise


def assert_values_equal(a, b, atol=1e-12):
    """Compare dictionaries of values; NaN equals NaN."""
    assert a.keys() == b.keys()
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], atol=atol, rtol=0, equal_nan=True)
