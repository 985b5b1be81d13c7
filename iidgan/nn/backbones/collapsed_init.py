"""A poor start: a generator that puts all of its first samples in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

from iidgan.core import Backbone
from iidgan.errors import InputError
from iidgan.nn.backbones.mlp import MLP


@dataclass(frozen=True, kw_only=True)
class Shrunk(Backbone):
    """Another backbone whose generator starts with a last layer that is almost nothing.

    All first samples lie within about `gain` of the middle: a mode collapse to begin with.
    """

    backbone: Backbone = field(default_factory=MLP)
    """The backbone whose networks these are."""
    gain: float = 0.01
    """Factor of the generator's last layer at the start."""

    def __post_init__(self) -> None:
        if not 0 < self.gain < 1:
            raise InputError(f"gain: {self.gain} does not shrink; between 0 and 1")

    @property
    def latent(self) -> int:  # type: ignore[override]
        return self.backbone.latent

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        made = self.backbone.generator(shape)
        with torch.no_grad():
            for parameter in made.get_submodule("head").parameters():
                parameter.mul_(self.gain)
        return made

    def discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        return self.backbone.discriminator(shape, spectral=spectral)

    def encoder(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return self.backbone.encoder(shape, outputs)

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        return self.backbone.inverse(shape)

    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return self.backbone.joint_discriminator(shape)

    def latent_discriminator(self) -> nn.Module:
        return self.backbone.latent_discriminator()

    def head(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return self.backbone.head(shape, outputs)
