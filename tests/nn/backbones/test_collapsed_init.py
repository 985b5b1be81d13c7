"""A backbone whose generator starts collapsed."""

import pytest
import torch

from iidgan.core import NetworkFactory
from iidgan.engine.state import build_networks
from iidgan.methods import GAN, iid_gan
from iidgan.nn import DCGAN, MLP, CollapsedInit
from iidgan.testing import check_method
from tests.helpers.errors import raises_input_error


def test_collapsed_init_passes_check_method():
    factory = NetworkFactory(CollapsedInit(backbone=MLP(hidden=(16, 16))), (2,))
    check_method(iid_gan(), factory)


@pytest.mark.parametrize(
    ("backbone", "shape"), [(MLP(hidden=(8,)), (2,)), (DCGAN(width=2), (1, 8, 8))]
)
def test_collapsed_init_scales_last_layer(backbone, shape):
    collapsed = CollapsedInit(backbone=backbone, gain=0.1)
    tensors = build_networks(GAN(), NetworkFactory(backbone, shape), [3]).state_dict()
    scaled = build_networks(GAN(), NetworkFactory(collapsed, shape), [3]).state_dict()
    for name, value in tensors.items():
        factor = 0.1 if name.startswith("G.head") else 1.0
        torch.testing.assert_close(scaled[name], factor * value)


@pytest.mark.parametrize("gain", [0.0, 1.0, float("nan")])
def test_collapsed_init_refuses_gain(gain):
    with raises_input_error("gain", gain):
        CollapsedInit(gain=gain)
