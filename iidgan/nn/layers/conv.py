"""Convolutional layers for S seeds at once.

Between `group` and `ungroup`, images of all seeds stand side by side as channels, (B, S * C, H,
W): a convolution per seed is then one grouped convolution, and batch statistics per seed and
channel are ordinary ones per channel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from iidgan.nn.init import Start, normal
from iidgan.nn.layers.weight import Weight


def group(x: Tensor) -> Tensor:
    """Lays the seeds out as channels: (S, B, C, H, W) -> (B, S * C, H, W)."""
    return x.transpose(0, 1).flatten(1, 2)


def ungroup(x: Tensor, seeds: int) -> Tensor:
    """Undoes `group`: (B, S * C, H, W) -> (S, B, C, H, W)."""
    return x.unflatten(1, (seeds, -1)).transpose(0, 1)


class Conv2d(nn.Module):
    """Creates a convolution in grouped layout, (B, S * in, H, W) -> (B, S * out, H', W').

    Biases start at zero, weights from `start`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
        weight: Callable[[Tensor], nn.Module] = Weight,
        start: Start = normal,
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        self.weight = weight(start(1, out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(1, out_channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight()
        bias = None if self.bias is None else self.bias.flatten()
        return functional.conv2d(
            x, weight.flatten(0, 1), bias, self.stride, self.padding, groups=len(weight)
        )


class Dense(nn.Module):
    """Creates an affine map in grouped layout, (B, S * C, H, W) to (B, S * out, 1, 1).

    Initialised as `Conv2d`. As one product per seed it takes a quarter of the time that a
    convolution of full size does.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        weight: Callable[[Tensor], nn.Module] = Weight,
        start: Start = normal,
    ) -> None:
        super().__init__()
        self.weight = weight(start(1, out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(1, 1, out_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight().mT
        x = x.reshape(len(x), len(weight), -1).transpose(0, 1)
        y = x @ weight if self.bias is None else torch.baddbmm(self.bias, x, weight)
        return y.transpose(0, 1).flatten(1)[..., None, None]


class ConvTranspose2d(nn.Module):
    """Creates a transposed convolution in grouped layout, initialised as `Conv2d`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        bias: bool = True,
        start: Start = normal,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.weight = nn.Parameter(start(1, in_channels, out_channels, kernel, kernel))
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


class BatchNorm(nn.Module):
    """Creates a batch normalisation in grouped layout, with statistics per seed and channel.

    In training mode it uses the statistics of the batch and keeps none: a forward pass changes
    nothing. In evaluation mode it uses `mean` and `var`, the *standing statistics* that are
    computed once with final weights before sampling.

    References:
        Batch Normalization (Ioffe and Szegedy, 2015), https://arxiv.org/abs/1502.03167
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
            return functional.batch_norm(x, None, None, weight, bias, training=True)
        return functional.batch_norm(x, self.mean.flatten(), self.var.flatten(), weight, bias)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.var_mean(x, (0, 2, 3), correction=0)
        # The CPU has float64: where the mean is large, the variance is a small difference.
        var, mean = (value.view(self.mean.shape).cpu().double() for value in found)
        return mean, var + mean.square()

    def stand(self, mean: Tensor, square: Tensor) -> None:
        self.mean.copy_(mean)
        self.var.copy_((square - mean.square()).clamp_min(0))  # rounding may take it below
