"""Adversarial losses on logits, as pairs: what the discriminator and the generator minimise.

Logits have shape (S, B), losses (S,); real comes before fake. With ζ(t) = log(1 + e^t),

| name | discriminator | generator |
|---|---|---|
| non-saturating | E ζ(-D(x)) + E ζ(D(G(z))) | E ζ(-D(G(z))) |
| saturating | the same | -E ζ(D(G(z))) |
| least-squares | ½ E (D(x) - 1)² + ½ E D(G(z))² | ½ E (D(G(z)) - 1)² |
| pearson | E (D(x) - 1)² + E (D(G(z)) + 1)² | E D(G(z))² |
| wasserstein | E D(G(z)) - E D(x) | -E D(G(z)) |
| hinge | E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) | -E D(G(z)) |

The relativistic loss is not among these pairs, since both of its sides read real and fake logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from iidgan.functional.reduce import mean_per_seed

Adversarial = Literal[
    "non-saturating", "saturating", "least-squares", "pearson", "wasserstein", "hinge"
]


class LossPair(NamedTuple):
    """The losses of the discriminator and of the generator, as functions of logits.

    Attributes:
        discriminator: Loss of D: D(x) and D(G(z)), each with shape (S, B), to (S,).
        generator: Loss of G: D(G(z)), with shape (S, B), to (S,).
        is_centred: Whether the logit of a D that cannot tell real from fake is 0.

    Examples:
        >>> hinge = LOSS_PAIRS["hinge"]
        >>> fake_logits = torch.tensor([[1.0, 3.0]])
        >>> hinge.generator(fake_logits)
        tensor([-2.])
        >>> hinge.discriminator(-fake_logits, fake_logits)  # real and fake are confused
        tensor([6.])
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    is_centred: bool = True


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of D with the labels 1 for real and 0 for fake samples.

        E ζ(-D(x)) + E ζ(D(G(z))), with ζ(t) = log(1 + e^t)

    It is 2 log 2 = 1.386 for the logits 0 of a D that cannot distinguish them.

    Arguments:
        real_logits: D(x), with shape (S, B).
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661

    Examples:
        >>> discriminator_loss(torch.zeros(1, 4), torch.zeros(1, 4))
        tensor([1.3863])
    """
    return mean_per_seed(softplus(-real_logits)) + mean_per_seed(softplus(fake_logits))


def non_saturating_loss(fake_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of fake logits with the label real, E ζ(-D(G(z))).

    Unlike that of `saturating_loss`, its gradient does not vanish when D is confident.

    Arguments:
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661,
        section 3

    Examples:
        >>> fake_logits = torch.tensor([[-9.0]], requires_grad=True)  # D recognises the sample
        >>> torch.autograd.grad(non_saturating_loss(fake_logits).sum(), fake_logits)
        (tensor([[-0.9999]]),)
        >>> torch.autograd.grad(saturating_loss(fake_logits).sum(), fake_logits)
        (tensor([[-0.0001]]),)
    """
    return mean_per_seed(softplus(-fake_logits))


def saturating_loss(fake_logits: Tensor) -> Tensor:
    """Compute the generator's loss of the zero-sum game, -E ζ(D(G(z))).

    Arguments:
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Generative Adversarial Nets (Goodfellow et al., 2014), https://arxiv.org/abs/1406.2661

    Examples:
        >>> saturating_loss(torch.zeros(1, 4))  # -log 2
        tensor([-0.6931])
    """
    return -mean_per_seed(softplus(fake_logits))


def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute half the squared distances of real logits to 1 and of fake logits to 0.

        ½ E (D(x) - 1)² + ½ E D(G(z))²

    Arguments:
        real_logits: D(x), with shape (S, B).
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Least Squares Generative Adversarial Networks (Mao et al., 2017),
        https://arxiv.org/abs/1611.04076, with the labels 0 and 1

    Examples:
        >>> least_squares_discriminator_loss(torch.ones(1, 4), torch.zeros(1, 4))
        tensor([0.])
    """
    return (mean_per_seed((real_logits - 1).square()) + mean_per_seed(fake_logits.square())) / 2


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """Compute half the squared distance of fake logits to 1, ½ E (D(G(z)) - 1)².

    Arguments:
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> least_squares_generator_loss(torch.zeros(1, 4))
        tensor([0.5000])
    """
    return mean_per_seed((fake_logits - 1).square()) / 2


def pearson_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute the squared distances of real logits to 1 and of fake logits to -1.

        E (D(x) - 1)² + E (D(G(z)) + 1)²

    It is 8 times `least_squares_discriminator_loss` of (D + 1) / 2, so that losses beside it count
    for less.

    Arguments:
        real_logits: D(x), with shape (S, B).
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        * Least Squares Generative Adversarial Networks (Mao et al., 2017),
          https://arxiv.org/abs/1611.04076, equation 8, which has half of it: G then minimises the
          Pearson χ² divergence
        * https://github.com/zhangliangyu32/IVGAN, for the factor

    Examples:
        >>> pearson_discriminator_loss(torch.zeros(1, 4), torch.zeros(1, 4))
        tensor([2.])
    """
    return mean_per_seed((real_logits - 1).square()) + mean_per_seed((fake_logits + 1).square())


def pearson_generator_loss(fake_logits: Tensor) -> Tensor:
    """Compute the squared distance of fake logits to 0, E D(G(z))².

    Arguments:
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> pearson_generator_loss(torch.tensor([[-1.0, 1.0]]))
        tensor([1.])
    """
    return mean_per_seed(fake_logits.square())


def wasserstein_critic_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute the mean value of a critic for fake samples minus that for real ones.

        E D(G(z)) - E D(x)

    For a critic of slope at most 1, its negative is at most the Wasserstein distance between real
    and generated samples.

    Arguments:
        real_logits: D(x), with shape (S, B).
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875

    Examples:
        >>> x, fake = torch.tensor([[5.0, 6.0]]), torch.tensor([[1.0, 2.0]])
        >>> wasserstein_critic_loss(x, fake)  # for D(x) = x, which is optimal here
        tensor([-4.])
    """
    return mean_per_seed(fake_logits) - mean_per_seed(real_logits)


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Compute by how much real logits are below 1 and fake logits above -1.

        E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))

    Logits beyond these margins have no gradient.

    Arguments:
        real_logits: D(x), with shape (S, B).
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        Geometric GAN (Lim and Ye, 2017), https://arxiv.org/abs/1705.02894

    Examples:
        >>> hinge_discriminator_loss(torch.tensor([[0.5]]), torch.tensor([[-2.0]]))
        tensor([0.5000])
    """
    return mean_per_seed((1 - real_logits).relu()) + mean_per_seed((1 + fake_logits).relu())


def critic_generator_loss(fake_logits: Tensor) -> Tensor:
    """Compute the generator's loss against a critic, the negative mean of fake logits, -E D(G(z)).

    Arguments:
        fake_logits: D(G(z)), with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    Examples:
        >>> critic_generator_loss(torch.tensor([[1.0, 3.0], [0.0, 0.0]]))  # of two seeds
        tensor([-2., -0.])
    """
    return -mean_per_seed(fake_logits)


def relativistic_loss(higher_logits: Tensor, lower_logits: Tensor) -> Tensor:
    """Compute the cross-entropy of ranking `higher_logits` above their pairs in `lower_logits`.

        E ζ(lower - higher), with ζ(t) = log(1 + e^t)

    The discriminator ranks real above fake, the generator fake above real.

    Arguments:
        higher_logits: Logits that should be the higher ones of their pairs, with shape (S, B).
        lower_logits: Logits that should be the lower ones, with shape (S, B).

    Returns:
        One value per seed, with shape (S,).

    References:
        The relativistic discriminator: a key element missing from standard GAN
        (Jolicoeur-Martineau, 2018), https://arxiv.org/abs/1807.00734

    Examples:
        >>> real_logits = torch.tensor([[1.0, 2.0]])
        >>> relativistic_loss(real_logits, real_logits)  # log 2: no preference
        tensor([0.6931])
        >>> relativistic_loss(real_logits, real_logits - 5)
        tensor([0.0067])
    """
    return mean_per_seed(softplus(lower_logits - higher_logits))


def log_softplus(logits: Tensor) -> Tensor:
    """Compute log ζ(t) with ζ(t) = log(1 + e^t), also where ζ(t) underflows to 0.

    Far below 0 it is t, up to e^t / 2.

    Arguments:
        logits: Values of t, of any shape.

    Returns:
        Values with the shape of `logits`.

    Examples:
        >>> log_softplus(torch.tensor([0.0, -200.0]))
        tensor([  -0.3665, -200.0000])
    """
    cutoff = -30.0
    return torch.where(logits > cutoff, softplus(logits.clamp_min(cutoff)).log(), logits)


LOSS_PAIRS: dict[str, LossPair] = {
    "non-saturating": LossPair(discriminator_loss, non_saturating_loss),
    "saturating": LossPair(discriminator_loss, saturating_loss),
    "least-squares": LossPair(
        least_squares_discriminator_loss, least_squares_generator_loss, is_centred=False
    ),
    "pearson": LossPair(pearson_discriminator_loss, pearson_generator_loss),
    "wasserstein": LossPair(wasserstein_critic_loss, critic_generator_loss, is_centred=False),
    "hinge": LossPair(hinge_discriminator_loss, critic_generator_loss),
}
