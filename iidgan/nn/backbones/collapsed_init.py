"""A collapsed initialisation: the first samples of the generator are almost all the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.backbones.mlp import MLP


@dataclass(frozen=True, kw_only=True)
class CollapsedInit(Backbone):
    """Another backbone whose generator starts with a last layer close to zero.

    All initial samples lie within about `gain` of the origin: training starts from mode collapse.

    Examples:
        >>> import torch
        >>> from iidgan import CollapsedInit
        >>> _ = torch.manual_seed(0)
        >>> G = CollapsedInit(gain=0.01).build_generator((2,))
        >>> samples = G(torch.randn(1, 100, 2))
        >>> bool(samples.norm(dim=-1).max() < 0.01)
        True
    """

    backbone: Backbone = field(default_factory=MLP)
    """Backbone that builds the networks."""
    gain: float = 0.01
    """Factor on the initial weights of the generator's last layer."""

    def __post_init__(self) -> None:
        if not 0 < self.gain < 1:
            raise InputError(f"gain: must be between 0 and 1 (exclusive), got {self.gain}")

    @property
    def latent(self) -> int:  # type: ignore[override]
        return self.backbone.latent

    def with_latent(self, latent: int) -> CollapsedInit:
        return replace(self, backbone=self.backbone.with_latent(latent))

    @property
    def is_convolutional(self) -> bool:
        return self.backbone.is_convolutional

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        network = self.backbone.build_generator(shape)
        with torch.no_grad():
            for parameter in network.get_submodule("head").parameters():
                parameter.mul_(self.gain)
        return network

    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        return self.backbone.build_discriminator(shape, spectral=spectral)

    def build_encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return self.backbone.build_encoder(shape, outputs)

    def build_inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.backbone.build_inverse(shape)

    def build_joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return self.backbone.build_joint_discriminator(shape)

    def build_latent_discriminator(self) -> nn.Module:
        return self.backbone.build_latent_discriminator()

    def build_head(
        self, shape: tuple[int, ...], outputs: int, *, spectral: bool = False
    ) -> nn.Module:
        return self.backbone.build_head(shape, outputs, spectral=spectral)
