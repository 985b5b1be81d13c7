"""`check_backbone` finds backbones that break one contract each."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn import DCGAN, MLP
from iidgan.testing import check_backbone
from tests.helpers.errors import assert_mentions


class Averaged(nn.Module):
    """A network whose outputs depend on the other seeds."""

    def __init__(self, network):
        super().__init__()
        self.network, self.head = network, network.head

    def features(self, x):
        return self.network.features(x - x.mean(0))

    def forward(self, x):
        return self.head(self.features(x))


class Shared(nn.Module):
    """A network with a parameter that has no seed axis."""

    def __init__(self, network):
        super().__init__()
        self.network, self.scale = network, nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * self.network(x)


@dataclass(frozen=True, kw_only=True)
class Odd(MLP):
    """A perceptron with networks that are right or wrong."""

    hidden: tuple[int, ...] = (6,)
    wrong: str = ""

    def build_generator(self, shape):
        network = super().build_generator(shape)
        return Averaged(network) if self.wrong == "mixing" else network

    def build_discriminator(self, shape, *, spectral=False):
        network = super().build_discriminator(shape, spectral=spectral)
        return nn.Sequential(network) if self.wrong == "featureless" else network

    def build_inverse(self, shape):
        network = super().build_encoder(shape, self.latent + (self.wrong == "wide"))
        return Shared(network) if self.wrong == "shared" else network


@pytest.mark.slow
def test_check_backbone_accepts_backbone():
    check_backbone(Odd())


@pytest.mark.parametrize(
    ("wrong", "values"),
    [
        ("featureless", ("Odd.build_discriminator", "`features`", "`head`")),
        ("wide", ("Odd.build_inverse", (3, 16, 2), (3, 16, 3))),
        ("mixing", ("mixes seeds",)),
    ],
)
def test_check_backbone_finds_broken_contract(wrong, values):
    with pytest.raises(AssertionError) as error:
        check_backbone(Odd(wrong=wrong))
    assert_mentions(error, *values)


def test_check_backbone_requires_seed_axis():
    with pytest.raises(InputError) as error:
        check_backbone(Odd(wrong="shared"))
    assert_mentions(error, "F.scale", "seed axis")


def test_check_backbone_names_unfit_shape():
    with pytest.raises(InputError):
        check_backbone(DCGAN(latent=3, width=2), (2,))


@pytest.mark.parametrize("given", [Backbone, 3])
def test_check_backbone_names_what_was_given(given):
    with pytest.raises(AssertionError) as error:
        check_backbone(given)
    assert_mentions(error, "must be a Backbone, got", given)
