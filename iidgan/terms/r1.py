r"""The R1 penalty: the gradient of D should vanish at real samples.

.. math:: \frac{\gamma}{2} E |\nabla D(x)|^2

The penalty is added to the loss of D. It damps the oscillation of D and G around their
equilibrium, and does not shift the equilibrium, where D is constant on the data. Logits have no
unit, so \(\gamma\) is an area: a D of constant slope gives a real and a generated sample at a
distance l logits that differ by about \(l^2 / 2 \gamma\), so that it distinguishes samples that
are further apart than \(\sqrt{2 \gamma}\). Values for images do not fit other data.

References:
    Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin, 2018),
    https://arxiv.org/abs/1801.04406
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, Nets, cites
from iidgan.terms.zero_centered import PAPER, ZeroCenteredPenalty


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class R1(ZeroCenteredPenalty):
    """Penalty on the squared gradient norm of D at real samples."""

    loss_name: ClassVar[str] = "r1"

    weight: float = 0.1
    """The factor gamma of gamma / 2; the default suits modes that are one or two units apart."""

    def select_samples(self, nets: Nets, batch: Batch) -> Tensor:
        return batch.x
