r"""The R1 penalty: D is to be flat at real samples.

.. math:: \frac{\gamma}{2} E |\nabla D(x)|^2

D minimises it besides its own loss. It damps the circling of D and G around their equilibrium,
where D is flat on the data anyway, so that the penalty does not move it. Logits have no unit, so
\(\gamma\) is an area: a real and a generated sample at a distance l get logits that differ by
about \(l^2 / 2 \gamma\) from a D with one slope, and D tells apart what is further away than
\(\sqrt{2 \gamma}\). Values for images do not fit other data.

References:
    Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin, 2018),
    https://arxiv.org/abs/1801.04406
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Loss, Losses, Nets, Reference, Term, cites
from iidgan.functional import checks
from iidgan.functional.gradient import mean_squared_slope

PAPER = Reference(
    title="Which Training Methods for GANs do actually Converge?",
    authors="Lars Mescheder, Andreas Geiger and Sebastian Nowozin",
    year=2018,
    url="https://arxiv.org/abs/1801.04406",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class R1(Term):
    """Penalises the slope of D at real samples."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 0.1
    """The gamma of gamma / 2; the default suits modes that are one or two units apart."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"D": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        return {"r1": self.weight / 2 * mean_squared_slope(nets.D, batch.x)}
