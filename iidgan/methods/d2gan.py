"""D2GAN: one discriminator rewards plausible samples, another one coverage of the data."""

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
    """The dual discriminator GAN: D1 rewards plausible samples, D2 coverage of the data.

    Both have positive values, D_i = ζ(logit) with `ζ(t) = log(1 + eᵗ)`:

    * D1, high on data, minimises `E D1(G(z)) - α E log D1(x)`;
    * D2, high on samples, minimises `E D2(x) - β E log D2(G(z))`;
    * G minimises `β E log D2(G(z)) - E D1(G(z))`.

    Against their optima α p/q and β q/p, G minimises `α KL(p ‖ q) + β KL(q ‖ p)` of data p and
    samples q: the first penalises missing modes, the second implausible samples. The default
    weights are those for toy data.

    References:
        Dual Discriminator Generative Adversarial Nets (Nguyen, Le, Vu and Phung, 2017),
        https://arxiv.org/abs/1709.03831

    Examples:
        Where p = q, D1 and D2 are 1 at their optima, and G's loss is -1:

        >>> import torch
        >>> from iidgan import Batch, D2GAN, Nets
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros, z=zeros, u=zeros[..., 0])
        >>> inverse_softplus_of_one = torch.tensor(1.0).expm1().log()
        >>> constant_logit = lambda x: x[..., 0] + inverse_softplus_of_one
        >>> nets = Nets({"G": lambda z: z, "D1": constant_logit, "D2": constant_logit})
        >>> D2GAN().loss_G(nets, batch)["adversarial"].round(decimals=3)
        tensor([-1.])
    """

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
        """Compute D1's loss, `E D1(G(z)) - α E log D1(x)`.

        Arguments:
            nets: D1 and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.D1(batch.x), nets.D1(nets.G(batch.z))
        return {
            "adversarial": mean_per_seed(softplus(fake_logits))
            - self.alpha * mean_per_seed(log_softplus(real_logits))
        }

    def loss_D2(self, nets: Nets, batch: Batch) -> Losses:
        """Compute D2's loss, `E D2(x) - β E log D2(G(z))`.

        Arguments:
            nets: D2 and G.
            batch: Real samples `x` and latents `z`.
        """
        real_logits, fake_logits = nets.D2(batch.x), nets.D2(nets.G(batch.z))
        return {
            "adversarial": mean_per_seed(softplus(real_logits))
            - self.beta * mean_per_seed(log_softplus(fake_logits))
        }

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        """Compute G's loss, `β E log D2(G(z)) - E D1(G(z))`.

        Arguments:
            nets: D1, D2 and G.
            batch: Latents `z`.
        """
        x_fake = nets.G(batch.z)
        plausibility, coverage = softplus(nets.D1(x_fake)), log_softplus(nets.D2(x_fake))
        return {"adversarial": self.beta * mean_per_seed(coverage) - mean_per_seed(plausibility)}
