"""BuresGAN reads the features of D."""

import pytest
import torch

from iidgan.functional import diversity
from iidgan.methods.gan import GAN
from iidgan.terms.bures import Bures
from tests.helpers.networks import IMAGES
from tests.helpers.training_runs import start_networks

pytestmark = pytest.mark.usefixtures("float64")


def test_bures_term_reads_features():
    nets, batch = start_networks(GAN(), IMAGES)
    fake_directions, real_directions = (
        diversity.unit_directions(nets["D"].features(x).flatten(2))
        for x in (nets.G(batch.z), batch.x)
    )
    loss = sum(Bures().compute_loss(nets, batch).values())
    assert torch.allclose(loss, 100 * diversity.bures_distance(fake_directions, real_directions))


def test_bures_term_sums_over_batch_as_in_official_code():
    """With covariances phi^T phi, not divided by B, and weight 1; B is 8 here, not 100."""
    nets, batch = start_networks(GAN(), IMAGES)
    phi, phi_real = (
        diversity.unit_directions(nets["D"].features(x).flatten(2))
        for x in (nets.G(batch.z), batch.x)
    )
    traces = phi.square().sum((1, 2)) + phi_real.square().sum((1, 2))
    cross = torch.linalg.matrix_norm(phi @ phi_real.mT, ord="nuc")
    loss = sum(Bures(weight=1.0, batch_sum=True).compute_loss(nets, batch).values())
    torch.testing.assert_close(loss, traces - 2 * cross)
    mean_loss = sum(Bures(weight=float(batch.z.shape[1])).compute_loss(nets, batch).values())
    torch.testing.assert_close(loss, mean_loss)
