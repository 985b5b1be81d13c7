r"""The Wasserstein GAN: G minimises the distance by which the earth between it and data moves.

.. math:: \min_G \max_{|D|_{Lip} \le 1} E D(x) - E D(G(z))

* D, the critic, minimises \(E D(G(z)) - E D(x)\), several moves a step, so that it stays near its
  optimum;
* G minimises \(-E D(G(z))\).

The critic's slope has to be bounded. `WGAN` clips every parameter of it to \([-c, c]\) after each
move, and before the first; `Wasserstein` leaves that to a term. The authors' code has RMSProp, and
100 moves of the critic in the first 25 steps and in every 500th.

References:
    Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from iidgan.core import Arch, Batch, Headed, Method, Player, Reference, cites
from iidgan.functional import checks
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="Wasserstein GAN",
    authors="Martin Arjovsky, Soumith Chintala and Léon Bottou",
    year=2017,
    url="https://arxiv.org/abs/1701.07875",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Wasserstein(Method):
    """The game of the Wasserstein GAN; a term has to bound the slope of its critic."""

    critic_steps: int = 5
    """Moves of the critic per step."""

    def __post_init__(self) -> None:
        checks.at_least("critic_steps", self.critic_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        critic, generator = GAN(loss="wasserstein").players
        return replace(critic, repeat=self.critic_steps), generator

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        return GAN().networks(arch)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class WGAN(Method):
    """The Wasserstein GAN with a clipped critic."""

    strengths: ClassVar[tuple[str, ...]] = ("clip",)

    critic_steps: int = 5
    """Moves of the critic per step."""
    clip: float = 0.01
    """Largest absolute value of a parameter of the critic."""

    def __post_init__(self) -> None:
        checks.at_least("critic_steps", self.critic_steps, 1)
        checks.positive("clip", self.clip)

    @property
    def players(self) -> tuple[Player, ...]:
        return Wasserstein(critic_steps=self.critic_steps).players

    def networks(self, arch: Arch) -> dict[str, nn.Module]:
        nets = GAN().networks(arch)
        return nets | {"D": Clipped(nets["D"], self.clip)}


class Clipped(nn.Module):
    """A network with a last hidden layer whose parameters stay within [-bound, bound]."""

    def __init__(self, net: nn.Module, bound: float) -> None:
        super().__init__()
        self.net, self.bound = cast(Headed, net), bound
        self.clip()

    @property
    def head(self) -> nn.Module:
        return self.net.head

    def features(self, x: Tensor) -> Tensor:
        return self.net.features(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def refresh(self, batch: Batch) -> None:
        self.clip()

    @torch.no_grad()
    def clip(self) -> None:
        for parameter in self.parameters():
            parameter.clamp_(-self.bound, self.bound)
