"""Families of networks, and the factory with which a method builds its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from torch import nn

from iidgan.core.typed_fields import TypedFields


class Backbone(TypedFields, ABC):
    """A family of networks; subclasses are frozen dataclasses whose fields are its options.

    Every network is built with a seed axis of length one in its parameters and buffers. S is the
    number of seeds, B that of samples, and M the dimension of the prior.

    Attributes:
        latent: Dimension M of the prior.

    Examples:
        >>> import torch
        >>> from iidgan import DCGAN
        >>> backbone = DCGAN(latent=64, width=16)
        >>> backbone.build_generator((3, 32, 32))(torch.randn(1, 2, 64)).shape
        torch.Size([1, 2, 3, 32, 32])
    """

    latent: int

    def with_latent(self, latent: int) -> Backbone:
        """Return the backbone with another dimension of the prior.

        Arguments:
            latent: Dimension M.
        """
        return replace(self, latent=latent)  # type: ignore[type-var]

    @property
    def is_convolutional(self) -> bool:
        """Whether the networks are convolutions of images, for which bfloat16 is fine enough."""
        return False

    @abstractmethod
    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, M) -> (S, B, *shape) that is `HasFeatures`.

        Arguments:
            shape: Shape of a sample.
        """

    @abstractmethod
    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B) to logits that is `HasFeatures`.

        Arguments:
            shape: Shape of a sample.
            spectral: Whether every layer is spectrally normalised.
        """

    @abstractmethod
    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, outputs): the discriminator with another head.

        Arguments:
            shape: Shape of a sample.
            outputs: Number of outputs.
        """

    @abstractmethod
    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, M), the inverse F of a generator.

        Arguments:
            shape: Shape of a sample.
        """

    @abstractmethod
    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        """Build a map (S, B, *shape), (S, B, M) -> (S, B) to logits of pairs.

        Arguments:
            shape: Shape of a sample.
        """

    @abstractmethod
    def build_latent_discriminator(self) -> nn.Module:
        """Build a map (S, B, M) -> (S, B) to logits."""

    @abstractmethod
    def build_head(
        self, shape: tuple[int, ...], outputs: int, *, spectral: bool = False
    ) -> nn.Module:
        """Build an affine map from the discriminator's features to (S, B, outputs).

        Arguments:
            shape: Shape of a sample.
            outputs: Number of outputs.
            spectral: Whether it is spectrally normalised.
        """


@dataclass(frozen=True)
class NetworkFactory:
    """A backbone bound to the shape of the data: what a method builds its networks with.

    Arguments:
        backbone: Family of networks.
        shape: Shape of a sample.
        num_classes: Number K of classes that a conditional method generates, or 0.

    Examples:
        >>> import torch
        >>> from iidgan.nn import MLP
        >>> factory = NetworkFactory(MLP(latent=3), shape=(2,))
        >>> z = torch.randn(1, 64, factory.latent)  # one seed, 64 samples
        >>> x = factory.build_generator()(z)
        >>> x.shape
        torch.Size([1, 64, 2])
        >>> factory.build_inverse()(x).shape, factory.build_discriminator()(x).shape
        (torch.Size([1, 64, 3]), torch.Size([1, 64]))
    """

    backbone: Backbone
    shape: tuple[int, ...]
    num_classes: int = 0

    @property
    def latent(self) -> int:
        """Dimension M of the prior."""
        return self.backbone.latent

    def build_generator(self) -> nn.Module:
        """Build a map (S, B, M) -> (S, B, *shape)."""
        return self.backbone.build_generator(self.shape)

    def build_discriminator(self, *, spectral: bool = False) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B) to logits.

        Arguments:
            spectral: Whether every layer is spectrally normalised.
        """
        return self.backbone.build_discriminator(self.shape, spectral=spectral)

    def build_encoder(self, outputs: int) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, outputs).

        Arguments:
            outputs: Number of outputs.
        """
        return self.backbone.build_encoder(self.shape, outputs)

    def build_inverse(self) -> nn.Module:
        """Build a map (S, B, *shape) -> (S, B, M)."""
        return self.backbone.build_inverse(self.shape)

    def build_joint_discriminator(self) -> nn.Module:
        """Build a map (S, B, *shape), (S, B, M) -> (S, B) to logits."""
        return self.backbone.build_joint_discriminator(self.shape)

    def build_latent_discriminator(self) -> nn.Module:
        """Build a map (S, B, M) -> (S, B) to logits."""
        return self.backbone.build_latent_discriminator()

    def build_head(self, outputs: int, *, spectral: bool = False) -> nn.Module:
        """Build an affine map from the discriminator's features to (S, B, outputs).

        Arguments:
            outputs: Number of outputs.
            spectral: Whether it is spectrally normalised.
        """
        return self.backbone.build_head(self.shape, outputs, spectral=spectral)
