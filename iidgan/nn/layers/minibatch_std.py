"""A statistic of the variety of a batch, which lets D see a collapse."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from iidgan.distributed import active_share
from iidgan.nn.layers.conv import Conv2d
from iidgan.nn.layers.weight import EqualisedWeight

MAX_GROUP_SIZE = 4
EPSILON = 1e-8


class MinibatchStdConv(Conv2d):
    """A convolution of equalised learning rate that reads the minibatch standard deviation too.

    One more input channel is constant over a sample: the standard deviation of each feature over
    a group of samples, averaged over all features. A generator whose samples are alike is found
    out by it.

    Arguments:
        in_channels: Number of input channels of one seed, without the additional one.
        out_channels: Number of output channels of one seed.
        kernel_size: Odd side of the kernel; zeros around the image keep its sides.

    References:
        Progressive Growing of GANs for Improved Quality, Stability, and Variation (Karras, Aila,
        Laine and Lehtinen, 2018), https://arxiv.org/abs/1710.10196, section 3; groups of four as
        in StyleGAN
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            padding=kernel_size // 2,
            make_weight=EqualisedWeight,
            init=torch.randn,
        )
        # Its scale is that of the other channels, whose fan-in is larger.
        make_weight = partial(EqualisedWeight, lr_multiplier=in_channels**-0.5)
        initial = torch.randn(1, out_channels, 1, kernel_size, kernel_size)
        self.std_weight = make_weight(in_channels**-0.5 * initial)

    def forward(self, x: Tensor) -> Tensor:
        std_weight = self.std_weight()
        std = self._compute_std(x, len(std_weight)).expand(-1, -1, *x.shape[2:])
        return super().forward(x) + functional.conv2d(
            std, std_weight.flatten(0, 1), padding=self.padding, groups=len(std_weight)
        )

    @staticmethod
    def _compute_std(x: Tensor, num_seeds: int) -> Tensor:
        """Compute the statistic of the samples, whose groups may reach beyond their share."""
        share = active_share()
        if share is None:
            return minibatch_std(x, num_seeds)
        return share.scatter(minibatch_std(share.gather(x, 0), num_seeds), 0)


def minibatch_std(x: Tensor, num_seeds: int) -> Tensor:
    """Compute the mean standard deviation of features over groups of samples.

    Groups have four samples, or else as many as possible of fewer that divide the batch; a batch
    that none divides is one group.

    Arguments:
        x: Features in grouped layout, (B, S * C, H, W).
        num_seeds: Number S of seeds.

    Returns:
        The statistic of each sample's group, (B, S, 1, 1).

    Examples:
        >>> import torch
        >>> from iidgan.nn.layers.minibatch_std import minibatch_std
        >>> samples = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
        >>> minibatch_std(samples, num_seeds=1).flatten()
        tensor([1., 1.])
    """
    group_size = _choose_group_size(len(x))
    groups = x.unflatten(0, (group_size, -1)).unflatten(2, (num_seeds, -1))
    std = (groups.var(0, correction=0) + EPSILON).sqrt().mean((2, 3, 4))
    return std.repeat(group_size, 1)[..., None, None]


def _choose_group_size(batch_size: int) -> int:
    sizes = (size for size in range(MAX_GROUP_SIZE, 1, -1) if batch_size % size == 0)
    return next(sizes, batch_size)
