"""What all scores on features have in common."""

import pytest
import torch

from iidgan import metrics
from tests.helpers.samples import normal

SCORES = {
    "prdc": metrics.prdc,
    "clipped": metrics.clipped_density_and_coverage,
    "frechet": metrics.frechet_distance,
    "kernel": lambda real, fake: metrics.kernel_distance(real, fake, subset_size=None).mean,
    "bins": lambda real, fake: metrics.bin_scores(real, fake, num_bins=3),
    "memorisation": metrics.memorisation,
    "retrieval": metrics.retrieval_score,
    "support": lambda real, fake: metrics.birthday_support_size(fake, 1.0),
    "vendi": lambda real, fake: metrics.vendi_score(fake),
    "inception": lambda real, fake: metrics.inception_score(fake, "logits").mean,
    "mode": lambda real, fake: metrics.mode_score(real, fake, "logits"),
}


def values_of(scores):
    return scores if isinstance(scores, tuple) else (scores,)


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_features_with_gradients(name):
    """Features straight from a network: the same values, without a graph."""
    real, fake = normal(30, 20).requires_grad_(), normal(2, 30, 20, seed=1).requires_grad_()
    scores = values_of(SCORES[name](real, fake))
    expected = values_of(SCORES[name](real.detach(), fake.detach()))
    for value, other in zip(scores, expected, strict=True):
        assert not value.requires_grad
        assert value.shape == (2,)
        assert value.dtype == torch.float64
        torch.testing.assert_close(value, other, equal_nan=True)


@pytest.mark.parametrize("name", SCORES)
def test_scores_do_not_change_their_input(name):
    real, fake = normal(30, 20).float(), normal(30, 20, seed=1).float()
    copies = real.clone(), fake.clone()
    SCORES[name](real, fake)
    assert torch.equal(real, copies[0])
    assert torch.equal(fake, copies[1])
