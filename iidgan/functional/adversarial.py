r"""Adversarial losses on logits, as pairs: what the discriminator and the generator minimise.

Logits have shape (S, B), losses (S,); real comes before fake. With \(\zeta(t) = \log(1 + e^t)\),

| name | discriminator | generator |
|---|---|---|
| non-saturating | \(E \zeta(-D(x)) + E \zeta(D(Gz))\) | \(E \zeta(-D(Gz))\) |
| saturating | the same | \(-E \zeta(D(Gz))\) |
| least-squares | \(\frac12 E (D(x) - 1)^2 + \frac12 E D(Gz)^2\) | \(\frac12 E (D(Gz) - 1)^2\) |
| wasserstein | \(E D(Gz) - E D(x)\) | \(-E D(Gz)\) |
| hinge | \(E \max(0, 1 - D(x)) + E \max(0, 1 + D(Gz))\) | \(-E D(Gz)\) |

The relativistic loss is not among these pairs, since both of its sides read real and fake logits.

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

from iidgan.functional.reduce import mean_per_seed

Adversarial = Literal["non-saturating", "saturating", "least-squares", "wasserstein", "hinge"]


class LossPair(NamedTuple):
    """The losses of the discriminator and of the generator."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of classifying real and fake logits."""
    return mean_per_seed(softplus(-real_logits)) + mean_per_seed(softplus(fake_logits))


def non_saturating_loss(fake_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of fake logits with the label real.

    Unlike that of `saturating_loss`, its gradient does not vanish when D is confident.
    """
    return mean_per_seed(softplus(-fake_logits))


def saturating_loss(fake_logits: Tensor) -> Tensor:
    """Compute the generator's loss of the zero-sum game."""
    return -mean_per_seed(softplus(fake_logits))


def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute half the squared distances of real logits to 1 and of fake logits to 0."""
    return (mean_per_seed((real_logits - 1).square()) + mean_per_seed(fake_logits.square())) / 2


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """Compute half the squared distance of fake logits to 1."""
    return mean_per_seed((fake_logits - 1).square()) / 2


def wasserstein_critic_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute the mean of fake values of a critic minus that of real ones."""
    return mean_per_seed(fake_logits) - mean_per_seed(real_logits)


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute by how much real logits are below 1 and fake logits above -1."""
    return mean_per_seed((1 - real_logits).relu()) + mean_per_seed((1 + fake_logits).relu())


def critic_generator_loss(fake_logits: Tensor) -> Tensor:
    """Compute the generator's loss against a critic: the negative mean of fake logits."""
    return -mean_per_seed(fake_logits)


def relativistic_loss(higher_logits: Tensor, lower_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of ranking `higher_logits` above their pairs in `lower_logits`.

    The discriminator ranks real above fake, the generator fake above real.
    """
    return mean_per_seed(softplus(lower_logits - higher_logits))


def log_softplus(logits: Tensor) -> Tensor:
    r"""Compute \(\log \zeta(t)\), also where softplus underflows to 0.

    Far below 0 it is t, up to \(e^t / 2\).
    """
    cutoff = -30.0
    return torch.where(logits > cutoff, softplus(logits.clamp_min(cutoff)).log(), logits)


LOSS_PAIRS: dict[str, LossPair] = {
    "non-saturating": LossPair(discriminator_loss, non_saturating_loss),
    "saturating": LossPair(discriminator_loss, saturating_loss),
    "least-squares": LossPair(least_squares_discriminator_loss, least_squares_generator_loss),
    "wasserstein": LossPair(wasserstein_critic_loss, critic_generator_loss),
    "hinge": LossPair(hinge_discriminator_loss, critic_generator_loss),
}
