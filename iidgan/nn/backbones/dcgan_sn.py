"""The networks of IID-GAN for CIFAR-10: DCGAN with spectral normalisation in D and F.

| G | side | D | side |
|---|---|---|---|
| transposed convolution 1024, BN, ReLU | 2 | SN convolution 64, LeakyReLU | 16 |
| transposed convolution 512, BN, ReLU | 4 | SN convolution 128, LeakyReLU, BN | 8 |
| transposed convolution 256, BN, ReLU | 8 | SN convolution 256, LeakyReLU, BN | 4 |
| transposed convolution 128, BN, ReLU | 16 | SN convolution 512, LeakyReLU, BN | 2 |
| transposed convolution 3, tanh | 32 | flatten 2048, linear 1 | |

The inverse is D with M outputs. What the tables leave open is as in the code of the authors' next
paper: kernels of 4 with stride 2 in G, of 5 with stride 2 in D, slope 0.2. Other sides halve four
times too: 48, 24, 12, 6, 3; 28, 14, 7, 3, 1 in G, and 28, 14, 7, 4, 2 in D.

References:
    IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan, 2023),
    https://www.ijcai.org/proceedings/2023/437, Tables 7 and 8;
    https://github.com/yangco-le/AdvLatGAN
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from iidgan.core import cites
from iidgan.nn.backbones.dcgan import rising
from iidgan.nn.backbones.image import NORMS, ImageBackbone, Norm, Trunk, side_of
from iidgan.nn.layers.conv import Conv2d
from iidgan.nn.layers.weight import SpectralWeight
from iidgan.nn.references import IID_GAN

STAGES = 4


@cites(IID_GAN)
@dataclass(frozen=True, kw_only=True)
class DCGANSN(ImageBackbone):
    """DCGAN with spectral normalisation in D and F: IID-GAN's networks for CIFAR-10."""

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Channels of D's first layer; G's last but one has twice as many."""
    norm: Norm = "batch"
    """Normalisation in D and F; a penalty on D's slope (WGAN-GP, R1, R2) wants `none`."""

    def generator(self, shape: tuple[int, ...]) -> nn.Module:
        side = self._side(shape)
        size = [side // 2**stage for stage in reversed(range(STAGES + 1))]
        channels = [2 * self.width * 2**stage for stage in reversed(range(STAGES))]
        return rising(self.latent, size, [*channels, shape[0]])

    def _trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._side(shape)
        norm = NORMS["none" if spectral else self.norm]
        layers: list[nn.Module] = []
        before = shape[0]
        for stage in range(STAGES):
            count = self.width * 2**stage
            layers += [
                Conv2d(before, count, 5, stride=2, padding=2, weight=SpectralWeight),
                nn.LeakyReLU(0.2),
                norm(count) if stage else nn.Identity(),
            ]
            before = count
        return Trunk(*layers)

    def _hidden(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return self.width * 2 ** (STAGES - 1), -(-self._side(shape) // 2**STAGES)

    @staticmethod
    def _side(shape: tuple[int, ...]) -> int:
        return side_of(shape, "dcgan-sn", least=2**STAGES)
