r"""SNGAN: every layer of D is divided by its largest singular value, which bounds D's slope.

* D minimises \(E \max(0, 1 - D(x)) + E \max(0, 1 + D(G(z)))\);
* G minimises \(-E D(G(z))\).

There is one power iteration after each update of D; in the authors' code there is one in every
forward pass in training mode. That code has five updates of D per step with its ResNets.

References:
    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import Method, NetworkFactory, Player, cites
from iidgan.core.references import SNGAN as PAPER
from iidgan.functional import checks
from iidgan.methods.gan import critic_players


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class SNGAN(Method):
    """The GAN with hinge loss and a spectrally normalised D."""

    critic_steps: int = 1
    """Number of updates of D per step."""

    def __post_init__(self) -> None:
        checks.require_at_least("critic_steps", self.critic_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return critic_players("hinge", self.critic_steps)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return {"G": factory.build_generator(), "D": factory.build_discriminator(spectral=True)}
