"""Counts of floating-point operations."""

import pytest
import torch
from torch import nn

from iidgan.core import Dataset, NetworkFactory
from iidgan.engine.flops import count_flops
from iidgan.engine.optim import Adam
from iidgan.engine.sampling import DatasetStream
from iidgan.engine.state import init_state, named_tensors
from iidgan.engine.step import TrainStep
from iidgan.methods import GAN, wgan_gp
from iidgan.nn import MLP

pytestmark = pytest.mark.slow  # the first count of a process imports torch's compiler

BATCH = 4


def test_count_flops_of_convolution():
    conv = nn.Conv2d(3, 5, 3, padding=1)
    assert count_flops(lambda: conv(torch.zeros(2, 3, 8, 8))) == 2 * 2 * 8 * 8 * 5 * 3 * 9


def test_count_flops_of_gradient_at_leaf():
    """torch's counter alone fails there."""
    x = torch.zeros(2, 3, requires_grad=True)
    layer = nn.Linear(3, 1, bias=False)
    assert count_flops(lambda: torch.autograd.grad(layer(x).sum(), x)) >= 2 * 2 * 3


def make_step(method, seeds=1):
    data = Dataset(torch.zeros(10, 2))
    state = init_state(method, NetworkFactory(MLP(hidden=(8,)), (2,)), Adam(), range(seeds))
    step = TrainStep(method, state, steps=100)
    batches = DatasetStream(
        data, range(seeds), batch_size=BATCH, latent_dim=2, batches_per_step=step.num_batches
    )
    return step, batches.batches_at(0)


def test_estimate_flops_of_players():
    """A forward pass through either network takes 2 B (2 8 + 8 n_out) operations."""
    step, batches = make_step(GAN())
    generator, discriminator = 2 * BATCH * (2 * 8 + 8 * 2), 2 * BATCH * (2 * 8 + 8 * 1)
    # D: G(z), D(x), D(G(z)); G shares them with D.
    assert step.estimate_flops(batches) == 3 * (generator + 2 * discriminator)


@pytest.mark.parametrize("critic_steps", [1, 5])
def test_estimate_flops_grows_with_updates(critic_steps):
    step, batches = make_step(wgan_gp(critic_steps=critic_steps))
    once, one_batch = make_step(wgan_gp(critic_steps=1))
    ratio = step.estimate_flops(batches) / once.estimate_flops(one_batch)
    assert (critic_steps + 1) / 2 <= ratio <= critic_steps


def test_estimate_flops_is_proportional_to_seeds():
    (one, one_batch), (three, three_batch) = make_step(GAN()), make_step(GAN(), seeds=3)
    assert three.estimate_flops(three_batch) == 3 * one.estimate_flops(one_batch)


def test_estimate_flops_changes_no_state():
    step, batches = make_step(wgan_gp())
    before = {name: value.clone() for name, value in named_tensors(step.state).items()}
    step.estimate_flops(batches)
    after = named_tensors(step.state)
    assert all(torch.equal(after[name], value) for name, value in before.items())
