"""Losses of a batch that processes share are those of one process that has all of it."""

from typing import get_args

import pytest
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from iidgan.functional import gaussian
from iidgan.losses import GaussianConsistency
from tests.helpers.distributed import run_ranks

NUM_FIRST = 5  # of eight samples: shares may differ in size


def make_encoder():
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3).double()


def make_samples():
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(1)).double()


def gradients(encoder, loss):
    encoder.zero_grad()
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in encoder.parameters()])


def values_and_gradients():
    """Values and mean gradients of all distances, in one of two processes."""
    rank = dist.get_rank()
    share = make_samples()[:NUM_FIRST] if rank == 0 else make_samples()[NUM_FIRST:]
    encoder = DistributedDataParallel(make_encoder())
    results = {}
    for name in get_args(gaussian.Distance):
        torch.manual_seed(rank)  # for the directions, which are those of the first process
        loss = GaussianConsistency(name, eps=0.1, group=dist.group.WORLD)(encoder(share))
        results[name] = (loss.detach(), gradients(encoder, loss))
    alone = GaussianConsistency()(encoder(share))
    return results | {"alone": (alone.detach(), gradients(encoder, alone))}


@pytest.mark.slow
def test_gaussian_consistency_of_a_shared_batch(tmp_path):
    first, second = run_ranks(values_and_gradients, tmp_path)
    for name in get_args(gaussian.Distance):
        encoder = make_encoder()
        torch.manual_seed(0)
        loss = GaussianConsistency(name, eps=0.1)(encoder(make_samples()))
        expected = loss.detach(), gradients(encoder, loss)
        torch.testing.assert_close(first[name], expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(second[name], expected, rtol=1e-12, atol=1e-12)
    p_norm_gradient = first["p-norm"][1]
    assert (first["alone"][1] - p_norm_gradient).norm() > 0.1 * p_norm_gradient.norm()
