"""IVGAN."""

from dataclasses import replace

import pytest
import torch

from iidgan.core import Nets, NetworkFactory, Regularised
from iidgan.methods.gan import GAN
from iidgan.methods.iv_gan import iv_dcgan, iv_gan, iv_lsgan
from iidgan.nn import MLP
from iidgan.terms import CycleTerm
from tests.helpers.training_runs import start_networks


def test_iv_gan_players_of_inverse():
    players = {player.name: player for player in iv_gan().players}
    assert {name: player.trains for name, player in players.items()} == {
        "D": ("D", "C"),
        "G": ("G",),
        "E": ("F",),
    }
    assert players["E"].updates_per_step == 10
    owned = iv_gan(base=Regularised(method=GAN(), terms=(CycleTerm(),)))
    assert [player.trains for player in owned.players] == [("D", "C"), ("G", "F"), ("F",)]


def test_iv_gan_base_and_terms():
    base, (intervention, noise) = iv_gan().base_and_terms
    assert base == GAN(loss="least-squares")
    assert (noise.std, noise.until) == (0.05, 0.5)
    assert (intervention.classify, intervention.reconstruct) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("method", "loss"), [(iv_dcgan(), "non-saturating"), (iv_lsgan(), "pearson")]
)
def test_iv_gan_of_scripts(method, loss):
    """E minimises 0.5 CE alone; codes have 4 blocks, or one per latent dimension."""
    base, (intervention, _) = method.base_and_terms
    assert base.loss == loss
    nets, batch = start_networks(method)
    (only,) = intervention.loss_E(nets, batch).items()
    assert only[0] == "intervention"
    torch.testing.assert_close(only[1], intervention.loss_D(nets, batch)["intervention"])
    sizes = {
        latent: method.networks(NetworkFactory(MLP(latent=latent), (2,)))["C"].output_shape
        for latent in (2, 3, 100)
    }
    assert sizes == {2: (2,), 3: (3,), 100: (4,)}


def test_iv_gan_classifier_reads_clean_samples():
    """Noise reaches D's logits of real and generated samples, but not what C reads."""
    method = iv_dcgan()
    base, (intervention, noise) = method.base_and_terms
    nets, batch = start_networks(method)
    noisy = noise.wrap_networks(Nets(dict(nets)), batch)
    assert not torch.equal(
        base.loss_D(noisy, batch)["adversarial"], base.loss_D(nets, batch)["adversarial"]
    )
    clean_loss = intervention.loss_D(nets, batch)["intervention"]
    torch.testing.assert_close(intervention.loss_D(noisy, batch)["intervention"], clean_loss)
    published = replace(intervention, clean=False)
    assert not torch.equal(published.loss_D(noisy, batch)["intervention"], clean_loss)


def test_iv_gan_least_squares_of_scripts():
    """D: (D(x) - 1)^2 + (D(G(z)) + 1)^2; G: D(G(z))^2; none of them halved."""
    base = iv_lsgan().method
    nets, batch = start_networks(base)
    real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
    expected = ((real - 1) ** 2).mean(1) + ((fake + 1) ** 2).mean(1)
    torch.testing.assert_close(base.loss_D(nets, batch)["adversarial"], expected)
    torch.testing.assert_close(base.loss_G(nets, batch)["adversarial"], (fake**2).mean(1))
