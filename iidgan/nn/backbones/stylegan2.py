"""The networks of StyleGAN2 for images of any size that can be halved down to four to seven."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from iidgan.core import Batch, cites, fit_batch_size
from iidgan.core.references import STYLEGAN2
from iidgan.errors import InputError
from iidgan.nn.backbones.image import (
    ConvTrunk,
    DenseHead,
    Encoder,
    FeatureShape,
    ImageBackbone,
    ImageSize,
    LogitHead,
    list_halved_sizes,
)
from iidgan.nn.layers.conv import Conv2d, Dense, group_seeds, ungroup_seeds
from iidgan.nn.layers.linear import EqualisedLinear
from iidgan.nn.layers.minibatch_std import MinibatchStdConv
from iidgan.nn.layers.modulated_conv import ModulatedConv2d, to_channels
from iidgan.nn.layers.resample import blur, downsample, upsample
from iidgan.nn.layers.weight import EqualisedWeight, SpectralWeight, WeightFactory

MAPPING_LR_MULTIPLIER = 0.01
MEAN_STYLE_DECAY = 0.995  # per step, of the moving average that truncation draws towards
EPSILON = 1e-8


class ScaledLeakyReLU(nn.Module):
    """LeakyReLU of slope 0.2 times sqrt(2), which keeps the scale of normal inputs."""

    def forward(self, x: Tensor) -> Tensor:
        return sqrt(2) * leaky_relu(x, 0.2)


class MappingNetwork(nn.Module):
    """Map latents (S, B, M) to styles w, (S, B, M), by a perceptron on normalised latents.

    Arguments:
        latent: Dimension M of latents and of styles.
        num_layers: Number of layers.

    Attributes:
        mean_style: Moving average of the styles in training, (S, M).
    """

    mean_style: Tensor

    def __init__(self, latent: int, num_layers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(num_layers):
            linear = EqualisedLinear(latent, latent, lr_multiplier=MAPPING_LR_MULTIPLIER)
            layers += [linear, ScaledLeakyReLU()]
        self.layers = nn.Sequential(*layers)
        self.register_buffer("mean_style", torch.zeros(1, latent))

    def forward(self, z: Tensor) -> Tensor:
        normalised_z = z * (z.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
        styles: Tensor = self.layers(normalised_z)
        return styles

    @torch.no_grad()
    def post_update(self, batch: Batch) -> None:
        """Update the average with the styles of the batch's latents."""
        self.mean_style.lerp_(self(batch.z).mean(1), 1 - MEAN_STYLE_DECAY)


class StyledConv(nn.Module):
    """Modulated convolution, noise of a learned strength, bias and activation; grouped layout.

    Arguments:
        in_channels: Number of input channels of one seed.
        out_channels: Number of output channels of one seed.
        style_dim: Dimension of styles.
        upsample: Whether the sides are doubled before.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, style_dim: int, upsample: bool
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(
            in_channels, out_channels, style_dim=style_dim, upsample=upsample
        )
        self.noise_strength = nn.Parameter(torch.zeros(1, 1))
        self.bias = nn.Parameter(torch.zeros(1, out_channels))
        self.activation = ScaledLeakyReLU()

    def forward(self, x: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
        """Convolve (B, S * in, H, W), given styles (S, B, M) and noise (S, B, H * W)."""
        x = self.conv(x, styles)
        num_seeds = len(self.bias)
        noise = (self.noise_strength[:, None] * noise).transpose(0, 1)
        noise_maps = noise.reshape(len(noise), num_seeds, 1, *x.shape[2:])
        x = (x.unflatten(1, (num_seeds, -1)) + noise_maps).flatten(1, 2)
        activated: Tensor = self.activation(x + self.bias.flatten()[:, None, None])
        return activated


class ToRGB(nn.Module):
    """Map features to the channels of an image by a modulated convolution of kernel 1.

    Arguments:
        in_channels: Number of input channels of one seed.
        image_channels: Number of channels of images.
        style_dim: Dimension of styles.
    """

    def __init__(self, in_channels: int, image_channels: int, *, style_dim: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(
            in_channels, image_channels, style_dim=style_dim, kernel_size=1, demodulate=False
        )
        self.bias = nn.Parameter(torch.zeros(1, image_channels))

    def forward(self, x: Tensor, styles: Tensor) -> Tensor:
        image: Tensor = self.conv(x, styles)
        return image + self.bias.flatten()[:, None, None]


class SkipHead(nn.Module):
    """Last layer of the generator: modulated features, and the image so far, to pixels.

    The features (S, B, C' + C, H, W) end with the sum of the images of smaller stages. In
    evaluation mode pixels are clamped to [-1, 1].

    Arguments:
        in_channels: Number C' of channels of the features proper.
        image_channels: Number C of channels of images.
    """

    def __init__(self, in_channels: int, image_channels: int) -> None:
        super().__init__()
        self.conv = Conv2d(
            in_channels, image_channels, 1, make_weight=EqualisedWeight, init=torch.randn
        )
        self.image_channels = image_channels

    def forward(self, features: Tensor) -> Tensor:
        hidden = features[:, :, : -self.image_channels]
        skip = features[:, :, -self.image_channels :]
        images = ungroup_seeds(self.conv(group_seeds(hidden)), len(hidden)) + skip
        return images if self.training else images.clamp(-1, 1)


class StyleGenerator(nn.Module):
    """Map latents (S, B, M), or styles of all layers (S, B, L, M), to images (S, B, C, H, W).

    A learned constant is convolved, and its sides are doubled, under the control of styles. Each
    stage contributes an image of its size, and these are upsampled and added. A convolution adds
    one number of the layer noise to each pixel. In evaluation mode, and wherever there is no
    other, this is the fixed noise of the generator.

    Arguments:
        latent: Dimension M of latents and styles.
        sizes: Height and width of the feature maps, of which the last is that of images.
        channels: Numbers of channels of the feature maps.
        image_channels: Number C of channels of images.
        mapping_layers: Number of layers of the mapping network.

    Attributes:
        layer_noise_shape: Shape of the noise of one sample.
        num_styles: Number L of layers that read a style each.
    """

    fixed_noise: Tensor

    def __init__(
        self,
        latent: int,
        *,
        sizes: list[ImageSize],
        channels: list[int],
        image_channels: int,
        mapping_layers: int,
    ) -> None:
        super().__init__()
        conv_sizes = [sizes[0], *(size for size in sizes[1:] for _ in range(2))]
        conv_channels = [channels[0], channels[0]]
        for num_channels in channels[1:]:
            conv_channels += [num_channels, num_channels]
        make_conv = partial(StyledConv, style_dim=latent)
        self.mapping = MappingNetwork(latent, mapping_layers)
        self.constant = nn.Parameter(torch.randn(1, channels[0], *sizes[0]))
        self.convs = nn.ModuleList(
            make_conv(*pair, upsample=layer % 2 == 1)
            for layer, pair in enumerate(pairwise(conv_channels))
        )
        self.to_rgbs = nn.ModuleList(
            ToRGB(num_channels, image_channels, style_dim=latent) for num_channels in channels[:-1]
        )
        self.last_affine = EqualisedLinear(latent, channels[-1], bias=1.0)
        self.head = SkipHead(channels[-1], image_channels)
        self._noise_sizes = [math.prod(size) for size in conv_sizes]
        self.layer_noise_shape = (sum(self._noise_sizes),)
        self.num_styles = len(self.convs) + 1
        self.register_buffer("fixed_noise", torch.randn(1, *self.layer_noise_shape))

    def styles(self, z: Tensor) -> Tensor:
        """Compute the styles of latents, the same for all layers: (S, B, M) -> (S, B, L, M)."""
        styles: Tensor = self.mapping(z)
        return styles[:, :, None].expand(-1, -1, self.num_styles, -1)

    def truncate(self, styles: Tensor, psi: float) -> Tensor:
        """Draw styles (S, B, L, M) towards their mean, to mean + psi (styles - mean)."""
        return torch.lerp(self.mapping.mean_style[:, None, None], styles, psi)

    def features(self, z: Tensor, noise: Tensor | None = None) -> Tensor:
        """Compute the input of the head, (S, B, C' + C, H, W).

        Arguments:
            z: Latents (S, B, M), or styles (S, B, L, M).
            noise: Layer noise, (S, B', N), repeated if B > B'; None for the fixed one.
        """
        styles = self.styles(z) if z.dim() == 3 else z
        num_seeds, batch_size = styles.shape[:2]
        noise = self.fixed_noise[:, None] if noise is None else fit_batch_size(noise, batch_size)
        layer_noise = noise.split(self._noise_sizes, dim=-1)
        hidden = self.constant.flatten(0, 1).expand(batch_size, -1, -1, -1)
        hidden = self.convs[0](hidden, styles[:, :, 0], layer_noise[0])
        image = self.to_rgbs[0](hidden, styles[:, :, 1])
        for layer in range(1, len(self.convs), 2):
            for i in (layer, layer + 1):
                hidden = self.convs[i](hidden, styles[:, :, i], layer_noise[i])
            image, next_style = upsample(image), styles[:, :, layer + 2]
            if layer + 2 < self.num_styles - 1:
                image = image + self.to_rgbs[(layer + 1) // 2](hidden, next_style)
        hidden = hidden * to_channels(self.last_affine(styles[:, :, -1]))
        return torch.cat([ungroup_seeds(part, num_seeds) for part in (hidden, image)], dim=2)

    def forward(self, z: Tensor, noise: Tensor | None = None) -> Tensor:
        images: Tensor = self.head(self.features(z, noise))
        return images


class ResidualDownsampling(nn.Module):
    """Block of D that halves the sides: (up(x) + conv(x)) / sqrt(2), in grouped layout.

    Arguments:
        in_channels: Number of input channels.
        out_channels: Number of output channels.
        conv: Creates convolutions.
    """

    def __init__(self, in_channels: int, out_channels: int, conv: partial[Conv2d]) -> None:
        super().__init__()
        self.first_conv = conv(in_channels, in_channels, 3, padding=1)
        self.second_conv = conv(in_channels, out_channels, 3, stride=2)
        self.shortcut = conv(in_channels, out_channels, 1, bias=False)
        self.activation = ScaledLeakyReLU()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.activation(self.first_conv(x))
        hidden = self.activation(self.second_conv(blur(hidden, padding=2)))
        output: Tensor = (hidden + self.shortcut(downsample(x))) / sqrt(2)
        return output


@cites(STYLEGAN2)
@dataclass(frozen=True, kw_only=True)
class StyleGAN2(ImageBackbone):
    """StyleGAN2: a generator controlled by styles, and a residual discriminator.

    The sides are halved until the smaller one is 4, 5, 6 or 7: 32, 16, 8, 4; 28, 14, 7; 24 x 40,
    12 x 20, 6 x 10. Both have to be divisible by that power of two.

    G maps normalised latents to styles w by a perceptron, and convolves a learned constant by
    weights that a style scales and normalises (`ModulatedConv2d`); each layer adds noise; each
    stage adds an image (skips). D is residual, and reads the minibatch standard deviation; F and
    other encoders are D without that statistic, as is D with spectral norm. All layers have
    equalised learning rates, and resampling filters with [1, 3, 3, 1]. Images are not bounded in
    training, as in the paper, and clamped to [-1, 1] in sampling.

    With `latent=512` and 1,024 pixels, the paper's configuration F is `width=32` (30 and 29
    million parameters of G and D), and E is `width=16` (25 and 24 million). Of smaller images, the
    configurations of StyleGAN2-ADA are `width=64` for 256 pixels, and `width=512` with
    `mapping_layers=2` for CIFAR-10.

    Choices of this library: w has the dimension of z; noise is fixed in sampling, so that samples
    are functions of z; groups for the standard deviation have fewer samples if four do not divide
    a batch.

    References:
        * Analyzing and Improving the Image Quality of StyleGAN (Karras, Laine, Aittala, Hellsten,
          Lehtinen and Aila, 2020), https://arxiv.org/abs/1912.04958
        * A Style-Based Generator Architecture for Generative Adversarial Networks (Karras, Laine
          and Aila, 2019), https://arxiv.org/abs/1812.04948, for mapping, noise and truncation
        * Training Generative Adversarial Networks with Limited Data (Karras, Aittala, Hellsten,
          Laine, Lehtinen and Aila, 2020), https://arxiv.org/abs/2006.06676, for widths

    Examples:
        >>> import torch
        >>> from iidgan import StyleGAN2
        >>> G = StyleGAN2(latent=16, width=4).build_generator((3, 28, 28))
        >>> z = torch.zeros(1, 2, 16)
        >>> G(z).shape, G.styles(z).shape
        (torch.Size([1, 2, 3, 28, 28]), torch.Size([1, 2, 6, 16]))
    """

    latent: int = 512
    """Dimension M of the prior, and of styles."""
    width: int = 64
    """Number of channels of the layers next to the image; doubled where the sides are halved."""
    max_width: int = 512
    """Largest number of channels."""
    mapping_layers: int = 8
    """Number of layers of the mapping network."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_width", "mapping_layers"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: must be >= 1, got {getattr(self, name)}")

    def build_generator(self, shape: tuple[int, ...]) -> nn.Module:
        sizes = self._list_sizes(shape)
        return StyleGenerator(
            self.latent,
            sizes=sizes[::-1],
            channels=self._list_channels(sizes)[::-1],
            image_channels=shape[0],
            mapping_layers=self.mapping_layers,
        )

    def build_discriminator(self, shape: tuple[int, ...], *, spectral: bool = False) -> nn.Module:
        if spectral:
            return super().build_discriminator(shape, spectral=True)
        trunk = self._assemble_trunk(shape, EqualisedWeight, MinibatchStdConv)
        head = self._build_output_layer(self._feature_shape(shape), 1, spectral=False)
        return Encoder(trunk, LogitHead(head))

    def _build_trunk(self, shape: tuple[int, ...], *, spectral: bool) -> nn.Module:
        make_weight = _choose_weight(spectral)
        last_conv = partial(
            Conv2d, kernel_size=3, padding=1, make_weight=make_weight, init=torch.randn
        )
        return self._assemble_trunk(shape, make_weight, last_conv)

    def _assemble_trunk(
        self,
        shape: tuple[int, ...],
        make_weight: WeightFactory,
        last_conv: partial[Conv2d] | type[MinibatchStdConv],
    ) -> nn.Module:
        """Build blocks that halve the sides, a convolution by `last_conv` and a linear layer."""
        sizes = self._list_sizes(shape)
        channels = self._list_channels(sizes)
        num_channels = channels[-1]
        conv = partial(Conv2d, make_weight=make_weight, init=torch.randn)
        num_inputs = num_channels * math.prod(sizes[-1])
        return ConvTrunk(
            *(conv(shape[0], channels[0], 1), ScaledLeakyReLU()),
            *(ResidualDownsampling(*pair, conv) for pair in pairwise(channels)),
            *(last_conv(num_channels, num_channels), ScaledLeakyReLU()),
            Dense(num_inputs, num_channels, make_weight=make_weight, init=torch.randn),
            ScaledLeakyReLU(),
        )

    def _build_output_layer(
        self, feature_shape: FeatureShape, num_outputs: int, *, spectral: bool
    ) -> nn.Module:
        make_weight = _choose_weight(spectral)
        return DenseHead(feature_shape, num_outputs, make_weight=make_weight, init=torch.randn)

    def _feature_shape(self, shape: tuple[int, ...]) -> FeatureShape:
        return self._list_channels(self._list_sizes(shape))[-1], 1, 1

    def _list_channels(self, sizes: list[ImageSize]) -> list[int]:
        return [min(self.width * 2**stage, self.max_width) for stage in range(len(sizes))]

    @staticmethod
    def _list_sizes(shape: tuple[int, ...]) -> list[ImageSize]:
        return list_halved_sizes(shape, "stylegan2")


def _choose_weight(spectral: bool) -> WeightFactory:
    """Return the weight module of a network: spectrally normalised, or of equalised rate."""
    return SpectralWeight if spectral else EqualisedWeight
