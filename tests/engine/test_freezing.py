"""Frozen layers are the first ones, with their normalisation."""

import pytest

from iidgan.engine.freezing import freeze_first_layers
from iidgan.nn import DCGAN, ResNet
from iidgan.nn.layers.conv import BatchNorm
from tests.helpers.errors import raises_input_error


def list_trained(network):
    return [name for name, value in network.named_parameters() if value.requires_grad]


def test_normalisation_is_frozen_with_its_layer():
    D = DCGAN(latent=3, width=2).build_discriminator((1, 8, 8))
    names = list_trained(D)
    norms = [name for name, part in D.named_modules() if isinstance(part, BatchNorm)]
    freeze_first_layers(D, 2)
    trained = list_trained(D)
    assert trained == names[len(names) - len(trained) :]
    assert not any(name.startswith(norms[0]) for name in trained)
    freeze_first_layers(D, 0)
    assert list_trained(D) == trained


@pytest.mark.parametrize("backbone", [DCGAN(latent=3, width=2), ResNet(latent=3, width=1)])
def test_some_layer_is_left_to_train(backbone):
    D = backbone.build_discriminator((1, 32, 32))
    with raises_input_error("freeze-d", 99):
        freeze_first_layers(D, 99)
    assert len(list_trained(D)) == len(list(D.parameters()))
