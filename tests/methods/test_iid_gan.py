"""IID-GAN and InvertGAN: losses, compared with their formulas."""

import pytest
import torch
from torch.nn.functional import softplus

from iidgan.core import Regularised
from iidgan.methods import METHODS, iid_gan, invert_gan
from iidgan.terms import CycleTerm, GaussianTerm
from tests.helpers.losses import (
    assert_loss,
    compute_losses,
    l1_norm,
    l2_norm,
    make_nets_and_batch,
)

pytestmark = pytest.mark.usefixtures("float64")


def test_iid_gan_equals_terms_by_name():
    """`--term cycle --term gaussian` with a base is `iid_gan` of it."""
    terms = CycleTerm(), GaussianTerm()
    for name in ("gan", "veegan"):
        base = METHODS[name]()
        assert Regularised(method=base, terms=terms) == iid_gan(base)


@pytest.mark.parametrize(
    ("method", "norm", "cycle_weight", "gaussian_weight"),
    [(iid_gan(), l1_norm, 3.0, 10.0), (invert_gan(), l2_norm, 1.0, 1.0)],
    ids=["iid-gan", "invert-gan"],
)
def test_iid_gan_losses(method, norm, cycle_weight, gaussian_weight):
    nets, batch = make_nets_and_batch(method)
    losses = compute_losses(method, "G", nets, batch)
    codes = nets.F(batch.x)
    centred = codes - codes.mean(1, keepdim=True)
    covariance = centred.mT @ centred / codes.shape[1]
    distance = codes.mean(1).norm(dim=-1) + (covariance - torch.eye(2)).flatten(1).norm(dim=-1)
    assert_loss(losses["adversarial"], softplus(-nets.D(nets.G(batch.z))).mean(-1))
    assert_loss(losses["cycle_z"], cycle_weight * norm(batch.z - nets.F(nets.G(batch.z))))
    assert_loss(losses["cycle_x"], cycle_weight * norm(batch.x - nets.G(codes)))
    assert_loss(losses["gaussian"], gaussian_weight * distance)
