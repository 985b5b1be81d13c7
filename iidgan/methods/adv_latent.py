r"""AdvLatGAN-qua: D learns from the samples that fool it best in the neighbourhood of each latent.

Before D moves, each latent takes a step of the same size in every coordinate, down the loss
\(L_G\) that G would have there:

.. math:: z' = z - \epsilon \operatorname{sign} \nabla_z L_G(D(G(z)))

D tells real samples from \(G(z')\); G minimises \(L_G(D(G(z)))\) at the latents as they were
drawn. With \(\epsilon = 0\) this is the plain GAN.

References:
    Improving Generative Adversarial Networks via Adversarial Learning in Latent Space (Li, Mo,
    Shi and Yan, 2022), https://github.com/yangco-le/AdvLatGAN
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

from iidgan.core import Arch, Batch, Losses, Method, Nets, Player, Reference, cites
from iidgan.functional import checks
from iidgan.functional.adversarial import PAIRS, Adversarial
from iidgan.functional.gradient import gradient
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Improving Generative Adversarial Networks via Adversarial Learning in Latent Space",
    authors="Yang Li, Yichuan Mo, Liangliang Shi and Junchi Yan",
    year=2022,
    url="https://proceedings.neurips.cc/paper_files/paper/2022/hash/"
    "3a1fc7b8e200a45110872c56f0569f61-Abstract-Conference.html",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class AdvLatentGAN(Method):
    """A GAN whose D sees latents that one step of gradient sign has moved."""

    strengths: ClassVar[tuple[str, ...]] = ("eps",)

    loss: Adversarial = "non-saturating"
    """What G minimises, and what latents descend before D sees their samples."""
    eps: float = 0.03
    """Step of each coordinate; the prior's standard deviation is 1, in any dimension."""

    def __post_init__(self) -> None:
        checks.one_of("loss", self.loss, Adversarial)
        checks.non_negative("eps", self.eps)

    @property
    def players(self) -> tuple[Player, ...]:
        return (
            Player("D", self.loss_D, trains=("D",)),
            Player("G", GAN(loss=self.loss).loss_G, trains=("G",)),
        )

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return GAN().networks(arch)

    def loss_D(self, nets: Nets, batch: Batch) -> Losses:
        moved = batch.z - self.eps * self._slope(nets, batch.z).sign()
        return GAN(loss=self.loss).loss_D(nets, replace(batch, z=moved))

    def _slope(self, nets: Nets, z: Tensor) -> Tensor:
        # Signs are flat: without `detach`, zeros would be carried back through the slope to D.
        return gradient(lambda z: PAIRS[self.loss].generator(nets.D(nets.G(z))), z).detach()
