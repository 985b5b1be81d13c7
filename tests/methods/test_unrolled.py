"""Unrolled GAN."""

from dataclasses import replace

import pytest
import torch
from torch.func import functional_call

from iidgan.core import Batch, Nets, NetworkFactory
from iidgan.functional import adversarial, unroll
from iidgan.methods.gan import GAN
from iidgan.methods.unrolled import Unrolled
from iidgan.nn import MLP
from iidgan.testing.mini_run import MiniRun, float64_default, without_cache
from tests.helpers.errors import raises_input_error
from tests.helpers.training_runs import have_same_end


@pytest.mark.parametrize("second_order", [True, False])
def test_unrolled_without_steps_is_saturating_gan(second_order):
    assert have_same_end(
        Unrolled(steps=0, second_order=second_order, pace=1.0), GAN(loss="saturating")
    )
    assert not have_same_end(Unrolled(steps=1), GAN(loss="saturating"))


def smooth_networks():
    """Networks without kinks, for two seeds, and a batch."""
    with float64_default():
        torch.manual_seed(0)
        state = MiniRun(
            Unrolled(), NetworkFactory(MLP(latent=2, hidden=(3,)), (2,)), (0, 1)
        ).init_state()
        batch = Batch(x=torch.randn(2, 5, 2), z=torch.randn(2, 5, 2), u=torch.rand(2, 5))
    for net in state.nets.values():
        net.body[1] = torch.nn.Tanh()
    return without_cache(state), batch


def unrolled_gradient(nets, batch, **options):
    """Computes what G minimises, and the gradient in G."""
    (loss,) = Unrolled(**options).loss_G(Nets(dict(nets)), batch).values()
    return loss.sum(), torch.autograd.grad(loss.sum(), [*nets["G"].parameters()])


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_unrolled_gradient_by_finite_differences(steps):
    nets, batch = smooth_networks()
    weights = [*nets["G"].parameters()]
    direction = [torch.randn_like(weight) for weight in weights]
    _, gradient = unrolled_gradient(nets, batch, steps=steps, lr=0.05)
    values = []
    for shift in (1e-5, -2e-5):
        torch._foreach_add_([weight.data for weight in weights], direction, alpha=shift)
        values.append(unrolled_gradient(nets, batch, steps=steps, lr=0.05)[0].item())
    expected = sum((g * d).sum().item() for g, d in zip(gradient, direction))
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(expected, rel=1e-6)


def test_unrolled_first_order_gradient():
    nets, batch = smooth_networks()
    first_value, first = unrolled_gradient(nets, batch, steps=3, lr=0.1, second_order=False)
    second_value, second = unrolled_gradient(nets, batch, steps=3, lr=0.1)
    torch.testing.assert_close(first_value, second_value)
    assert (first[0] - second[0]).abs().max() > 1e-3

    def f(weights):
        real, fake = (functional_call(nets["D"], weights, (x,)) for x in (batch.x, fakes))
        return adversarial.discriminator_loss(real, fake)

    fakes = nets.G(batch.z)
    unrolled = unroll.unrolled_adam(f, dict(nets["D"].named_parameters()), 3, 0.1)
    fixed = {name: value.detach() for name, value in unrolled.items()}
    expected = torch.autograd.grad(-f(fixed).sum(), [*nets["G"].parameters()])
    torch.testing.assert_close(first, expected)


def test_unrolled_pace_of_discriminator():
    paces = {player.name: player.lr_scale for player in Unrolled(pace=0.25).players}
    assert paces == {"D": 0.25, "G": 1.0}
    with raises_input_error("pace", 0.0):
        Unrolled(pace=0.0)


@pytest.mark.parametrize("t", [0.0, 0.25, 0.9])
def test_unrolled_steps_follow_schedule(t):
    nets, batch = smooth_networks()
    batch = replace(batch, t=torch.tensor(t))
    value, gradient = unrolled_gradient(nets, batch, lr=0.05, schedule="linear")
    expected, expected_gradient = unrolled_gradient(nets, batch, lr=0.05 * (1 - t))
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, expected_gradient)
