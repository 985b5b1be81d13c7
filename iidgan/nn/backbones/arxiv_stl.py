"""The residual networks of IID-GAN's first version, and of InvertGAN, for STL-10 at 32 pixels.

| G | side | F | side | D | side |
|---|---|---|---|---|---|
| linear 8192 | 4 | convolution 64 | 32 | convolution 64 | 32 |
| block 256, doubled | 4 | block 64, halved | 32 | block 64, halved | 32 |
| block 128, doubled | 8 | block 128, halved | 16 | block 128, halved | 16 |
| block 64, doubled | 16 | block 256, halved | 8 | block 256 | 8 |
| block 64 | 32 | block 512 | 4 | linear 10 | |
| convolution 3, tanh | 32 | linear 20 | | linear 1 | |

Layer by layer, up to D's linear 10, these are the networks of Mescheder et al., and what the
tables leave open is from there: a block is x + 0.1 conv(a(conv(a(x)))) with a LeakyReLU a of slope
0.2 and as many channels inside as at its narrower end; its shortcut is a convolution of kernel 1
without bias where channels change; a comes once more before the last layer. There is no batch
normalisation. Between D's two linear layers stands a too: without, they were one. A joint
discriminator reads D's blocks, not the ten numbers.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Shi, Li and Yan, 2021),
    https://arxiv.org/abs/2106.00563v1, Tables 12, 13 and 14; InvertGAN, Tables 3 and 4;
    Which Training Methods for GANs do actually Converge? (Mescheder, Geiger and Nowozin, 2018),
    https://arxiv.org/abs/1801.04406, https://github.com/LMescheder/GAN_stability
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from iidgan.core import cites
from iidgan.nn.backbones.image import (
    Encoder,
    Generator,
    Head,
    ImageBackbone,
    Joint,
    Spread,
    Trunk,
    side_of,
    weighting,
)
from iidgan.nn.init import fan_in
from iidgan.nn.layers.conv import Conv2d, Dense
from iidgan.nn.layers.linear import Weighting
from iidgan.nn.layers.weight import Weight
from iidgan.nn.references import IID_GAN_2021

SLOPE = 0.2
SHARE = 0.1  # of a block's residual
NARROW = 10  # numbers in D's last hidden layer


class Block(nn.Module):
    """A residual block in grouped layout, which keeps the side.

    Arguments:
        before: Channels that come.
        count: Channels that go.
        weight: How the weights are kept.
    """

    def __init__(self, before: int, count: int, *, weight: Weighting = Weight) -> None:
        super().__init__()
        conv = partial(Conv2d, weight=weight, start=fan_in)
        inside = min(before, count)
        self.convs = nn.ModuleList(
            [conv(before, inside, 3, padding=1), conv(inside, count, 3, padding=1)]
        )
        same = before == count
        self.shortcut = nn.Identity() if same else conv(before, count, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = x
        for conv in self.convs:
            hidden = conv(leaky_relu(hidden, SLOPE))
        output: Tensor = self.shortcut(x) + SHARE * hidden
        return output


@cites(IID_GAN_2021)
@dataclass(frozen=True, kw_only=True)
class ArxivSTL(ImageBackbone):
    """The residual networks of IID-GAN's first version for STL-10; no normalisation at all."""

    latent: int = 20
    """Dimension M of the prior."""
    width: int = 64
    """Channels of the layers next to the image; doubled at every halving."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner, n = self._side(shape) // 8, self.width
        double = partial(nn.Upsample, scale_factor=2)
        body = nn.Sequential(
            Dense(self.latent, 8 * n * inner**2, start=fan_in),
            Spread(inner),
            *(Block(8 * n, 4 * n), double()),
            *(Block(4 * n, 2 * n), double()),
            *(Block(2 * n, n), double()),
            *(Block(n, n), nn.LeakyReLU(SLOPE)),
        )
        return Generator(body, Conv2d(n, shape[0], 3, padding=1, start=fan_in))

    def inverse(self, shape: tuple[int, ...]) -> nn.Module:
        hidden = 8 * self.width, self._side(shape) // 8
        return Encoder(Trunk(*self._layers(shape, 4)), Head(hidden, self.latent, start=fan_in))

    def joint_discriminator(self, shape: tuple[int, ...]) -> nn.Module:
        return Joint(Trunk(*self._layers(shape, 3)), self._found(shape), self.latent)

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        weight = weighting(spectral)
        channels, side = self._found(shape)
        narrow = Dense(channels * side**2, NARROW, weight=weight, start=fan_in)
        return Trunk(*self._layers(shape, 3, weight=weight), narrow, nn.LeakyReLU(SLOPE))

    def _head(self, hidden: tuple[int, int], outputs: int, *, spectral: bool) -> nn.Module:
        return Head(hidden, outputs, weight=weighting(spectral), start=fan_in)

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        self._side(shape)
        return NARROW, 1

    def _found(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Counts channels and side of what D's blocks make, before its narrow layer."""
        return 4 * self.width, self._side(shape) // 4

    def _layers(
        self, shape: tuple[int, ...], blocks: int, *, weight: Weighting = Weight
    ) -> list[nn.Module]:
        """Lists what D and F begin with: a convolution, blocks, and means between them."""
        n = self.width
        conv = Conv2d(shape[0], n, 3, padding=1, weight=weight, start=fan_in)
        layers: list[nn.Module] = [conv, Block(n, n, weight=weight)]
        for stage in range(blocks - 1):
            before = n * 2**stage
            layers += [nn.AvgPool2d(3, 2, 1), Block(before, 2 * before, weight=weight)]
        return [*layers, nn.LeakyReLU(SLOPE)]

    @staticmethod
    def _side(shape: tuple[int, ...]) -> int:
        return side_of(shape, "arxiv-stl", multiple=8)
