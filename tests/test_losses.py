"""The consistency losses as modules."""

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from iidgan.functional import cycle, gaussian
from iidgan.losses import CycleConsistency, GaussianConsistency
from tests.helpers.errors import raises_input_error

NAMES = get_args(gaussian.Distance)


def pairs(batch=6, latent=(3,), shape=(2, 4, 5), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = [latent, latent, shape, shape]
    return [
        torch.randn(batch, *s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "epps-pulley"])
def test_gaussian_consistency_equals_distance(name):
    codes = pairs()[0]
    assert torch.equal(GaussianConsistency(name)(codes), gaussian.gaussian_distance(name, codes))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("p-norm", {"p": 3.0}),
        ("w2", {"root": True}),
        ("w2-1d", {"root": True}),
        ("kl", {"eps": 0.1}),
    ],
)
def test_gaussian_consistency_passes_options(name, option):
    codes = pairs()[0]
    value = GaussianConsistency(name, **option)(codes)
    assert torch.equal(value, gaussian.gaussian_distance(name, codes, **option))
    assert not torch.equal(value, GaussianConsistency(name)(codes))


def test_gaussian_consistency_draws_directions():
    codes, loss = pairs()[0], GaussianConsistency("epps-pulley", directions=4)
    torch.manual_seed(1)
    first, second = loss(codes), loss(codes)
    torch.manual_seed(1)
    assert torch.equal(loss(codes), first)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(first, gaussian.epps_pulley(codes, torch.randn(4, 3).double()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_gaussian_consistency_half_precision(name, dtype):
    codes, loss = pairs(dtype=dtype)[0].requires_grad_(), GaussianConsistency(name)
    torch.manual_seed(0)
    value = loss(codes)
    torch.manual_seed(0)
    assert torch.equal(value, loss(codes.float()))
    value.backward()
    assert codes.grad.dtype == dtype
    assert codes.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_gaussian_consistency_descent(name):
    torch.manual_seed(0)
    codes = nn.Parameter(torch.randn(100, 2) * torch.tensor([0.4, 0.7]) + 0.5)
    loss = GaussianConsistency(name, directions=32)
    optimiser = torch.optim.Adam([codes], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        loss(codes).backward()
        optimiser.step()
    assert codes.mean(0).abs().max() < 0.1
    assert (codes.var(0) - 1).abs().max() < 0.2


@pytest.mark.parametrize(
    ("field", "value", "values"),
    [
        ("distance", "w-2", ["'w-2'", "did you mean 'w2'?", "p-norm"]),
        ("directions", 0, [0, ">= 1"]),
        ("p", 0.5, [0.5, ">= 1"]),
        ("p", float("nan"), ["nan", ">= 1"]),
        ("eps", 0.0, [0.0, "> 0"]),
    ],
)
def test_gaussian_consistency_invalid_arguments(field, value, values):
    with raises_input_error(field, *values):
        GaussianConsistency(**{field: value})


@pytest.mark.parametrize("codes", [torch.zeros(3), torch.zeros(1, 3, 2), torch.zeros(0, 2)])
def test_gaussian_consistency_invalid_codes(codes):
    with raises_input_error("codes", "float32", tuple(codes.shape)):
        GaussianConsistency()(codes)
    with raises_input_error("codes", "int64", (3, 2)):
        GaussianConsistency()(torch.zeros(3, 2, dtype=torch.int64))


def test_cycle_consistency_l1_norms():
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency("l1")(z, z_cycled, x, x_cycled)
    norms = (z - z_cycled).abs().flatten(1).sum(1) + (x - x_cycled).abs().flatten(1).sum(1)
    torch.testing.assert_close(3 * value, norms.mean(), rtol=1e-14, atol=0)
    plain = CycleConsistency()(z, z_cycled, x, x_cycled)
    torch.testing.assert_close(plain, norms.mean(), rtol=1e-14, atol=0)


def test_cycle_consistency_l2_norms():
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency("l2")(z, z_cycled, x, x_cycled)
    norms = (z - z_cycled).flatten(1).norm(dim=1) + (x - x_cycled).flatten(1).norm(dim=1)
    torch.testing.assert_close(value, norms.mean(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
@given(ratio=st.floats(0, 100))
def test_cycle_consistency_ratio(norm, ratio):
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency(norm, ratio=ratio)(z, z_cycled, x, x_cycled)
    gap = {"l1": cycle.l1, "l1-sum": cycle.l1_sum, "l2": cycle.l2}[norm]
    expected = gap(z[None], z_cycled[None]) + ratio * gap(x[None], x_cycled[None])
    torch.testing.assert_close(value, expected[0])


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_cycle_consistency_perfect_cycle(norm):
    z, _, x, _ = pairs()
    z_cycled, x_cycled = z.clone().requires_grad_(), x.clone().requires_grad_()
    value = CycleConsistency(norm)(z, z_cycled, x, x_cycled)
    value.backward()
    assert value == 0
    assert z_cycled.grad.isfinite().all()
    assert x_cycled.grad.isfinite().all()


def test_cycle_consistency_half_precision():
    halves = pairs(dtype=torch.bfloat16)
    value = CycleConsistency()(*halves)
    assert torch.equal(value, CycleConsistency()(*(tensor.float() for tensor in halves)))


def test_cycle_consistency_invalid_arguments():
    z, z_cycled, x, x_cycled = pairs()
    with raises_input_error("norm", "'l3'", "did you mean 'l"):
        CycleConsistency("l3")
    with raises_input_error("z_cycled", (6, 2), (6, 3)):
        CycleConsistency()(z, z_cycled[:, :2], x, x_cycled)
    with raises_input_error("x_cycled", (6,)):
        CycleConsistency()(z, z_cycled, x[:, 0, 0, 0], x_cycled[:, 0, 0, 0])


def test_losses_repr():
    assert repr(GaussianConsistency("w2")) == "GaussianConsistency(distance='w2')"
    assert repr(CycleConsistency()) == "CycleConsistency(norm='l1-sum', ratio=None)"
