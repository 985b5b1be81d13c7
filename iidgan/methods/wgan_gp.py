"""WGAN-GP: the Wasserstein GAN with a gradient penalty on the critic."""

from __future__ import annotations

from iidgan.core import Regularised, cites
from iidgan.methods.wgan import Wasserstein
from iidgan.terms.gradient_penalty import PAPER, GradientPenalty


@cites(PAPER)
def wgan_gp(critic_steps: int = 5, penalty: GradientPenalty | None = None) -> Regularised:
    """WGAN-GP, the Wasserstein GAN with a gradient penalty on the critic.

    * D minimises `E D(G(z)) - E D(x) + λ E (|∇D(x̂)| - 1)²`, where x̂ is uniform between x and
      G(z), with several updates per step;
    * G minimises `-E D(G(z))`.

    Arguments:
        critic_steps: Number of updates of the critic per step.
        penalty: The gradient penalty; by default with λ = 10.

    References:
        Improved Training of Wasserstein GANs (Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville,
        2017), https://arxiv.org/abs/1704.00028

    Examples:
        The authors' weight for toy data:

        >>> import iidgan
        >>> method = iidgan.wgan_gp(penalty=iidgan.GradientPenalty(weight=0.1))
        >>> method.players[0].updates_per_step, method.terms[0].weight
        (5, 0.1)
    """
    return Regularised(
        method=Wasserstein(critic_steps=critic_steps), terms=(penalty or GradientPenalty(),)
    )
