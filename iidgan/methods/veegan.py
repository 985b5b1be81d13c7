r"""VEEGAN: a reconstructor of latents reports the modes that the generator lost.

The reconstructor is the normal distribution \(N(F(x), I)\), \(\zeta(t) = \log(1 + e^t)\):

* D estimates a log-ratio of joint densities, high on generated pairs. It minimises
  \(E \zeta(-D(G(z), z)) + E \zeta(D(x, F(x) + \varepsilon))\) with normal \(\varepsilon\);
* G and F minimise \(E D(G(z), z) + E[-\log N(z; F(G(z)), I)]\). The first addend is the estimate
  itself, a Kullback-Leibler divergence, and no cross-entropy; F has a part in the second alone.

As in the authors' TensorFlow code; but D moves first, and G and F then see the new D, where there
all move at once.

References:
    VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava et al.,
    2017), https://arxiv.org/abs/1705.07761
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, Shapes, cites
from iidgan.functional import adversarial, likelihood
from iidgan.functional.reduce import mean

PAPER = Reference(
    title="VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning",
    authors="Akash Srivastava, Lazar Valkov, Chris Russell, Michael U. Gutmann and Charles Sutton",
    year=2017,
    url="https://arxiv.org/abs/1705.07761",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class VEEGAN(Method):
    """VEEGAN; G and F are one player."""

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G", "F"))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": arch.joint_discriminator(), "F": arch.inverse()}

    def noise(self, arch: Arch) -> Shapes:
        return {"posterior": (arch.latent,)}

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        code = nets.F(batch.x) + batch.noise["posterior"]
        generated, encoded = nets.D(nets.G(batch.z), batch.z), nets.D(batch.x, code)
        return {"adversarial": adversarial.discriminator(generated, encoded)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        fake = nets.G(batch.z)
        return {
            "adversarial": mean(nets.D(fake, batch.z)),
            "reconstruction": likelihood.unit_normal(batch.z, nets.F(fake)),
        }
