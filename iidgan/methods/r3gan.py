r"""R3GAN: a relativistic loss, whose landscape has no place to drop a mode in, made convergent.

D judges pairs: real samples are to have higher logits than generated ones. A G that leaves out a
mode cannot rest in one half-space of logits, since every mode of the data raises the bar that its
samples are compared with. With \(\zeta(t) = \log(1 + e^t)\) and independent pairs \((x, z)\),

* D minimises \(E \zeta(D(G(z)) - D(x)) + \frac{\gamma}{2} E |\nabla D(x)|^2
  + \frac{\gamma}{2} E |\nabla D(G(z))|^2\);
* G minimises \(E \zeta(D(x) - D(G(z)))\).

The paper also anneals \(\gamma\) and Adam's decay, and designs nets for images.

References:
    The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024),
    https://arxiv.org/abs/2501.05441
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, Regularised, cites
from iidgan.functional import adversarial
from iidgan.methods.gan import GAN
from iidgan.terms.r1 import R1
from iidgan.terms.r2 import R2

PAPER = Reference(
    title="The GAN is dead; long live the GAN! A Modern GAN Baseline",
    authors="Yiwen Huang, Aaron Gokaslan, Volodymyr Kuleshov and James Tompkin",
    year=2024,
    url="https://arxiv.org/abs/2501.05441",
)


RELATIVISTIC = Reference(
    title="The relativistic discriminator: a key element missing from standard GAN",
    authors="Alexia Jolicoeur-Martineau",
    year=2018,
    url="https://arxiv.org/abs/1807.00734",
)


@cites(RELATIVISTIC)
@dataclass(frozen=True, kw_only=True)
class RelativisticGAN(Method):
    """The GAN whose players compare each real sample with a generated one."""

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return GAN().networks(arch)

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic(real, fake)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic(fake, real)}


@cites(PAPER)
def r3gan(r1: R1 | None = None, r2: R2 | None = None) -> Regularised:
    """Creates R3GAN, the relativistic GAN with both penalties on the slope of D."""
    return Regularised(method=RelativisticGAN(), terms=(r1 or R1(), r2 or R2()))
