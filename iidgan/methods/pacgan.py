"""PacGAN: D classifies packs of m samples, so that it can detect a lack of diversity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

from torch import Tensor, nn

from iidgan.core import (
    OMIT_IF_DEFAULT,
    HasFeatures,
    Method,
    NetworkFactory,
    Player,
    Reference,
    cites,
)
from iidgan.functional import checks
from iidgan.functional.adversarial import Adversarial
from iidgan.methods.gan import GAN

PAPER = Reference(
    title="PacGAN: The power of two samples in generative adversarial networks",
    authors="Zinan Lin, Ashish Khetan, Giulia Fanti and Sewoong Oh",
    year=2018,
    url="https://arxiv.org/abs/1712.04086",
)


@cites(PAPER)
@dataclass(frozen=True, kw_only=True)
class PacGAN(Method):
    """PacGAN: D classifies packs of m samples, so that it can detect a lack of diversity.

        min_G max_D E log D(x_1, ..., x_m) + E log(1 - D(G(z_1), ..., G(z_m)))

    Each update of both players uses m batches, so that D gets as many packs as D of a plain GAN
    gets samples. With m = 1 this is the plain GAN.

    References:
        PacGAN: The power of two samples in generative adversarial networks (Lin, Khetan, Fanti and
        Oh, 2018), https://arxiv.org/abs/1712.04086

    Examples:
        >>> import torch
        >>> from iidgan import MLP, PacGAN
        >>> from iidgan.core import NetworkFactory
        >>> networks = PacGAN(m=2).networks(NetworkFactory(MLP(), shape=(2,)))
        >>> networks["D"](torch.zeros(1, 6, 2)).shape  # 6 points are 3 packs
        torch.Size([1, 3])
    """

    m: int = 2
    """Number of samples in a pack."""
    loss: Adversarial = "non-saturating"
    """Name of the pair of losses of D and G."""
    generator_steps: int = field(default=1, metadata=OMIT_IF_DEFAULT)
    """Number of updates of G per step; 2 in the authors' experiments on stacked digits."""

    def __post_init__(self) -> None:
        checks.require_at_least("m", self.m, 1)
        checks.require_at_least("generator_steps", self.generator_steps, 1)

    @property
    def players(self) -> tuple[Player, ...]:
        critic, generator = (
            replace(player, batches_per_update=self.m) for player in GAN(loss=self.loss).players
        )
        return critic, replace(generator, updates_per_step=self.generator_steps)

    @property
    def has_centred_logits(self) -> bool:
        return GAN(loss=self.loss).has_centred_logits

    def networks(self, factory: NetworkFactory) -> dict[str, nn.Module]:
        channels, *sides = factory.shape
        packed_factory = replace(factory, shape=(self.m * channels, *sides))
        G = factory.build_generator()
        return {"G": G, "D": PackedDiscriminator(packed_factory.build_discriminator(), self.m)}


class PackedDiscriminator(nn.Module):
    """A network with a head that gets each m consecutive samples as one.

    Inputs (S, m B, C, ...) are reshaped to (S, B, m C, ...), which concatenates vectors, or the
    channels of images.

    Arguments:
        network: Discriminator of samples with m times as many channels.
        m: Number of samples in a pack.
    """

    def __init__(self, network: nn.Module, m: int) -> None:
        super().__init__()
        self.net, self.m = cast(HasFeatures, network), m
        self.share_unit = m  # a pack is not divided

    @property
    def head(self) -> nn.Module:
        """The last layer of the network."""
        return self.net.head

    def features(self, x: Tensor) -> Tensor:
        """Compute the last hidden layer for packs, (S, m B, C, ...) -> (S, B, ...)."""
        return self.net.features(x.unflatten(1, (-1, self.m)).flatten(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
