"""Samples of earlier checkpoints."""

import numpy as np
import pytest
import torch

from iidgan.evaluation.arrays import load_arrays
from iidgan.training.model import load_networks
from iidgan.training.replay import load_checkpoint, sample_checkpoint
from tests.helpers.errors import raises_input_error
from tests.helpers.figures import train_small_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run_dirs(tmp_path_factory):
    return train_small_runs(tmp_path_factory.mktemp("replay"))


def test_sample_checkpoint_of_last_step(run_dirs):
    run_dir = run_dirs["IID-GAN"]
    stored, replayed = load_arrays(run_dir.arrays_file), sample_checkpoint(run_dir, 12)
    assert stored.keys() == replayed.keys()
    for name in stored:
        np.testing.assert_array_equal(stored[name], replayed[name], err_msg=name)


def test_sample_checkpoint_of_earlier_step(run_dirs):
    early, late = (sample_checkpoint(run_dirs["GAN"], step) for step in (3, 12))
    np.testing.assert_array_equal(early["z"], late["z"])
    assert not np.array_equal(early["generated"], late["generated"])


def test_sample_checkpoint_unknown_step(run_dirs):
    with raises_input_error(None, 13, "step-00000001"):
        sample_checkpoint(run_dirs["GAN"], 13)


def test_load_checkpoint_of_last_step(run_dirs):
    run_dir = run_dirs["IID-GAN"]
    exported, loaded = load_networks(run_dir.path), load_checkpoint(run_dir, 12)
    assert (loaded.point.run, loaded.shape) == (exported.point.run, exported.shape)
    for name in ("seeds", "steps", "diverged"):
        assert [*getattr(loaded.point, name)] == [*getattr(exported.point, name)]
    weights, expected = loaded.nets.state_dict(), exported.nets.state_dict()
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, rtol=0, atol=0)
