r"""D2GAN: one discriminator rewards samples for being plausible, another for covering the data.

Both have positive values, \(D_i = \zeta(\cdot) = \log(1 + e^\cdot)\) of a network's logit:

* \(D_1\), high on data, minimises \(E D_1(G(z)) - \alpha E \log D_1(x)\);
* \(D_2\), high on samples, minimises \(E D_2(x) - \beta E \log D_2(G(z))\);
* G minimises \(\beta E \log D_2(G(z)) - E D_1(G(z))\).

Against their optima \(\alpha p / q\) and \(\beta q / p\), G minimises
\(\alpha KL(p \| q) + \beta KL(q \| p)\) of data p and samples q: the first punishes lost modes,
the second implausible samples.

References:
    Dual Discriminator Generative Adversarial Nets (Nguyen et al., 2017),
    https://arxiv.org/abs/1709.03831
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.nn.functional import softplus

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import log_softplus
from iidgan.functional.reduce import mean

PAPER = Reference(
    title="Dual Discriminator Generative Adversarial Nets",
    authors="Tu Dinh Nguyen, Trung Le, Hung Vu and Dinh Phung",
    year=2017,
    url="https://arxiv.org/abs/1709.03831",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class D2GAN(Method):
    """The GAN with two discriminators; the weights are those for toy data."""

    strengths: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    alpha: float = 1.0
    """Weight of the divergence that punishes lost modes; the paper has at most 1."""
    beta: float = 1.0
    """Weight of the divergence that punishes implausible samples; the paper has at most 1."""

    def __post_init__(self) -> None:
        checks.positive("alpha", self.alpha)
        checks.positive("beta", self.beta)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D1", self.loss_D1, trains=("D1",)),
            Player("D2", self.loss_D2, trains=("D2",)),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {
            "G": arch.generator(),
            "D1": arch.discriminator(),
            "D2": arch.discriminator(),
        }

    def loss_D1(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D1(batch.x), nets.D1(nets.G(batch.z))
        return {"adversarial": mean(softplus(fake)) - self.alpha * mean(log_softplus(real))}

    def loss_D2(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D2(batch.x), nets.D2(nets.G(batch.z))
        return {"adversarial": mean(softplus(real)) - self.beta * mean(log_softplus(fake))}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        fake = nets.G(batch.z)
        plausible, covered = softplus(nets.D1(fake)), log_softplus(nets.D2(fake))
        return {"adversarial": self.beta * mean(covered) - mean(plausible)}
