"""The penalties R1 and R2 on the gradient of D."""

from dataclasses import replace

import pytest
import torch

from iidgan.core import Nets
from iidgan.methods.pacgan import PacGAN
from iidgan.terms.gradient_penalty import GradientPenalty
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2
from iidgan.testing.mini_run import MiniRun
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import (
    LINEAR,
    draw_vector_batch,
    function_nets,
    paraboloid,
    term_value_and_slope,
)

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


@pytest.mark.parametrize("term", [R1(weight=0.7), R2(weight=0.7)])
def test_r1_r2_values_and_slopes(term, batch):
    value, slope = term_value_and_slope(term, batch)
    points = batch.x if isinstance(term, R1) else 3 * batch.z
    square = points.square().sum(2).mean(1)
    torch.testing.assert_close(value, 0.7 / 2 * 1.5**2 * square, rtol=1e-13, atol=0)
    torch.testing.assert_close(slope, 0.7 * 1.5 * square.sum(), rtol=1e-13, atol=0)


def test_penalties_of_linear_discriminator(batch):
    """The slope of a linear D is the norm of all its weights, of every sample in the pack."""
    state = MiniRun(PacGAN(), LINEAR).init_state()
    nets = Nets(dict(state.nets.items()))
    square = nets["D"].head.layer.weight().square().sum((1, 2))
    for term in (R1(weight=2.0), R2(weight=2.0)):
        (value,) = term.losses["D"](nets, batch).values()
        torch.testing.assert_close(value, square, rtol=1e-13, atol=0)
    (value,) = GradientPenalty(weight=1.0).compute_loss(nets, batch).values()
    torch.testing.assert_close(value, (square.sqrt() - 1).square(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("make", [R1, R2])
def test_weight_falls_along_half_a_cosine(make, batch):
    nets = function_nets(G=lambda z: z, D=lambda x: paraboloid(1.5, x))
    values = []
    for t in (0.0, 0.5, 1.0):
        at_t = replace(batch, t=torch.tensor(t))
        (value,) = make(weight=2.0, growth=0.1).compute_loss(nets, at_t).values()
        values.append(value)
    torch.testing.assert_close(values[1], 0.55 * values[0])
    torch.testing.assert_close(values[2], 0.1 * values[0])


def test_growth_out_of_range():
    with raises_input_error("growth", 0.0):
        R1(growth=0.0)
