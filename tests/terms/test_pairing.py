"""The pairing term."""

import pytest
import torch

from iidgan.core import Batch, Regularised
from iidgan.functional.contrastive import pairing_loss
from iidgan.methods import GAN, BiGAN, cgan
from iidgan.terms import Pairing
from tests.helpers.losses import assert_loss, compute_losses, make_nets_and_batch
from tests.helpers.networks import function_nets, random_features

pytestmark = pytest.mark.usefixtures("float64")


def test_pairing_compares_codes_of_samples_with_their_latents():
    method = Regularised(method=GAN(), terms=(Pairing(weight=7.0, temperature=0.3),))
    nets, batch = make_nets_and_batch(method)
    losses = compute_losses(method, "G", nets, batch)
    assert_loss(losses["pairing"], 7 * pairing_loss(nets.F(nets.G(batch.z)), batch.z, 0.3))


def test_pairing_is_least_for_injective_generators():
    z = random_features(2, 20, 2)
    batch = Batch(x=z, z=z, u=torch.zeros(2, 20))
    one_to_one, folded = (
        Pairing().compute_loss(function_nets(G=G, F=lambda x: x), batch)["pairing"]
        for G in (lambda z: z, torch.abs)
    )
    assert (one_to_one < folded).all()


def test_pairing_compares_latents_alone_of_conditional_methods():
    z, c = random_features(1, 8, 2), torch.eye(4).repeat(2, 1)[None]
    batch = Batch(x=z, z=torch.cat([z, c], -1), u=torch.zeros(1, 8), c=c)
    nets = function_nets(G=lambda codes: codes[..., :2], F=lambda x: torch.cat([x, c], -1))
    assert_loss(Pairing().compute_loss(nets, batch)["pairing"], pairing_loss(z, z, 0.5))
    players = Regularised(method=cgan(), terms=(Pairing(),)).players
    assert [player.trains for player in players] == [("D",), ("G", "F")]


def test_pairing_shares_the_inverse_of_a_method():
    players = Regularised(method=BiGAN(), terms=(Pairing(),)).players
    assert [player.trains.count("F") for player in players] == [0, 1]
