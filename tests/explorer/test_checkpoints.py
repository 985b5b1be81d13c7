"""The networks that a run has kept."""

import shutil

import pytest
import torch

from iidgan.explorer.checkpoints import RunNetworks
from iidgan.training.export import load
from iidgan.training.run_dir import RunDir
from tests.helpers.errors import raises_input_error

pytestmark = pytest.mark.slow


def list_steps(path):
    return {seed: [*steps] for seed, steps in RunNetworks(path).list_checkpoints().items()}


def test_networks_of_all_checkpoints_are_listed(point_run):
    assert list_steps(point_run) == {0: [4, 8, 12], 1: [4, 8, 12]}


def test_networks_of_a_folder_are_listed(point_run):
    assert list_steps(RunDir(point_run).past_networks_dir(1, 4)) == {1: [4]}


def test_run_without_networks_has_no_checkpoints(point_run, tmp_path):
    shutil.copy(RunDir(point_run).run_file, tmp_path)
    networks = RunNetworks(tmp_path)
    assert networks.list_checkpoints() == networks.read_divergences() == {}


def test_step_and_seed_are_those_asked_for(point_run):
    networks = RunNetworks(point_run)
    for seed, step in ((0, 4), (1, 12)):
        point = networks.load_model(seed, step).point
        assert (point.seeds, point.steps) == ((seed,), (step,))


def test_training_states_give_the_same_samples_as_networks(image_run):
    """The last step is read from `generator`; without it, from the state that training saved."""
    path = image_run.parent / "without-generator"
    shutil.copytree(image_run, path)
    shutil.rmtree(path / "generator")
    networks = RunNetworks(path)
    assert list_steps(path) == {0: [1, 2]}
    torch.testing.assert_close(networks.load_model(0, 2).sample(5), load(image_run).sample(5))


def test_missing_networks_are_refused(point_run):
    with raises_input_error("step", "seed 0", "step 5"):
        RunNetworks(point_run).load_model(0, 5)
    with raises_input_error("run", "does not exist"):
        RunNetworks(point_run / "none").read_run()


def test_replaced_networks_are_read_again(point_run, tmp_path):
    """A training replaces its networks at each checkpoint."""
    path = shutil.copytree(RunDir(point_run).past_networks_dir(0, 4), tmp_path / "best")
    networks = RunNetworks(path)
    before = networks.load_model(0, 4).sample(5)
    shutil.rmtree(path)
    shutil.copytree(RunDir(point_run).past_networks_dir(0, 8), path)
    (path / "config.json").touch()
    assert list_steps(path) == {0: [8]}
    assert not torch.equal(networks.load_model(0, 8).sample(5), before)
