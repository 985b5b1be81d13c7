r"""The gradient penalty of WGAN-GP: D is to rise by 1 per unit between real and generated.

.. math:: \lambda E (|\nabla D(\hat x)| - c)^2, \quad \hat x = u x + (1 - u) G(z)

with a uniform u per sample and c = 1, the slope of an optimal critic; c = 0 asks for flatness. D
minimises it besides its own loss. Batch normalisation in D makes a logit depend on all samples,
and its slope with it: the paper leaves that out of the critic.

References:
    Improved Training of Wasserstein GANs (Gulrajani et al., 2017),
    https://arxiv.org/abs/1704.00028
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Loss, Losses, Nets, Reference, Term, cites
from iidgan.functional import checks
from iidgan.functional.gradient import slope_penalty

PAPER = Reference(
    title="Improved Training of Wasserstein GANs",
    authors="Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin and Aaron Courville",
    year=2017,
    url="https://arxiv.org/abs/1704.00028",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class GradientPenalty(Term):
    """Penalises slopes of D, between real and generated samples, that are not `centre`."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 10.0
    """Weight of the term; the authors' script for toy data has 0.1."""
    centre: float = 1.0
    """The slope that D is to have."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)
        checks.non_negative("centre", self.centre)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"D": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        value = slope_penalty(nets.D, nets.G(batch.z), batch.x, batch.u, self.centre)
        return {"gradient_penalty": self.weight * value}
