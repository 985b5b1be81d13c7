r"""BuresGAN: generated and real batches are to have the same covariance in the eyes of D.

With \(C = \frac1B \sum_j \phi_j \phi_j^\top\), where \(\phi_j\) is the last hidden layer of D,
centred over the batch and then divided by its norm, G minimises besides

.. math:: B^2(C_{fake}, C_{real}) = \operatorname{tr} C_{fake} + \operatorname{tr} C_{real}
          - 2 \operatorname{tr} (C_{fake} C_{real})^{1/2}

which is between 0 and 2.

References:
    The Bures Metric for Generative Adversarial Networks (De Meulemeester, Schreurs, Fanuel,
    De Moor and Suykens, 2020), https://arxiv.org/abs/2006.09096
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Loss, Losses, Nets, Reference, Term, cites
from iidgan.functional import checks
from iidgan.functional.diversity import bures, directions

PAPER = Reference(
    title="The Bures Metric for Generative Adversarial Networks",
    authors="Hannes De Meulemeester, Joachim Schreurs, Michaël Fanuel, Bart De Moor and "
    "Johan A.K. Suykens",
    year=2020,
    url="https://arxiv.org/abs/2006.09096",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Bures(Term):
    """Pulls the covariance of D's features of generated samples to that of real ones."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 100.0
    """Weight of the term; the official code sums over the batch: 1 there is B here."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"G": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        fake, real = nets.features("D", nets.G(batch.z)), nets.features("D", batch.x)
        distance = bures(directions(fake.flatten(2)), directions(real.flatten(2)))
        return {"bures": self.weight * distance}
