r"""Adversarial losses on logits, as pairs: what the discriminator and the generator minimise.

Logits have shape (S, B), losses (S,); real comes before fake. With \(\zeta(t) = \log(1 + e^t)\),

| name | discriminator | generator |
|---|---|---|
| non-saturating | \(E \zeta(-D(x)) + E \zeta(D(Gz))\) | \(E \zeta(-D(Gz))\) |
| saturating | the same | \(-E \zeta(D(Gz))\) |

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from torch import Tensor
from torch.nn.functional import softplus

from iidgan.functional.reduce import mean

Adversarial = Literal["non-saturating", "saturating"]


class Pair(NamedTuple):
    """The two sides of an adversarial loss."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Computes the cross-entropy of telling `real` from `fake` logits."""
    return mean(softplus(-real)) + mean(softplus(fake))


def non_saturating(fake: Tensor) -> Tensor:
    """Computes the cross-entropy of taking `fake` for real: its gradient survives a strong D."""
    return mean(softplus(-fake))


def saturating(fake: Tensor) -> Tensor:
    """Computes the generator's side of the zero-sum game."""
    return -mean(softplus(fake))


PAIRS: dict[str, Pair] = {
    "non-saturating": Pair(discriminator, non_saturating),
    "saturating": Pair(discriminator, saturating),
}
