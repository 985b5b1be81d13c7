r"""The generative adversarial network.

\(D\) distinguishes real from generated samples, and \(G\) is trained against it:

.. math:: \min_G \max_D E \log D(x) + E \log(1 - D(G(z)))

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional.adversarial import LOSS_PAIRS, Adversarial

PAPER = Reference(
    title="Generative Adversarial Nets",
    authors="Ian J. Goodfellow, Jean Pouget-Abadie, Mehdi Mirza, Bing Xu, David Warde-Farley, "
    "Sherjil Ozair, Aaron Courville and Yoshua Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.2661",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GAN(Method):
    """The plain GAN."""

    loss: Adversarial = "non-saturating"
    """Name of the pair of losses of D and G."""

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator(), "D": factory.build_discriminator()}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": LOSS_PAIRS[self.loss].discriminator(real_logits, fake_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        return {"adversarial": LOSS_PAIRS[self.loss].generator(nets.D(nets.G(batch.z)))}


def critic_players(loss: Adversarial, critic_steps: int) -> tuple[Player, ...]:
    """Return the players of a GAN whose D is updated `critic_steps` times per step."""
    critic, generator = GAN(loss=loss).players
    return replace(critic, updates_per_step=critic_steps), generator
