"""Spectral normalisation of D."""

import pytest

from iidgan.functional.gradient import input_gradient, sample_norms
from iidgan.methods.sngan import SNGAN
from iidgan.testing.mini_run import ARCH, MiniRun
from tests.helpers.networks import draw_vector_batch

pytestmark = pytest.mark.usefixtures("float64")


@pytest.fixture
def batch():
    return draw_vector_batch()


def test_sngan_bounds_slope(batch):
    D = MiniRun(SNGAN(), ARCH).trajectory.state.nets["D"]
    for _ in range(300):
        for module in D.modules():
            if hasattr(module, "post_update"):
                module.post_update(batch)
    steepest = sample_norms(input_gradient(D, 3 * batch.x)).max()
    assert 1e-3 < steepest < 1 + 1e-9
