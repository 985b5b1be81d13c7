r"""Gaussian consistency: the codes F(x) of a real batch are to look like samples of N(0, I).

With mean \(\mu\) and covariance \(\Sigma\) of \(F(x_1), \dots, F(x_n)\), F minimises besides

.. math:: \lambda (\lVert \mu \rVert_p + \lVert \Sigma - I \rVert_p)

or, by name, another distance of these codes from N(0, I) (`iidgan.functional.gaussian`).

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, section 4.3 and appendix A
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn

from iidgan.core import OMIT_IF_DEFAULT, Arch, Batch, Loss, Losses, Nets, Term, cites
from iidgan.errors import InputError
from iidgan.functional import checks, gaussian
from iidgan.terms.growth import grown
from iidgan.terms.references import IID_GAN


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class GaussianConsistency(Term):
    """Pulls the codes of real data towards the prior; only F feels it directly."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 10.0
    """Weight of the term."""
    distance: gaussian.Distance = "p-norm"
    """How far a batch of codes is from N(0, I)."""
    p: float = 2.0
    """Exponent of the p-norm."""
    root: bool = False
    """Whether w2 and w2-1d are the distance itself (InvertGAN) rather than its square."""
    eps: float | None = None
    """Shrinkage of kl, about 1e-3 where a batch has fewer codes than dimensions; None: least."""
    directions: int = 16
    """Random directions a step, where the distance is sliced (Epps-Pulley)."""
    growth: float = field(default=1.0, metadata=OMIT_IF_DEFAULT)
    """Factor by which the weight is greater at the end; it grows from a quarter of the run on. As
    much as that of the cycle, lest codes leave the prior for the sake of x."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)
        checks.one_of("distance", self.distance, gaussian.Distance)
        checks.positive("growth", self.growth)
        checks.gaussian_options(self.p, self.eps, self.directions)

    brings: ClassVar[Mapping[str, str]] = {"F": "G"}

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"F": self.loss}

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"F": arch.inverse()}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        # A normalised sample of the prior is uniform on the sphere.
        directions = batch.z[:, : self.directions]
        if self.distance == "epps-pulley" and directions.shape[1] < self.directions:
            raise InputError(
                f"directions: {self.directions} exceeds the batch of {len(batch.z[0])}"
            )
        codes = nets.F(batch.x)
        value = gaussian.distance(
            self.distance, codes, directions, p=self.p, root=self.root, eps=self.eps
        )
        return {"gaussian": self.weight * grown(self.growth, batch.t) * value}
