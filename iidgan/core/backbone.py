"""Families of networks, and the factory with which a method builds its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn

from iidgan.core.typed_fields import TypedFields


class Backbone(TypedFields, ABC):
    """A family of networks; subclasses are frozen dataclasses whose fields are its options.

    Every network is built with a seed axis of length one in its parameters and buffers.

    Attributes:
        latent: Dimension M of the prior.
    """

    latent: int

    @abstractmethod
    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, M) -> (S, B, *shape) that is `HasFeatures`."""

    @abstractmethod
    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B) to logits that is `HasFeatures`.

        Arguments:
            shape: Shape of a sample.
            spectral: Whether every layer is spectrally normalised.
        """

    @abstractmethod
    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, outputs): the discriminator with another head."""

    @abstractmethod
    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, M)."""

    @abstractmethod
    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, *shape), (S, B, M) -> (S, B) to logits."""

    @abstractmethod
    def build_latent_discriminator(self) -> nn.Module:
        """Build a map (S, B, M) -> (S, B) to logits."""

    @abstractmethod
    def build_head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Build an affine map from the discriminator's features to (S, B, outputs)."""


@dataclass(frozen=True)
class NetworkFactory:
    """A backbone bound to the shape of the data: what a method builds its networks with.

    Arguments:
        backbone: Family of networks.
        shape: Shape of a sample.
    """

    backbone: Backbone
    shape: tuple[int, ...]

    @property
    def latent(self) -> int:
        """Dimension M of the prior."""
        return self.backbone.latent

    def build_generator(self) -> nn.Module:
        return self.backbone.build_generator(self.shape)

    def build_discriminator(self, *, spectral: bool = False) -> nn.Module:
        return self.backbone.build_discriminator(self.shape, spectral=spectral)

    def build_encoder(self, outputs: int) -> nn.Module:
        return self.backbone.build_encoder(self.shape, outputs)

    def build_inverse(self) -> nn.Module:
        return self.backbone.build_inverse(self.shape)

    def build_joint_discriminator(self) -> nn.Module:
        return self.backbone.build_joint_discriminator(self.shape)

    def build_latent_discriminator(self) -> nn.Module:
        return self.backbone.build_latent_discriminator()

    def build_head(self, outputs: int) -> nn.Module:
        return self.backbone.build_head(self.shape, outputs)
