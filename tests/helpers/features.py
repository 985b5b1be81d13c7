"""Seeded features, and neighbours by brute force."""

import torch

from tests.helpers.samples import normal


def squared_distances(x, y, *, same_set=False):
    """All squared distances from the differences, in float64."""
    distances = (x[:, None].double() - y[None].double()).square().sum(-1)
    return distances.fill_diagonal_(torch.inf) if same_set else distances


def brute_force_prdc(real, fake, k):
    """The definitions, without blocks."""
    real_radii, fake_radii = (
        squared_distances(x, x, same_set=True).kthvalue(k, 1).values for x in (real, fake)
    )
    distances = squared_distances(real, fake)
    in_real_ball = distances <= real_radii[:, None]
    in_fake_ball = distances <= fake_radii
    return (
        in_real_ball.any(0).double().mean(),
        in_fake_ball.any(1).double().mean(),
        in_real_ball.double().sum() / (k * len(fake)),
        in_real_ball.any(1).double().mean(),
    )


def feature_pairs(num_dimensions, num_real=90, num_fake=70):
    """Pairs of real and generated features, float32, that distances by products get wrong."""
    real, fake = normal(num_real, num_dimensions).float(), normal(num_fake, num_dimensions, seed=1)
    fake = fake.float()
    modes = real[:5].repeat(num_real // 5, 1)
    outlier = real.clone()
    outlier[0] *= 1e4
    return {
        "normal": (real, fake),
        "large mean": (real + 1000, 1.1 * fake + 1000),
        "narrow modes": (modes + 1e-4 * real, modes[:num_fake] + 1e-4 * fake),
        "repeated": (modes, modes[:num_fake]),
        "huge": (1e30 * real, 1e30 * fake),
        "tiny": (1e-30 * real, 1e-30 * fake),
        "outlier": (outlier, fake),
        "far apart": (real, 1e-3 * fake + 100),
    }
