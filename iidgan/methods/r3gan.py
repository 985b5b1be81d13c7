r"""R3GAN: a relativistic loss, which discourages mode dropping, with two gradient penalties.

D compares pairs: real samples should have higher logits than generated ones. G cannot ignore a
mode, since its samples are compared with real samples of all modes. With
\(\zeta(t) = \log(1 + e^t)\) and independent pairs \((x, z)\),

* D minimises \(E \zeta(D(G(z)) - D(x)) + \frac{\gamma}{2} E |\nabla D(x)|^2
  + \frac{\gamma}{2} E |\nabla D(G(z))|^2\);
* G minimises \(E \zeta(D(x) - D(G(z)))\).

The paper also anneals \(\gamma\) and the betas of Adam, and designs networks for images.

References:
    The GAN is dead; long live the GAN! A Modern GAN Baseline (Huang et al., 2024),
    https://arxiv.org/abs/2501.05441
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import (
    Batch,
    Losses,
    Method,
    Nets,
    NetworkFactory,
    Player,
    Reference,
    Regularised,
    cites,
)
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
    """The GAN whose losses compare each real sample with a generated one."""

    @property
    def players(self) -> tuple[Player, ...]:
        return Player("D", self.loss_D, trains=("D",)), Player("G", self.loss_G, trains=("G",))

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic_loss(real_logits, fake_logits)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        real_logits, fake_logits = nets.D(batch.x), nets.D(nets.G(batch.z))
        return {"adversarial": adversarial.relativistic_loss(fake_logits, real_logits)}


@cites(PAPER)
def r3gan(r1: R1 | None = None, r2: R2 | None = None) -> Regularised:
    """Create R3GAN, the relativistic GAN with the R1 and R2 penalties."""
    return Regularised(method=RelativisticGAN(), terms=(r1 or R1(), r2 or R2()))
