r"""The manifold-diffusion GAN: first meet the data's manifold, then spread over it.

With an encoder F and \(\zeta(t) = \log(1 + e^t)\), every batch has two steps of two moves:

* manifold: \(D_m\) minimises \(E \zeta(-D_m(x)) + E \zeta(D_m(G(F(x))))\), then G and F minimise
  \(\lambda E \zeta(-D_m(G(F(x)))) + E |x - G(F(x))|^2 / d\);
* diffusion: D minimises \(E \zeta(-D(G(F(x)))) + E \zeta(D(G(z)))\), where reconstructions stand
  in for real data, then G minimises \(E \zeta(-D(G(z)))\).

G moves in both, with an optimiser for each. D never sees real data.

References:
    Mode Regularized Generative Adversarial Networks (Che et al., 2017),
    https://arxiv.org/abs/1612.02136, appendix
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, cites
from iidgan.functional import adversarial, checks, likelihood
from iidgan.methods.gan import GAN
from iidgan.methods.references import MODE_REGULARISED

BASE = GAN()


@cites(MODE_REGULARISED)
@dataclass(frozen=True, kw_only=True)
class MDGAN(Method):
    """The manifold-diffusion GAN; D judges G(z) as in any GAN, Dm the reconstructions."""

    strengths: ClassVar[tuple[str, ...]] = ("manifold",)

    manifold: float = 0.01
    """Weight of Dm's verdict on G(F(x)), beside a squared error per dimension of weight 1."""

    def __post_init__(self) -> None:
        checks.non_negative("manifold", self.manifold)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("Dm", self.loss_Dm, trains=("Dm",)),
            Player("autoencoder", self.loss, trains=("G", "F")),
            Player("D", self.loss_D, trains=("D",)),
            Player("G", BASE.loss_G, trains=("G",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {**BASE.networks(arch), "F": arch.inverse(), "Dm": arch.discriminator()}

    def loss_Dm(self, nets: Nets, batch: Batch) -> Losses:
        real, cycled = nets.Dm(batch.x), nets.Dm(nets.G(nets.F(batch.x)))
        return {"adversarial": adversarial.discriminator(real, cycled)}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        cycled = nets.G(nets.F(batch.x))
        return {
            "adversarial": self.manifold * adversarial.non_saturating(nets.Dm(cycled)),
            "reconstruction": likelihood.squared_error(batch.x, cycled),
        }

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        cycled, fake = nets.D(nets.G(nets.F(batch.x))), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.discriminator(cycled, fake)}
