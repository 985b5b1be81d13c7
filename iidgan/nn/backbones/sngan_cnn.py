"""The convolutional networks of SNGAN, which IID-GAN uses for CelebA and LSUN at 64 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import nn

from iidgan.core import cites
from iidgan.core.references import SNGAN
from iidgan.nn.backbones.image import (
    ConvTrunk,
    DenseHead,
    FeatureShape,
    Generator,
    ImageBackbone,
    ImageSize,
    Reshape,
    check_image_size,
    choose_weight,
    halve_size,
)
from iidgan.nn.init import xavier_uniform
from iidgan.nn.layers.conv import BatchNorm, Conv2d, ConvTranspose2d, Dense

NUM_STAGES = 3


@cites(SNGAN)
@dataclass(frozen=True, kw_only=True)
class SNGANCNN(ImageBackbone):
    """SNGAN's plain convolutions: spectral norm instead of batch norm in D and F.

    | G | side | D | side |
    |---|---|---|---|
    | linear 512 | 8 | SN convolution 64; 64 | 64; 32 |
    | transposed convolution 256, BN, ReLU | 16 | SN convolution 128; 128 | 32; 16 |
    | transposed convolution 128, BN, ReLU | 32 | SN convolution 256; 256 | 16; 8 |
    | transposed convolution 64, BN, ReLU | 64 | SN convolution 512 | 8 |
    | convolution 3, tanh | 64 | flatten, linear 1 | |

    A LeakyReLU follows every convolution of D. The inverse is D with M outputs. Choices that the
    tables leave open are as in the code of the authors' next paper: kernels of 4 where the side
    halves or doubles, otherwise of 3, slope 0.1, Glorot initialisation, D's last layer spectrally
    normalised as well. That code has no biases; here the layers of D have biases, as in SNGAN,
    since D(t x) would be t D(x) without them. At 32 and 48 pixels all sides are 1/2 and 3/4 of
    these.

    References:
        * IID-GAN: an IID Sampling Perspective for Regularizing Mode Collapse (Li, Shi and Yan,
          2023), https://www.ijcai.org/proceedings/2023/437, Tables 9 and 10
        * https://github.com/yangco-le/AdvLatGAN
        * Spectral Normalization for Generative Adversarial Networks (Miyato et al., 2018),
          https://arxiv.org/abs/1802.05957

    Examples:
        >>> import torch
        >>> from iidgan import SNGANCNN
        >>> D = SNGANCNN(width=4).build_discriminator((3, 64, 64))
        >>> D.features(torch.zeros(1, 2, 3, 64, 64)).shape
        torch.Size([1, 2, 32, 8, 8])
    """

    latent: int = 128
    """Dimension M of the prior."""
    width: int = 64
    """Number of channels of the layers next to the image; doubled where the sides are halved."""
    spectral_norm: bool = True
    """Spectral normalisation in D and F, but not in F's last layer, as codes need variance 1."""

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        inner_size = self._inner_size(shape)
        channels = [self.width * 2**stage for stage in reversed(range(NUM_STAGES + 1))]
        layers: list[nn.Module] = [
            Dense(self.latent, channels[0] * math.prod(inner_size), init=xavier_uniform),
            Reshape(inner_size),
        ]
        for in_channels, out_channels in pairwise(channels):
            conv = ConvTranspose2d(
                in_channels, out_channels, 4, stride=2, padding=1, bias=False, init=xavier_uniform
            )
            layers += [conv, BatchNorm(out_channels), nn.ReLU()]
        last_layer = Conv2d(self.width, shape[0], 3, padding=1, init=xavier_uniform)
        return Generator(nn.Sequential(*layers), last_layer)

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        self._inner_size(shape)  # checks it
        make_weight = choose_weight(spectral or self.spectral_norm)
        conv = partial(Conv2d, padding=1, make_weight=make_weight, init=xavier_uniform)
        layers: list[nn.Module] = []
        in_channels = shape[0]
        for stage in range(NUM_STAGES):
            out_channels = self.width * 2**stage
            layers += [conv(in_channels, out_channels, 3), nn.LeakyReLU(0.1)]
            layers += [conv(out_channels, out_channels, 4, stride=2), nn.LeakyReLU(0.1)]
            in_channels = out_channels
        return ConvTrunk(*layers, conv(in_channels, 2 * in_channels, 3), nn.LeakyReLU(0.1))

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        make_weight = choose_weight(spectral)
        return DenseHead(feature_shape, num_outputs, make_weight=make_weight, init=xavier_uniform)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        return self.width * 2**NUM_STAGES, *self._inner_size(shape)

    @staticmethod
    def _inner_size(shape: tuple[int, ...]) -> ImageSize:
        """Return the size of the smallest feature maps."""
        size = check_image_size(shape, "sngan-cnn", multiple_of=2**NUM_STAGES)
        return halve_size(size, NUM_STAGES)
