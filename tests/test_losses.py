"""The consistency losses as modules, and the cycle mathematics beneath them."""

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from iidgan.errors import InputError
from iidgan.functional import cycle, gaussian
from iidgan.losses import CycleConsistency, GaussianConsistency

NAMES = get_args(gaussian.Distance)


def pairs(batch=6, latent=(3,), shape=(2, 4, 5), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = [latent, latent, shape, shape]
    return [
        torch.randn(batch, *s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "epps-pulley"])
def test_gaussian_consistency_is_its_distance(name):
    codes = pairs()[0]
    assert torch.equal(GaussianConsistency(name)(codes), gaussian.distance(name, codes))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("p-norm", {"p": 3.0}),
        ("w2", {"root": True}),
        ("w2-1d", {"root": True}),
        ("kl", {"eps": 0.1}),
    ],
)
def test_options_reach_their_distance(name, option):
    codes = pairs()[0]
    value = GaussianConsistency(name, **option)(codes)
    assert torch.equal(value, gaussian.distance(name, codes, **option))
    assert not torch.equal(value, GaussianConsistency(name)(codes))


def test_directions_are_fresh_and_from_the_default_generator():
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
def test_half_precision_is_computed_in_single(name, dtype):
    codes, loss = pairs(dtype=dtype)[0].requires_grad_(), GaussianConsistency(name)
    torch.manual_seed(0)
    value = loss(codes)
    torch.manual_seed(0)
    assert torch.equal(value, loss(codes.float()))
    value.backward()
    assert codes.grad.dtype == dtype
    assert codes.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_descent_leads_to_standard_codes(name):
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
    ("arguments", "message"),
    [
        ({"distance": "w-2"}, r"distance: unknown 'w-2'; did you mean 'w2'\? known: .*p-norm"),
        ({"directions": 0}, "directions: 0 .* at least 1"),
        ({"p": 0.5}, "p: 0.5 .* at least 1"),
        ({"p": float("nan")}, "p: nan .* at least 1"),
        ({"eps": 0.0}, "eps: 0.0 .* above 0"),
    ],
)
def test_wrong_arguments_of_gaussian_consistency(arguments, message):
    with pytest.raises(InputError, match=message):
        GaussianConsistency(**arguments)


@pytest.mark.parametrize("codes", [torch.zeros(3), torch.zeros(1, 3, 2), torch.zeros(0, 2)])
def test_wrong_codes(codes):
    with pytest.raises(InputError, match=rf"codes: float32 of shape \({codes.shape[0]},"):
        GaussianConsistency()(codes)
    with pytest.raises(InputError, match="codes: int64 of shape"):
        GaussianConsistency()(torch.zeros(3, 2, dtype=torch.int64))


def test_l1_cycle_is_the_sum_of_norms_per_sample():
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency("l1")(z, z_cycled, x, x_cycled)
    norms = (z - z_cycled).abs().flatten(1).sum(1) + (x - x_cycled).abs().flatten(1).sum(1)
    torch.testing.assert_close(3 * value, norms.mean(), rtol=1e-14, atol=0)
    plain = CycleConsistency()(z, z_cycled, x, x_cycled)
    torch.testing.assert_close(plain, norms.mean(), rtol=1e-14, atol=0)


def test_l2_cycle_is_the_sum_of_norms_per_sample():
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency("l2")(z, z_cycled, x, x_cycled)
    norms = (z - z_cycled).flatten(1).norm(dim=1) + (x - x_cycled).flatten(1).norm(dim=1)
    torch.testing.assert_close(value, norms.mean(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
@given(ratio=st.floats(0, 100))
def test_ratio_weighs_the_samples(norm, ratio):
    z, z_cycled, x, x_cycled = pairs()
    value = CycleConsistency(norm, ratio=ratio)(z, z_cycled, x, x_cycled)
    gap = {"l1": cycle.l1, "l1-sum": cycle.l1_sum, "l2": cycle.l2}[norm]
    expected = gap(z[None], z_cycled[None]) + ratio * gap(x[None], x_cycled[None])
    torch.testing.assert_close(value, expected[0])


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_a_perfect_cycle_costs_nothing(norm):
    z, _, x, _ = pairs()
    z_cycled, x_cycled = z.clone().requires_grad_(), x.clone().requires_grad_()
    value = CycleConsistency(norm)(z, z_cycled, x, x_cycled)
    value.backward()
    assert value == 0
    assert z_cycled.grad.isfinite().all()
    assert x_cycled.grad.isfinite().all()


@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_seeds_do_not_mix_in_cycles(norm):
    stacked = [tensor.reshape(2, 3, *tensor.shape[1:]) for tensor in pairs()]
    together = cycle.consistency(*stacked, norm)
    for seed in range(2):
        alone = cycle.consistency(*(tensor[seed : seed + 1] for tensor in stacked), norm)
        for part, expected in zip(together, alone):
            assert part.shape == (2,)
            torch.testing.assert_close(part[seed : seed + 1], expected)


def test_cycles_of_half_precision_are_computed_in_single():
    halves = pairs(dtype=torch.bfloat16)
    value = CycleConsistency()(*halves)
    assert torch.equal(value, CycleConsistency()(*(tensor.float() for tensor in halves)))


def test_wrong_arguments_of_cycle_consistency():
    z, z_cycled, x, x_cycled = pairs()
    with pytest.raises(InputError, match=r"norm: unknown 'l3'; did you mean 'l\d'"):
        CycleConsistency("l3")
    with pytest.raises(InputError, match=r"z_cycled: shape \(6, 2\) beside \(6, 3\) of z"):
        CycleConsistency()(z, z_cycled[:, :2], x, x_cycled)
    with pytest.raises(InputError, match=r"x_cycled: shape \(6,\)"):
        CycleConsistency()(z, z_cycled, x[:, 0, 0, 0], x_cycled[:, 0, 0, 0])


def test_modules_say_what_they_are():
    assert repr(GaussianConsistency("w2")) == "GaussianConsistency(distance='w2')"
    assert repr(CycleConsistency()) == "CycleConsistency(norm='l1-sum', ratio=None)"
