"""The transport term."""

from dataclasses import replace

import pytest
import torch

from iidgan.config.defaults import recommended
from iidgan.core import Batch, NetworkFactory, Regularised
from iidgan.methods import GAN, cgan
from iidgan.nn import DCGAN, MLP
from iidgan.terms import Transport
from iidgan.testing import check_term
from iidgan.train import train
from tests.helpers.errors import raises_input_error
from tests.helpers.networks import function_nets, random_features

pytestmark = pytest.mark.usefixtures("float64")


def transport_loss(term, G, z, t=0.0, c=None):
    batch = Batch(x=z, z=z, u=torch.zeros(z.shape[:2]), t=torch.tensor(t), c=c)
    return term.compute_loss(function_nets(G=G), batch)["transport"]


@pytest.mark.parametrize("num_dimensions", [2, 50])
def test_transport_of_shift_is_its_square_per_dimension(num_dimensions):
    z = random_features(3, 8, num_dimensions)
    loss = transport_loss(Transport(weight=2.0), lambda z: z - 3, z)
    torch.testing.assert_close(loss, torch.full((3,), 18.0))
    assert not transport_loss(Transport(), lambda z: z, z).any()


def test_transport_of_reflection_is_larger_than_of_identity():
    """Both maps have the prior as their distribution; E ‖2 z‖² / d = 4."""
    loss = transport_loss(Transport(weight=1.0), lambda z: -z, random_features(1, 20_000, 2))
    assert loss.item() == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize(("t", "weight"), [(0.0, 0.2), (0.5, 0.1025), (1.0, 0.005)])
def test_transport_weight_falls_as_in_the_authors_configuration(t, weight):
    loss = transport_loss(Transport(), lambda z: z + 1, random_features(1, 4, 2), t)
    torch.testing.assert_close(loss, torch.tensor([weight]))
    constant = Transport(weight=weight, final_ratio=1.0)
    torch.testing.assert_close(
        transport_loss(constant, lambda z: z + 1, random_features(1, 4, 2), t), loss
    )


def test_transport_leaves_classes_out():
    z, c = random_features(1, 4, 2), torch.eye(4)[None]
    codes = torch.cat([z, c], -1)
    loss = transport_loss(Transport(weight=1.0), lambda codes: codes[..., :2] + 1, codes, c=c)
    torch.testing.assert_close(loss, torch.ones(1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "arch"),
    [
        (GAN(), NetworkFactory(DCGAN(latent=64, width=2), (1, 8, 8))),
        (cgan(), NetworkFactory(MLP(latent=2, hidden=(16,)), (2,))),
    ],
    ids=["images", "classes"],
)
def test_check_term_where_dimensions_agree(method, arch):
    check_term(Transport(), method, arch)


def test_transport_refuses_latents_of_another_dimension():
    method = Regularised(method=GAN(), terms=(Transport(),))
    with raises_input_error("latent", 3, 2, "--arch.latent 2"):
        method.networks(NetworkFactory(MLP(latent=3), (2,)))


def test_train_refuses_latents_of_another_dimension(tmp_path):
    run = recommended("ring", "gan", ["transport"])
    run = replace(run, arch=run.arch.with_latent(3))
    with raises_input_error("latent", 2, 3):
        train(run, out=tmp_path / "run", executor="eager")
    assert not list(tmp_path.rglob("*.safetensors"))
