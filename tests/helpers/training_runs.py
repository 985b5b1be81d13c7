"""Comparisons of short trainings."""

import torch

from iidgan.core import Regularised
from iidgan.methods.gan import GAN
from iidgan.terms.instance_noise import InstanceNoise
from iidgan.testing.mini_run import ARCH, MiniRun, float64_default, without_cache


def final_values(method, factory=ARCH):
    """Tensors and losses after a short training, in order."""
    return list(MiniRun(method, factory).trajectory.values.values())


def assert_same_values(left, right):
    """Check that two lists of tensors are equal."""
    assert len(left) == len(right)
    for a, b in zip(left, right):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def start_networks(method, factory=ARCH):
    """Initial networks of three seeds, and a batch."""
    mini_run = MiniRun(method, factory)
    return without_cache(mini_run.init_state()), mini_run.draw_batches()[0][0]


def adversarial_losses(method, nets, batch):
    """The adversarial loss of each player."""
    return {player.name: player.loss(nets, batch)["adversarial"] for player in method.players}


def have_same_generator(method_a, method_b):
    """Whether two methods lead to the same weights of G."""
    ends = [
        MiniRun(method, ARCH).trajectory.state.nets["G"].parameters()
        for method in (method_a, method_b)
    ]
    return all(map(torch.equal, *ends))


def gan_with_noise(**options):
    """A GAN with instance noise."""
    return Regularised(method=GAN(), terms=(InstanceNoise(**options),))


def have_same_end(method_a, method_b, factory=ARCH):
    """Whether two methods lead to the same weights of the networks that both have."""
    with float64_default():
        ends = [
            MiniRun(method, factory).trajectory.state.nets.state_dict()
            for method in (method_a, method_b)
        ]
    names = ends[0].keys() & ends[1].keys()
    return all(torch.equal(ends[0][name], ends[1][name]) for name in names)
