"""Networks whose outputs are known by hand, and batches for them."""

from functools import partial

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from iidgan.core import Batch, Nets, NetworkFactory
from iidgan.nn import DCGAN, MLP

VECTORS = NetworkFactory(MLP(latent=2, hidden=(16, 16)), (3,))


IMAGES = NetworkFactory(DCGAN(latent=4, width=2), (1, 8, 8))
LARGER_IMAGES = NetworkFactory(DCGAN(latent=4, width=2), (1, 12, 12))
SPECTRAL = NetworkFactory(DCGAN(latent=4, width=2, spectral_norm=True), (1, 8, 8))
LINEAR = NetworkFactory(MLP(latent=2, hidden=()), (2,))
IMAGE_TERMS = ("ada", "diffaugment")
"""Registered terms that are for images alone."""


NUM_SEEDS, BATCH_SIZE = 2, 7


class FunctionModule(nn.Module):
    """A function as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def function_nets(**functions):
    """Networks that apply the given functions."""
    return Nets({name: FunctionModule(function) for name, function in functions.items()})


def random_nets(method, factory=VECTORS):
    """Random networks of one seed, and a random batch."""
    torch.manual_seed(0)
    return Nets(method.networks(factory)), make_batch(method, factory, seeds=1)


def make_batch(method, factory=VECTORS, seeds=NUM_SEEDS, t=0.0):
    """A random batch with the noise that the method needs."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(seeds, BATCH_SIZE, *shape, generator=generator)

    return Batch(
        x=normal(*factory.shape),
        z=normal(factory.latent),
        u=torch.rand(seeds, BATCH_SIZE, generator=generator),
        t=torch.tensor(t),
        noise={name: normal(*shape) for name, shape in method.noise_shapes(factory).items()},
    )


def real_loss(logits):
    """Cross-entropy of logits with the label real, per seed."""
    return -logsigmoid(logits).mean(1)


def fake_loss(logits):
    """Cross-entropy of logits with the label fake, per seed."""
    return -logsigmoid(-logits).mean(1)


def total_loss(losses):
    """Sum of named losses."""
    return sum(losses.values())


def flat_gradient(value, network):
    """Gradient for all parameters of a network as one vector; zeros where there is none."""
    weights = list(network.parameters())
    gradients = torch.autograd.grad(
        value.sum(), weights, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.cat([gradient.flatten() for gradient in gradients])


def paraboloid(a, x):
    """A function a |x|^2 / 2, of slope a |x|."""
    return a * x.flatten(2).square().sum(2) / 2


def random_features(*shape, seed=0):
    """Reproducible normal numbers of a given shape."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def draw_vector_batch():
    """A batch of three seeds of eight vectors."""
    generator = torch.Generator().manual_seed(0)
    x, z = torch.randn(2, 3, 8, 2, generator=generator)
    return Batch(x=x, z=z, u=torch.rand(3, 8, generator=generator))


def term_value_and_slope(term, batch):
    """Value of a term for D(x) = a |x|^2 / 2, G(z) = 3 z, and its derivative by a at a = 1.5."""
    a = torch.tensor(1.5, requires_grad=True)
    nets = Nets(
        {"D": FunctionModule(partial(paraboloid, a)), "G": FunctionModule(lambda z: 3 * z)}
    )
    (value,) = term.losses["D"](nets, batch).values()
    return value.detach(), torch.autograd.grad(value.sum(), a)[0]
