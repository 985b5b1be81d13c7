r"""The R2 penalty: D is to be flat at generated samples, as R1 asks for real ones.

.. math:: \frac{\gamma}{2} E |\nabla D(G(z))|^2

D minimises it besides its own loss; G does not feel it.

References:
    Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin, 2018),
    https://arxiv.org/abs/1801.04406
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from iidgan.core import Batch, Loss, Losses, Nets, Term, cites
from iidgan.functional import checks
from iidgan.functional.gradient import mean_squared_slope
from iidgan.terms.r1 import PAPER


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class R2(Term):
    """Penalises the slope of D at generated samples."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 0.1
    """The gamma of gamma / 2; the default suits modes that are one or two units apart."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"D": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        return {"r2": self.weight / 2 * mean_squared_slope(nets.D, nets.G(batch.z))}
