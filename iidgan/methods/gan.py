r"""The generative adversarial network.

\(D\) tells real from generated samples, \(G\) makes it fail:

.. math:: \min_G \max_D E \log D(x) + E \log(1 - D(G(z)))

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import PAIRS, Adversarial

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
    """The pair of losses that D and G minimise."""

    def __post_init__(self) -> None:
        checks.one_of("loss", self.loss, Adversarial)

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": arch.discriminator()}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": PAIRS[self.loss].discriminator(real, fake)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        return {"adversarial": PAIRS[self.loss].generator(nets.D(nets.G(batch.z)))}
