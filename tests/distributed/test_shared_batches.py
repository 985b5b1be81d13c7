"""Laws of batches that processes share: all runs are those of one process."""

import pytest
import torch

from iidgan.distributed.batch_share import BatchShare, find_unit
from iidgan.methods.mad_gan import GeneratorHeads
from iidgan.methods.pacgan import PackedDiscriminator
from tests.helpers.distributed import run_ranks
from tests.helpers.shared_batches import (
    CASES,
    MISTAKES,
    differentiate,
    largest_difference,
    train_everywhere,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The runs of each of three processes."""
    return run_ranks(train_everywhere, tmp_path_factory.mktemp("ranks"), num_ranks=3)


@pytest.mark.slow
@pytest.mark.parametrize("num_ranks", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_shared_run_is_that_of_one_process(results, name, num_ranks):
    """Weights, averages of gradients and losses; 16 samples are 5, 5 and 6 on three processes."""
    expected = results[2]["1" if num_ranks == 3 else "1, few steps"][name]
    shared_runs = [results[rank][str(num_ranks)][name] for rank in range(num_ranks)]
    assert largest_difference(shared_runs[0], expected) < 1e-6
    for other in shared_runs[1:]:
        assert largest_difference(other, shared_runs[0]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_in_statistics_are_seen(results, name):
    assert largest_difference(results[0][name], results[2]["1, few steps"][name]) > 1e-5


@pytest.mark.slow
def test_operators_have_derivatives_of_one_process(results):
    expected = list(differentiate(*[lambda x: x] * 4))
    for result in results:
        torch.testing.assert_close(result["derivatives"], expected, rtol=1e-9, atol=1e-9)


def bounds(num_samples, unit, monkeypatch, num_processes=3):
    monkeypatch.setattr("torch.distributed.get_world_size", lambda group: num_processes)
    share = BatchShare.divide(num_samples, unit, None)
    return share and share.bounds


@pytest.mark.parametrize(
    ("num_samples", "unit", "expected"),
    [
        (16, 1, (0, 5, 10, 16)),
        (16, 2, (0, 4, 10, 16)),
        (7, 3, (0, 3, 6, 7)),  # the last unit is not full
        (2, 1, None),  # there is not one for each process
        (6, 4, None),
    ],
)
def test_shares_of_a_batch(monkeypatch, num_samples, unit, expected):
    assert bounds(num_samples, unit, monkeypatch) == expected


def test_unit_of_networks():
    heads = GeneratorHeads([torch.nn.Identity() for _ in range(4)])
    packed = PackedDiscriminator(torch.nn.Sequential(heads), 6)
    assert (find_unit(torch.nn.Linear(1, 1)), find_unit(heads), find_unit(packed)) == (1, 4, 12)
