"""The R1 penalty: the gradient of D should vanish at real samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from iidgan.core import OMIT_IF_DEFAULT, Batch, Nets, cites
from iidgan.terms.zero_centered import PAPER, ZeroCenteredPenalty


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class R1(ZeroCenteredPenalty):
    """Penalty on the squared gradient norm of D at real samples, for D.

        γ/2 E ‖∇D(x)‖², with γ = `weight`

    It damps the oscillation of D and G around their equilibrium, and does not shift the
    equilibrium, where D is constant on the data. Logits have no unit, so γ is an area: a D of
    constant slope gives a real and a generated sample at a distance l logits that differ by about
    l² / 2γ, so that it distinguishes samples that are further apart than √(2γ). Values for images
    do not fit other data.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
        2018), https://arxiv.org/abs/1801.04406

    Examples:
        >>> import torch
        >>> nets = Nets({"D": lambda x: x @ torch.tensor([3.0, 4.0])})  # slope 5
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=torch.zeros(1, 8, 2), u=torch.zeros(1, 8))
        >>> R1(weight=0.1).compute_loss(nets, batch)["r1"].detach()
        tensor([1.2500])
    """

    loss_name: ClassVar[str] = "r1"

    weight: float = 0.1
    """The factor gamma of gamma / 2; the default suits modes that are one or two units apart."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor of the weight at the end of the run, reached along half a cosine; R3GAN's is 0.1."""

    def select_samples(self, nets: Nets, batch: Batch) -> Tensor:
        return batch.x
