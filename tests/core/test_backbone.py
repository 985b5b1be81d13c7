"""Backbones that are bound to a shape."""

import torch

from iidgan.core import (
    HasPostUpdate,
)
from tests.helpers.core import ARCH


def test_network_factory_builds_networks():
    shapes = {
        "generator": ((1, 3, 2), (1, 3, 2)),
        "discriminator": ((1, 3, 2), (1, 3)),
        "inverse": ((1, 3, 2), (1, 3, 2)),
        "latent_discriminator": ((1, 3, 2), (1, 3)),
    }
    assert ARCH.latent == 2
    for name, (inputs, outputs) in shapes.items():
        assert getattr(ARCH, f"build_{name}")()(torch.zeros(inputs)).shape == outputs
    x, z = torch.zeros(1, 3, 2), torch.zeros(1, 3, 2)
    assert ARCH.build_encoder(7)(x).shape == (1, 3, 7)
    assert ARCH.build_joint_discriminator()(x, z).shape == (1, 3)
    assert ARCH.build_head(7)(ARCH.build_discriminator().features(x)).shape == (1, 3, 7)
    spectral = ARCH.build_discriminator(spectral=True)
    assert any(isinstance(part, HasPostUpdate) for part in spectral.modules())
