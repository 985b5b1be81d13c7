"""The gradient penalty of WGAN-GP."""

import pytest
import torch

from iidgan.core import Batch
from iidgan.terms.gradient_penalty import GradientPenalty
from tests.helpers.networks import draw_vector_batch, term_value_and_slope

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


@pytest.mark.parametrize("centre", [0.0, 1.0])
def test_gradient_penalty_value_and_slope(centre, batch):
    value, slope = term_value_and_slope(GradientPenalty(weight=5.0, centre=centre), batch)
    u = batch.u[..., None]
    size = (u * batch.x + (1 - u) * 3 * batch.z).square().sum(2).sqrt()
    excess = 1.5 * size - centre
    torch.testing.assert_close(value, 5 * excess.square().mean(1), rtol=1e-12, atol=0)
    torch.testing.assert_close(slope, 10 * (excess * size).mean(1).sum(), rtol=1e-12, atol=0)


def test_gradient_penalty_of_flat_critic(batch):
    value, slope = term_value_and_slope(
        GradientPenalty(weight=5.0), Batch(x=0 * batch.x, z=0 * batch.z, u=batch.u)
    )
    assert torch.equal(value, torch.full((3,), 5.0))
    assert slope.item() == 0
