"""Gradients with respect to inputs."""

import pytest
import torch
from torch import nn

from iidgan.functional.gradient import (
    gradient_per_value,
    input_gradient,
    interpolate_samples,
    sample_norms,
)
from iidgan.methods.pacgan import PackedDiscriminator
from tests.helpers.networks import FunctionModule, draw_vector_batch, paraboloid

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


def test_input_gradient_of_packed_discriminator(batch):
    packed = PackedDiscriminator(FunctionModule(lambda x: x), 2)
    packed.net.features, packed.net.head = lambda x: paraboloid(1.0, x), nn.Identity()
    assert torch.equal(input_gradient(packed, batch.x), batch.x)
    gradients = gradient_per_value(packed, batch.x)
    assert torch.equal(gradients, batch.x.reshape(3, 4, 4))
    expected = batch.x.square().sum(2).unflatten(1, (4, 2)).sum(2).sqrt()
    torch.testing.assert_close(sample_norms(gradients), expected, rtol=1e-14, atol=0)


def test_sample_norm_gradient_at_zero():
    x = torch.zeros(1, 2, 3, requires_grad=True)
    (gradients,) = torch.autograd.grad((sample_norms(x) - 1).square().sum(), x)
    assert torch.equal(gradients, torch.zeros_like(x))


def test_interpolate_between_samples(batch):
    fake = 3 * batch.z
    mixed = interpolate_samples(fake, batch.x, batch.u)
    parts = sample_norms(mixed - fake) / sample_norms(batch.x - fake)
    torch.testing.assert_close(parts, batch.u, rtol=1e-10, atol=0)
