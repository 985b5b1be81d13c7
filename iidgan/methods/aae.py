r"""The adversarial autoencoder: a discriminator of codes in place of a divergence.

With \(\zeta(t) = \log(1 + e^t)\), each step has two phases:

* reconstruction: F and G minimise \(E |x - G(F(x))|^2 / d\);
* regularisation: \(D_z\) minimises \(E \zeta(-D_z(z)) + E \zeta(D_z(F(x)))\), then F minimises
  \(E \zeta(-D_z(F(x)))\).

F is trained in both, with an optimiser for each. The paper uses a prior of standard deviation 5;
here it is N(0, I), as for all methods.

References:
    Adversarial Autoencoders (Makhzani et al., 2015), https://arxiv.org/abs/1511.05644
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional import likelihood
from iidgan.terms import ZDiscriminator

PAPER = Reference(
    title="Adversarial Autoencoders",
    authors="Alireza Makhzani, Jonathon Shlens, Navdeep Jaitly, Ian Goodfellow and Brendan Frey",
    year=2015,
    url="https://arxiv.org/abs/1511.05644",
)

CODE_DISCRIMINATOR = ZDiscriminator()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AAE(Method):
    """The adversarial autoencoder: `ZDiscriminator` with a separate player for F."""

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("autoencoder", self.loss_autoencoder, trains=("F", "G")),
            *CODE_DISCRIMINATOR.players,
            Player("F", CODE_DISCRIMINATOR.compute_loss, trains=("F",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator(), **CODE_DISCRIMINATOR.networks(factory)}

    def loss_autoencoder(self, nets: Nets, batch: Batch) -> Losses:
        x_cycled = nets.G(nets.F(batch.x))
        return {"reconstruction": likelihood.mean_squared_error(batch.x, x_cycled)}
