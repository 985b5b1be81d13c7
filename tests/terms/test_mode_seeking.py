"""Mode seeking."""

import pytest
import torch
from torch import nn

from iidgan.core import Batch, Nets
from iidgan.terms.mode_seeking import ModeSeeking
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import random_features

pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("slope", [3.0, -0.5])
def test_mode_seeking_of_linear_generator(slope):
    G = nn.Module()
    G.forward = lambda z: slope * z + 1
    z = random_features(3, 8, 2)
    batch = Batch(x=z, z=z, u=torch.rand(3, 8))
    loss = ModeSeeking(weight=2.0).compute_loss(Nets({"G": G}), batch)["mode_seeking"]
    assert torch.allclose(loss, torch.tensor(2 / (abs(slope) + 1e-5)))


def test_mode_seeking_of_collapsed_generator():
    G = nn.Module()
    G.forward = torch.zeros_like
    z = random_features(3, 8, 2)
    loss = ModeSeeking().compute_loss(Nets({"G": G}), Batch(x=z, z=z, u=torch.rand(3, 8)))
    assert torch.allclose(loss["mode_seeking"], torch.tensor(1e5))


def test_mode_seeking_is_ratio_of_means():
    G = nn.Module()
    G.forward = torch.square
    z = torch.tensor([[[1.0], [2.0], [4.0]]])
    batch = Batch(x=z, z=z, u=torch.rand(1, 3))
    # Neighbours differ by 3, 1, 2 before and by 15, 3, 12 after.
    loss = ModeSeeking().compute_loss(Nets({"G": G}), batch)["mode_seeking"]
    assert torch.allclose(loss, torch.tensor(1 / (30 / 6 + 1e-5)))


def test_mode_seeking_refuses_single_sample():
    z = torch.zeros(1, 1, 2)
    with raises_input_error("batch", 1, 2):
        ModeSeeking().compute_loss(
            Nets({"G": nn.Identity()}), Batch(x=z, z=z, u=torch.zeros(1, 1))
        )
