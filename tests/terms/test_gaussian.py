"""The Gaussian term, compared with the distance that it names."""

import pytest

from iidgan.core import Regularised
from iidgan.functional import gaussian
from iidgan.methods import GAN
from iidgan.terms import CycleTerm, GaussianTerm
from tests.helpers.losses import assert_loss, compute_losses, make_nets_and_batch


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "options",
    [
        {"p": 3.0},
        {"distance": "w2", "root": True},
        {"distance": "kl", "eps": 1e-3},
        {"distance": "w2-1d", "root": True},
        {"distance": "epps-pulley", "directions": 5},
    ],
    ids=str,
)
def test_gaussian_term_passes_options(options):
    terms = (CycleTerm(), GaussianTerm(weight=4.0, **options))
    method = Regularised(method=GAN(), terms=terms)
    nets, batch = make_nets_and_batch(method)
    distance_options = {"p": 2.0, "root": False, "eps": None} | options
    name = distance_options.pop("distance", "p-norm")
    directions = batch.z[:, : distance_options.pop("directions", 16)]
    expected = gaussian.gaussian_distance(name, nets.F(batch.x), directions, **distance_options)
    assert_loss(compute_losses(method, "G", nets, batch)["gaussian"], 4 * expected)
