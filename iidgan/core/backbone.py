"""A family of networks, and what a method builds its own from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn


class Backbone(ABC):
    """A family of networks; subclasses are frozen dataclasses, their fields its options.

    Every network is built with a seed axis of length one in its parameters and buffers.

    Attributes:
        latent: Dimension M of the prior.
    """

    latent: int

    @abstractmethod
    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, M) -> (S, B, *shape) that is `Headed`."""

    @abstractmethod
    def discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B) of logits that is `Headed`.

        Arguments:
            shape: Shape of a sample.
            spectral: Whether every layer is spectrally normalised.
        """

    @abstractmethod
    def encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B, outputs), the discriminator but for its end."""

    @abstractmethod
    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, *shape) -> (S, B, M)."""

    @abstractmethod
    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        """Creates a map (S, B, *shape), (S, B, M) -> (S, B) of logits."""

    @abstractmethod
    def latent_discriminator(self) -> nn.Module:
        """Creates a map (S, B, M) -> (S, B) of logits."""

    @abstractmethod
    def head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Creates an affine map from the discriminator's features to (S, B, outputs)."""


@dataclass(frozen=True)
class Arch:
    """A backbone for data of one shape: what a method builds its networks with."""

    backbone: Backbone
    shape: tuple[int, ...]

    @property
    def latent(self) -> int:
        return self.backbone.latent

    def generator(self) -> nn.Module:
        return self.backbone.generator(self.shape)

    def discriminator(self, *, spectral: bool = False) -> nn.Module:
        return self.backbone.discriminator(self.shape, spectral=spectral)

    def encoder(self, outputs: int) -> nn.Module:
        return self.backbone.encoder(self.shape, outputs)

    def inverse(self) -> nn.Module:
        return self.backbone.inverse(self.shape)

    def joint_discriminator(self) -> nn.Module:
        return self.backbone.joint_discriminator(self.shape)

    def latent_discriminator(self) -> nn.Module:
        return self.backbone.latent_discriminator()

    def head(self, outputs: int) -> nn.Module:
        return self.backbone.head(self.shape, outputs)
