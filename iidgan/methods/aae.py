r"""The adversarial autoencoder: a discriminator of codes in place of a divergence.

With \(\zeta(t) = \log(1 + e^t)\), every batch has two phases:

* reconstruction: F and G minimise \(E |x - G(F(x))|^2 / d\);
* regularisation: \(D_z\) minimises \(E \zeta(-D_z(z)) + E \zeta(D_z(F(x)))\), then F minimises
  \(E \zeta(-D_z(F(x)))\).

F moves in both, with an optimiser for each. Where the paper widens the prior to a standard
deviation of 5, it is N(0, I) here, as everywhere.

References:
    Adversarial Autoencoders (Makhzani et al., 2015), https://arxiv.org/abs/1511.05644
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import likelihood
from iidgan.terms import ZDiscriminator

PAPER = Reference(
    title="Adversarial Autoencoders",
    authors="Alireza Makhzani, Jonathon Shlens, Navdeep Jaitly, Ian Goodfellow and Brendan Frey",
    year=2015,
    url="https://arxiv.org/abs/1511.05644",
)

CODES = ZDiscriminator()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AAE(Method):
    """The adversarial autoencoder: `ZDiscriminator` in moves of its own."""

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("autoencoder", self.loss, trains=("F", "G")),
            *CODES.players,
            Player("F", CODES.loss_F, trains=("F",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), **CODES.networks(arch)}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        cycled = nets.G(nets.F(batch.x))
        return {"reconstruction": likelihood.squared_error(batch.x, cycled)}
