"""A discriminator of codes, which makes F(x) look like samples of N(0, I) adversarially."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Batch, Losses, Nets, NetworkFactory, Player, cites
from iidgan.core.references import IID_GAN
from iidgan.functional import adversarial
from iidgan.terms.weighted import WeightedTerm


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class ZDiscriminator(WeightedTerm):
    """Adversarial loss for the inverse F, with a discriminator Dz of codes as a separate player.

    Dz distinguishes samples of the prior from codes of real data, and F is trained against it
    (non-saturating):

        max over Dz:  E log Dz(z) + E log(1 - Dz(F(x)))
        min over F:   -w E log Dz(F(x))

    where Dz is a probability, the sigmoid of the network's logit.

    References:
        IID-GAN (Shi, Li and Yan, 2021), https://arxiv.org/abs/2106.00563, appendix

    Examples:
        >>> import iidgan
        >>> method = iidgan.Regularised(method=iidgan.GAN(), terms=(ZDiscriminator(),))
        >>> {player.name: player.trains for player in method.players}
        {'D': ('D',), 'G': ('G', 'F'), 'Dz': ('Dz',)}
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"F": "G"}
    target_networks: ClassVar[tuple[str, ...]] = ("F",)

    weight: float = 1.0
    """Weight of the term in F's loss."""

    @property
    def players(self) -> tuple[Player, ...]:
        return (Player("Dz", self.loss_Dz, trains=("Dz",)),)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse(), "Dz": factory.build_latent_discriminator()}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        latents, _ = batch.split_code(nets.F(batch.x))
        code_logits = nets.Dz(latents)
        return {"z_adversarial": self.weight * adversarial.non_saturating_loss(code_logits)}

    def loss_Dz(self, nets: Nets, batch: Batch) -> Losses:
        prior_latents, latents = (batch.split_code(c)[0] for c in (batch.z, nets.F(batch.x)))
        prior_logits, code_logits = nets.Dz(prior_latents), nets.Dz(latents)
        return {"z_adversarial": adversarial.discriminator_loss(prior_logits, code_logits)}
