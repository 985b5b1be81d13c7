r"""The least-squares GAN: logits are regressed on labels.

* D minimises \(\frac12 E (D(x) - 1)^2 + \frac12 E D(G(z))^2\);
* G minimises \(\frac12 E (D(G(z)) - 1)^2\).

References:
    Least Squares Generative Adversarial Networks (Mao et al., 2017),
    https://arxiv.org/abs/1611.04076
"""

from __future__ import annotations

from iidgan.core import Reference, cites
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Least Squares Generative Adversarial Networks",
    authors="Xudong Mao, Qing Li, Haoran Xie, Raymond Y. K. Lau, Zhen Wang "
    "and Stephen Paul Smolley",
    year=2017,
    url="https://arxiv.org/abs/1611.04076",
)


@cites(PAPER)
def lsgan() -> GAN:
    """Create the least-squares GAN with labels 0 and 1."""
    return GAN(loss="least-squares")
