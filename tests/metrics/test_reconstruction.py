"""Reconstruction errors: known answers."""

import pytest
import torch

from iidgan.core import Samples
from iidgan.metrics import (
    Reconstruction,
)
from tests.helpers.samples import normal, seeded_generator


def test_reconstruction_by_hand():
    z = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    x = torch.tensor([[1.0], [2.0]])
    samples = Samples(
        torch.zeros(2, 2, 1),
        x,
        z=z,
        z_cycled=z + torch.tensor([1.0, -2.0]),
        x_errors=torch.tensor([[0.0, 0.0], [1.0, 3.0]]),
    )
    values = Reconstruction()(samples)
    assert values["z_error"].tolist() == [1.5, 1.5]
    assert values["x_error"].tolist() == [0.0, 2.0]
    assert Reconstruction().protocol(samples) == {"num_z": 2, "num_x": 2}


def test_reconstruction_partial_samples():
    errors = torch.rand(2, 4, generator=seeded_generator())
    only_x = Samples(torch.zeros(2, 5, 1, 3, 3), torch.zeros(4, 1, 3, 3), x_errors=errors)
    values = Reconstruction()(only_x)
    assert values.keys() == {"x_error"}
    assert values["x_error"].tolist() == pytest.approx(errors.double().mean(1).tolist())
    z = normal(2, 6, 3)
    only_z = Samples(torch.zeros(2, 6, 1), torch.zeros(1, 1), z=z, z_cycled=z)
    assert Reconstruction()(only_z).keys() == {"z_error"}
    assert Reconstruction().protocol(only_z) == {"num_z": 6}


def test_reconstruction_diverged_seed():
    z = normal(3, 5, 2)
    cycled = z.clone()
    cycled[1, 0, 0] = torch.nan
    values = Reconstruction()(Samples(z, z[0], z=z, z_cycled=cycled))
    assert values["z_error"].isfinite().tolist() == [True, False, True]
