"""Drifting models."""

import pytest
import torch

import iidgan
from iidgan.core import Batch, Nets
from iidgan.functional.drifting import drifting_loss
from iidgan.methods import Drifting
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import random_nets


def test_drifting_loss_of_samples_and_data():
    nets, batch = random_nets(Drifting())
    loss = Drifting(temperatures=(0.1,)).loss_G(nets, batch)["drift"]
    torch.testing.assert_close(loss, drifting_loss(nets.G(batch.z), batch.x, [0.1]))


@pytest.mark.parametrize("temperatures", [(), (0.1, 0.0), (-1.0,)])
def test_drifting_refuses_temperatures(temperatures):
    with raises_input_error("temperatures"):
        Drifting(temperatures=temperatures)


def test_drifting_refuses_single_sample():
    z = torch.zeros(1, 1, 2)
    with raises_input_error("batch", 1, 2):
        Drifting().loss_G(Nets({"G": torch.nn.Identity()}), Batch(x=z, z=z, u=z[..., 0]))


@pytest.mark.slow
def test_drifting_covers_the_modes_of_a_ring(tmp_path):
    source = iidgan.Ring(std=0.05, size=5000)
    run = iidgan.Run(source=source, method=Drifting(), steps=300)
    iidgan.train(run, out=tmp_path / "run", executor="eager", checkpoint_every=300)
    samples = iidgan.load(tmp_path / "run").sample(2000)
    centres = source.load().truth.centres
    distances, modes = torch.cdist(samples, centres).min(1)
    shares = torch.bincount(modes[distances < 0.3], minlength=8) / len(samples)
    assert (shares > 0.05).all()
