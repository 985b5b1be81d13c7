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
