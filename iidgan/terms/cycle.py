r"""Cycle consistency: F inverts G on latents, and G inverts F on data.

.. math:: E \lVert z - F(G(z)) \rVert_1 + E \lVert x - G(F(x)) \rVert_1

or 1 / M of it, whose weight fits any size of image, or Euclidean norms.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, equation 7
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn

from iidgan.core import OMIT_IF_DEFAULT, Arch, Batch, Loss, Losses, Nets, Term, cites
from iidgan.functional import checks, cycle
from iidgan.terms.growth import grown
from iidgan.terms.references import IID_GAN


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class CycleConsistency(Term):
    """Ties F to G in both directions; gradients reach both networks in both parts."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 3.0
    """Weight of the term."""
    norm: cycle.Norm = "l1-sum"
    """L1 norms; 1/M of that, by element means, which suits images; or InvertGAN's L2 norms."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor by which the weight of x's part is greater at the end, and that of z's part smaller;
    both change from a quarter of the run on. The narrower modes are, the steeper D becomes, beside
    which a slope of 1 is nothing; and within a mode F cannot tell z, whatever z's part asks."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)
        checks.one_of("norm", self.norm, cycle.Norm)
        checks.positive("growth", self.growth)

    brings: ClassVar[Mapping[str, str]] = {"F": "G"}

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"G": self.loss, "F": self.loss}

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"F": arch.inverse()}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        z_cycled, x_cycled = nets.F(nets.G(batch.z)), nets.G(nets.F(batch.x))
        z_part, x_part = cycle.consistency(batch.z, z_cycled, batch.x, x_cycled, self.norm)
        factor = grown(self.growth, batch.t)
        return {
            "cycle_z": self.weight / factor * z_part,
            "cycle_x": self.weight * factor * x_part,
        }
