"""IVGAN."""

from iidgan.core import Regularised
from iidgan.methods.gan import GAN
from iidgan.methods.iv_gan import iv_gan
from iidgan.terms import CycleTerm


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
