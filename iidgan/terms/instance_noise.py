r"""Instance noise: a network sees all of its samples, real and generated, through noise.

.. math:: D(x + \sigma_t \epsilon), \quad D(G(z) + \sigma_t \epsilon), \quad
    \epsilon \sim N(0, I), \quad \sigma_t = \sigma_0 \max(0, 1 - t / t_0)

at the share t of the run. Before D it makes distributions overlap that would not otherwise,
before F it teaches F to remove noise. The j-th real and the j-th generated sample of a batch meet
the same noise: each is as noisy as it would be with one of its own.

References:
    Amortised MAP Inference for Image Super-resolution (Sønderby et al., 2016),
    https://arxiv.org/abs/1610.04490, section 3.2; Towards Principled Methods for Training
    Generative Adversarial Networks (Arjovsky and Bottou, 2017), https://arxiv.org/abs/1701.04862
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from iidgan.core import Arch, Batch, Loss, Nets, Reference, Shapes, Term, cites
from iidgan.errors import InputError, unknown
from iidgan.functional import checks

PAPER = Reference(
    title="Amortised MAP Inference for Image Super-resolution",
    authors="Casper Kaae Sønderby, Jose Caballero, Lucas Theis, Wenzhe Shi and Ferenc Huszár",
    year=2016,
    url="https://arxiv.org/abs/1610.04490",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class InstanceNoise(Term):
    """Puts noise before a network that reads data; adds nothing to any loss."""

    strengths: ClassVar[tuple[str, ...]] = ("std",)

    network: str = "D"
    """Network that sees through the noise."""
    std: float = 0.1
    """Standard deviation of the noise at the start."""
    until: float | None = 1.0
    """Share of the run at which it has fallen to 0, on a line; None: it stays as it is."""

    def __post_init__(self) -> None:
        checks.non_negative("std", self.std)
        if self.until is not None and not 0 < self.until <= 1:
            raise InputError(f"until: {self.until} is no share of the run; above 0, at most 1")

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {}

    def noise(self, arch: Arch) -> Shapes:
        return {self._name: arch.shape}

    def view(self, nets: Nets, batch: Batch) -> Nets:
        if self.network not in nets:
            raise unknown("network", self.network, nets)
        return nets.seeing(self.network, lambda x: self._blur(x, batch))

    @property
    def _name(self) -> str:
        return f"instance_{self.network}"

    def _blur(self, x: Tensor, batch: Batch) -> Tensor:
        noise = batch.noise_for(self._name, x.shape[1])
        if x.shape[2:] != noise.shape[2:]:
            raise InputError(
                f"network: {self.network!r} reads samples of shape {tuple(x.shape[2:])}; instance "
                f"noise is for data of shape {tuple(noise.shape[2:])}"
            )
        return x + self._level(batch.t) * noise

    def _level(self, t: Tensor) -> Tensor | float:
        return self.std if self.until is None else self.std * (1 - t / self.until).clamp_min(0)
