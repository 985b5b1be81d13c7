"""The R2 penalty: the gradient of D should vanish at generated samples, as in R1 at real ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from iidgan.core import OMIT_IF_DEFAULT, Batch, Nets, cites
from iidgan.terms.zero_centered import PAPER, ZeroCenteredPenalty


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class R2(ZeroCenteredPenalty):
    """Penalty on the squared gradient norm of D at generated samples, for D.

        γ/2 E ‖∇D(G(z))‖², with γ = `weight`

    The penalty is added to the loss of D only, not to that of G.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
        2018), https://arxiv.org/abs/1801.04406

    Examples:
        >>> import torch
        >>> nets = Nets({"D": lambda x: x.square().sum(-1), "G": torch.nn.Identity()})
        >>> batch = Batch(x=torch.ones(1, 8, 2), z=torch.zeros(1, 8, 2), u=torch.zeros(1, 8))
        >>> R2(weight=0.1).compute_loss(nets, batch)["r2"].detach()  # G(z) is at the minimum of D
        tensor([0.])
    """

    loss_name: ClassVar[str] = "r2"

    weight: float = 0.1
    """The factor gamma of gamma / 2; the default suits modes that are one or two units apart."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor of the weight at the end of the run, reached along half a cosine; R3GAN's is 0.1."""

    def select_samples(self, nets: Nets, batch: Batch) -> Tensor:
        return nets.G(batch.z)
