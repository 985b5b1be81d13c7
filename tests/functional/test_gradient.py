"""Gradients with respect to inputs."""

import pytest
import torch
from torch import nn

from iidgan.core import Nets
from iidgan.functional.gradient import (
    gradient_norm_penalty,
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


def test_gradient_penalty_of_bfloat16_network():
    """D(x) = 3 x₁ + 4 x₂ has slope 5 everywhere, so that w moves against 2 (5 - 1) w / 5."""
    layer = nn.Linear(2, 1, bias=False, dtype=torch.float32)
    layer.weight = nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float32))
    network = nn.Sequential(layer, nn.Flatten(1))
    x, u = torch.randn(1, 8, 2, dtype=torch.float32), torch.rand(1, 8, dtype=torch.float32)
    penalty = gradient_norm_penalty(Nets({"D": network}, use_bfloat16=True).D, x, -x, u)
    (gradient,) = torch.autograd.grad(penalty.sum(), layer.weight)
    assert penalty.dtype == gradient.dtype == torch.float32
    assert penalty.tolist() == [16.0]
    expected = torch.tensor([[4.8, 6.4]], dtype=torch.float32)
    torch.testing.assert_close(gradient, expected, rtol=2**-8, atol=0)
