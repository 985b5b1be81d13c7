r"""The mode-regularised GAN (Reg-GAN): reconstructions of real data have to convince D as well.

With an encoder F and \(\zeta(t) = \log(1 + e^t)\):

* D minimises \(E \zeta(-D(x)) + E \zeta(D(G(z)))\);
* G and F minimise
  \(E \zeta(-D(G(z))) + \lambda_1 E |x - G(F(x))|^2 / d + \lambda_2 E \zeta(-D(G(F(x))))\).

The last addend lets G hear of modes that G(z) misses. G and F are one player: the first addend
does not depend on F, so that each moves down its own loss of the paper. Several published codes
have the last addend with the wrong sign, which drives G(F(x)) away from the data.

References:
    Mode Regularized Generative Adversarial Networks (Che et al., 2017),
    https://arxiv.org/abs/1612.02136
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
class MRGAN(Method):
    """The mode-regularised GAN; the weights are those for toy data and digits."""

    strengths: ClassVar[tuple[str, ...]] = ("reconstruction", "modes")

    reconstruction: float = 0.01
    """Weight of the squared error per dimension of G(F(x)); 0.2 for faces."""
    modes: float = 0.01
    """Weight of D's verdict on G(F(x)); 0.4 for faces."""

    def __post_init__(self) -> None:
        checks.non_negative("reconstruction", self.reconstruction)
        checks.non_negative("modes", self.modes)

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", BASE.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G", "F"))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {**BASE.networks(arch), "F": arch.inverse()}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        cycled = nets.G(nets.F(batch.x))
        return {
            **BASE.loss_G(nets, batch),
            "reconstruction": self.reconstruction * likelihood.squared_error(batch.x, cycled),
            "modes": self.modes * adversarial.non_saturating(nets.D(cycled)),
        }
