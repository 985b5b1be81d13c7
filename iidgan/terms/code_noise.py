r"""Code noise: all losses see the inverse as a cloud around F(x).

.. math:: q(z \mid x) = N(F(x), \sigma^2 e^{w |F(x)|^2 / M} I)

The inverses of narrow modes are almost points, and a Gaussian loss on moments is content with K
points of the right mean and covariance; then G is tied to the data at these points alone. With
noise on the codes the cycle G(F(x) + noise) ties it to the data on a cloud around each, and what
is to look like N(0, I) is the union of the clouds, as in a variational autoencoder, which could be
N(0, I) itself. With a widening w of 1 the clouds of K modes, each of the same share of the data,
take up the same share of the prior: \(\sigma^M e^{|z|^2 / 2}\) times the prior's density at z is
the same everywhere. Noise with Student's tails, \(\epsilon \sqrt{\nu / \chi^2_\nu}\) in place of
\(\epsilon\), lets G learn also far from any code which one is nearest, where Gaussian noise never
gets: the reconstruction's median there is the mode of the nearest.

References:
    Auto-Encoding Variational Bayes (Kingma and Welling, 2013), https://arxiv.org/abs/1312.6114,
    for the noisy code; its use in IID-GAN is this library's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from iidgan.core import OMIT_IF_DEFAULT, Arch, Batch, Loss, Nets, Reference, Shapes, Term, cites
from iidgan.errors import InputError
from iidgan.functional import checks

PAPER = Reference(
    title="Auto-Encoding Variational Bayes",
    authors="Diederik P. Kingma and Max Welling",
    year=2013,
    url="https://arxiv.org/abs/1312.6114",
    note="The noisy code; its use in IID-GAN is iidgan's",
)

FARTHEST = 8.0  # times its Gaussian noise is what Student's is stretched to at most


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class CodeNoise(Term):
    """Puts noise on what the inverse F says; adds nothing to any loss."""

    strengths: ClassVar[tuple[str, ...]] = ("std",)

    std: float = 0.25
    """Standard deviation of the noise on each code; the codes together have 1."""
    widening: float = field(default=0.0, metadata=OMIT_IF_DEFAULT)
    """How much noisier codes are where the prior is thinner: not at all (0), or so much that all
    clouds have the same share of the prior (1)."""
    tails: int | None = field(default=None, metadata=OMIT_IF_DEFAULT)
    """Degrees of freedom of Student's noise, the farther-reaching the fewer; None: Gaussian."""

    def __post_init__(self) -> None:
        checks.non_negative("std", self.std)
        checks.non_negative("widening", self.widening)
        if self.tails is not None:
            checks.at_least("tails", self.tails, 1)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {}

    def noise(self, arch: Arch) -> Shapes:
        tails = {} if self.tails is None else {"tail": (self.tails,)}
        return {"code": (arch.latent,), **tails}

    def view(self, nets: Nets, batch: Batch) -> Nets:
        if "F" not in nets:
            raise InputError("terms: code noise is for methods with an inverse F; add cycle")
        return nets.saying("F", lambda z: z + self._size(z) * self._draw(batch, z.shape[1]))

    def _draw(self, batch: Batch, num: int) -> Tensor:
        noise = batch.noise_for("code", num)
        if self.tails is None:
            return noise
        spread = batch.noise_for("tail", num).square().mean(-1, keepdim=True)
        return noise * spread.clamp_min(FARTHEST**-2).rsqrt()

    def _size(self, z: Tensor) -> Tensor | float:
        """Gives the noise at codes (S, B, M) its standard deviation, with shape (S, B, 1)."""
        if self.widening == 0:
            return self.std
        # Codes beyond sqrt(3 M) are those of nets that have just begun. No gradient: F is not to
        # move codes for the sake of their noise.
        half = z.detach().square().mean(-1, keepdim=True).clamp_max(3) / 2
        return self.std * (self.widening * half).exp()
