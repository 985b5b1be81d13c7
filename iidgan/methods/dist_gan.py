r"""Dist-GAN: an autoencoder in D's features keeps distances, and G matches D's average verdict.

With an encoder F, D's last hidden layer f of \(d_f\) units, \(\zeta(t) = \log(1 + e^t)\), and m
for means over batch and units, the autoencoder minimises

.. math:: E |f(x) - f(G(F(x)))|^2 / d_f + \lambda_r
          (m f(G(F(x))) - m f(G(z)) - \sqrt{M / d_f} \, (m F(x) - m z))^2

then D minimises, where \(\mu\) grows from 0 to 0.05 in the second half of the run, and \(\hat x\)
is uniform between x and G(z),

.. math:: (0.95 + \mu) E \zeta(-D(x)) + (0.05 - \mu) E \zeta(-D(G(F(x)))) + E \zeta(D(G(z)))
          + \lambda_p E (|\nabla D(\hat x)| - 1)^2

and last G minimises \(|E s(D(x)) - E s(D(G(z)))|\) with the logistic function s.

As in the authors' code for images, but the slope has the norm of the gradient, where that has the
root mean square. Their code for toy data reconstructs x itself, by its cross-entropy.

References:
    Dist-GAN: An Improved GAN using Distance Constraints (Tran, Bui and Cheung, 2018),
    https://arxiv.org/abs/1803.08887
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from torch.nn.functional import softplus

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import adversarial, checks, likelihood
from iidgan.functional.gradient import slope_penalty
from iidgan.functional.reduce import mean

PAPER = Reference(
    title="Dist-GAN: An Improved GAN using Distance Constraints",
    authors="Ngoc-Trung Tran, Tuan-Anh Bui and Ngai-Man Cheung",
    year=2018,
    url="https://arxiv.org/abs/1803.08887",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class DistGAN(Method):
    """Dist-GAN; the weights are those for toy data."""

    strengths: ClassVar[tuple[str, ...]] = ("distance", "slope")

    decoder: bool = True
    """Whether G moves with F to reconstruct: on toy data and digits, but not on other images."""
    distance: float = 0.1
    """Weight of the distances that F and G keep; 1 for images."""
    slope: float = 0.1
    """Weight of the gradient penalty; 1 for images."""

    def __post_init__(self) -> None:
        checks.non_negative("distance", self.distance)
        checks.non_negative("slope", self.slope)

    @property
    def players(self) -> tuple[Player, ...]:
        trains = ("F", "G") if self.decoder else ("F",)
        return (
            Player("autoencoder", self.loss, trains=trains),
            Player("D", self.loss_D, trains=("D",)),
            Player("G", self.loss_G, trains=("G",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": arch.discriminator(), "F": arch.inverse()}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        codes = nets.F(batch.x)
        samples = batch.x, nets.G(codes), nets.G(batch.z)
        real, cycled, fake = (nets.features("D", x).flatten(2) for x in samples)
        ratio = (codes.shape[2] / real.shape[2]) ** 0.5
        gap = mean(cycled - fake) - ratio * mean(codes - batch.z)
        return {
            "reconstruction": likelihood.squared_error(real, cycled),
            "distance": self.distance * gap.square(),
        }

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        fake, cycled = nets.G(batch.z), nets.G(nets.F(batch.x))
        share = 0.05 * (1 - (2 * batch.t - 1).relu())
        return {
            "real": (1 - share) * adversarial.non_saturating(nets.D(batch.x)),
            "cycled": share * adversarial.non_saturating(nets.D(cycled)),
            "fake": mean(softplus(nets.D(fake))),
            "slope": self.slope * slope_penalty(nets.D, batch.x, fake, batch.u),
        }

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.D(batch.x).sigmoid(), nets.D(nets.G(batch.z)).sigmoid()
        return {"adversarial": mean(real - fake).abs()}
