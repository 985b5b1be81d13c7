r"""A discriminator of codes: the adversarial way to make F(x) look like samples of N(0, I).

\(D_z\) tells samples of the prior from codes of real data, F makes it fail (non-saturating):

.. math:: \max_{D_z} E \log D_z(z) + E \log(1 - D_z(F(x))), \quad \min_F -E \log D_z(F(x))

References:
    IID-GAN (Shi, Li and Yan, 2021), https://arxiv.org/abs/2106.00563, appendix
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Arch, Batch, Loss, Losses, Nets, Player, Term, cites
from iidgan.functional import adversarial, checks
from iidgan.terms.references import IID_GAN


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class ZDiscriminator(Term):
    """Brings the inverse F and a discriminator Dz, which is a player of its own."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 1.0
    """Weight of the term in F's loss."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)

    brings: ClassVar[Mapping[str, str]] = {"F": "G"}

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"F": self.loss_F}

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("Dz", self.loss_Dz, trains=("Dz",)),)

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"F": arch.inverse(), "Dz": arch.latent_discriminator()}

    def loss_F(self, nets: Nets, batch: Batch) -> Losses:
        return {
            "z_adversarial": self.weight * adversarial.non_saturating(nets.Dz(nets.F(batch.x)))
        }

    def loss_Dz(self, nets: Nets, batch: Batch) -> Losses:
        prior, codes = nets.Dz(batch.z), nets.Dz(nets.F(batch.x))
        return {"z_adversarial": adversarial.discriminator(prior, codes)}
