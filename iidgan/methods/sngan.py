"""SNGAN: every layer of D is divided by its largest singular value, which bounds D's slope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from iidgan.core import OMIT_IF_DEFAULT, Method, NetworkFactory, Player, cites
from iidgan.core.references import SNGAN as PAPER
from iidgan.functional import checks
from iidgan.methods.gan import critic_players


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class SNGAN(Method):
    """The spectrally normalised GAN, with the hinge loss.

    Every weight of D is divided by its largest singular value, which bounds the slope of D:

    * D minimises `E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))`;
    * G minimises `-E D(G(z))`.

    There is one power iteration after each update of D; in the authors' code there is one in every
    forward pass in training mode. That code has five updates of D per step with its ResNets.

    References:
        Spectral Normalization for Generative Adversarial Networks (Miyato, Kataoka, Koyama and
        Yoshida, 2018), https://arxiv.org/abs/1802.05957

    Examples:
        >>> import torch
        >>> from iidgan import MLP, SNGAN
        >>> from iidgan.core import NetworkFactory
        >>> _ = torch.manual_seed(0)
        >>> D = SNGAN().networks(NetworkFactory(MLP(hidden=(16,)), shape=(2,)))["D"]
        >>> first_weight = D.body[0].weight()
        >>> torch.linalg.matrix_norm(first_weight, ord=2).detach().round(decimals=2)
        tensor([1.])
    """

    critic_steps: int = 1
    """Number of updates of D per step."""
    discriminator: Literal["spectral", "backbone"] = field(
        default="spectral", metadata=OMIT_IF_DEFAULT
    )
    """Whether spectral normalisation replaces the norms of D in every layer, the last included, or
    D is that of the backbone. The latter is for backbones whose D has it anyway: with `dcgan-sn`,
    D is Table 8 of IID-GAN (IJCAI 2023), with batch norms and a plain last layer."""

    def __post_init__(self) -> None:
        checks.require_at_least("critic_steps", self.critic_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return critic_players("hinge", self.critic_steps)

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        is_spectral = self.discriminator == "spectral"
        return {
            "G": factory.build_generator(),
            "D": factory.build_discriminator(spectral=is_spectral),
        }
