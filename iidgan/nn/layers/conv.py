"""Convolutional layers for S seeds at once.

Between `group_seeds` and `ungroup_seeds`, images are in *grouped layout*: the channels of all
seeds are concatenated, (B, S * C, H, W). One convolution per seed is then a single grouped
convolution, and batch statistics per seed and channel are ordinary statistics per channel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.distributed import active_share
from iidgan.nn.init import Initializer, normal_init
from iidgan.nn.layers.weight import Weight, WeightFactory

EPSILON = 1e-5
"""Summand of the variance in a batch normalisation."""


def group_seeds(x: Tensor) -> Tensor:
    """Concatenate the channels of all seeds: (S, B, C, H, W) -> (B, S * C, H, W).

    Arguments:
        x: Images of S seeds.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.conv import group_seeds
        >>> images = torch.arange(4.0).view(2, 2, 1, 1, 1)  # two images of one pixel
        >>> group_seeds(images)[:, :, 0, 0]  # one row per image, one column per seed
        tensor([[0., 2.],
                [1., 3.]])
    """
    return x.transpose(0, 1).flatten(1, 2)


def ungroup_seeds(x: Tensor, seeds: int) -> Tensor:
    """Invert `group_seeds`: (B, S * C, H, W) -> (S, B, C, H, W).

    Arguments:
        x: Images in grouped layout.
        seeds: Number S of seeds.
    """
    return x.unflatten(1, (seeds, -1)).transpose(0, 1)


class Conv2d(nn.Module):
    """Convolution in grouped layout, (B, S * in, H, W) -> (B, S * out, H', W').

    Biases are initialised to zero, weights by `init`.

    Arguments:
        in_channels: Number of input channels of one seed.
        out_channels: Number of output channels of one seed.
        kernel_size: Side of the kernel.
        stride: Step between outputs.
        padding: Zeros around the image, on each side.
        groups: Number of groups of channels of one seed that are convolved separately.
        bias: Whether each output channel has a bias.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
        init: Draws the initial weight.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.conv import Conv2d
        >>> conv = Conv2d(3, 8, kernel_size=4, stride=2, padding=1)
        >>> conv(torch.zeros(5, 3, 32, 32)).shape
        torch.Size([5, 8, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        bias: bool = True,
        make_weight: WeightFactory = Weight,
        init: Initializer = normal_init,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.groups = stride, padding, groups
        group_channels = in_channels // groups
        self.weight = make_weight(init(1, out_channels, group_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(1, out_channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight()
        bias = None if self.bias is None else self.bias.flatten()
        groups = len(weight) * self.groups
        return functional.conv2d(
            x, weight.flatten(0, 1), bias, self.stride, self.padding, groups=groups
        )


class Dense(nn.Module):
    """Affine map in grouped layout, (B, S * C, H, W) -> (B, S * out, 1, 1).

    Initialised like `Conv2d`. One matrix product per seed takes a quarter of the time of a
    convolution whose kernel covers the image.

    Arguments:
        in_features: Number of inputs of one seed, C * H * W.
        out_features: Number of outputs of one seed.
        bias: Whether each output has a bias.
        make_weight: Wraps the weight, `Weight` or `SpectralWeight`.
        init: Draws the initial weight.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        make_weight: WeightFactory = Weight,
        init: Initializer = normal_init,
    ) -> None:
        super().__init__()
        self.weight = make_weight(init(1, out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(1, 1, out_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight().mT
        x = x.reshape(len(x), len(weight), -1).transpose(0, 1)
        y = x @ weight if self.bias is None else torch.baddbmm(self.bias, x, weight)
        return y.transpose(0, 1).flatten(1)[..., None, None]

    def input_matrix(self) -> Tensor:
        weight: Tensor = self.weight()
        return weight


class ConvTranspose2d(nn.Module):
    """Transposed convolution in grouped layout, initialised like `Conv2d`.

    Arguments:
        in_channels: Number of input channels of one seed.
        out_channels: Number of output channels of one seed.
        kernel_size: Side of the kernel, or its height and width.
        stride: Step between inputs in the output.
        padding: Pixels that are cut from the output, on each side.
        output_padding: Pixels that are added to the output, below and to the right.
        bias: Whether each output channel has a bias.
        init: Draws the initial weight.

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.conv import ConvTranspose2d
        >>> conv = ConvTranspose2d(8, 3, kernel_size=4, stride=2, padding=1)
        >>> conv(torch.zeros(5, 8, 16, 16)).shape  # doubles the side
        torch.Size([5, 3, 32, 32])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int = 0,
        output_padding: int | tuple[int, int] = 0,
        bias: bool = True,
        init: Initializer = normal_init,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        kernel_shape = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.weight = nn.Parameter(init(1, in_channels, out_channels, *kernel_shape))
        self.bias = nn.Parameter(torch.zeros(1, out_channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv_transpose2d(
            x,
            self.weight.flatten(0, 1),
            None if self.bias is None else self.bias.flatten(),
            self.stride,
            self.padding,
            self.output_padding,
            groups=len(self.weight),
        )

    def input_matrix(self) -> Tensor:
        """Return the matrix for inputs of one pixel, whose outputs are the whole kernel."""
        return self.weight.flatten(2).mT


def normalise_batch(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Normalise by the statistics of the whole batch, also where `x` is a share of it.

        y = weight (x - mean) / sqrt(var + 1e-5) + bias

    Arguments:
        x: Activations in grouped layout, (B, S * C, H, W).
        weight: Factors, (S * C,); 1 by default.
        bias: Summands, (S * C,); 0 by default.
    """
    share = active_share()
    if share is None:
        return functional.batch_norm(x, None, None, weight, bias, training=True)
    # In two passes: where the mean is large, a mean of squares would lose the variance.
    wide_x = x.to(torch.promote_types(x.dtype, torch.float32))
    centred = wide_x - share.mean(wide_x, (0, 2, 3))
    y = centred * (share.mean(centred.square(), (0, 2, 3)) + EPSILON).rsqrt()
    if weight is not None and bias is not None:
        y = y * weight[:, None, None] + bias[:, None, None]
    return y.to(x.dtype)


class BatchNorm(nn.Module):
    """Batch normalisation in grouped layout, with statistics per seed and channel.

        y = weight (x - mean) / sqrt(var + 1e-5) + bias

    In training mode it uses the statistics of the batch and stores none: the forward pass has no
    side effects. In evaluation mode it uses `mean` and `var`, the *standing statistics*, which
    are computed once with the final weights before sampling.

    Arguments:
        channels: Number of channels of one seed.

    References:
        Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
        Shift (Ioffe and Szegedy, 2015), https://arxiv.org/abs/1502.03167

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.conv import BatchNorm
        >>> norm = BatchNorm(1)
        >>> images = torch.tensor([2.0, 4.0]).view(2, 1, 1, 1)
        >>> mean, mean_square = norm.batch_moments(images)
        >>> norm.set_statistics(mean, mean_square)
        >>> norm.mean, norm.var
        (tensor([[3.]]), tensor([[1.]]))
    """

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(1 + 0.02 * torch.randn(1, channels))
        self.bias = nn.Parameter(torch.zeros(1, channels))
        self.register_buffer("mean", torch.zeros(1, channels))
        self.register_buffer("var", torch.ones(1, channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.flatten(), self.bias.flatten()
        if self.training:
            return normalise_batch(x, weight, bias)
        return functional.batch_norm(x, self.mean.flatten(), self.var.flatten(), weight, bias)

    def batch_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        var_and_mean = torch.var_mean(x, (0, 2, 3), correction=0)
        # In float64, which every CPU has: where the mean is large, the variance is a small
        # difference of large numbers.
        var, mean = (value.view(self.mean.shape).cpu().double() for value in var_and_mean)
        return mean, var + mean.square()

    def set_statistics(self, mean: Tensor, square: Tensor) -> None:
        self.mean.copy_(mean)
        self.var.copy_((square - mean.square()).clamp_min(0))  # rounding may make it negative
