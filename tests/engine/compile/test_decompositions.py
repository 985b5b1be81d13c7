"""Decompositions compute what the decomposed operators compute."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call

from iidgan.engine.compile.capture import capture_and_compile
from iidgan.engine.compile.decompositions import (
    MAX_THIN_SIDE,
    decompose_baddbmm,
    decompose_bmm,
    decompose_fused_adam,
)
from iidgan.functional.gradient import gradient_norm_penalty
from iidgan.nn import MLP
from iidgan.nn.layers.conv import Conv2d
from iidgan.nn.layers.weight import SpectralWeight


@pytest.mark.parametrize("shape", [*itertools.product((1, 2, 5, 9), repeat=3)])
def test_decompose_bmm_equals_bmm(shape, float64):
    m, k, n = shape
    a, b, bias = torch.randn(3, m, k), torch.randn(3, k, n), torch.randn(3, 1, n)
    for left in (a, a.mT.contiguous().mT):
        if min(shape) > MAX_THIN_SIDE:
            assert decompose_bmm(left, b) is NotImplemented
        else:
            torch.testing.assert_close(decompose_bmm(left, b), torch.bmm(left, b))
        decomposed = decompose_baddbmm(bias, left, b, beta=2, alpha=0.5)
        torch.testing.assert_close(decomposed, torch.baddbmm(bias, left, b, beta=2, alpha=0.5))


@pytest.mark.parametrize("eps", [1e-8, 1e-2])
def test_decompose_fused_adam_equals_fused(eps, float64):
    initial = [torch.randn(3, 4), torch.randn(5)]
    parameters = [torch.nn.Parameter(value.clone()) for value in initial]
    lr = torch.tensor(0.1)
    optimiser = torch.optim.Adam(parameters, lr=lr, betas=(0.5, 0.9), eps=eps, fused=True)
    values = [value.clone() for value in initial]
    means, squares = ([torch.zeros_like(v) for v in initial] for _ in range(2))
    for step in range(1, 6):
        lr.fill_(0.1 / step)
        gradients = [torch.randn_like(value) for value in initial]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
        counts = [torch.tensor(float(step))] * 2
        options = {"lr": lr, "beta1": 0.5, "beta2": 0.9, "eps": eps}
        decompose_fused_adam(values, gradients, means, squares, [], counts, **options)
        for value, parameter in zip(values, parameters, strict=True):
            torch.testing.assert_close(value, parameter.detach())


@pytest.mark.parametrize("option", ["weight_decay", "amsgrad", "maximize"])
def test_decompose_fused_adam_refuses_options(option):
    value = torch.ones(3)
    slots = [[torch.zeros(3)], [torch.zeros(3)], [], [torch.tensor(1.0)]]
    result = decompose_fused_adam(
        [value], [torch.ones(3)], *slots, lr=0.1, beta1=0.5, beta2=0.9, eps=1e-8, **{option: 1}
    )
    assert result is NotImplemented
    assert torch.equal(value, torch.ones(3))


def test_decompose_bmm_refused_cases():
    a, b = torch.randn(1, 2, 0), torch.randn(1, 0, 3)
    assert decompose_bmm(a, b) is NotImplemented
    half = torch.randn(1, 2, 2, dtype=torch.bfloat16)
    assert decompose_bmm(half, half) is NotImplemented
    assert decompose_baddbmm(half, half, half) is NotImplemented
    bias = torch.full((1, 1, 2), torch.nan)
    a = torch.randn(1, 2, 2)
    torch.testing.assert_close(decompose_baddbmm(bias, a, a, beta=0), a @ a)


def make_critic_penalty():
    """The gradient of a penalty on a critic, which is a gradient itself; and inputs for it.

    A critic has one output: its products are decomposed, in second derivatives, too.
    """
    critic = MLP(latent=2, hidden=(8,)).build_discriminator((2,))
    parameters = [value.detach() for value in critic.parameters()]
    names = [name for name, _ in critic.named_parameters()]

    def differentiate_penalty(x, fake, u, *values):
        weights = {name: value.detach().requires_grad_() for name, value in zip(names, values)}
        network = partial(functional_call, critic, weights)
        penalty = gradient_norm_penalty(network, x, fake, u).sum()
        return list(torch.autograd.grad(penalty, weights.values(), materialize_grads=True))

    x, fake = torch.randn(2, 1, 8, 2)
    return differentiate_penalty, [x, fake, torch.rand(1, 8), *parameters]


class SpectralConvolution(nn.Module):
    """Differentiates a mean square, and then updates the singular vectors in place."""

    def __init__(self):
        super().__init__()
        self.layer = Conv2d(2, 3, 3, padding=1, make_weight=SpectralWeight)

    def forward(self, x):
        mean_square = self.layer(x).square().mean()
        gradients = torch.autograd.grad(mean_square, [self.layer.weight.value, self.layer.bias])
        self.layer.weight.update_singular_vectors()
        return [mean_square.detach(), *gradients]


@pytest.mark.slow
def test_compiled_thin_products_and_spectral_convolution(float64):
    """In one library, as each takes seconds to compile."""
    differentiate_penalty, critic_inputs = make_critic_penalty()
    module = SpectralConvolution()
    names, initial_values = zip(*module.state_dict().items())
    parameters = list(module.named_parameters())

    def differentiate(x, *values):
        tensors = dict(zip(names, values))
        weights = {name: tensors[name].detach().requires_grad_() for name, _ in parameters}
        return functional_call(module, tensors | weights, x)

    def differentiate_both(x, *values):
        critic_values, conv_values = values[: len(critic_inputs)], values[len(critic_inputs) :]
        return [*differentiate_penalty(*critic_values), *differentiate(x, *conv_values)]

    x = torch.randn(4, 2, 5, 5)
    eager_values, compiled_values, example_values = (
        [value.clone() for value in initial_values] for _ in range(3)
    )
    compiled = capture_and_compile(differentiate_both, [x, *critic_inputs, *example_values])
    torch.testing.assert_close(
        compiled(x, *critic_inputs, *compiled_values),
        differentiate_both(x, *critic_inputs, *eager_values),
    )
    torch.testing.assert_close(compiled_values, eager_values)
    assert not torch.equal(eager_values[names.index("layer.weight.u")], module.layer.weight.u)
