"""The zero-centred gradient penalties of Mescheder et al., of which R1 and R2 are two cases."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, Losses, Nets, Reference
from iidgan.functional import checks
from iidgan.functional.gradient import mean_squared_gradient_norm
from iidgan.terms.weight_schedule import cosine_schedule
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
        growth: Factor of the weight at the end of the run, a field of the subclass.

    References:
        Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin,
        2018), https://arxiv.org/abs/1801.04406
    """

    target_networks: ClassVar[tuple[str, ...]] = ("D",)
    loss_name: ClassVar[str]
    growth: float

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.require_positive("growth", self.growth)

    @abstractmethod
    def select_samples(self, nets: Nets, batch: Batch) -> Tensor:
        """Return the samples at which the gradient is penalised."""

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        samples = self.select_samples(nets, batch)
        weight = self.weight * cosine_schedule(self.growth, batch.t)
        return {self.loss_name: weight / 2 * mean_squared_gradient_norm(nets.D, samples)}
