r"""D2GAN: one discriminator rewards plausible samples, another one coverage of the data.

Both have positive values, \(D_i = \zeta(\cdot) = \log(1 + e^\cdot)\) of the logit of a network:

* \(D_1\), high on data, minimises \(E D_1(G(z)) - \alpha E \log D_1(x)\);
* \(D_2\), high on samples, minimises \(E D_2(x) - \beta E \log D_2(G(z))\);
* G minimises \(\beta E \log D_2(G(z)) - E D_1(G(z))\).

Against their optima \(\alpha p / q\) and \(\beta q / p\), G minimises
\(\alpha KL(p \| q) + \beta KL(q \| p)\) of data p and samples q: the first penalises missing
modes, the second implausible samples.

References:
    Dual Discriminator Generative Adversarial Nets (Nguyen et al., 2017),
    https://arxiv.org/abs/1709.03831
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.nn.functional import softplus

from iidgan.core import Batch, Losses, Method, Nets, NetworkFactory, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import log_softplus
from iidgan.functional.reduce import mean_per_seed

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

    tunable_weights: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    alpha: float = 1.0
    """Weight of the divergence that penalises missing modes; the paper uses at most 1."""
    beta: float = 1.0
    """Weight of the divergence that penalises implausible samples; the paper uses at most 1."""

    def __post_init__(self) -> None:
        checks.require_positive("alpha", self.alpha)
        checks.require_positive("beta", self.beta)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D1", self.loss_D1, trains=("D1",)),
            Player("D2", self.loss_D2, trains=("D2",)),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {
            "G": factory.build_generator(),
            "D1": factory.build_discriminator(),
            "D2": factory.build_discriminator(),
        }

    def loss_D1(self, nets: Nets, batch: Batch) -> Losses:
        real_logits, fake_logits = nets.D1(batch.x), nets.D1(nets.G(batch.z))
        return {
            "adversarial": mean_per_seed(softplus(fake_logits))
            - self.alpha * mean_per_seed(log_softplus(real_logits))
        }

    def loss_D2(self, nets: Nets, batch: Batch) -> Losses:
        real_logits, fake_logits = nets.D2(batch.x), nets.D2(nets.G(batch.z))
        return {
            "adversarial": mean_per_seed(softplus(real_logits))
            - self.beta * mean_per_seed(log_softplus(fake_logits))
        }

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        x_fake = nets.G(batch.z)
        plausibility, coverage = softplus(nets.D1(x_fake)), log_softplus(nets.D2(x_fake))
        return {"adversarial": self.beta * mean_per_seed(coverage) - mean_per_seed(plausibility)}
