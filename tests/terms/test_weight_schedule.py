"""Weights that increase over a run."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets
from iidgan.terms import CycleTerm, GaussianTerm
from tests.helpers.errors import raises_input_error


@pytest.mark.parametrize(("t", "factor"), [(0, 1), (0.25, 1), (0.625, 30**0.5), (1, 30)])
def test_weight_schedule_of_terms(t, factor):
    """That of x in the cycle, and that of the Gaussian loss; that of z falls as much."""
    x, z = torch.randn(2, 1, 50, 2)
    batch = Batch(x, z, z[..., 0], t=torch.tensor(float(t)))
    nets = Nets({"G": nn.Identity(), "F": nn.Tanh()})
    for term in (CycleTerm(), GaussianTerm()):
        losses, grown_losses = (
            term.compute_loss(nets, batch),
            replace(term, growth=30.0).compute_loss(nets, batch),
        )
        for name, value in losses.items():
            assert value > 0
            expected = value / factor if name == "cycle_z" else value * factor
            torch.testing.assert_close(grown_losses[name], expected)
    assert CycleTerm(growth=1.0) == CycleTerm()
    with raises_input_error("growth", 0.0):
        GaussianTerm(growth=0.0)
