"""The losses of GDPP and BuresGAN on features."""

import pytest
import torch

from iidgan.functional import diversity
from tests.helpers.networks import random_features

pytestmark = pytest.mark.usefixtures("float64")


def eigenvalue_weights(real):
    rows = diversity.unit_rows(real)
    values = torch.linalg.eigvalsh(rows @ rows.mT)
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    return (values - low) / (high - low)


@pytest.mark.parametrize("width", [3, 6, 9])
def test_gdpp_of_identical_batches(width):
    x = random_features(2, 6, width)
    magnitude, structure = diversity.gdpp_losses(x, x, broadening=1e-9)
    assert torch.allclose(magnitude, torch.zeros(2), atol=1e-20)
    assert torch.allclose(structure, -eigenvalue_weights(x).sum(-1))


def test_gdpp_ignores_rounding_errors():
    """Generated features of rank 2 have eigenvectors without meaning; the real ones all count."""
    fake, real = (
        random_features(1, 8, 2) @ random_features(1, 2, 16, seed=2),
        random_features(1, 8, 16, seed=1),
    )
    rounded = fake + 1e-15 * random_features(1, 8, 16, seed=3)
    value_a, value_b = (
        diversity.gdpp_losses(fake, real)[1],
        diversity.gdpp_losses(rounded, real)[1],
    )
    assert torch.allclose(value_a, value_b, rtol=1e-12)


def test_gdpp_of_orthogonal_features():
    """Two like samples and a third: eigenvalues 2, 1, 0; all different: 1, 1, 1."""
    a, b, c = torch.eye(3)
    real = torch.stack([a, a, b])[None]
    magnitude, _ = diversity.gdpp_losses(torch.stack([a, b, c])[None], real)
    assert torch.allclose(magnitude, torch.tensor([2 / 3]), atol=1e-5)
    magnitude, structure = diversity.gdpp_losses(torch.stack([a, b, b])[None], real)
    # Leading vectors (1, 1, 0) and (0, 1, 1) over root 2, second ones (0, 0, 1) and (1, 0, 0).
    assert torch.allclose(magnitude, torch.zeros(1), atol=1e-10)
    assert torch.allclose(structure, torch.tensor([-1 / 2]), atol=1e-5)


def test_gdpp_ignores_feature_length():
    fake, real = random_features(2, 6, 4), random_features(2, 6, 4, seed=1)
    for value_a, value_b in zip(
        diversity.gdpp_losses(fake, real), diversity.gdpp_losses(30 * fake, real)
    ):
        assert torch.allclose(value_a, value_b, rtol=1e-4)


def test_gdpp_gradient_by_finite_differences():
    fake, real = random_features(1, 4, 6), random_features(1, 4, 6, seed=1)
    for part in (0, 1):
        assert torch.autograd.gradcheck(
            lambda x, part=part: diversity.gdpp_losses(x, real, broadening=1e-9)[part],
            fake.clone().requires_grad_(),
        )


def test_gdpp_broadening_keeps_clear_gaps():
    fake, real = random_features(1, 4, 6).requires_grad_(), random_features(1, 4, 6, seed=1)
    exact, broad = (
        torch.autograd.grad(diversity.gdpp_losses(fake, real, broadening=eps)[1].sum(), fake)[0]
        for eps in (1e-9, 1e-2)
    )
    assert torch.allclose(exact, broad, rtol=0.02, atol=1e-3)
    assert not torch.equal(exact, broad)


DEGENERATE_FEATURES = {
    "low rank": random_features(1, 8, 2) @ random_features(1, 2, 16, seed=2),
    "all the same": random_features(1, 1, 16).expand(1, 8, 16),
    "all but the same": random_features(1, 1, 16) + 1e-9 * random_features(1, 8, 16, seed=2),
    "two points": random_features(1, 2, 16).repeat(1, 4, 1),
    "nothing": torch.zeros(1, 8, 16),
    "orthogonal": torch.eye(8, 16)[None],
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("fake", DEGENERATE_FEATURES)
@pytest.mark.parametrize("real", DEGENERATE_FEATURES)
@pytest.mark.parametrize("name", ["gdpp", "bures"])
def test_diversity_gradients_on_degenerate_features(name, fake, real, dtype):
    x, y = DEGENERATE_FEATURES[fake].to(dtype), DEGENERATE_FEATURES[real].to(dtype)
    x = x.clone().requires_grad_()
    if name == "gdpp":
        value = torch.stack(diversity.gdpp_losses(x, y)).sum()
    else:
        value = diversity.bures_distance(
            diversity.unit_directions(x), diversity.unit_directions(y)
        ).sum()
    (slope,) = torch.autograd.grad(value, x)
    assert value.isfinite()
    assert slope.abs().max() < 1e4


def test_gdpp_of_diverged_seed():
    fake, real = random_features(3, 6, 4), random_features(3, 6, 4, seed=1)
    expected = torch.stack(diversity.gdpp_losses(fake, real))
    fake[1] = torch.nan
    values = torch.stack(diversity.gdpp_losses(fake, real))
    assert values[:, 1].isnan().all()
    assert torch.equal(values[:, ::2], expected[:, ::2])


def rows_with_variances(variances, num=8):
    """Gives rows whose uncentred covariance is diagonal, with these variances."""
    basis = torch.linalg.qr(random_features(num, len(variances), seed=3)).Q
    return (basis * (num * torch.tensor(variances)).sqrt())[None]


def test_bures_of_diagonal_covariances():
    a, b = (1.0, 4.0, 0.5), (2.25, 1.0, 0.5)
    expected = sum((x**0.5 - y**0.5) ** 2 for x, y in zip(a, b))
    assert torch.allclose(
        diversity.bures_distance(rows_with_variances(a), rows_with_variances(b)),
        torch.tensor([expected]),
    )


def test_bures_by_matrix_square_roots():
    a, b = random_features(2, 9, 4), random_features(2, 12, 4, seed=1)
    values = diversity.bures_distance(a, b)
    for seed in range(2):
        value_a, value_b = a[seed].T @ a[seed] / 9, b[seed].T @ b[seed] / 12
        root = torch.linalg.eigvals(value_a @ value_b).real.clamp_min(0).sqrt().sum()
        assert torch.isclose(values[seed], value_a.trace() + value_b.trace() - 2 * root)


def test_bures_of_identical_and_shuffled():
    x = diversity.unit_directions(random_features(2, 8, 5))
    value_b = diversity.unit_directions(random_features(2, 8, 5, seed=1))
    order = torch.tensor([3, 1, 4, 0, 5, 2, 7, 6])
    assert torch.allclose(diversity.bures_distance(x, x), torch.zeros(2), atol=1e-12)
    assert torch.allclose(diversity.bures_distance(x[:, order], x), torch.zeros(2), atol=1e-12)
    assert torch.allclose(
        diversity.bures_distance(x[:, order], value_b), diversity.bures_distance(x, value_b)
    )


def test_bures_lies_between_0_and_2():
    features_a, features_b = random_features(4, 8, 2, seed=1), random_features(4, 8, 2, seed=2)
    zeros = torch.zeros(4, 8, 2)
    disjoint_distance = diversity.bures_distance(
        diversity.unit_directions(torch.cat([features_a, zeros], -1)),
        diversity.unit_directions(torch.cat([zeros, features_b], -1)),
    )
    assert torch.allclose(
        disjoint_distance, 2 * torch.ones(4), rtol=1e-4
    )  # no direction in common
    collapsed = diversity.bures_distance(
        diversity.unit_directions(zeros), diversity.unit_directions(features_a)
    )
    assert torch.allclose(collapsed, torch.ones(4), rtol=1e-4)


def test_bures_gradient_by_finite_differences():
    real = diversity.unit_directions(random_features(1, 7, 3, seed=1))
    assert torch.autograd.gradcheck(
        lambda x: diversity.bures_distance(diversity.unit_directions(x), real),
        random_features(1, 7, 3).requires_grad_(),
    )
