r"""Adversarial losses on logits, as pairs: what the discriminator and the generator minimise.

Logits have shape (S, B), losses (S,); real comes before fake. With \(\zeta(t) = \log(1 + e^t)\),

| name | discriminator | generator |
|---|---|---|
| non-saturating | \(E \zeta(-D(x)) + E \zeta(D(Gz))\) | \(E \zeta(-D(Gz))\) |
| saturating | the same | \(-E \zeta(D(Gz))\) |
| least-squares | \(\frac12 E (D(x) - 1)^2 + \frac12 E D(Gz)^2\) | \(\frac12 E (D(Gz) - 1)^2\) |
| wasserstein | \(E D(Gz) - E D(x)\) | \(-E D(Gz)\) |
| hinge | \(E \max(0, 1 - D(x)) + E \max(0, 1 + D(Gz))\) | \(-E D(Gz)\) |

In the relativistic pairing loss both sides read real and fake, so it is no such pair.

References:
    Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661
    Least Squares Generative Adversarial Networks (Mao et al., 2017),
    https://arxiv.org/abs/1611.04076, with labels 0 and 1
    Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875
    Geometric GAN (Lim and Ye, 2017), https://arxiv.org/abs/1705.02894: the hinge loss
    The relativistic discriminator (Jolicoeur-Martineau, 2018), https://arxiv.org/abs/1807.00734
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from iidgan.functional.reduce import mean

Adversarial = Literal["non-saturating", "saturating", "least-squares", "wasserstein", "hinge"]


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


def least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Computes half the squared distances of `real` logits to 1 and of `fake` ones to 0."""
    return (mean((real - 1).square()) + mean(fake.square())) / 2


def least_squares_generator(fake: Tensor) -> Tensor:
    """Computes half the squared distance of `fake` logits to 1."""
    return mean((fake - 1).square()) / 2


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    """Computes how far `fake` values of a critic are above `real` ones."""
    return mean(fake) - mean(real)


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Computes how far `real` logits fall short of 1, and `fake` ones exceed -1."""
    return mean((1 - real).relu()) + mean((1 + fake).relu())


def raising(fake: Tensor) -> Tensor:
    """Computes the loss of a generator that raises `fake`, however high they are."""
    return -mean(fake)


def relativistic(high: Tensor, low: Tensor) -> Tensor:
    """Computes the cross-entropy of ranking each logit of `high` above its partner in `low`.

    The discriminator wants real above fake, the generator fake above real.
    """
    return mean(softplus(low - high))


def log_softplus(logits: Tensor) -> Tensor:
    r"""Computes \(\log \zeta(t)\), where softplus alone is 0 to rounding and has no logarithm.

    Far below 0 it is t, up to \(e^t / 2\).
    """
    far = -30.0
    return torch.where(logits > far, softplus(logits.clamp_min(far)).log(), logits)


PAIRS: dict[str, Pair] = {
    "non-saturating": Pair(discriminator, non_saturating),
    "saturating": Pair(discriminator, saturating),
    "least-squares": Pair(least_squares, least_squares_generator),
    "wasserstein": Pair(wasserstein, raising),
    "hinge": Pair(hinge, raising),
}
