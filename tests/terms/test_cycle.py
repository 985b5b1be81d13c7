"""The cycle term, compared with its formula."""

import pytest

from iidgan.core import Regularised
from iidgan.errors import InputError
from iidgan.methods import GAN
from iidgan.terms import CycleTerm
from tests.helpers.losses import (
    assert_loss,
    compute_losses,
    l1_norm,
    l2_norm,
    make_nets_and_batch,
)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("norm", "expected_norm", "scale"),
    [("l1-sum", l1_norm, 1.0), ("l1", l1_norm, 0.5), ("l2", l2_norm, 1.0)],
)
def test_cycle_term_norms(norm, expected_norm, scale):
    """Data have as many dimensions M as latents, so that element means are 1/M of L1 norms."""
    method = Regularised(method=GAN(), terms=(CycleTerm(norm=norm, weight=7.0),))
    nets, batch = make_nets_and_batch(method)
    losses = compute_losses(method, "G", nets, batch)
    z_norm = expected_norm(batch.z - nets.F(nets.G(batch.z)))
    x_norm = expected_norm(batch.x - nets.G(nets.F(batch.x)))
    assert_loss(losses["cycle_z"], 7 * scale * z_norm)
    assert_loss(losses["cycle_x"], 7 * scale * x_norm)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("norm", ["l1", "l1-sum", "l2"])
def test_ratio_replaces_the_factor_of_x(norm):
    """Data have as many dimensions as latents, so that the default factor is 1 for every norm."""
    default_method, method = (
        Regularised(method=GAN(), terms=(CycleTerm(norm=norm, ratio=ratio),))
        for ratio in (None, 10.0)
    )
    nets, batch = make_nets_and_batch(method)
    default_losses = compute_losses(default_method, "G", nets, batch)
    losses = compute_losses(method, "G", nets, batch)
    assert_loss(losses["cycle_x"], 10 * default_losses["cycle_x"])
    assert_loss(losses["cycle_z"], default_losses["cycle_z"])


def test_negative_ratio_is_refused():
    with pytest.raises(InputError, match="ratio: must be finite and >= 0, got -1"):
        CycleTerm(ratio=-1.0)
