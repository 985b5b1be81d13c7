r"""MGGAN, guided by the manifold: a second discriminator judges the codes of an autoencoder.

With \(\zeta(t) = \log(1 + e^t)\), the run has two parts:

* \(E_n\) and \(D_e\) minimise \(E |D_e(E_n(x + \sigma \varepsilon)) - x|_1 / d\), a denoising
  autoencoder with normal \(\varepsilon\);
* then \(E_n\) is frozen. D minimises \(E \zeta(-D(x)) + E \zeta(D(G(z)))\), \(D_m\) the same on
  the codes \(E_n(x)\) and \(E_n(G(z))\), and G minimises
  \(E \zeta(-D(G(z))) + \lambda E \zeta(-D_m(E_n(G(z))))\).

The authors corrupt a quarter of the pixels with salt and pepper; normal noise means something for
vectors too. Codes have the prior's dimension, but not its distribution: En is not the inverse of G
that metrics ask for, and so it is not named F.

References:
    MGGAN: Solving Mode Collapse using Manifold Guided Training (Bang and Shim, 2018),
    https://arxiv.org/abs/1804.04391
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, Shapes, cites
from iidgan.errors import InputError
from iidgan.functional import adversarial, checks, cycle
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="MGGAN: Solving Mode Collapse using Manifold Guided Training",
    authors="Duhyeon Bang and Hyunjung Shim",
    year=2018,
    url="https://arxiv.org/abs/1804.04391",
)

BASE = GAN()


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class MGGAN(Method):
    """The manifold-guided GAN: D judges samples, Dm their codes."""

    strengths: ClassVar[tuple[str, ...]] = ("manifold",)

    manifold: float = 0.5
    """Weight of Dm's verdict in G's loss."""
    pretrain: float = 0.2
    """Share of the run in which only the autoencoder trains."""
    corruption: float = 0.1
    """Standard deviation of the noise; 0.5 does to images in [-1, 1] about what the paper does."""

    def __post_init__(self) -> None:
        checks.non_negative("manifold", self.manifold)
        checks.non_negative("corruption", self.corruption)
        if not 0 < self.pretrain < 1:
            raise InputError(f"pretrain: {self.pretrain} is out of range; above 0 and below 1")

    @property
    def players(self) -> tuple[Player, ...]:
        first, second = (0.0, self.pretrain), (self.pretrain, 1.0)
        return (
            Player("autoencoder", self.loss, trains=("En", "De"), during=first),
            Player("D", BASE.loss_D, trains=("D",), during=second),
            Player("Dm", self.loss_Dm, trains=("Dm",), during=second),
            Player("G", self.loss_G, trains=("G",), during=second),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {
            **BASE.networks(arch),
            "Dm": arch.latent_discriminator(),
            "En": arch.encoder(arch.latent),
            "De": arch.generator(),
        }

    def noise(self, arch: Arch) -> Shapes:
        return {"corruption": arch.shape}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        corrupted = batch.x + self.corruption * batch.noise["corruption"]
        return {"reconstruction": cycle.l1(nets.De(nets.En(corrupted)), batch.x)}

    def loss_Dm(self, nets: Nets, batch: Batch) -> Losses:
        real, fake = nets.Dm(nets.En(batch.x)), nets.Dm(nets.En(nets.G(batch.z)))
        return {"adversarial": adversarial.discriminator(real, fake)}

    def loss_G(self, nets: Nets, batch: Batch) -> Losses:
        codes = nets.En(nets.G(batch.z))
        return {
            **BASE.loss_G(nets, batch),
            "manifold": self.manifold * adversarial.non_saturating(nets.Dm(codes)),
        }
