"""Samples of earlier checkpoints."""

import numpy as np
import pytest

from iidgan.evaluation.arrays import load_arrays
from iidgan.training.replay import sample_checkpoint
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
