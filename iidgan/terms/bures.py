"""BuresGAN: match the covariances of D's features on generated and real batches."""

from __future__ import annotations

from dataclasses import dataclass, field

from iidgan.core import OMIT_IF_DEFAULT, Batch, Losses, Nets, Reference, cites
from iidgan.functional.diversity import bures_distance, unit_directions
from iidgan.terms.weighted import WeightedTerm

PAPER = Reference(
    title="The Bures Metric for Generative Adversarial Networks",
    authors="Hannes De Meulemeester, Joachim Schreurs, Michaël Fanuel, Bart De Moor and "
    "Johan A.K. Suykens",
    year=2020,
    url="https://arxiv.org/abs/2006.09096",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Bures(WeightedTerm):
    """Bures distance between the covariances of D's features of generated and real samples, for G.

    With the covariances C = 1/B sum_j φ_j φ_jᵀ of both batches, where φ_j is the last hidden layer
    of D, centred over the batch and then divided by its norm, the loss of G is extended by

        w (tr C + tr C' - 2 tr (C C')^½)

    The distance lies between 0 and 2.

    References:
        The Bures Metric for Generative Adversarial Networks (De Meulemeester, Schreurs, Fanuel,
        De Moor and Suykens, 2020), https://arxiv.org/abs/2006.09096

    Examples:
        >>> import torch
        >>> D = torch.nn.Module()
        >>> D.features, D.head = torch.nn.Identity(), torch.nn.Linear(2, 1)  # features are x
        >>> nets = Nets({"D": D, "G": torch.nn.Identity()})
        >>> x = torch.tensor([[[-1.0, 0.0], [1.0, 0.0]]])
        >>> fake = torch.tensor([[[0.0, -1.0], [0.0, 1.0]]])
        >>> loss = Bures(weight=100.0).compute_loss(nets, Batch(x=x, z=fake, u=torch.zeros(1, 2)))
        >>> loss["bures"].round(decimals=2)  # no common direction
        tensor([200.])
    """

    weight: float = 100.0
    """Weight of the term. The official code sums over the batch, so that its weight of 1 is B
    here: the default is right for batches of 100, and `Bures(weight=1.0, batch_sum=True)` for
    all."""
    batch_sum: bool = field(default=False, metadata=OMIT_IF_DEFAULT)
    """Whether covariances are sums over the batch, as in the official code, rather than means."""

    def compute_loss(self, nets: Nets, batch: Batch) -> Losses:
        fake_features = nets.features("D", nets.G(batch.z))
        real_features = nets.features("D", batch.x)
        distance = bures_distance(
            unit_directions(fake_features.flatten(2)), unit_directions(real_features.flatten(2))
        )
        num_samples = batch.z.shape[1] if self.batch_sum else 1
        return {"bures": self.weight * num_samples * distance}
