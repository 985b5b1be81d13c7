r"""Mode seeking (MSGAN): latents that differ are to give samples that differ.

G minimises besides

.. math:: \frac{1}{r + 10^{-5}}, \qquad
          r = \frac{E |G(z_2) - G(z_1)|_1 / d}{E |z_2 - z_1|_1 / M}

with means over the batch before the quotient, as in the official code, rather than a ratio per
pair. \(z_2\) is the latent before \(z_1\) in the batch, so that no further sample is generated.

References:
    Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis (Mao et al., 2019),
    https://arxiv.org/abs/1903.05628
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, Loss, Losses, Nets, Reference, Term, cites
from iidgan.errors import InputError
from iidgan.functional import checks
from iidgan.functional.reduce import mean

PAPER = Reference(
    title="Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis",
    authors="Qi Mao, Hsin-Ying Lee, Hung-Yu Tseng, Siwei Ma and Ming-Hsuan Yang",
    year=2019,
    url="https://arxiv.org/abs/1903.05628",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class ModeSeeking(Term):
    """Pushes the samples of different latents apart; only G feels it."""

    strengths: ClassVar[tuple[str, ...]] = ("weight",)

    weight: float = 1.0
    """Weight of the term; where G spreads data and latents alike, it is its value too."""

    def __post_init__(self) -> None:
        checks.weight(self.weight)

    @property
    def addends(self) -> Mapping[str, Loss]:
        return {"G": self.loss}

    def loss(self, nets: Nets, batch: Batch) -> Losses:
        if batch.z.shape[1] < 2:
            raise InputError("batch: 1 has no pair for mode seeking; at least 2")
        ratio = _spread(nets.G(batch.z)) / _spread(batch.z)
        return {"mode_seeking": self.weight / (ratio + 1e-5)}


def _spread(x: Tensor) -> Tensor:
    """Averages the difference of neighbours in the batch: (S, B, ...) -> (S,)."""
    return mean((x - x.roll(1, dims=1)).abs())
