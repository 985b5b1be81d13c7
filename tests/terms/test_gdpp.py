"""GDPP reads the features of D."""

import pytest
import torch

from iidgan.functional import diversity
from iidgan.methods.gan import GAN
from iidgan.terms.gdpp import GDPP
from tests.helpers.networks import IMAGES
from tests.helpers.training_runs import start_networks

pytestmark = pytest.mark.usefixtures("float64")


def test_gdpp_term_reads_features():
    nets, batch = start_networks(GAN(), IMAGES)
    fake_features, real_features = (
        nets["D"].features(x).flatten(2) for x in (nets.G(batch.z), batch.x)
    )
    loss = sum(GDPP().compute_loss(nets, batch).values())
    magnitude, structure = diversity.gdpp_losses(fake_features, real_features)
    assert torch.allclose(loss, 1e-4 * magnitude + structure)
