r"""SNGAN: every layer of D is divided by its largest singular value, so that D is not steep.

* D minimises \(E \max(0, 1 - D(x)) + E \max(0, 1 + D(G(z)))\);
* G minimises \(-E D(G(z))\).

The singular vectors take one power iteration after each move of D; in the authors' code they take
one in every forward pass of a training. That code has five moves of D a step with its ResNets.

References:
    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from iidgan.core import Arch, Method, Player, Reference, cites
from iidgan.functional import checks
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Spectral Normalization for Generative Adversarial Networks",
    authors="Takeru Miyato, Toshiki Kataoka, Masanori Koyama and Yuichi Yoshida",
    year=2018,
    url="https://arxiv.org/abs/1802.05957",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class SNGAN(Method):
    """The GAN with hinge loss and a spectrally normalised D."""

    critic_steps: int = 1
    """Moves of D per step."""

    def __post_init__(self) -> None:
        checks.at_least("critic_steps", self.critic_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        critic, generator = GAN(loss="hinge").players
        return replace(critic, repeat=self.critic_steps), generator

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return {"G": arch.generator(), "D": arch.discriminator(spectral=True)}
