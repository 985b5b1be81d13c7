"""The Wasserstein GAN: G minimises the earth mover's distance between samples and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from iidgan.core import Batch, HasFeatures, Method, NetworkFactory, Player, Reference, cites
from iidgan.functional import checks
from iidgan.methods.gan import GAN, critic_players

PAPER = Reference(
    title="Wasserstein GAN",
    authors="Martin Arjovsky, Soumith Chintala and Léon Bottou",
    year=2017,
    url="https://arxiv.org/abs/1701.07875",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class Wasserstein(Method):
    """The losses of the Wasserstein GAN; add a term that bounds the slope of the critic.

        min_G max_{|D|_Lip ≤ 1} E D(x) - E D(G(z))

    * D, the critic, minimises `E D(G(z)) - E D(x)`, with several updates per step, so that it
      stays near its optimum;
    * G minimises `-E D(G(z))`.

    At the optimum of D, with slopes of at most 1, its negative loss is the earth mover's distance
    between samples and data. `WGAN` bounds the slope by clipping parameters, `wgan_gp` by a
    penalty.

    References:
        Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875

    Examples:
        The distance between a point mass at 0 and one at 3, with the optimal critic D(x) = x:

        >>> import torch
        >>> from iidgan import Batch, Nets, Wasserstein
        >>> zeros = torch.zeros(1, 4, 1)
        >>> batch = Batch(x=zeros + 3, z=zeros, u=zeros[..., 0])
        >>> nets = Nets({"G": lambda z: z, "D": lambda x: x[..., 0]})
        >>> critic, generator = Wasserstein(critic_steps=5).players
        >>> critic.loss(nets, batch), critic.updates_per_step
        ({'adversarial': tensor([-3.])}, 5)
    """

    critic_steps: int = 5
    """Number of updates of the critic per step."""

    def __post_init__(self) -> None:
        checks.require_at_least("critic_steps", self.critic_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        return critic_players("wasserstein", self.critic_steps)

    @property
    def has_centred_logits(self) -> bool:
        return False

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        return GAN().networks(factory)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class WGAN(Method):
    """The Wasserstein GAN with weight clipping.

    The losses are those of `Wasserstein`. The parameters of the critic are clipped to [-c, c] at
    the start and after each update, which bounds its slope. The authors' code uses RMSProp, and
    100 updates of the critic in the first 25 steps and in every 500th.

    References:
        Wasserstein GAN (Arjovsky, Chintala and Bottou, 2017), https://arxiv.org/abs/1701.07875

    Examples:
        >>> from iidgan import MLP, WGAN
        >>> from iidgan.core import NetworkFactory
        >>> networks = WGAN(clip=0.01).networks(NetworkFactory(MLP(), shape=(2,)))
        >>> round(max(value.abs().max().item() for value in networks["D"].parameters()), 4)
        0.01
    """

    tunable_weights: ClassVar[tuple[str, ...]] = ("clip",)

    critic_steps: int = 5
    """Number of updates of the critic per step."""
    clip: float = 0.01
    """Maximum absolute value of the parameters of the critic."""

    def __post_init__(self) -> None:
        checks.require_at_least("critic_steps", self.critic_steps, 1)
        checks.require_positive("clip", self.clip)

    @property
    def players(self) -> tuple[Player, ...]:
        return critic_players("wasserstein", self.critic_steps)

    @property
    def has_centred_logits(self) -> bool:
        return False

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        networks = GAN().networks(factory)
        return networks | {"D": ClippedCritic(networks["D"], self.clip)}


class ClippedCritic(nn.Module):
    """A network with a head whose parameters are clipped to [-bound, bound].

    Arguments:
        network: The critic.
        bound: Largest absolute value of its parameters.
    """

    def __init__(self, network: nn.Module, bound: float) -> None:
        super().__init__()
        self.net, self.bound = cast(HasFeatures, network), bound
        self.clip_parameters()

    @property
    def head(self) -> nn.Module:
        """The last layer of the network."""
        return self.net.head

    def features(self, x: Tensor) -> Tensor:
        """Compute the last hidden layer of the network."""
        return self.net.features(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def post_update(self, batch: Batch) -> None:
        self.clip_parameters()

    @torch.no_grad()
    def clip_parameters(self) -> None:
        """Clip all parameters in place."""
        for parameter in self.parameters():
            parameter.clamp_(-self.bound, self.bound)
