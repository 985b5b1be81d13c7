"""The adversarial autoencoder: a discriminator of codes in place of a divergence."""

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
    """The adversarial autoencoder: a discriminator makes codes look like samples of the prior.

    With data x of dimension d, z ~ N(0, I) and `ζ(t) = log(1 + eᵗ)`, each step has two phases:

    * reconstruction: F and G minimise `E |x - G(F(x))|² / d`;
    * regularisation: Dz minimises `E ζ(-Dz(z)) + E ζ(Dz(F(x)))`, then F minimises
      `E ζ(-Dz(F(x)))`.

    F is trained in both, with an optimiser for each. The paper uses a prior of standard deviation
    5; here it is N(0, I), as for all methods. The losses of the second phase are those of the term
    `ZDiscriminator`, whose weight is 1.

    References:
        Adversarial Autoencoders (Makhzani, Shlens, Jaitly, Goodfellow and Frey, 2015),
        https://arxiv.org/abs/1511.05644

    Examples:
        >>> from iidgan import AAE
        >>> for player in AAE().players:
        ...     print(player.name, player.trains)
        autoencoder ('F', 'G')
        Dz ('Dz',)
        F ('F',)
    """

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
        """Compute the reconstruction error per dimension, `E |x - G(F(x))|² / d`.

        Arguments:
            nets: F and G.
            batch: Real samples `x`.
        """
        x_cycled = nets.G(nets.F(batch.x))
        return {"reconstruction": likelihood.mean_squared_error(batch.x, x_cycled)}
