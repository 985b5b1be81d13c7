r"""WGAN-GP: the Wasserstein GAN with a gradient penalty on the critic.

* D minimises \(E D(G(z)) - E D(x) + \lambda E (|\nabla D(\hat x)| - 1)^2\), where \(\hat x\) is
  uniform between x and G(z), with several updates per step;
* G minimises \(-E D(G(z))\).

References:
    Improved Training of Wasserstein GANs (Gulrajani et al., 2017),
    https://arxiv.org/abs/1704.00028
"""

from __future__ import annotations

from iidgan.core import Regularised, cites
from iidgan.methods.wgan import Wasserstein
from iidgan.terms.gradient_penalty import PAPER, GradientPenalty


@cites(PAPER)
def wgan_gp(critic_steps: int = 5, penalty: GradientPenalty | None = None) -> Regularised:
    """Create WGAN-GP."""
    return Regularised(
        method=Wasserstein(critic_steps=critic_steps), terms=(penalty or GradientPenalty(),)
    )
