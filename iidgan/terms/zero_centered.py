"""The zero-centred gradient penalties of Mescheder et al., of which R1 and R2 are two cases."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, Losses, Nets, Reference
from iidgan.functional.gradient import mean_squared_gradient_norm
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="Which Training Methods for GANs do actually Converge?",
    authors="Lars Mescheder, Andreas Geiger and Sebastian Nowozin",
    year=2018,
    url="https://arxiv.org/abs/1801.04406",
)


class ZeroCenteredPenalty(WeightedTerm):
    """Penalty on the squared gradient norm of D at some samples, w/2 E ‖∇D(x)‖², for D.

    Attributes:
        loss_name: Name of the loss in the logs.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
        2018), https://arxiv.org/abs/1801.04406
    """

    target_networks: ClassVar[tuple[str, ...]] = ("D",)
    loss_name: ClassVar[str]

    @abstractmethod
    def select_samples(self, nets: Nets, batch: Batch) -> Tensor:
        """Return the samples at which the gradient is penalised."""

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        samples = self.select_samples(nets, batch)
        return {self.loss_name: self.weight / 2 * mean_squared_gradient_norm(nets.D, samples)}
