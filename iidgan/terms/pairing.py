"""Pairing: a sample of G should be near the latent that it was made from, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from iidgan.core import Batch, Losses, Nets, NetworkFactory, Reference, cites
from iidgan.functional import checks
from iidgan.functional.contrastive import pairing_loss
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="Pairing Regularization for Mitigating Many-to-One Collapse in GANs",
    authors="Kuan-Yu Lin, Yu-Chih Huang and Tie Liu",
    year=2026,
    url="https://arxiv.org/abs/2604.20130",
    note="The idea; the form of the loss in iidgan is its own, and weights are not comparable",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Pairing(WeightedTerm):
    """Pairing of latents and samples against many-to-one collapse, in a form of this library.

    Against latents that share one sample, the paper trains a regulariser together with G that ties
    latents and samples locally, by a contrastive loss. Its formula is not reproduced: here F maps
    samples to latents, and has to find the latent of each sample among all of the batch,

        -w/B sum_i log (k_ii / sum_j k_ij),  k_ij = e^(-‖F(G(z_i)) - z_j‖² / (2 M τ²))

    which is local, since latents beyond a few τ √M do not count (see
    `iidgan.functional.contrastive.pairing_loss`). Choice of F, similarity, weight and width are
    ours, so that numbers of this term are no numbers of the paper.

    Where the part of z of the cycle consistency asks for F(G(z)) = z, this asks that no other
    latent is closer, and it has no part of real data: codes of data need not look like the prior,
    which is what IID-GAN adds. F is added if the method has none, and trained by the player of G.

    References:
        * Pairing Regularization for Mitigating Many-to-One Collapse in GANs (Lin, Huang and Liu,
          2026), https://arxiv.org/abs/2604.20130, for the idea
        * Representation Learning with Contrastive Predictive Coding (van den Oord, Li and Vinyals,
          2018), https://arxiv.org/abs/1807.03748, for the loss

    Examples:
        A generator with one sample for all latents, which F cannot tell apart: log 2.

        >>> import torch
        >>> z = torch.tensor([[[-1.0], [1.0]]])
        >>> nets = Nets({"G": lambda z: 0 * z, "F": lambda x: x})
        >>> Pairing().compute_loss(nets, Batch(x=z, z=z, u=torch.zeros(1, 2)))
        {'pairing': tensor([0.6931])}
    """

    owned_networks: ClassVar[Mapping[str, str]] = {"F": "G"}
    target_networks: ClassVar[tuple[str, ...]] = ("G", "F")

    weight: float = 1.0
    """Weight of the term."""
    temperature: float = 0.5
    """Width τ of the similarity per dimension; the standard deviation of latents is 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_positive("temperature", self.temperature)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"F": factory.build_inverse()}

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        codes, _ = batch.split_code(nets.F(nets.G(batch.z)))
        latents, _ = batch.split_code(batch.z)
        return {"pairing": self.weight * pairing_loss(codes, latents, self.temperature)}
