"""The residual networks of SNGAN, at 32, 48 and 64 pixels.

G is a linear layer, blocks that double the side, BN, ReLU, a convolution of kernel 3, tanh; D is
blocks that halve the side (at 32 pixels two of four, at 48 four of five), ReLU, a sum over the
pixels, a linear layer. The inverse is D with M outputs.

| pixels | G's linear layer and blocks | D's blocks |
|---|---|---|
| 32 | 4 x 4 x 256; 256, 256, 256 | 128, 128, 128, 128 |
| 48 | 6 x 6 x 512; 256, 128, 64 | 64, 128, 256, 512, 1024 |
| 64 | 4 x 4 x 1024; 512, 256, 128, 64 | 64, 128, 256, 512, 1024 |

A side doubles by repetition and halves by the mean of 2 x 2. On a shortcut the mean is taken
before the convolution of kernel 1 rather than after: it is the same map, and cheaper. The authors'
blocks of G have biases, but each passes a batch normalisation, which takes it away: here they have
none. Their D's last linear layer has no bias at 32 pixels; here it has one everywhere.

References:
    Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957, appendix B.4;
    https://github.com/pfnet-research/sngan_projection for 64 pixels
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import sqrt

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    Generator,
    Head,
    ImageBackbone,
    Spread,
    Trunk,
    side_of,
    weighting,
)
from iidgan.nn.init import xavier
from iidgan.nn.layers.conv import BatchNorm, Conv2d, Dense
from iidgan.nn.layers.linear import Weighting
from iidgan.nn.references import SNGAN

RESIDUAL = partial(xavier, gain=sqrt(2))  # the start of what a ReLU comes before


class Up(nn.Module):
    """A block that doubles the side: x + conv(relu(bn(conv(up(relu(bn(x))))))), grouped layout."""

    def __init__(self, before: int, count: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([BatchNorm(before), BatchNorm(count)])
        self.convs = nn.ModuleList(
            Conv2d(size, count, 3, padding=1, bias=False, start=RESIDUAL)
            for size in (before, count)
        )
        self.shortcut = Conv2d(before, count, 1, bias=False, start=xavier)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.convs[0](doubled(relu(self.norms[0](x))))
        hidden = self.convs[1](relu(self.norms[1](hidden)))
        # A convolution of one pixel commutes with repetition, and reads a quarter of the pixels.
        return hidden + doubled(self.shortcut(x))


def doubled(x: Tensor) -> Tensor:
    """Repeats every pixel in a square of four."""
    return interpolate(x, scale_factor=2)


class Down(nn.Module):
    """A block that may halve the side: x + conv(relu(conv(relu(x)))), grouped layout.

    Arguments:
        before: Channels that come.
        count: Channels that go.
        halve: Whether to take the mean of squares of four pixels.
        first: Whether it reads images, which no ReLU should see.
        weight: How the weights are kept.
    """

    def __init__(
        self, before: int, count: int, *, halve: bool, first: bool, weight: Weighting
    ) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        conv = partial(Conv2d, kernel=3, padding=1, weight=weight, start=RESIDUAL)
        inside = count if first else before
        self.convs = nn.ModuleList([conv(before, inside), conv(inside, count)])
        same = before == count and not halve
        self.shortcut = (
            nn.Identity() if same else Conv2d(before, count, 1, weight=weight, start=xavier)
        )

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.convs[0](x if self.first else relu(x))
        hidden = self.convs[1](relu(hidden))
        if self.halve:
            hidden, x = avg_pool2d(hidden, 2), avg_pool2d(x, 2)
        output: Tensor = hidden + self.shortcut(x)
        return output


class Sum(nn.Module):
    """A ReLU, and a sum over pixels: (B, S * C, H, W) to (B, S * C, 1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return relu(x).sum((2, 3), keepdim=True)


@dataclass(frozen=True)
class Plan:
    """The blocks for images of one size; channels in units of the width.

    Arguments:
        inner: Side of the smallest feature map of G.
        up: Channels of G's linear layer, and of its blocks.
        down: Channels of D's blocks.
        halvings: How many of D's blocks, from the first, halve the side.
    """

    inner: int
    up: tuple[int, ...]
    down: tuple[int, ...]
    halvings: int


PLANS = {
    32: Plan(4, up=(4, 4, 4, 4), down=(2, 2, 2, 2), halvings=2),
    48: Plan(6, up=(8, 4, 2, 1), down=(1, 2, 4, 8, 16), halvings=4),
    64: Plan(4, up=(16, 8, 4, 2, 1), down=(1, 2, 4, 8, 16), halvings=5),
}


@cites(SNGAN)
@dataclass(frozen=True, kw_only=True)
class ResNet(ImageBackbone):
    """SNGAN's residual networks for 32, 48 and 64 pixels; no batch norm in D and F."""

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Channels next to the image at 48 and 64 pixels; at 32, G has four times as many, D two."""
    spectral_norm: bool = True
    """Spectral normalisation in D and F, but for F's last layer: its codes need variance 1."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        plan = self._plan(shape)
        counts = [self.width * unit for unit in plan.up]
        body = nn.Sequential(
            Dense(self.latent, counts[0] * plan.inner**2, start=xavier),
            Spread(plan.inner),
            *(Up(before, count) for before, count in pairwise(counts)),
            BatchNorm(counts[-1]),
            nn.ReLU(),
        )
        return Generator(body, Conv2d(counts[-1], shape[0], 3, padding=1, start=xavier))

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        plan = self._plan(shape)
        counts = [shape[0], *(self.width * unit for unit in plan.down)]
        weight = weighting(spectral or self.spectral_norm)
        blocks = (
            Down(before, count, halve=i < plan.halvings, first=i == 0, weight=weight)
            for i, (before, count) in enumerate(pairwise(counts))
        )
        return Trunk(*blocks, Sum())

    def _head(self, hidden: tuple[int, int], outputs: int, *, spectral: bool) -> nn.Module:
        return Head(hidden, outputs, weight=weighting(spectral), start=xavier)

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return self.width * self._plan(shape).down[-1], 1

    @staticmethod
    def _plan(shape: tuple[int, ...]) -> Plan:
        return PLANS[side_of(shape, "resnet", of=tuple(PLANS))]
