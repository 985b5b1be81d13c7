r"""GDPP: a generated batch is to be as diverse as a real one, in the eyes of D.

With \(\lambda_j, v_j\) the eigenpairs of the cosine similarities between the samples of a batch,
by the last hidden layer of D, and \(w_j \in [0, 1]\) the rescaled \(\lambda_j\) of the real batch,
G minimises besides

.. math:: m \frac1B \sum_j (\lambda_j^{fake} - \lambda_j^{real})^2
          - \sum_j w_j |\langle v_j^{fake}, v_j^{real} \rangle|

The eigenvectors have one entry per sample, so that the second part depends on which generated
sample stands beside which real one; the paper and its code define it so. They leave the sign of
an eigenvector to chance, which the absolute value here does not, and eigenvectors of eigenvalues
near 0, which are nothing but rounding, do not count here.

References:
    GDPP: Learning Diverse Generations Using Determinantal Point Process (Elfeki et al., 2019),
    https://arxiv.org/abs/1812.00068
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Loss, Losses, Nets, Reference, Term, cites
from iidgan.functional import checks, diversity

PAPER = Reference(
    title="GDPP: Learning Diverse Generations Using Determinantal Point Process",
    authors="Mohamed Elfeki, Camille Couprie, Morgane Rivière and Mohamed Elhoseiny",
    year=2019,
    url="https://arxiv.org/abs/1812.00068",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GDPP(Term):
    """Matches eigenvalues and eigenvectors of similarity matrices; only G feels it."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 1.0
    """Weight of the term; 1 is the paper's, for adversarial losses of any kind of data."""
    magnitude: float = 1e-4
    """Weight m of the eigenvalues, whose differences are large, beside the eigenvectors."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)
        checks.non_negative("magnitude", self.magnitude)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"G": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        fake, real = nets.features("D", nets.G(batch.z)), nets.features("D", batch.x)
        magnitude, structure = diversity.gdpp(fake.flatten(2), real.flatten(2))
        return {
            "gdpp_magnitude": self.weight * self.magnitude * magnitude,
            "gdpp_structure": self.weight * structure,
        }
