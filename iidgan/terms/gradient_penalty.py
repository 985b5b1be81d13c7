"""The gradient penalty of WGAN-GP: D should have slope 1 between real and generated samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Losses, Nets, Reference, cites
from iidgan.functional import checks
from iidgan.functional.gradient import gradient_norm_penalty
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="Improved Training of Wasserstein GANs",
    authors="Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin and Aaron Courville",
    year=2017,
    url="https://arxiv.org/abs/1704.00028",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GradientPenalty(WeightedTerm):
    """Penalty on gradient norms of D other than 1 between real and generated samples, for D.

        w E (‖∇D(x̂)‖ - c)², with x̂ = u x + (1 - u) G(z)

    with a uniform u per sample and the centre c = 1, the slope of an optimal critic, or 0 for a
    flat one. With batch normalisation in D a logit, and so its gradient, depends on all samples of
    the batch; the paper does not use it in the critic.

    References:
        Improved Training of Wasserstein GANs (Gulrajani et al., 2017),
        https://arxiv.org/abs/1704.00028

    Examples:
        >>> import torch
        >>> nets = Nets({"D": lambda x: x @ torch.tensor([3.0, 4.0]), "G": torch.nn.Identity()})
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=torch.zeros(1, 8, 2), u=torch.rand(1, 8))
        >>> GradientPenalty(weight=10.0).compute_loss(nets, batch)["gradient_penalty"].detach()
        tensor([160.])
    """

    target_networks: ClassVar[tuple[str, ...]] = ("D",)

    weight: float = 10.0
    """Weight of the term; the authors' script for toy data uses 0.1."""
    centre: float = 1.0
    """Target of the gradient norm of D."""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_non_negative("centre", self.centre)

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        penalty = gradient_norm_penalty(nets.D, nets.G(batch.z), batch.x, batch.u, self.centre)
        return {"gradient_penalty": self.weight * penalty}
