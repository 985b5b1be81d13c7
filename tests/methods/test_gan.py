"""The plain GAN and players with several critic steps."""

import pytest

from iidgan.methods.sngan import SNGAN
from iidgan.methods.wgan import WGAN, Wasserstein
from iidgan.methods.wgan_gp import wgan_gp

pytestmark = pytest.mark.usefixtures("float64")


def test_critic_players_updates_per_step():
    for method in (Wasserstein(critic_steps=3), WGAN(critic_steps=3), SNGAN(critic_steps=3)):
        assert [(p.name, p.updates_per_step) for p in method.players] == [("D", 3), ("G", 1)]
    assert [(p.name, p.updates_per_step) for p in wgan_gp(3).players] == [("D", 3), ("G", 1)]
